"""Going home gently: which lines the office has left, what may finish there, and until when. Pure.

A line is *left* when its family's traffic goes elsewhere while it still works: on the way home, or away from a
brown-out. What is in progress there may finish (adr/0021). On the way home that has an end: the last of what may finish
has ended, the drain time is over, or the line stays weak; then all that is left there is given up at once. A phone with
a call on a left line keeps its signalling and its new voice there until its calls have ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from secondpath.model import (
    FINISHING,
    Cause,
    Failover,
    FlowKind,
    FlowsReading,
    Health,
    Instant,
    IPAddress,
    Line,
    LineState,
    Steering,
)

OFFICE_S = 30.0
"""How long ordinary connections may look for a pause in which nobody notices their end."""
WEAK = frozenset({Cause.LOSS, Cause.DELAY, Cause.JITTER})
"""Brown-outs, in which a call is no call any more ..."""
WEAK_S = 40.0
"""... where they last: a tremble of a moment is told for 30 s. A call outlives it, but no move to another address."""


class Over(StrEnum):
    """Why what was left behind is given up."""

    FINISHED = "finished"
    """Nothing is left that may finish."""
    TIME = "drained"
    WEAKENED = "weakened"


@dataclass(slots=True)
class Left:
    """A line that was left at `began`, going home until `until` (never, where it was left for a brown-out)."""

    began: Instant
    until: Instant
    was: Cause
    """Why the line was not well then, or WELL."""
    reading: FlowsReading | None = None
    weak_since: Instant | None = None


@dataclass(slots=True)
class Homecoming:
    """The lines that were left, and what is in progress there."""

    lines: dict[Line, Left] = field(default_factory=dict)

    def move(self, now: Instant, left: LineState | None, to: Line, goes_home: bool, rules: Failover) -> None:
        """The office leaves a line for another. Unless that is dead, what is in progress there may finish.

        On the way home it has `drain_s` for that, else all the time in the world.
        """
        if left is not None and left.offered and left.health is not Health.DOWN:
            self.lines[left.line] = Left(now, now + rules.drain_s if goes_home else math.inf, left.cause)
        self.lines.pop(to, None)

    def adopt(
        self, now: Instant, calling: Mapping[IPAddress, Line], states: Mapping[Line, LineState], rules: Failover
    ) -> None:
        """Somebody is on the phone on lines that were left, says the kernel: since when is not known."""
        for line in set(calling.values()) & states.keys():
            phones = tuple(phone for phone, where in calling.items() if where == line)
            reading = FlowsReading(line, {}, phones, unknown=1)  # there they stay until the next look says otherwise
            self.lines[line] = Left(now, now + rules.drain_s, states[line].cause, reading)

    def forget(self, line: Line) -> None:
        """All on it was given up."""
        self.lines.pop(line, None)

    def see(self, reading: FlowsReading) -> bool:
        """Take in what is in progress; whether that changes anything."""
        left = self.lines.get(reading.line)
        if left is None or left.reading == reading:
            return False
        left.reading = reading
        return True

    def over(self, now: Instant, state: LineState) -> Over | None:
        """Why the flows on a left line are to be given up now; None while they may stay."""
        left = self.lines.get(state.line)
        if left is None or left.until == math.inf:
            return None
        if now >= left.until:
            return Over.TIME
        weak = state.health is Health.DEGRADED and state.cause in WEAK and state.cause is not left.was
        left.weak_since = (now if left.weak_since is None else left.weak_since) if weak else None
        if left.weak_since is not None and now >= left.weak_since + WEAK_S:
            return Over.WEAKENED
        return Over.FINISHED if _finished(now, left) else None

    def calling(self) -> dict[IPAddress, Line]:
        """The phones with calls on left lines; of one that has some on two lines, the line left last."""
        ordered = sorted(self.lines.items(), key=lambda item: item[1].began)
        return {phone: line for line, left in ordered if left.reading for phone in left.reading.calling}

    def steering(self, steering: Steering) -> Steering:
        """The decision with what this knows."""
        return replace(steering, left=frozenset(self.lines), calling=self.calling())

    def going_home(self) -> dict[Line, Instant]:
        """The lines that are being left for home, and until when at the latest."""
        return {line: left.until for line, left in self.lines.items() if left.until < math.inf}

    def keep(self, lines: Iterable[Line]) -> None:
        """Forget the lines of uplinks that are gone."""
        there = set(lines)
        self.lines = {line: left for line, left in self.lines.items() if line in there}

    def deadline(self, now: Instant) -> Instant:
        """When something is over by itself."""
        times = [min(left.until, left.began + OFFICE_S) for left in self.lines.values()]
        times += [left.until for left in self.lines.values()]
        times += [left.weak_since + WEAK_S for left in self.lines.values() if left.weak_since is not None]
        return min((t for t in times if t > now), default=math.inf)

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it: seconds passed and left, and the phones."""
        return {
            str(line): {
                "passed_s": now - left.began,
                "left_s": left.until - now if left.until < math.inf else None,
                "was": left.was.value,
                "calling": [str(phone) for phone in (left.reading.calling if left.reading else ())],
            }
            for line, left in self.lines.items()
        }

    def recall(self, now: Instant, memory: Mapping[str, Any], passed_s: float, lines: Iterable[Line]) -> None:
        """Take up what an earlier life remembered, `passed_s` seconds ago. What has run out since ends now."""
        for line in lines:
            told = memory.get(str(line))
            if told is None:
                continue
            began = now - passed_s - float(told["passed_s"])
            until = math.inf if told["left_s"] is None else max(now, now + float(told["left_s"]) - passed_s)
            there = FlowsReading(line, {}, tuple(map(ip_address, told["calling"])), unknown=1)
            adopted = self.lines.get(line)  # the kernel knows better who is on the phone, and the book since when
            reading = adopted.reading if adopted is not None else there
            self.lines[line] = Left(began, until, Cause(told["was"]), reading)


def _finished(now: Instant, left: Left) -> bool:
    reading = left.reading
    if reading is None or reading.unknown or any(reading.counts.get(kind) for kind in FINISHING):
        return False
    return not reading.counts.get(FlowKind.OFFICE) or now >= left.began + OFFICE_S
