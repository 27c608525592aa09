"""Looks at lines become minutes. Arithmetic only.

The daemon looks at every line about once a second. A minute keeps the share of looks in each health, the mean and the
worst loss and round trip: enough for years of history in a few hundred megabytes (desk.md §3.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from secondpath.model import Health, Line, LineState


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of one line; sums, so that looks can be added one by one."""

    line: Line
    minute: int
    """Minutes since 1970, UTC."""
    looks: int = 0
    down: int = 0
    degraded: int = 0
    unknown: int = 0
    loss_sum: float = 0.0
    loss_worst_ratio: float = 0.0
    rtts: int = 0
    rtt_sum_s: float = 0.0
    rtt_worst_s: float | None = None
    jitters: int = 0
    jitter_sum_s: float = 0.0

    @property
    def loss_ratio(self) -> float:
        """The mean loss."""
        return self.loss_sum / self.looks if self.looks else 0.0

    @property
    def rtt_s(self) -> float | None:
        """The mean round trip, where there was any."""
        return self.rtt_sum_s / self.rtts if self.rtts else None

    @property
    def jitter_s(self) -> float | None:
        """The mean variation of the round trip."""
        return self.jitter_sum_s / self.jitters if self.jitters else None

    def share(self, looks: int) -> float:
        """A number of looks as a share of all of them."""
        return looks / self.looks if self.looks else 0.0


Minutes: TypeAlias = dict[tuple[Line, int], Minute]
"""Minutes under way."""


def minute_of(wall: datetime) -> int:
    """The minute in which an instant lies."""
    return int(wall.timestamp() // 60)


def with_look(minute: Minute, state: LineState) -> Minute:
    """The minute with one more look in it."""
    seen, health = state.measurement, state.health
    rtt_s, jitter_s = seen.rtt_s, seen.jitter_s
    return replace(
        minute,
        looks=minute.looks + 1,
        down=minute.down + (health is Health.DOWN),
        degraded=minute.degraded + (health is Health.DEGRADED),
        unknown=minute.unknown + (health is Health.UNKNOWN),
        loss_sum=minute.loss_sum + seen.loss_ratio,
        loss_worst_ratio=max(minute.loss_worst_ratio, seen.loss_ratio),
        rtts=minute.rtts + (rtt_s is not None),
        rtt_sum_s=minute.rtt_sum_s + (rtt_s or 0.0),
        rtt_worst_s=minute.rtt_worst_s if rtt_s is None else max(minute.rtt_worst_s or 0.0, rtt_s),
        jitters=minute.jitters + (jitter_s is not None),
        jitter_sum_s=minute.jitter_sum_s + (jitter_s or 0.0),
    )


def add_looks(minutes: Minutes, wall: datetime, states: Iterable[LineState]) -> None:
    """Take one look at some lines into the minutes under way. Lines that nobody has set up are not looked at."""
    number = minute_of(wall)
    for state in states:
        if state.offered:
            key = state.line, number
            minutes[key] = with_look(minutes.get(key) or Minute(state.line, number), state)


def take_finished(minutes: Minutes, wall: datetime) -> tuple[Minute, ...]:
    """The minutes that are over (also those in the future of a clock which was set back), taken out."""
    under_way = minute_of(wall)
    finished = tuple(m for (_, number), m in minutes.items() if number != under_way)
    for minute in finished:
        del minutes[minute.line, minute.minute]
    return finished
