"""Data allowances beside the loop: what interfaces count goes into the ledger, and a new stage into the engine.

Written down within a minute of what it grew by, and at the end, so that a crash or a cut of the power loses a minute
of it at most; on a standby, where only our own questions pass, as seldom as everything else that is remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from secondpath import clock
from secondpath.act.counting import traffic_counters
from secondpath.model import Instant, Observation, Site, Steering, Transition, UsageReading
from secondpath.record.allowance import Ledger, Told
from secondpath.record.spent import Spent
from secondpath.sense.usage import Meter
from secondpath.wire.snapshot import Usage

LOOK_S = 10.0
WRITE_S = 60.0
WORTH_WRITING_BYTES = 1_000_000
ALLOWANCE, QUESTIONS = "allowance", "questions"

log = logging.getLogger(__name__)

Counters = Callable[[], Mapping[str, tuple[int, int]]]
"""Our table's counters: packets and bytes by name."""


class Saving:
    """The allowances of one gateway, and what its own questions cost."""

    def __init__(self, deliver: Callable[[Observation], None], note: Callable[[Transition], None]) -> None:
        self.spent = Spent()
        self._ledger = Ledger()
        self._meter = Meter()
        self._deliver, self._note = deliver, note
        self._octets: dict[str, int] = {}
        self._people: dict[str, int] = {}
        self._told: dict[str, UsageReading] = {}
        self._site: Site | None = None
        self._written_bytes = 0

    def close(self) -> None:
        """Give the socket back."""
        self._meter.close()

    def settle(self, site: Site) -> None:
        """Take a configuration over."""
        self._site = site
        self._ledger.settle(site)

    def tell(self) -> None:
        """Let the engine know every stage, whatever it remembers."""
        self._told.clear()
        for uplink in self._ledger.stages():
            self._read(uplink, clock.wall())

    def look(
        self, now: Instant, wall: datetime, steering: Steering, numbers: Mapping[str, int], counters: Counters
    ) -> None:
        """Read what the interfaces have counted, and let follow what has to."""
        if self._site is None:
            return
        tallies = self._meter.read({u.name: u.interface for u in self._site.uplinks})
        people = _people(numbers, counters)
        lanes = (*steering.lanes.values(), *steering.detours.values())
        carrying = {lane.uplink for lane in lanes}
        for uplink, tally in tallies.items():
            before, self._octets[uplink] = self._octets.get(uplink), tally.octets
            quiet = uplink not in carrying and people.get(uplink) == self._people.get(uplink, -1)
            grown = tally.octets - before if before is not None and quiet else -1
            self.spent.look(wall.date(), uplink, grown if grown >= 0 else None)
            self._say(now, wall, uplink, self._ledger.see(now, wall, uplink, tally, carrying=uplink in carrying))
        self._people = people

    def correct(self, now: Instant, wall: datetime, uplink: str, used_bytes: int) -> None:
        """A person has looked up how much is used."""
        self._say(now, wall, uplink, self._ledger.correct(wall, uplink, used_bytes))

    def lift(self, now: Instant, wall: datetime, uplink: str, *, lifted: bool, by: str) -> None:
        """A person lifts the restraints, or has them again."""
        self._say(now, wall, uplink, self._ledger.lift(wall, uplink, lifted=lifted), by)

    def usages(self, wall: datetime) -> dict[str, Usage]:
        """How far each allowance is used."""
        found = {uplink: self._ledger.usage(wall, uplink) for uplink in self._ledger.stages()}
        return {uplink: usage for uplink, usage in found.items() if usage is not None}

    def _say(self, now: Instant, wall: datetime, uplink: str, told: Iterable[Told], by: str = "") -> None:
        """Act first: a new stage goes to the engine, and then it is written down."""
        told = list(told)
        self._read(uplink, wall)
        for one in told:
            detail = {**one.detail, **({"by": by} if by else {})}
            self._note(Transition(now, f"allowance:{uplink}", one.before.value, one.after.value, one.reason, detail))

    def _read(self, uplink: str, wall: datetime) -> None:
        """Let the engine know, where it does not know already."""
        if uplink in self._ledger.stages() and (reading := self._ledger.reading(wall, uplink)) != self._told.get(
            uplink
        ):
            self._told[uplink] = reading
            self._deliver(reading)

    # over a restart

    def worth_writing(self, wall: datetime) -> bool:
        """Whether so much has been used since it was written that a crash would lose more than it may."""
        used = sum(usage.used_bytes for usage in self.usages(wall).values())
        if abs(used - self._written_bytes) < WORTH_WRITING_BYTES:
            return False
        self._written_bytes = used
        return True

    def memory(self, wall: datetime) -> dict[str, str]:
        """What has to outlive a restart."""
        return {ALLOWANCE: self._ledger.text(), QUESTIONS: self.spent.text(wall.date())}

    def recall(self, remembered: Mapping[str, str]) -> None:
        """Take up what an earlier life wrote; what cannot be read is let go."""
        for key, take_up in ((ALLOWANCE, self._ledger.take_up), (QUESTIONS, self.spent.take_up)):
            try:
                take_up(remembered.get(key, ""))
            except ValueError as error:
                log.warning("the %s that were remembered cannot be read: %s", key, error, extra={"event": "memory"})


def _people(numbers: Mapping[str, int], counters: Counters) -> dict[str, int]:
    """Packets of people's flows, by uplink; none are known while our table cannot be read."""
    try:
        counted = counters()
    except OSError:
        return {}
    found: dict[str, int] = {}
    for name, (line, what) in traffic_counters(numbers).items():
        if what in ("out", "in") and name in counted:
            found[line.uplink] = found.get(line.uplink, 0) + counted[name][0]
    return found
