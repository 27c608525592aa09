"""The states of one line, and the suspicion that precedes DOWN.

A lost question is only a suspicion, and so is traffic that nobody answers (judge/traffic). It starts a burst: several
questions to several addresses within a fraction of a second. One answer from anybody acquits the line; silence of them
all convicts it. So one dead address costs a few packets and never a switch, and random loss `p` convicts with
probability p^7 (5 %: once in a thousand million losses), while a dead path is known about 0.3 s after its first lost
answer.

Facts of the interface (no carrier, no address) convict at once: they are not guesses.
"""

from __future__ import annotations

import math
from dataclasses import replace

from secondpath.judge.delay import QUEUE_GROWS_S, Delay, Lateness, Load
from secondpath.judge.doubts import Doubts
from secondpath.judge.ladder import Ladder, Rung
from secondpath.judge.near import Near, cause_of_silence
from secondpath.judge.own_rules import OwnRules
from secondpath.judge.path import Path
from secondpath.judge.reading import KEPT, NEXT, Reading, unfit_cause
from secondpath.judge.suspicion import Proof, Suspicion
from secondpath.judge.traffic import ABOUT, Traffic
from secondpath.judge.window import OVER_TCP, RETRANSMISSION_S, Window
from secondpath.model import (
    CARRIES,
    Cause,
    Health,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Outcome,
    Probe,
    ProbeResult,
    Target,
    TrafficSample,
)

CLEAN_LOSS_RATIO = 0.03
"""A line is no longer poor when, over CLEAN_S, its loss stays below this."""
CLEAN_S, CLEAN_SAMPLES = 30.0, 12
QUALITY_GAP_S, BY_CHANCE = 0.2, 1e-6
LOSSY_S, LOSSY_SAMPLES = 10.0, 10
WAVES_MOST = 12
"""A burst on a line that loses much is longer (`_waves_for`): looked at over so long, with so many answers at least."""
UNEASY_LATE = 1.0
"""How uneasy an odd round trip makes: it is asked more often, not most often."""
LATE_ANSWER_S = 1.5
QUEUE_S, STILL_COMES_S = 3.0, 0.3
"""Our own traffic explains what answers wait for so long after it filled the line; in a burst, as long as its packets
come in at least so often."""
OVERFULL, OVERFLOWS_MOST = 0.7, 0.4
"""Loss is our own where a queue stands, our traffic is so much of what the line carries, and the loss is no more than
this."""
LONG_QUEUE_S, SOME_WAIT = 0.1, 0.75
"""Nothing is tried on the rungs, and no application blamed, where more than this part (a quantile) waits so long."""
NOT_WELL = frozenset({Health.UNKNOWN, Health.DOWN})
QUEUED = frozenset({Cause.WELL, Cause.SATURATED})
STREAK_TO_RETURN, STREAK_TO_START = 3, 2
"""Answers in a row, none missing, before a line that was down is up again; or up at the start."""


