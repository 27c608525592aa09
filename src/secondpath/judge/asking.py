"""Asks the lines: heartbeats, bursts, and the proof of the others while one is doubted.

A step hands in the judges as they stand and which lines are in use; what comes back is the probes to send now. When to
come again is `deadline`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from secondpath.judge.line import LineJudge
from secondpath.judge.probing import (
    TEMPOS,
    TIMEOUT_S,
    Rota,
    answer_s,
    heartbeat_s,
    next_question,
    next_target,
    patience_s,
    rung_pace_s,
    wave,
)
from secondpath.judge.suspicion import SLACK_S, Suspicion
from secondpath.judge.trials import Trials, patience
from secondpath.model import Family, Health, Instant, Line, Probe, Site, Target

CONFIRM_AFTER_S = 2.0
"""A standby that was asked longer ago is asked again as soon as another line is doubted."""
SIBLING_AFTER_S = 0.1
"""The other family of a doubted uplink is doubted too, unless it has just been asked."""


class Asking:
    """Whose turn it is, on every line of one site."""

    def __init__(self) -> None:
        self.trials = Trials()
        self._rotas: dict[Line, Rota] = {}
        self._number = 0
        self._probes: list[Probe] = []
        self._judges: Mapping[Line, LineJudge] = {}
        self._in_use: frozenset[Line] = frozenset()
        self._proving: frozenset[Line] = frozenset()
        self._works: frozenset[Family] = frozenset()

    def ask(
        self,
        now: Instant,
        site: Site,
        judges: Mapping[Line, LineJudge],
        in_use: frozenset[Line],
        proving: frozenset[Line] = frozenset(),
    ) -> list[Probe]:
        """The probes to send now; the judges have been told of them.

        `in_use` are the lines that carry traffic, `proving` those that have to serve their hold.
        """
        self._probes, self._judges, self._in_use, self._proving = [], judges, in_use, proving
        answering = (j for j in judges.values() if j.state.health in (Health.UP, Health.DEGRADED))
        self._works = frozenset(j.line.family for j in answering)
        self._doubt_siblings(now)
        for judge in judges.values():
            if not judge.fit():
                continue
            burst = judge.suspicion
            if burst is not None and burst.waves_left:
                self._ask_wave(now, site, judge, burst)
            elif now >= self._next_beat_at(site, judge) - SLACK_S:
                target = next_target(now, judge, self._rota(judge.line))
                if target is not None:
                    self._send(now, judge, target, patience_s(judge, target, in_burst=False))
            if burst is None and now >= self._next_rung_at(now, site, judge) - SLACK_S:
                self._ask_rung(now, judge)
            if now >= self._near_at(site, judge) - SLACK_S:
                self._ask_near(now, site, judge)
        for line, target, full in self.trials.wanted(now):
            expected_s = patience_s(judges[line], target, in_burst=True)
            self.trials.took(self._put(now, judges[line], target, patience(expected_s, target, full)))
        return self._probes

    def deadline(self, now: Instant, site: Site) -> Instant:
        """When `ask` has something to do again, as things stand after the last call."""
        times = []
        for judge in self._judges.values():
            burst = judge.suspicion
            if not judge.fit():
                continue
            times.append(self._near_at(site, judge))
            if burst is not None and burst.waves_left:
                times.append(burst.next_wave_at)
            else:
                times += [self._next_beat_at(site, judge), self._next_rung_at(now, site, judge)]
        times.append(self.trials.deadline(now))
        return min((t for t in times if t > now), default=math.inf)

    def _rota(self, line: Line) -> Rota:
        return self._rotas.setdefault(line, Rota())

    def _next_beat_at(self, site: Site, judge: LineJudge) -> Instant:
        in_use, metered = judge.line in self._in_use, site.uplink(judge.line.uplink).metered
        nothing_works = judge.line.family not in self._works
        beat_s = heartbeat_s(TEMPOS[site.failover.profile], judge, in_use, metered, nothing_works)
        return self._rota(judge.line).last_at + beat_s

    def _next_rung_at(self, now: Instant, site: Site, judge: LineJudge) -> Instant:
        line, metered = judge.line, site.uplink(judge.line.uplink).metered
        rota, ladder = self._rota(line), self.trials.ladders[line]
        if judge.state.health is Health.DOWN and rota.rung_at < judge.state.since:
            return judge.state.since  # it went down just now: is it a portal?
        in_use, proving = line in self._in_use, line in self._proving
        return rota.rung_at + rung_pace_s(now, judge, ladder, rota, in_use, proving, metered)

    def _ask_rung(self, now: Instant, judge: LineJudge) -> None:
        rota = self._rota(judge.line)
        rota.rung_at = now
        target = next_question(now, judge, self.trials.ladders[judge.line], rota)
        if target is not None:
            rota.tries[target.uri] = rota.tries.get(target.uri, 0) + 1
            self._put(now, judge, target, patience_s(judge, target, in_burst=False))

    def _near_at(self, site: Site, judge: LineJudge) -> Instant:
        return judge.near.due_at(judge.state.health, judge.state.since, site.uplink(judge.line.uplink).metered)

    def _ask_near(self, now: Instant, site: Site, judge: LineJudge) -> None:
        """The next hop and the modem: their bytes never leave the building, or only just."""
        judge.near.asked_at = now
        for target in judge.near.targets(site.uplink(judge.line.uplink), judge.interface):
            judge.near.asked(self._put(now, judge, target, TIMEOUT_S))

    def _doubt_siblings(self, now: Instant) -> None:
        """What ails one family of an uplink mostly ails the other: it is asked now, so that both are known together."""
        for judge in self._judges.values():
            fresh = judge.suspicion is not None and judge.suspicion.spreads(now)
            for line, other in self._judges.items() if fresh else ():
                quiet = now - self._rota(line).last_at > SIBLING_AFTER_S
                if line.uplink == judge.line.uplink and line != judge.line and other.fit() and quiet:
                    other.suspect(now)

    def _ask_wave(self, now: Instant, site: Site, judge: LineJudge, burst: Suspicion) -> None:
        if now < burst.next_wave_at - SLACK_S:
            return
        tempo = TEMPOS[site.failover.profile]
        burst.quiet = burst.quiet and not burst.spreads(now)
        if not burst.shared and burst.concerns_others(now, answer_s(judge)) and judge.line in self._in_use:
            burst.shared = True
            self._confirm_others(now, judge.line, tempo.wave_size)
        for target in wave(judge, self._rota(judge.line), tempo.wave_size):
            burst.numbers.append(self._send(now, judge, target, patience_s(judge, target, in_burst=True)))
        burst.waves_left -= 1
        burst.next_wave_at = now + max(tempo.wave_gap_s, answer_s(judge) if burst.quiet else 0.0)

    def _confirm_others(self, now: Instant, doubted: Line, size: int) -> None:
        """A line in use is doubted: prove in the same moment that there is somewhere to go."""
        for line, judge in self._judges.items():
            stale = now - self._rota(line).last_at > CONFIRM_AFTER_S
            if line.family is doubted.family and line != doubted and judge.fit() and stale:
                asked = [(t, patience_s(judge, t, in_burst=False)) for t in wave(judge, self._rota(line), size)]
                for target, answer_in_s in asked:
                    self._send(now, judge, target, answer_in_s)
                judge.prove(now, now + max((s for _, s in asked), default=0.0))

    def _send(self, now: Instant, judge: LineJudge, target: Target, patience_s: float) -> int:
        """Ask a question by whose answers the line as a whole is judged."""
        probe = self._put(now, judge, target, patience_s)
        judge.asked(now, probe, patience_s)
        self._rota(judge.line).last_at = now
        return probe.number

    def _put(self, now: Instant, judge: LineJudge, target: Target, patience_s: float) -> Probe:
        self._number += 1
        probe = Probe(self._number, judge.line, target, TIMEOUT_S)
        self.trials.asked(now, probe, now + patience_s)
        self._rota(judge.line).asked_at[target.uri] = now
        self._probes.append(probe)
        return probe
