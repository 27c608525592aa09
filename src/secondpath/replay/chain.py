"""The chain that leads to one event: from the question that was lost first to the verdict.

Every link stands for something that the engine did again while the record was replayed (replay/notes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from secondpath.model import Cause, Family, Health, Instant, Line, Outcome, Transition, Why
from secondpath.replay.notes import Doubt, Moment, Notes
from secondpath.wire.account import Kind, Link, Question

FOLLOWS_S = 5.0
"""What follows a decision within this time belongs to its story: the end of flows, the verdict."""
SAME_MOMENT_S = 2.0
PROOF_S = 5.0
"""How far back an answer still proves a line that was not asked again."""
SHOWN = 8
"""Of a brown-out, so many of the lost questions are shown."""
SILENCE = frozenset({Cause.SILENT, Cause.UNSENT, Cause.MODEM, Cause.ACCESS, Cause.NEXT_HOP})
"""Causes of a line that a burst has convicted."""


def chain_of(notes: Notes, event: Transition) -> tuple[Link, ...]:
    """The links, in the order of time. Empty when the event is not among what was replayed."""
    place = next((i for i, m in enumerate(notes.moments) if _same(m.transition, event)), None)
    if place is None:
        return ()
    moment = notes.moments[place]
    links = [*_Chain(notes, place, moment).links()]
    return tuple(sorted(links, key=lambda link: link.at))


def _same(one: Transition, other: Transition) -> bool:
    return (one.at, one.subject, one.before, one.after) == (other.at, other.subject, other.before, other.after)


@dataclass(frozen=True, slots=True)
class _Chain:
    notes: Notes
    place: int
    moment: Moment

    def links(self) -> Iterator[Link]:
        line = self._line()
        if line is not None and not self._asked():
            yield from self._state_of(line)
        yield from self._proof()
        yield from self._apart()
        yield from self._changes(self.moment.transition)

    # whom it is about

    def _line(self) -> Line | None:
        """The line whose state was the reason."""
        told = self.moment.transition
        room, _, rest = told.subject.partition(":")
        if room in ("line", "flows", "path"):
            return _line_in(rest)
        if room == "steering":
            uplink = told.after if told.reason == Why.PREFERRED else told.before or told.after
            return _line_in(f"{uplink}/{rest}")
        if room == "verdict":
            return _line_in(told.reason.split(",")[0]) or self._last_changed()
        return None

    def _last_changed(self) -> Line | None:
        """A verdict that says that all is well names no line: it is about the one that changed last."""
        for moment in reversed(self.notes.moments[: self.place]):
            room, _, rest = moment.transition.subject.partition(":")
            if room == "line":
                return _line_in(rest)
        return None

    def _asked(self) -> bool:
        """Whether a person asked for it in this very step: then that is the reason, and it is told as a change."""
        return any(
            m.transition.subject == "override" and m.transition.at == self.moment.transition.at
            for m in self.notes.moments
        )

    # what was the matter with it

    def _state_of(self, line: Line) -> Iterator[Link]:
        state = self.moment.states.get(line)
        if state is None:
            return
        if state.cause is Cause.OWN_RULES:
            yield from self._eaten(line)
        elif state.health is Health.UP:
            yield from self._well(line, state.since)
        elif state.cause is Cause.LOSS:
            yield from self._lossy(line)
        elif state.health is Health.DEGRADED:
            yield from self._useless(line)
        elif state.cause in SILENCE or state.cause is Cause.CAPTIVE:
            yield from self._silent(line)
        else:
            yield from self._fact(line)

    def _silent(self, line: Line) -> Iterator[Link]:
        """Doubted and convicted: what was lost first, who was asked, and that nobody answered."""
        at = self.moment.transition.at
        before = [d for d in self.notes.doubts if d.line == line and d.ended_at is not None and d.ended_at <= at]
        convicted = next((d for d in reversed(before) if d.convicted), None)
        if convicted is None:
            return
        yield from self._earlier(line, [d for d in before if d.acquitted_by is not None and d.well])
        yield from self._trial(convicted)

    def _earlier(self, line: Line, acquitted: list[Doubt]) -> Iterator[Link]:
        if acquitted:
            last = acquitted[-1]
            by = (last.acquitted_by,) if last.acquitted_by is not None else ()
            yield Link(last.ended_at or last.at, Kind.EARLIER, line, by, facts={"times": len(acquitted)})

    def _trial(self, doubt: Doubt) -> Iterator[Link]:
        ended_at = doubt.ended_at if doubt.ended_at is not None else self.moment.transition.at
        burst = self.notes.of_burst(doubt, ended_at)
        first = doubt.first or self._first_beside(doubt)
        if first is not None:
            yield Link(first.asked_at, Kind.UNANSWERED, first.line, (first,))
        yield Link(doubt.at, Kind.DOUBTED, doubt.line, burst, facts={"sibling": int(doubt.first is None)})
        if doubt.convicted:
            addresses = {question.target.address for question in burst}
            yield Link(ended_at, Kind.CONVICTED, doubt.line, burst, facts={"addresses": len(addresses)})
        elif doubt.acquitted_by is not None:
            yield Link(ended_at, Kind.ACQUITTED, doubt.line, (doubt.acquitted_by,))

    def _first_beside(self, doubt: Doubt) -> Question | None:
        """What was lost on the other family of the uplink, whose doubt was reason enough to ask this one too."""
        for other in reversed(self.notes.doubts):
            if other.line.uplink == doubt.line.uplink and other.first is not None and other.at <= doubt.at:
                return other.first
        return None

    def _lossy(self, line: Line) -> Iterator[Link]:
        at = self.moment.transition.at
        seen = self.moment.states[line].measurement
        asked = self.notes.asked(line, at - 60.0, at)
        lost = tuple(q for q in asked if not q.answered and q.overdue_at <= at)
        if lost:
            yield Link(lost[0].asked_at, Kind.UNANSWERED, line, lost[:1])
        acquitted = [
            d
            for d in self.notes.doubts
            if d.line == line and d.well and d.acquitted_by and d.ended_at and at - 60.0 <= d.at <= d.ended_at <= at
        ]
        yield from self._earlier(line, acquitted)
        facts = {"lost": len(lost), "asked": len(asked), "loss_ratio": round(seen.loss_ratio, 4)}
        yield Link(at, Kind.LOSS, line, lost[-SHOWN:], facts=facts)

    def _useless(self, line: Line) -> Iterator[Link]:
        """It answers, and something on it fails: who was heard, here and over the other lines."""
        heard = self.moment.heard.get(line, ())
        here = tuple(q for q in heard if q.line == line)
        if here:
            addresses = {q.target.address for q in here}
            yield Link(here[-1].overdue_at, Kind.FAILED, line, here, facts={"addresses": len(addresses)})
        for other in dict.fromkeys(q.line for q in heard if q.line != line):
            carried = tuple(q for q in heard if q.line == other)
            yield Link(max(q.asked_at for q in carried), Kind.CARRIED, other, carried)

    def _eaten(self, line: Line) -> Iterator[Link]:
        """It delivers, and this box throws away what it delivers."""
        at = self.moment.transition.at
        asked = self.notes.asked(line, at - PROOF_S, at)
        eaten = tuple(question for question in asked if question.outcome is Outcome.EATEN)
        if eaten:
            yield Link(eaten[-1].ended_at or at, Kind.EATEN, line, eaten[-SHOWN:])
        else:  # it was the questions
            yield from self._silent(line)

    def _fact(self, line: Line) -> Iterator[Link]:
        """The interface said so: no guess, and no question needed."""
        at = self.moment.transition.at
        said = [(when, i) for when, i in self.notes.interfaces if i.uplink == line.uplink and when <= at]
        if said:
            when, interface = said[-1]
            flags = {"present": interface.present, "up": interface.admin_up, "carrier": interface.carrier}
            facts = {name: int(flag) for name, flag in flags.items()}
            facts |= {"addresses": len(interface.addresses), "gateways": len(interface.gateways)}
            yield Link(when, Kind.INTERFACE, line, facts={**facts, "cause": self.moment.states[line].cause.value})

    def _well(self, line: Line, since: Instant) -> Iterator[Link]:
        """Answers came again, and went on for as long as the hold."""
        asked = [
            q for q in self.notes.asked(line, since - PROOF_S, since) if q.outcome is not None or q.overdue_at <= since
        ]
        answers = tuple(takewhile(lambda q: q.answered, reversed(asked)))[::-1]
        if answers:
            yield Link(answers[0].ended_at or since, Kind.RETURNED, line, answers[-SHOWN:])
        told = self.moment.transition
        good_since, hold_s = self.moment.holds.get(line, (None, 0.0))
        if told.subject.startswith("steering:") and told.reason == Why.PREFERRED and good_since is not None:
            yield Link(told.at, Kind.HELD, line, facts={"hold_s": hold_s, "good_s": round(told.at - good_since, 3)})

    def _apart(self) -> Iterator[Link]:
        """Of an application that moved alone: its tests over the line which it left, and over the one it went to."""
        told, tests = self.moment.transition, self.moment.tests
        for uplink in (told.before, told.after) if tests else ():
            over = tuple(q for q in tests if q.line.uplink == uplink)
            failed = tuple(q for q in over if not q.answered)
            if failed:
                facts = {"addresses": len({q.target.address for q in failed})}
                yield Link(failed[-1].asked_at, Kind.FAILED, failed[0].line, failed, facts=facts)
            elif over:
                yield Link(over[-1].asked_at, Kind.CARRIED, over[0].line, over)

    # where traffic went, and what followed

    def _proof(self) -> Iterator[Link]:
        """What the line answered to which traffic went, since the other one was doubted."""
        told = self.moment.transition
        if not told.subject.startswith("steering:") or not told.after or told.reason == Why.PREFERRED:
            return
        line = _line_in(f"{told.after}/{told.subject.partition(':')[2]}")
        if line is None:
            return
        asked = self.notes.asked(line, told.at - PROOF_S, told.at)
        settled: tuple[Question, ...] = tuple(q for q in asked if q.outcome is not None or q.overdue_at <= told.at)
        if not any(q.answered for q in settled):
            older = [q for q in self.notes.asked(line, told.at - 600.0, told.at) if q.answered]
            settled = tuple(older[-1:])
        if settled:
            yield Link(settled[-1].ended_at or told.at, Kind.PROVEN, line, settled[-SHOWN:])

    def _changes(self, told: Transition) -> Iterator[Link]:
        """The event, with what belongs to it: how its line came to that state, what followed from it."""
        line = self._line()
        for moment in self.notes.moments[: self.place]:
            other = moment.transition
            its = line is not None and other.subject == f"line:{line}" and self._still(moment)
            if its or (other.at == told.at and other.subject != "config"):
                yield Link(other.at, Kind.CHANGED, transition=other)
        for moment in self.notes.moments[self.place :]:
            other = moment.transition
            verdict = other.subject == "verdict" and other.at <= told.at + FOLLOWS_S
            if other.at == told.at or verdict or _beside(told, other):
                yield Link(other.at, Kind.CHANGED, transition=other)

    def _still(self, moment: Moment) -> bool:
        """Whether a transition of the line is the one that led to the state in which it was."""
        line = _line_in(moment.transition.subject.partition(":")[2])
        state = self.moment.states.get(line) if line is not None else None
        return (
            state is not None and moment.transition.after == state.health.value and moment.transition.at >= state.since
        )


def _beside(told: Transition, other: Transition) -> bool:
    """Whether it is the same for the other family, a moment later."""
    alike = (told.before, told.after, told.reason) == (other.before, other.after, other.reason)
    room = told.subject.partition(":")[0]
    return alike and other.subject.partition(":")[0] == room == "steering" and other.at - told.at <= SAME_MOMENT_S


def _line_in(text: str) -> Line | None:
    uplink, _, family = text.rpartition("/")
    return Line(uplink, Family(family)) if uplink and family in set(Family) else None
