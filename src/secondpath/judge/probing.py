"""Whom to ask, how often, how patiently: the questions are as much a decision as the path.

Every line keeps a heartbeat: one cheap question each, going round its targets. What carries traffic is asked often,
a wired standby nearly so, a metered standby seldom, since every byte is paid for; a metered line's health is therefore
proven again by a burst in the moment when another line comes under suspicion. The questions on the rungs (judge/ladder)
cost more and have a pace of their own. A target that alone keeps silent is asked seldom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secondpath.judge.ladder import Ladder, Rung
from secondpath.judge.line import LineJudge
from secondpath.model import Health, Instant, ProbeKind, Profile, Target, Technology

TIMEOUT_S, TIMEOUT_MOST_S = 3.0, 10.0
"""After this nobody waits for an answer any more; where it takes several long round trips, up to the second."""
TIMEOUT_TRIPS = 1.5
"""Such an answer is given so many times what it would take by the newest round trip of the line."""
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
ROUND_TRIPS: Mapping[ProbeKind, float] = {ProbeKind.HTTP: 2.0, ProbeKind.HTTPS: 4.0, ProbeKind.TLS: 4.0}
"""How many round trips an answer takes where it is more than one (a result's `rtt_s` is always the first alone)."""
RUNG_S = 1.5
"""Pace of the questions on the rungs of a line by which people are at work, one rung each, and while it is learned."""
RUNG_IDLE_S = 6.0
"""... of a line in use by which nothing has moved for a while (judge/traffic)."""
RUNG_PROVING_S = 3.0
"""... of one that has to serve its hold: the whole ladder must be good before traffic goes home."""
RUNG_STANDBY_S = 15.0
RUNG_METERED_IN_USE_S = 6.0
RUNG_METERED_S = 7200.0
"""... of a metered one that carries nothing: it is heard whenever another line is tried."""
RUNG_LEARNING_S = 5.0
"""... while there are questions that were never asked: who answers what must be known before it proves anything."""
RUNG_FAILING_S = 1.0
RUNG_METERED_FAILING_S = 15.0
ROUND = (Rung.TLS, Rung.SIZE, Rung.WEB, Rung.DNS, Rung.TLS, Rung.SIZE, Rung.WEB, Rung.TCP)
"""Whose turn it is; names and connections are asked by the heartbeats too."""
TRIES = 3
TRY_AGAIN_S = 3600.0
"""A question that nobody has ever answered is left alone after so many tries, and for so long."""
UNEASY: Sequence[tuple[float, float]] = ((1.0, 0.02), (0.0, 0.04))
"""Pace of the line in use while answers are missing, the seconds of each degree of unease (judge/window): a brown-out
is told from chance by the number of questions alone, so more of them decide sooner."""
UNEASY_STANDBY_S = 0.2
FOLLOWED = frozenset({Technology.CELLULAR, Technology.HOTSPOT})
"""Lines whose capacity varies: ..."""
FOLLOW_S, FOLLOW_LOAD = 0.25, 0.1
"""... in use, and with so much of the contract moving, they are asked at this pace, so that their rate can follow."""
RECOVERY_GAP_S = 0.15
"""Pace of the questions to a line that has begun to answer again."""


@dataclass(slots=True)
class Rota:
    """Whose turn it is on one line; instants of the last question, also for each target by its URI."""

    last_at: Instant = -math.inf
    turn: int = 0
    asked_at: dict[str, Instant] = field(default_factory=dict)
    rung_at: Instant = -math.inf
    rung_turn: int = 0
    tries: dict[str, int] = field(default_factory=dict)


def heartbeat_s(tempo: Tempo, judge: LineJudge, in_use: bool, metered: bool, nothing_works: bool) -> float:
    """The pace at which a line is asked now."""
    if judge.recovering():
        return RECOVERY_GAP_S
    slower = METERED_SLOWER if metered else 1.0
    if in_use and judge.state.health is Health.UP:
        uneasy_s = next((gap_s for unease, gap_s in UNEASY if judge.unease > unease), math.inf)
        return slower * min(tempo.in_use_s, uneasy_s)
    if in_use or nothing_works:
        return slower * tempo.in_use_s
    if not metered:
        return tempo.standby_s if judge.unease <= 0.0 else min(tempo.standby_s, UNEASY_STANDBY_S)
    return METERED_STANDBY_S if judge.state.health is Health.UP else METERED_DOWN_S


def patience_s(judge: LineJudge, target: Target, in_burst: bool) -> float:
    """How long the answer of a target may take: RFC 6298's estimate with a margin; a burst is a little stricter."""
    trip, trips, most_s = judge.window.round_trip(target), ROUND_TRIPS.get(target.kind, 1.0), timeout_s(judge, target)
    if in_burst:
        return min(trip.patience_s(2.0 * trips, 0.15, 0.05), most_s)
    return min(trip.patience_s(trips, 0.2, 0.1), most_s)


def timeout_s(judge: LineJudge, target: Target) -> float:
    """When to give up on a target: through a queue of a second TLS is not dead because it takes four of them."""
    trips_s = ROUND_TRIPS.get(target.kind, 0.0) * (judge.delay.newest_s or 0.0)
    return max(TIMEOUT_S, min(TIMEOUT_TRIPS * trips_s, TIMEOUT_MOST_S))


def answer_s(judge: LineJudge) -> float:
    """When the nearest target has most likely answered."""
    return judge.window.nearest().patience_s(1.0, 0.0, 0.0)


def next_target(now: Instant, judge: LineJudge, rota: Rota) -> Target | None:
    """The next one on the round; deep targets are asked on their rungs, and here only where there is no other."""
    cheap = [t for t in judge.targets if t.kind not in DEEP] or list(judge.targets)
    for _ in cheap:
        rota.turn += 1
        target = cheap[rota.turn % len(cheap)]
        mute = judge.window.mute(target) and target.uri not in judge.own_rules.eaten
        if not mute or now - rota.asked_at.get(target.uri, -math.inf) >= MUTE_PAUSE_S:
            return target
    return cheap[rota.turn % len(cheap)] if cheap else None


def rung_pace_s(
    now: Instant, judge: LineJudge, ladder: Ladder, rota: Rota, in_use: bool, proving: bool, metered: bool
) -> float:
    """The pace at which the rungs of a line are asked now."""
    if judge.state.health is Health.DOWN:
        return RUNG_METERED_S if metered else RUNG_STANDBY_S
    if ladder.failing:
        return RUNG_METERED_FAILING_S if metered else RUNG_FAILING_S
    learning = len(rota.tries) < len(ladder.questions)
    if in_use:
        unmetered_s = RUNG_S if learning or judge.traffic.busy(now) else RUNG_IDLE_S
        return RUNG_METERED_IN_USE_S if metered else unmetered_s
    if learning:
        return RUNG_LEARNING_S
    unmetered_s = RUNG_PROVING_S if proving else RUNG_STANDBY_S
    return RUNG_METERED_S if metered else unmetered_s


def next_question(now: Instant, judge: LineJudge, ladder: Ladder, rota: Rota) -> Target | None:
    """The next question on the rungs: of those that fail, else all in turn; of a line that is down, for a portal."""
    round_: Sequence[Rung] = tuple(ladder.failing) or ROUND
    if judge.state.health is Health.DOWN:
        round_ = (Rung.WEB,)
    new = next((t for t in ladder.questions if t.uri not in rota.tries), None)
    if new is not None and not ladder.failing and judge.state.health is not Health.DOWN:
        return new
    for _ in round_:
        rota.rung_turn += 1
        there = [t for t in ladder.on(round_[rota.rung_turn % len(round_)]) if _worth_asking(now, ladder, rota, t)]
        if there:
            return min(there, key=lambda t: rota.asked_at.get(t.uri, -math.inf))
    return None


def _worth_asking(now: Instant, ladder: Ladder, rota: Rota, target: Target) -> bool:
    if target.uri in ladder.worked or rota.tries.get(target.uri, 0) < TRIES:
        return True
    return now - rota.asked_at.get(target.uri, -math.inf) >= TRY_AGAIN_S


def wave(judge: LineJudge, rota: Rota, size: int) -> list[Target]:
    """Whom to ask in one wave of a burst: cheap kinds, different addresses, those not known to be mute first."""
    cheap = [t for t in judge.targets if t.kind not in DEEP] or list(judge.targets)
    in_turn = [cheap[(rota.turn + 1 + offset) % len(cheap)] for offset in range(len(cheap))]
    chosen: list[Target] = []
    for target in sorted(in_turn, key=judge.window.mute):  # a mute one beside the only heard: one alone never convicts
        if target.address not in {t.address for t in chosen}:
            chosen.append(target)
        if len(chosen) == size:
            break
    rota.turn += len(chosen)
    return chosen
