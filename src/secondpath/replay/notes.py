"""What is seen of an engine while it steps through an incident: every question, every doubt, every fact.

`Notes.see` is handed to `rerun`. Nothing here judges: a doubt is the engine's own, and so is its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from secondpath.engine.mind import Engine
from secondpath.judge.ladder import Question as Heard
from secondpath.judge.line import LineJudge
from secondpath.judge.suspicion import Suspicion
from secondpath.judge.window import Asked
from secondpath.model import (
    CARRIES,
    Family,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Observation,
    Probe,
    ProbeResult,
    Site,
    Step,
    Transition,
)
from secondpath.wire.account import Question


@dataclass(slots=True)
class Doubt:
    """One suspicion: the question that was lost first (none where the other family's doubt was reason enough)."""

    line: Line
    at: Instant
    well: bool
    """Whether the line was said to be well when it was doubted."""
    burst: Suspicion
    first: Question | None
    ended_at: Instant | None = None
    convicted: bool = False
    acquitted_by: Question | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Something changed: how the engine saw its lines then, and the hold that each line had to serve."""

    transition: Transition
    states: Mapping[Line, LineState]
    holds: Mapping[Line, tuple[Instant | None, float]]
    """Since when a line was good (None: it was not), and for how long it had to be."""
    heard: Mapping[Line, tuple[Question, ...]]
    """What convicted the rungs that failed on a line."""
    tests: tuple[Question, ...] = ()
    """Of an application that moved: its last tests, over every line."""


@dataclass(slots=True)
class Notes:
    """All that was seen, in the order in which it happened."""

    site: Site | None = None
    questions: dict[int, Question] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    interfaces: list[tuple[Instant, InterfaceChange]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    _under_way: dict[Line, Doubt] = field(default_factory=dict)

    def see(self, engine: Engine, at: Instant, observation: Observation | None, step: Step) -> None:
        """Take in one step that the engine has just made."""
        self.site = engine.site
        if isinstance(observation, ProbeResult):
            self._end(engine, at, observation)
        elif isinstance(observation, InterfaceChange):
            self.interfaces.append((at, observation))
        for probe in step.probes:
            self._note(engine, probe)
        for judge in engine.judges.values():
            if judge.suspicion is not None or judge.line in self._under_way:
                self._mind_doubt(judge, at, observation)
        for transition in step.transitions:
            self.moments.append(_moment(engine, at, transition))

    def asked(self, line: Line, since: Instant, until: Instant) -> tuple[Question, ...]:
        """The questions to a line that were asked in a span of time, as they stood at its end."""
        asked = (q for q in self.questions.values() if q.line == line and since <= q.asked_at <= until)
        return tuple(as_of(q, until) for q in asked)

    def of_burst(self, doubt: Doubt, until: Instant) -> tuple[Question, ...]:
        """The questions that were asked because of a doubt, as they stood at an instant."""
        known = (self.questions[n] for n in doubt.burst.numbers if n in self.questions)
        return tuple(as_of(q, until) for q in known if q.asked_at <= until)

    def _note(self, engine: Engine, probe: Probe) -> Question | None:
        judge = engine.judges.get(probe.line)
        window = judge.window.asked if judge is not None else ()
        entry = next((a for a in reversed(window) if a.probe.number == probe.number), None)
        if entry is None:
            return None
        self.questions[probe.number] = _question(entry)
        return self.questions[probe.number]

    def _end(self, engine: Engine, at: Instant, result: ProbeResult) -> None:
        """An answer came. One after another (a late echo) counts where the first was none."""
        number = result.probe.number
        question = self.questions.get(number) or self._note(engine, result.probe)
        if question is not None and not (question.answered and question.ended_at is not None):
            ended = replace(question, outcome=result.outcome, ended_at=at, rtt_s=result.rtt_s)
            self.questions[number] = ended

    def _mind_doubt(self, judge: LineJudge, at: Instant, observation: Observation | None) -> None:
        doubt = self._under_way.get(judge.line)
        if doubt is not None and judge.suspicion is not doubt.burst:
            self._close(doubt, judge, at, observation)
            del self._under_way[judge.line]
            doubt = None
        if doubt is None and judge.suspicion is not None:
            lost = judge.window.first_overdue(at)
            first = None
            if lost is not None:
                number = lost.probe.number
                first = self.questions.get(number) or self._note_entry(lost)
            well = judge.state.health in CARRIES
            opened = Doubt(judge.line, judge.suspicion.at, well, judge.suspicion, first)
            self._under_way[judge.line] = opened
            self.doubts.append(opened)

    def _note_entry(self, entry: Asked) -> Question:
        question = self.questions[entry.probe.number] = _question(entry)
        return question

    def _close(self, doubt: Doubt, judge: LineJudge, at: Instant, observation: Observation | None) -> None:
        """How a doubt ended: by an answer, by silence, or by a fact that made it idle."""
        doubt.ended_at = at
        answers = [q for q in self.of_burst(doubt, at) if q.answered]
        if isinstance(observation, ProbeResult) and observation.probe.line == judge.line:
            answered = self.questions.get(observation.probe.number)
            if answered is not None and answered.answered:
                answers.append(answered)
        if answers:
            doubt.acquitted_by = min(answers, key=lambda q: q.ended_at or at)
        elif judge.fit():
            doubt.convicted = True


def as_of(question: Question, at: Instant) -> Question:
    """A question as it stood at an instant: what came later was not known."""
    if question.ended_at is None or question.ended_at <= at:
        return question
    return replace(question, outcome=None, ended_at=None, rtt_s=None)


def _question(entry: Asked) -> Question:
    probe = entry.probe
    ended_at = entry.at + entry.rtt_s if entry.rtt_s is not None else None
    return Question(
        probe.number, probe.line, probe.target, entry.at, entry.overdue_at, entry.outcome, ended_at, entry.rtt_s
    )


def _moment(engine: Engine, at: Instant, transition: Transition) -> Moment:
    holds = {line: (trust.good_since, trust.hold_s) for line, trust in engine.trust.items()}
    heard = {
        line: tuple(_heard(entry) for rung in ladder.failing for entry in ladder.heard.get(rung, ()))
        for line, ladder in engine.ladders.items()
    }
    room, _, rest = transition.subject.partition(":")
    name, _, family = rest.rpartition("/")
    moved = engine.apart.applications.heard(name, Family(family)) if room == "application" else ()
    return Moment(transition, engine.states(at), holds, heard, tuple(map(_heard, moved)))


def _heard(entry: Heard) -> Question:
    probe = entry.probe
    return Question(probe.number, probe.line, probe.target, entry.asked_at, entry.overdue_at, entry.outcome)
