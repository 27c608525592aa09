"""People's own traffic, looked at ten times a second: how many packets went out by each line, and how many came back.

A look is one small dump over raw netlink. Where nothing has moved for a while it is taken half as often: waking up
costs more than looking, and whoever comes to work in a dead office waits a twentieth of a second longer (adr/0009).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from secondpath.model import Line, TrafficSample
from secondpath.netlink.counting import Counting
from secondpath.netlink.wire import NetlinkError

LOOK_S = 0.1
QUIET_LOOK_S = 0.2
QUIET_AFTER = 50
"""So many looks in a row at which nothing had moved."""

log = logging.getLogger(__name__)

FIELDS = {"out": "out", "in": "in_", "syn": "syn", "synack": "synack", "dnsq": "dnsq", "dnsr": "dnsr"}
"""What a counter counts, and the field of a sample that tells it."""


class Traffic:
    """Reports a `TrafficSample` for every line on which packets were counted since the last look."""

    def __init__(self, deliver: Callable[[TrafficSample], None], table: str) -> None:
        self._deliver = deliver
        self._counting = Counting(table)
        self._names: Mapping[str, tuple[Line, str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._still = 0
        self._failing = False

    def watch(self, names: Mapping[str, tuple[Line, str]]) -> None:
        """Which counters there are from now on: name to the line and what is counted, one of FIELDS."""
        self._names = dict(names)

    def start(self) -> None:
        """Begin. What was counted before is not told."""
        self._moved()
        self._again()

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._counting.close()

    def _again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause_s(), self._look)

    def _pause_s(self) -> float:
        return LOOK_S if self._still < QUIET_AFTER else QUIET_LOOK_S

    def _look(self) -> None:
        found = samples(self._moved(), self._names, self._counting.octets)
        self._still = 0 if found else self._still + 1
        self._again()
        for sample in found:
            if not self._closed:
                self._deliver(sample)

    def _moved(self) -> dict[str, int]:
        """Our table may be gone for a moment, and come back with counters that begin anew: then nothing moved."""
        try:
            moved = self._counting.moved()
        except NetlinkError as error:
            self._tell(f"traffic cannot be counted: {error}", failing=True)
            return {}
        self._tell("traffic is counted again", failing=False)
        return moved

    def _tell(self, words: str, *, failing: bool) -> None:
        if failing is not self._failing:
            self._failing = failing
            log.warning("%s", words, extra={"event": "traffic"})


def samples(
    moved: Mapping[str, int], names: Mapping[str, tuple[Line, str]], octets: Mapping[str, int]
) -> list[TrafficSample]:
    """What moved, line by line: packets, and bytes of all that left and came back."""
    lines: dict[Line, dict[str, Any]] = {}
    for name, packets in moved.items():
        if name in names:
            line, counted = names[name]
            lines.setdefault(line, {})[FIELDS[counted]] = packets
            if counted in ("out", "in"):
                lines[line][f"{counted}_bytes"] = octets[name]
    return [TrafficSample(line, **counts) for line, counts in sorted(lines.items())]
