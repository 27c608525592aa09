"""Trials of rungs: a failed question accuses, other addresses and other lines are heard, and then it is decided.

First the same rung is asked of other addresses on this line; one answer acquits. If all of them fail, every rung is
asked of several addresses here, and of some over the other lines. A rung is convicted if two or more addresses that
have answered before fail here, and

- another line carries it: so it is this path and not the world; or
- no other line is well enough to compare with.

(A line that never carried full size is no worse for it: there TLS is the proof.)

What fails over every line alike is told (`everywhere`) and moves nobody: a cloud provider that is down stays down by
whichever path. One address alone, whatever it does, convicts nobody.

Time: UDP questions are asked twice. TCP retransmits a lost SYN after 1 s (RFC 6298, section 2), so a connection is
given long enough for that; 5 % loss then convicts a sound rung once in a thousand years.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpath.judge.ladder import FIRST, RUNG, WITNESSES, Ladder, Question, Rung, questions_for
from secondpath.judge.line import LineJudge
from secondpath.model import CARRIES, Instant, Line, LineState, Outcome, Probe, ProbeKind, ProbeResult, Target

BENCH = 3
"""Addresses heard on each rung, at most."""
PAUSE_S = 2.0
"""After an acquittal a rung is not accused again for so long ..."""
EVERYWHERE_PAUSE_S = 15.0
"""... and after one because it fails everywhere, for so long."""
ALIKE_S = 3 * EVERYWHERE_PAUSE_S
"""What fails everywhere is told for so long after it was last found."""
OVER_TCP_S = 1.3
UDP_AGAIN_S = 0.3
OVER_UDP = frozenset({ProbeKind.DNS, ProbeKind.SIZE})

Wanted = tuple[Line, Target, bool]
"""A question to be asked now: of which line, which target, and whether a connection is to be given time for a
retransmission."""


@dataclass(slots=True)
class Trial:
    """One rung of one line accused; `numbers` are the probes that were asked for it, by line."""

    rung: Rung
    full: bool = False
    again_at: Instant = math.inf
    wanted: list[Wanted] = field(default_factory=list)
    numbers: dict[Line, list[int]] = field(default_factory=dict)
    witnesses: dict[Line, dict[Rung, list[Target]]] = field(default_factory=dict)


class Trials:
    """All ladders of a site, and the trials under way."""

    def __init__(self) -> None:
        self.ladders: dict[Line, Ladder] = {}
        self.everywhere: dict[tuple[Line, Rung], Instant] = {}
        self._trials: dict[Line, Trial] = {}
        self._quiet_until: dict[tuple[Line, Rung], Instant] = {}
        self.widened: set[Line] = set()
        """Lines on which all that were heard first said the same, until they have been asked whether they live."""
        self._look_at: Instant = -math.inf

    def settle(self, targets: Mapping[Line, tuple[Target, ...]]) -> None:
        """Take a configuration over; ladders of lines that stay keep what they know."""
        kept = self.ladders
        self.ladders, self.everywhere = {}, {}
        for line, named in targets.items():
            ladder = kept.get(line) or Ladder(line)
            ladder.questions = questions_for(named)
            self.ladders[line] = ladder
        self._trials.clear()
        self._look_at = -math.inf

    def asked(self, now: Instant, probe: Probe, overdue_at: Instant) -> None:
        """Note a question that leaves now."""
        if probe.target.kind in RUNG:
            self.ladders[probe.line].asked(now, probe, overdue_at)
            self._look_at = min(self._look_at, overdue_at)

    def answered(self, now: Instant, result: ProbeResult) -> None:
        """Note how a question ended."""
        ladder = self.ladders.get(result.probe.line)
        if ladder is not None and result.probe.target.kind in RUNG:
            ladder.answered(now, result)
            if result.outcome is not Outcome.OK or ladder.failing or self._trials:
                self._look_at = now

    def grant(self, until: Instant) -> None:
        """We were late ourselves: open questions are given time until then."""
        self._look_at = min(self._look_at, until)
        for ladder in self.ladders.values():
            ladder.grant(until)

    def take_over(self, judge: LineJudge) -> None:
        """What its traffic accuses a line of is tried here."""
        if judge.accused is not None:
            self.accuse(judge.line, judge.accused)
            judge.accused = None

    def doubts(self, line: Line) -> bool:
        """Whether a rung of a line fails, or is being tried."""
        return line in self._trials or bool(self.ladders[line].failing)

    def accuse(self, line: Line, rung: Rung) -> None:
        """Begin a trial, unless one is under way on this line, or there are too few witnesses to convict by."""
        if line in self._trials or line not in self.ladders:
            return
        heard = self._heard(line, rung)
        if len({t.address for t in heard}) < WITNESSES:
            return
        trial = Trial(rung, witnesses={line: {rung: heard}})
        trial.wanted = [(line, target, False) for target in heard]
        self._trials[line] = trial

    def due(self, now: Instant) -> bool:
        """Whether a `look` may find anything."""
        return now >= self._look_at

    def look(
        self,
        now: Instant,
        states: Mapping[Line, LineState],
        doubted: frozenset[Line],
        muffled: frozenset[Line] = frozenset(),
    ) -> None:
        """Accuse, and decide what can be decided. A line that is down or doubted as a whole is not tried by rungs.

        It is heard all the same where another is tried, unless it is `muffled`, and its silence says nothing. What
        fails over every line doubts them all: left out, the others could not tell that it does.
        """
        for line, ladder in self.ladders.items():
            if states[line].health not in CARRIES or line in doubted or line in muffled:
                self._trials.pop(line, None)
                continue
            trial = self._trials.get(line)
            if trial is None:
                for rung in ladder.suspects(now):
                    if self._quiet_until.get((line, rung), -math.inf) <= now:
                        self.accuse(line, rung)
            elif not trial.wanted and now < trial.again_at and self._is_heard(now, trial):
                self._decide(now, line, trial, states, muffled)
        self._look_at = self._next_look(now)

    def alike(self, now: Instant) -> dict[Line, str]:
        """What was found of late to fail on a line and over every other one too, and has not been answered since.

        Of several rungs the one that explains the others.
        """
        found: dict[Line, str] = {}
        for rung in (*FIRST, Rung.WEB) if self.everywhere else ():
            for line, ladder in self.ladders.items():
                at = self.everywhere.get((line, rung), -math.inf)
                if now - at < ALIKE_S and ladder.answered_at.get(rung, -math.inf) < at:
                    found.setdefault(line, rung.value)
        return found

    def wanted(self, now: Instant) -> list[Wanted]:
        """The questions to ask now for the trials under way; the answer's numbers come back by `took`."""
        due: list[Wanted] = []
        for trial in self._trials.values():
            due += trial.wanted
            again = [w for w in trial.wanted if w[1].kind in OVER_UDP] if trial.full else []
            if now >= trial.again_at:
                due += [
                    (line, t, True)
                    for line, rungs in trial.witnesses.items()
                    for targets in rungs.values()
                    for t in targets
                    if t.kind in OVER_UDP
                ]
                trial.again_at = math.inf
            elif again:
                trial.again_at = now + UDP_AGAIN_S
            trial.wanted = []
        return due

    def took(self, probe: Probe) -> None:
        """A question that was wanted has been asked, as this probe."""
        for trial in self._trials.values():
            if probe.target in trial.witnesses.get(probe.line, {}).get(RUNG[probe.target.kind], ()):
                trial.numbers.setdefault(probe.line, []).append(probe.number)

    def deadline(self, now: Instant) -> Instant:
        """When there may be something to ask or to decide without an answer."""
        if any(trial.wanted for trial in self._trials.values()):
            return now
        return min([self._look_at, *(trial.again_at for trial in self._trials.values())])

    def _next_look(self, now: Instant) -> Instant:
        times = [until for until in self._quiet_until.values() if until > now]
        times += [at for ladder in self.ladders.values() for at in ladder.pending(now)]
        return min(times, default=math.inf)

    # deciding

    def _heard(self, line: Line, rung: Rung) -> list[Target]:
        """Whom to hear on a rung: different addresses, those that have been answered before. Of full size: here."""
        ladder = self.ladders[line]
        heard: dict[str, Target] = {}
        for target in ladder.on(rung):
            known = ladder.worked if rung is Rung.SIZE else self._worked(target)
            if target.uri in known:
                heard.setdefault(str(target.address), target)
        return list(heard.values())[:BENCH]

    def _worked(self, target: Target) -> frozenset[str]:
        """The URI of a target if it was ever answered over any line."""
        return frozenset({target.uri} if any(target.uri in ladder.worked for ladder in self.ladders.values()) else ())

    def _questions(self, trial: Trial, line: Line | None = None) -> list[Question]:
        found = []
        for where, numbers in trial.numbers.items():
            if line in (None, where):
                found += [q for n in numbers if (q := self.ladders[where].question(n)) is not None]
        return found

    def _is_heard(self, now: Instant, trial: Trial) -> bool:
        return math.isinf(trial.again_at) and all(q.settled(now) for q in self._questions(trial))

    def _decide(
        self, now: Instant, line: Line, trial: Trial, states: Mapping[Line, LineState], muffled: frozenset[Line]
    ) -> None:
        here = [q for q in self._questions(trial, line) if RUNG[q.target.kind] is trial.rung]
        if not here or not all(q.failed(now) for q in here):
            self._acquit(now, line, trial.rung, PAUSE_S)
            del self._trials[line]
        elif not trial.full:
            self._widen(line, trial, states, muffled)
        else:
            del self._trials[line]
            for rung in Rung:
                self._judge(now, line, trial, rung)

    def _widen(self, line: Line, trial: Trial, states: Mapping[Line, LineState], muffled: frozenset[Line]) -> None:
        """All that were heard first say the same: now every rung is asked, and over the other lines too."""
        others = [
            other
            for other, state in states.items()
            if other.family is line.family and other != line and state.health in CARRIES and other not in muffled
        ]
        self.widened.add(line)
        trial.full, trial.numbers = True, {}
        trial.witnesses = {where: {r: self._heard(where, r) for r in Rung} for where in (line, *others)}
        for other in others:
            trial.witnesses[other] = {r: targets[:WITNESSES] for r, targets in trial.witnesses[other].items()}
        trial.wanted = [
            (where, target, True)
            for where, rungs in trial.witnesses.items()
            for targets in rungs.values()
            for target in targets
        ]

    def _judge(self, now: Instant, line: Line, trial: Trial, rung: Rung) -> None:
        here = [q for q in self._questions(trial, line) if RUNG[q.target.kind] is rung]
        if len({q.target.address for q in here}) < WITNESSES or not all(q.failed(now) for q in here):
            self.ladders[line].forgive(rung)
            return
        asked_elsewhere = [q for w in trial.numbers if w != line for q in self._questions(trial, w)]
        alive = [q for q in asked_elsewhere if q.outcome is Outcome.OK]
        asked_rungs = {RUNG[q.target.kind] for q in asked_elsewhere}
        proof = Rung.TLS if rung is Rung.SIZE and rung not in asked_rungs else rung
        if not alive or any(RUNG[q.target.kind] is proof for q in alive):
            self.ladders[line].convict(now, rung, [*here, *(q for q in alive if RUNG[q.target.kind] is proof)])
            self.everywhere.pop((line, rung), None)
        else:
            self.everywhere[line, rung] = now
            self._acquit(now, line, rung, EVERYWHERE_PAUSE_S)

    def _acquit(self, now: Instant, line: Line, rung: Rung, pause_s: float) -> None:
        self.ladders[line].forgive(rung)
        self._quiet_until[line, rung] = now + pause_s


def patience(found_s: float, target: Target, full: bool) -> float:
    """How long a trial waits for one answer, given what its round trip lets expect."""
    if full and target.kind not in OVER_UDP:
        return max(found_s, OVER_TCP_S)
    return found_s
