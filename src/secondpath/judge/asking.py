"""Asks the lines: heartbeats, bursts, and the proof of the others while one is doubted.

A step hands in the judges as they stand and which lines are in use; what comes back is the probes to send now, and when
to come again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from secondpath.judge.applications import Applications
from secondpath.judge.line import LineJudge
from secondpath.judge.path import WAIT_S, end_of
from secondpath.judge.probing import (
    FOLLOW_LOAD,
    FOLLOW_S,
    FOLLOWED,
    TEMPOS,
    TIMEOUT_S,
    Rota,
    answer_s,
    heartbeat_s,
    next_question,
    next_target,
    patience_s,
    rung_pace_s,
    timeout_s,
    wave,
)
from secondpath.judge.suspicion import SLACK_S, Suspicion
from secondpath.judge.trials import Trials, patience
from secondpath.model import CARRIES, Cause, Family, Health, Instant, Line, Probe, ProbeResult, Site, Target, Transition

NOWHERE: Mapping[tuple[str, Family], frozenset[str]] = {}
CONFIRM_METERED_AFTER_S = 2.0
"""A standby is asked again as soon as another line is doubted: lines that die together are both thought well. On a
metered one every question is paid for, and 5 % loss doubts the other all day. So one that was asked less long ago is
asked again only with the last wave of a doubt in which nothing was heard."""
SIBLING_AFTER_S = 0.1
"""The other family of a doubted uplink is doubted too, unless it has just been asked."""


class Asking:
    """Whose turn it is, on every line of one site."""

    def __init__(self) -> None:
        self.trials = Trials()
        self.applications = Applications()
        self.told: list[Transition] = []
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
        travels: Mapping[tuple[str, Family], frozenset[str]] = NOWHERE,
    ) -> tuple[list[Probe], Instant]:
        """The probes to send now, and when to come again; the judges have been told of them.

        What was found out by asking is then in `told`.

        `in_use` are the lines that carry traffic, `proving` those that have to serve their hold; `travels` has the
        uplinks of each application.
        """
        self._probes, self._judges, self._in_use, self._proving = [], judges, in_use, proving
        self.told = []
        self._works = frozenset({line.family for line, j in judges.items() if j.state.health in CARRIES})
        self._doubt_siblings(now)
        self._doubt_the_tried(now)
        fit = [judge for judge in judges.values() if judge.fit()]
        turns: list[Instant] = []
        asked = False
        for judge in fit:
            due = self._turns(now, site, judge)
            if now >= min(due) - SLACK_S:
                self._ask_line(now, site, judge, *due)
                asked = True
            turns += due
        if asked:
            turns = [at for judge in fit for at in self._turns(now, site, judge)]
        for line, target, full in self.trials.wanted(now):
            expected_s = patience_s(judges[line], target, in_burst=True)
            self.trials.took(self._put(now, judges[line], target, patience(expected_s, target, full)))
        if self.applications.waiting():
            self.applications.doubt(now, (line for line, j in judges.items() if j.queued(now)))
        if travels and now >= self.applications.due:
            for line, target, told in self.applications.ask(now, site, judges, travels, self._unsure(now, judges)):
                told(self._make(judges[line], target, timeout_s(judges[line], target)))
        turns += [self.trials.deadline(now), self.applications.due]
        return self._probes, min((at for at in turns if at > now), default=math.inf)

    def of_application(self, now: Instant, result: ProbeResult, judges: Mapping[Line, LineJudge]) -> bool:
        """Take in the answer to a question about an application; False where it is about the line."""
        if not self.applications.asked(result.probe.number):
            return False
        self.applications.doubt(now, self._unsure(now, judges))
        self.applications.answered(now, result)
        return True

    def _unsure(self, now: Instant, judges: Mapping[Line, LineJudge]) -> frozenset[Line]:
        """Lines on which a failure says nothing of the application that was asked: they may be to blame themselves."""
        return frozenset(
            line
            for line, j in judges.items()
            if j.state.health not in CARRIES
            or j.state.cause is Cause.OWN_RULES
            or j.questioned()
            or j.queued(now)
            or self.trials.doubts(line)
        )

    def _rota(self, line: Line) -> Rota:
        rota = self._rotas.get(line)
        if rota is None:
            rota = self._rotas[line] = Rota()
        return rota

    def _turns(self, now: Instant, site: Site, judge: LineJudge) -> tuple[Instant, Instant, Instant, Instant]:
        """When a line's next wave or heartbeat is due, a question on a rung, those who are near, and its way."""
        line, state, burst = judge.line, judge.state, judge.suspicion
        uplink = site.uplink(line.uplink)
        metered = uplink.metered
        near_at = judge.near.due_at(state.health, state.since, metered)
        path_at = judge.path.due_at(state, metered)
        if burst is not None and burst.waves_left:
            return burst.next_wave_at, math.inf, near_at, path_at
        rota, in_use = self._rota(line), line in self._in_use
        nothing_works = line.family not in self._works
        beat_s = heartbeat_s(TEMPOS[site.failover.profile], judge, in_use, metered, nothing_works)
        if in_use and uplink.technology in FOLLOWED and judge.load.is_loaded(now, FOLLOW_LOAD):
            beat_s = min(beat_s, FOLLOW_S)
        beat_at = rota.last_at + beat_s
        if state.health is Health.DOWN and rota.rung_at < state.since:
            return beat_at, state.since, near_at, path_at  # it went down just now: is it a portal?
        ladder, proving = self.trials.ladders[line], line in self._proving
        rung_at = rota.rung_at + rung_pace_s(now, judge, ladder, rota, in_use, proving, metered)
        return beat_at, rung_at, near_at, path_at

    def _ask_line(
        self,
        now: Instant,
        site: Site,
        judge: LineJudge,
        beat_at: Instant,
        rung_at: Instant,
        near_at: Instant,
        path_at: Instant,
    ) -> None:
        burst = judge.suspicion
        if burst is not None and burst.waves_left:
            self._ask_wave(now, site, judge, burst)
        elif now >= beat_at - SLACK_S:
            self._ask_beat(now, judge)
        if burst is None and now >= rung_at - SLACK_S:
            self._ask_rung(now, judge)
        if now >= near_at - SLACK_S:
            self._ask_near(now, site, judge)
        if now >= path_at - SLACK_S:
            self._ask_path(now, judge)

    def _ask_beat(self, now: Instant, judge: LineJudge) -> None:
        target = next_target(now, judge, self._rota(judge.line))
        if target is not None:
            self._send(now, judge, target, patience_s(judge, target, in_burst=False))

    def _ask_rung(self, now: Instant, judge: LineJudge) -> None:
        rota = self._rota(judge.line)
        rota.rung_at = now
        target = next_question(now, judge, self.trials.ladders[judge.line], rota)
        if target is not None:
            rota.tries[target.uri] = rota.tries.get(target.uri, 0) + 1
            self._put(now, judge, target, patience_s(judge, target, in_burst=False))

    def _ask_near(self, now: Instant, site: Site, judge: LineJudge) -> None:
        """The next hop and the modem: their bytes never leave the building, or only just."""
        judge.near.asked_at = now
        for target in judge.near.targets(site.uplink(judge.line.uplink), judge.interface):
            judge.near.asked(self._put(now, judge, target, TIMEOUT_S))

    def _ask_path(self, now: Instant, judge: LineJudge) -> None:
        """The hops on the way, a few at a time; when the last has been asked it is told how far one comes."""
        path, target = judge.path, end_of(judge.targets)
        for walked, ttl in path.questions(now, judge.state, target) if target is not None else ():
            path.asked(now, self._put(now, judge, walked, WAIT_S, ttl))
        found = path.ends_at(judge.state)
        if found is not None and found.at == now:
            beyond = None if found.beyond is None else str(found.beyond)
            detail = {"ttl": found.ttl, "beyond_ttl": found.beyond_ttl, "beyond": beyond}
            self.told.append(Transition(now, f"path:{judge.line}", "", "ends", str(found.address), detail))

    def _doubt_siblings(self, now: Instant) -> None:
        """What ails one family of an uplink mostly ails the other: it is asked now, so that both are known together."""
        for judge in self._judges.values():
            fresh = judge.suspicion is not None and judge.suspicion.spreads(now)
            for line, other in self._judges.items() if fresh else ():
                quiet = now - self._rota(line).last_at > SIBLING_AFTER_S
                if line.uplink == judge.line.uplink and line != judge.line and other.fit() and quiet:
                    other.suspect(now)

    def _doubt_the_tried(self, now: Instant) -> None:
        """A line that is seldom asked, and on which a rung seems to fail, may be dead altogether."""
        for judge in (self._judges[line] for line in self.trials.widened):
            if now - (judge.window.answered_at or -math.inf) > CONFIRM_METERED_AFTER_S:
                judge.suspect(now)
        self.trials.widened.clear()

    def _ask_wave(self, now: Instant, site: Site, judge: LineJudge, burst: Suspicion) -> None:
        if now < burst.next_wave_at - SLACK_S:
            return
        tempo = TEMPOS[site.failover.profile]
        burst.quiet = burst.quiet and not burst.spreads(now)
        last = burst.waves_left == 1 and not burst.heard
        if burst.concerns_others(now, answer_s(judge)) and judge.line in self._in_use and (last or not burst.shared):
            burst.shared = True
            self._confirm_others(now, site, judge.line, tempo.wave_size, burst.at if last else None)
        for target in wave(judge, self._rota(judge.line), tempo.wave_size):
            answer_in_s = patience_s(judge, target, in_burst=True)
            burst.numbers.append(self._send(now, judge, target, answer_in_s, last_wave=burst.waves_left == 1))
        burst.waves_left -= 1
        burst.next_wave_at = now + max(tempo.wave_gap_s, answer_s(judge) if burst.quiet else 0.0)

    def _confirm_others(self, now: Instant, site: Site, doubted: Line, size: int, since: Instant | None) -> None:
        """A line in use is doubted: prove in the same moment that there is somewhere to go.

        Whoever has answered what was asked `since` then has done so; None where nothing is decided yet.
        """
        for line, judge in self._judges.items():
            spared_s = CONFIRM_METERED_AFTER_S if site.uplink(line.uplink).metered else 0.0
            if since is None:
                stale = self._rota(line).last_at < now - spared_s
            else:
                stale = not judge.owes(now) and not judge.window.has_answered(since)
            if line.family is doubted.family and line != doubted and judge.fit() and stale:
                asked = [(t, patience_s(judge, t, in_burst=False)) for t in wave(judge, self._rota(line), size)]
                for target, answer_in_s in asked:
                    self._send(now, judge, target, answer_in_s)
                judge.prove(now, now + max((s for _, s in asked), default=0.0))

    def _send(self, now: Instant, judge: LineJudge, target: Target, patience_s: float, last_wave: bool = False) -> int:
        """Ask a question by whose answers the line as a whole is judged."""
        down, mute = judge.state.health is Health.DOWN, judge.window.mute(target)
        watched = judge.own_rules.watches(now, last_wave, down, mute)
        probe = self._put(now, judge, target, patience_s, watched=watched)
        judge.asked(now, probe, patience_s)
        self._rota(judge.line).last_at = now
        return probe.number

    def _put(
        self,
        now: Instant,
        judge: LineJudge,
        target: Target,
        patience_s: float,
        ttl: int | None = None,
        watched: bool = False,
    ) -> Probe:
        probe = self._make(judge, target, timeout_s(judge, target) if ttl is None else patience_s, ttl, watched)
        self.trials.asked(now, probe, now + patience_s)
        self._rota(judge.line).asked_at[target.uri] = now
        return probe

    def _make(
        self,
        judge: LineJudge,
        target: Target,
        give_up_s: float,
        ttl: int | None = None,
        watched: bool = False,
    ) -> Probe:
        self._number += 1
        probe = Probe(self._number, judge.line, target, give_up_s, ttl, watched)
        self._probes.append(probe)
        return probe