class LineJudge:
    """Judges one line. The engine tells it what was asked and answered, and asks it to `look`."""

    def __init__(self, line: Line, now: Instant, targets: tuple[Target, ...], waves: int) -> None:
        self.line = line
        self.window = Window()
        self.interface: InterfaceChange | None = None
        self.delay, self.load = Delay(), Load()
        self.doubts = Doubts()
        self.configure(targets, waves)
        self.suspicion: Suspicion | None = None
        self.traffic = Traffic()
        self.accused: Rung | None = None
        self._doubted_by = ""
        self.proof = Proof()
        self.state = LineState(line, Health.UNKNOWN, Cause.STARTING, now)
        self._counted_from = now
        self._streak = 0
        self._streak_lost_at = now
        self._silent = False
        self.unease = 0.0
        self.portal = False
        self.near, self.path, self.own_rules = Near(line), Path(), OwnRules()
        self._full_at = self._overfull_at = self._poor_at = -math.inf
        self._poor_of = Cause.WELL
        self._rung: Cause | None = None
        self._quality = (Reading.ANSWERS, Cause.WELL)
        self._quality_at = now

    def configure(
        self, targets: tuple[Target, ...], waves: int, rates_bps: tuple[float | None, float | None] = (None, None)
    ) -> None:
        """Take over whom to ask, how many waves a burst has, and what the line carries down and up by its contract."""
        self.load.down.contract_bps, self.load.up.contract_bps = rates_bps
        self.targets, self.waves = targets, waves
        self._unfit = unfit_cause(self.interface, self.line, bool(targets))

    # what happened

    def see_interface(self, now: Instant, change: InterfaceChange) -> None:
        """Take in the state of the uplink's interface; a line that becomes able to carry traffic is asked at once."""
        was_fit = self.fit()
        self.interface = change
        self._unfit = unfit_cause(change, self.line, bool(self.targets))
        if self.fit() and not was_fit:
            self._silent = False
            self.suspect(now)
        elif not self.fit():
            self.suspicion = None
            self._streak = 0

    def see_rungs(self, now: Instant, ladder: Ladder) -> bool:
        """Take in what fails on the line though it answers; whether that is news."""
        seen = (ladder.cause(now), ladder.portal(now), ladder.deaf())
        news = seen != (self._rung, self.portal, self.window.deaf)
        self._rung, self.portal, self.window.deaf = seen
        return news

    def asked(self, now: Instant, probe: Probe, patience_s: float) -> None:
        """Note a question that leaves now."""
        self.window.ask(now, probe, patience_s)

    def answered(self, now: Instant, result: ProbeResult) -> None:
        """Note how a question ended."""
        if self.near.answered(result) or self.path.answered(result):
            return
        result = self.own_rules.read(now, result)
        self.window.answer(now, result)
        if result.outcome is Outcome.OK:
            self._note_delay(now, result)
            if self.suspicion is not None:
                self.suspicion.heard = True
            self._streak += 1
            self._silent = False
            if self.window.first_overdue(now) is None and self.state.health is not Health.DOWN:
                self.suspicion = None

    def _note_delay(self, now: Instant, result: ProbeResult) -> None:
        target, rtt_s = result.probe.target, result.rtt_s
        if rtt_s is not None and (target.kind not in OVER_TCP or rtt_s < RETRANSMISSION_S):
            self.delay.take(now, target.uri, str(target.address), rtt_s)

    def see_traffic(self, now: Instant, sample: TrafficSample) -> None:
        """Take in what people's traffic did. What comes in acquits a line that only traffic has accused.

        Never more than that: questions have gone out by then, and one of them unanswered is a suspicion of its own,
        which only answers can end. So a line that is dead outwards is convicted, whatever keeps streaming in.
        """
        self.traffic.see(now, sample)
        self.own_rules.see_traffic(now, sample)
        self.load.take(now, sample.in_bytes, sample.out_bytes)
        accused = self.suspicion is not None and self.suspicion.trigger is not None
        if accused and sample.in_ and self.window.first_overdue(now) is None:
            self.suspicion = None

    def suspect(self, now: Instant) -> None:
        """Start a burst, unless one is under way."""
        if (self.suspicion is None or self.suspicion.quiet) and self.fit():
            self.suspicion = Suspicion(now, [], self._waves_for(now), now)

    def grant(self, until: Instant) -> None:
        """We were late ourselves: open questions have time until then, and traffic begins anew."""
        self.window.grant(until)
        self.proof.until = max(self.proof.until, until)
        self.traffic.forget()
        self.delay.forget()

    # what is to be seen

    def fit(self) -> bool:
        """Whether the interface can carry traffic of this family, and there is somebody to ask."""
        return self._unfit is None

    def prove(self, now: Instant, until: Instant) -> None:
        """It was asked, now, to prove itself as a way out: until it answers, or the answer is overdue, it is none."""
        self.proof = Proof(now, until)

    def owes(self, now: Instant) -> bool:
        """Whether it was asked to prove itself, and may still do so."""
        return now < self.proof.until and not self.window.has_answered(self.proof.asked_at)

    def suspected(self, now: Instant) -> bool:
        """Whether a line that is said to be well is being doubted right now, or has a proof to give yet."""
        return (self.questioned() or self.owes(now)) and self._carries()

    def questioned(self) -> bool:
        """Whether a burst is under way that may convict."""
        return self.suspicion is not None and not self.suspicion.quiet

    def doubted(self) -> dict[str, str]:
        """For the book: what the traffic did that made us ask, where the answer was silence."""
        known = self.state.health is Health.DOWN and self.state.cause is Cause.SILENT and self._doubted_by
        return {"traffic": known} if known else {}

    def _carries(self) -> bool:
        return self.state.health in CARRIES

    def queued(self, now: Instant) -> bool:
        """Whether answers wait in a queue that our own traffic fills: what takes several of them takes too long."""
        return self.delay.queue_s(SOME_WAIT) >= LONG_QUEUE_S and self.load.fills(now)

    def muffled(self, now: Instant) -> bool:
        """Whether silence on a rung would say nothing: it may wait in our own queue, or have been eaten by this box."""
        return self.queued(now) or bool(self.own_rules.eaten)

    def recovering(self) -> bool:
        """Whether a line that is not up has begun to answer."""
        return self._streak > 0 and self.state.health in NOT_WELL

    def look(self, now: Instant) -> LineState:
        """Judge the line as it is seen at `now`; the state it returns is also kept in `state`."""
        self._notice_loss(now)
        self._notice_traffic(now)
        self._end_burst(now)
        reading, cause = self._read(now)
        health = NEXT[self.state.health, reading]
        if health is not self.state.health and health is Health.UP:
            self._begin_afresh(now)
        if health is not self.state.health or cause is not self.state.cause:
            since = now if health is not self.state.health else self.state.since
            if health is Health.DOWN:
                self.traffic.trust()
                self.doubts.take(self.line.family, 0.0)
            self.state = LineState(self.line, health, cause, since)
        return self.state

    def measured(self, now: Instant) -> LineState:
        """The state with what the window shows at `now` beside it."""
        window = self.window
        seen = window.measurement(now, self._counted_from)
        if self.state.cause is Cause.DELAY:  # smoothed, it would still be what was usual
            seen = replace(seen, rtt_s=self.rtt_s())
        return replace(
            self.state,
            measurement=seen,
            answered_at=window.answered_at,
            last_hop=self.path.ends_at(self.state),
        )

    def rtt_s(self) -> float | None:
        """The newest round trip that can be compared with what is usual, or the shortest estimate; None of nothing."""
        return self.delay.newest_s if self.delay.newest_s is not None else self.window.nearest().srtt_s

    def deadline(self, now: Instant) -> Instant:
        """When a look may see something new without anything having happened."""
        if not self.fit():
            return math.inf
        burst = self.suspicion
        queue_at = self._queue_until(burst) if burst is not None and not burst.waves_left else math.inf
        cries = self.traffic.armed() and self._carries()
        cries_at = self.traffic.deadline(self.window.nearest()) if cries else math.inf
        return min(self.window.next_overdue(now), cries_at, queue_at if queue_at > now else math.inf)

    # how it is seen

    def _notice_loss(self, now: Instant) -> None:
        """A lost question starts a suspicion on a good line, and ends the streak of a line that is coming back."""
        lost = self.window.first_overdue(now) if self.fit() else None
        if lost is None:
            return
        if self.state.health is not Health.DOWN:
            self.suspect(now)
        if lost.at > self._streak_lost_at:
            self._streak_lost_at = lost.at
            self._streak = 0

    def _notice_traffic(self, now: Instant) -> None:
        """Silence of the traffic is a suspicion where the line is said to be well and no other is under way."""
        if self.suspicion is not None or not self._carries() or not self.fit():
            self.traffic.forget()
            return
        trigger = self.traffic.suspicion(now, self.window.nearest()) if self.traffic.armed() else None
        if trigger is not None and trigger in ABOUT:
            self.accused = ABOUT[trigger]
        elif trigger is not None:
            self.suspicion = Suspicion(now, [], self._waves_for(now) + 1, now, trigger, quiet=True)

    def _read(self, now: Instant) -> tuple[Reading, Cause]:
        if self._unfit is not None:
            return self._unfit
        if self._carries() and self.own_rules.starves(now):
            self.own_rules.left, self._streak = True, 0
            return Reading.SILENT, Cause.OWN_RULES
        if self._silent:
            if self.own_rules.left:  # a burst that began before ends so: what is eaten is no answer any more
                return Reading.SILENT, Cause.OWN_RULES
            return Reading.SILENT, cause_of_silence(now, self.window, self.near, self.portal)
        if self.state.health in (Health.UNKNOWN, Health.DOWN):
            return self._read_return()
        reading, cause = self._read_quality(now)
        return reading, Cause.OWN_RULES if cause is Cause.WELL and self.own_rules.eaten else cause

    def _waves_for(self, now: Instant) -> int:
        """How many waves a burst needs: what a line that loses so much anyway leaves unanswered once in a million."""
        lost, samples = self.window.tally(now, max(self._counted_from, now - LOSSY_S))
        if samples < LOSSY_SAMPLES or not lost:
            return self.waves
        questions = math.log(BY_CHANCE) / math.log(min(0.8, lost / samples))
        return max(self.waves, min(WAVES_MOST, math.ceil(questions / 2)))

    def _end_burst(self, now: Instant) -> None:
        """When every question of a burst is settled the suspicion is over: proven if none of them was answered."""
        burst = self.suspicion
        if burst is None or burst.waves_left:
            return
        asked = [a for a in self.window.asked if a.probe.number in burst.numbers]
        queues = now < self._queue_until(burst) and self.load.fills(now)  # then answers wait in our own queue
        if all(a.settled(now) for a in asked) and (burst.heard or not queues):
            self.suspicion = None
            self._silent = self._silent or not burst.heard
            self._doubted_by = burst.trigger or ""

    def _queue_until(self, burst: Suspicion) -> Instant:
        return min(burst.at + QUEUE_S, self.load.came_at + STILL_COMES_S)

    def _read_return(self) -> tuple[Reading, Cause]:
        starting = self.state.health is Health.UNKNOWN
        if self._streak >= (STREAK_TO_START if starting else STREAK_TO_RETURN):
            return Reading.ANSWERS, Cause.WELL
        if self._streak:
            return Reading.TOO_FEW, Cause.STARTING if starting else Cause.RECOVERING
        return Reading.TOO_FEW, Cause.STARTING if starting else self._kept_cause()

    def _kept_cause(self) -> Cause:
        """Why the line is down, while nothing new is known: what was, or silence once a hard fact has passed."""
        return self.state.cause if self.state.cause in KEPT else Cause.RECOVERING

    def _read_quality(self, now: Instant) -> tuple[Reading, Cause]:
        """Counting costs, so it is done five times a second. A rung that fails is known already."""
        if self._rung is not None:
            return Reading.POOR, self._rung
        if now >= self._quality_at + QUALITY_GAP_S:
            self._quality_at = now
            self._quality = self._count(now)
        return self._quality

    def _count(self, now: Instant) -> tuple[Reading, Cause]:
        lateness = self._lateness(now)
        if self.state.health is Health.DEGRADED:
            self.doubts.lend(self.line.family, self.state.cause is Cause.LOSS)
            lost, samples = self.window.tally(now, max(self._counted_from, now - CLEAN_S), self._heard_by(now))
            if lost >= CLEAN_LOSS_RATIO * samples > 0:
                return Reading.POOR, Cause.LOSS
            if now < self._poor_at + CLEAN_S:
                return Reading.POOR, self._poor_of
            return (Reading.ANSWERS, Cause.WELL) if samples >= CLEAN_SAMPLES else (Reading.POOR, self.state.cause)
        family, sums = self.line.family, self.window.sums(now, self._counted_from, self._heard_by(now)).values()
        self.doubts.take(family, min(sums, default=0.0))
        self.unease = max(*sums, self.doubts.woken(family), UNEASY_LATE if self.delay.uneasy() else 0.0)
        if self.doubts.poor(family) and not self._overflows(now):
            self._poor_at, self._poor_of = now, Cause.LOSS
            return Reading.POOR, Cause.LOSS
        return (Reading.ANSWERS if lateness in QUEUED else Reading.POOR), lateness

    def _overflows(self, now: Instant) -> bool:
        """Whether what is lost falls out of a queue that our own traffic fills, or did; then counting begins anew.

        What was lost at its end is known only when its time is over, and then the traffic is gone.
        """
        lost, samples = self.window.tally(now, max(self._counted_from, now - LOSSY_S))
        if now < self._overfull_at + QUEUE_S and lost < OVERFLOWS_MOST * samples:
            self._counted_from = now
            return True
        return False

    def _heard_by(self, now: Instant) -> Instant:
        """Questions asked after this do not count yet: where answers come late, it takes longer to call them lost."""
        waits = now - self.window.late_at < CLEAN_S or self.load.fills(now, OVERFULL)
        return now - LATE_ANSWER_S if waits else now

    def _lateness(self, now: Instant) -> Cause:
        """What the round trips say: well, late or trembling; or that our own traffic explains it."""
        seen = self.delay.look(now)
        full = self.load.fills(now)
        if full:
            self._full_at = now
        if full and self.delay.queue_s() >= QUEUE_GROWS_S and self.load.fills(now, OVERFULL):
            self._overfull_at = now
        self.load.carried(now, self.delay.queued(now))
        if seen is Lateness.NONE:
            return Cause.WELL
        if now < self._full_at + QUEUE_S:
            return Cause.SATURATED
        self._poor_at, self._poor_of = now, Cause.DELAY if seen is Lateness.LATE else Cause.JITTER
        return self._poor_of

    def _begin_afresh(self, now: Instant) -> None:
        """A line that is up again is measured from now on; what it lost while it was down is another story."""
        self._counted_from = self._quality_at = now
        self.unease = 0.0
        self.doubts.take(self.line.family, 0.0)
        self._quality = (Reading.ANSWERS, Cause.WELL)
        self._silent = False
        self.own_rules.begin_afresh()
        self.suspicion = None
