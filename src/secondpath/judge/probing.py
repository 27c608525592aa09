"""Whom to ask, how often, how patiently: the questions are as much a decision as the path.

Every line keeps a heartbeat: one cheap question each, going round its targets. What carries traffic is asked often,
a wired standby nearly so, a metered standby seldom, since every byte is paid for; a metered line's health is therefore
proven again by a burst in the moment when another line comes under suspicion. HTTP targets cost more and go round
slower. A target that alone keeps silent is asked seldom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpath.judge.line import LineJudge
from secondpath.model import Health, Instant, ProbeKind, Profile, Target

TIMEOUT_S = 3.0
"""After this nobody waits for an answer any more."""
DEEP = frozenset({ProbeKind.HTTP, ProbeKind.HTTPS})
"""Kinds that cost much more than a datagram; asked at the slow pace."""
MUTE_PAUSE_S = 30.0
"""How long a target that alone keeps silent is left alone."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """The pace of one profile, in seconds: heartbeat of the line in use and of a standby; waves of a burst."""

    in_use_s: float
    standby_s: float
    waves: int
    wave_gap_s: float = 0.06
    wave_size: int = 2


TEMPOS: Mapping[Profile, Tempo] = {
    Profile.CAREFUL: Tempo(1.0, 2.0, 5),
    Profile.BALANCED: Tempo(0.5, 1.0, 3),
    Profile.FAST: Tempo(0.25, 0.5, 3),
}

METERED_STANDBY_S = 120.0
"""Heartbeat of a metered standby: with the kinds of question mixed, both families take 8.5 MB in 30 days."""
METERED_SLOWER = 2.0
"""A metered line in use is asked at half the pace: every question is paid for."""
METERED_DOWN_S = 30.0
"""... while it does not work: a dead line costs nothing that is billed."""
ROUND_TRIPS: Mapping[ProbeKind, float] = {ProbeKind.HTTP: 2.0, ProbeKind.HTTPS: 4.0}
"""How many round trips an answer takes where it is more than one (a result's `rtt_s` is always the first alone)."""
DEEP_BEATS = 30
"""Every so many heartbeats a deep question goes out instead of a cheap one."""
UNEASY = 1.0
UNEASY_GAP_S = 0.1
"""Pace while some answers are missing: more questions decide sooner whether that is chance or a brown-out."""
RECOVERY_GAP_S = 0.15
"""Pace of the questions to a line that has begun to answer again."""


@dataclass(slots=True)
class Rota:
    """Whose turn it is on one line; instants of the last question, also for each target by its URI."""

    last_at: Instant = -math.inf
    beats: int = 0
    turn: int = 0
    deep_turn: int = 0
    asked_at: dict[str, Instant] = field(default_factory=dict)


def heartbeat_s(tempo: Tempo, judge: LineJudge, in_use: bool, metered: bool, nothing_works: bool) -> float:
    """The pace at which a line is asked now."""
    if judge.recovering():
        return RECOVERY_GAP_S
    if in_use and judge.unease > UNEASY:
        return UNEASY_GAP_S
    if in_use or nothing_works:
        return tempo.in_use_s * (METERED_SLOWER if metered else 1.0)
    if not metered:
        return tempo.standby_s
    return METERED_STANDBY_S if judge.state.health is Health.UP else METERED_DOWN_S


def patience_s(judge: LineJudge, target: Target, in_burst: bool) -> float:
    """How long the answer of a target may take: RFC 6298's estimate with a margin; a burst is a little stricter."""
    trip, trips = judge.window.round_trip(target), ROUND_TRIPS.get(target.kind, 1.0)
    if in_burst:
        return min(trip.patience_s(2.0 * trips, 0.15, 0.05), TIMEOUT_S)
    return min(trip.patience_s(trips, 0.2, 0.1), TIMEOUT_S)


def answer_s(judge: LineJudge) -> float:
    """When the nearest target has most likely answered."""
    return judge.window.nearest().patience_s(1.0, 0.0, 0.0)


def next_target(now: Instant, judge: LineJudge, rota: Rota) -> Target | None:
    """The next one on the round; deep targets have their own, slower round."""
    cheap = [t for t in judge.targets if t.kind not in DEEP]
    deep = [t for t in judge.targets if t.kind in DEEP]
    rota.beats += 1
    if deep and (not cheap or rota.beats % DEEP_BEATS == 0):
        rota.deep_turn += 1
        return deep[rota.deep_turn % len(deep)]
    for _ in cheap:
        rota.turn += 1
        target = cheap[rota.turn % len(cheap)]
        if not judge.window.mute(target) or now - rota.asked_at.get(target.uri, -math.inf) >= MUTE_PAUSE_S:
            return target
    return cheap[rota.turn % len(cheap)] if cheap else None


def wave(judge: LineJudge, rota: Rota, size: int, kinds: frozenset[ProbeKind] = frozenset()) -> list[Target]:
    """Whom to ask in one wave of a burst: cheap kinds, different addresses, those not known to be mute first.

    `kinds` are those that the suspicion is about. So far all are asked alike: one answer of any kind acquits.
    """
    cheap = [t for t in judge.targets if t.kind not in DEEP] or list(judge.targets)
    heard = [t for t in cheap if not judge.window.mute(t)] or cheap
    chosen: list[Target] = []
    for offset in range(len(heard)):
        target = heard[(rota.turn + 1 + offset) % len(heard)]
        if target.address not in {t.address for t in chosen}:
            chosen.append(target)
        if len(chosen) == size:
            break
    rota.turn += len(chosen)
    return chosen
