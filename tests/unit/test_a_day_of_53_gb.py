"""A day like the one on which 51 devices ate 53 GB of a backup: the mind and the ledger together, in simulated time.

The cable dies at eight and does not come back. Everybody wants what they always want, 10 GB an hour in all; the line
of 25 Mbit/s serves the classes in their order, each up to what the steering shapes it to. Each ten seconds the
interface is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.office import CABLE4, CABLE6, World, settled_office, site

from secondpath.model import (
    CLASSES,
    CRITICAL,
    DataPlan,
    Family,
    Site,
    Stage,
    Tally,
    Uplink,
    UsageReading,
)
from secondpath.record.allowance import RANK, Ledger

GB, HOUR_S, LOOK_S = 10**9, 3600.0, 10.0
PLAN = DataPlan(data_bytes=20 * GB, renews_on=5, beyond_usd_per_gb=15.0)
OFFICE = site(
    uplinks=(
        Uplink("cable", "wan0", down_bps=300_000_000),
        Uplink("lte", "wwan0", down_bps=25_000_000, metered=True, plan=PLAN),
    ),
    hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00"),
)
WANTED_GB_AN_HOUR: Mapping[str, float] = {
    "voice": 0.12,
    "payments": 0.01,
    "line-of-business": 0.35,
    "remote-access": 0.32,
    "office": 1.2,
    "personal": 0.8,
    "bulk": 3.5,
    "streaming": 2.2,
    "guest": 1.5,
}
"""10 GB an hour in all; of it 0.8 critical."""


@dataclass
class Day:
    """The office, its line and its ledger."""

    site: Site
    world: World
    wall: datetime
    ledger: Ledger = field(default_factory=Ledger)
    octets: float = 0.0
    served: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))
    wanted: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))
    stages: list[Stage] = field(default_factory=list)
    told: UsageReading | None = None

    def pass_by(self, seconds: float) -> None:
        """So long everybody uses what the steering gives him."""
        lane = {name: self.world.engine.steering().lane(name, Family.IPV4) for name in CLASSES}
        shape = next(shape for shape in self.world.engine.steering().shapes if shape.uplink == "lte")
        assert shape.down is not None
        most = {share.traffic_class: share.ceil_bps / 8 * seconds for share in shape.down.shares}
        room = shape.down.rate_bps / 8 * seconds
        for name in sorted(CLASSES, key=lambda n: CLASSES[n].priority):
            wants = WANTED_GB_AN_HOUR[name] * GB * seconds / HOUR_S
            self.wanted[name] += wants
            if lane[name].uplink != "lte":
                continue
            gets = min(wants, room, most[name])
            room -= gets
            self.served[name] += gets
            self.octets += gets

    def look(self) -> None:
        """What the daemon does each ten seconds."""
        now, tally = self.world.now, Tally("boot/3", round(self.octets))
        self.stages += [told.after for told in self.ledger.see(now, self.wall, "lte", tally, carrying=self.is_used())]
        if "lte" in self.ledger.stages() and (reading := self.ledger.reading(self.wall, "lte")) != self.told:
            self.told = reading
            self.world.tell(reading)

    def is_used(self) -> bool:
        return any(self.world.uses(traffic_class=name) == "lte" for name in CLASSES)

    def live(self, hours: float) -> None:
        """The world of lines is not stepped on: nothing of it changes, and what is asked of it is tested elsewhere."""
        for _ in range(round(hours * HOUR_S / LOOK_S)):
            self.pass_by(LOOK_S)
            self.world.now += LOOK_S
            self.wall += timedelta(seconds=LOOK_S)
            self.look()


def a_day(a_site: Site = OFFICE) -> Day:
    world = settled_office(a_site)
    world.dead |= {CABLE4, CABLE6}
    world.run_until_used("lte")
    world.run_until(lambda: world.uses(Family.IPV6) == "lte", 5.0)
    day = Day(a_site, world, datetime(2026, 3, 10, 8, 0, tzinfo=ZoneInfo(a_site.timezone)).astimezone(UTC))
    day.ledger.settle(a_site)
    day.look()
    return day


def test_critical_work_is_served_in_full_and_the_plan_is_kept() -> None:
    assert sum(WANTED_GB_AN_HOUR.values()) == pytest.approx(10.0)
    day = a_day()
    day.live(10.0)
    for name in CRITICAL:
        assert day.served[name] == pytest.approx(day.wanted[name]), name
    assert day.octets <= 20 * GB
    assert day.served["guest"] == day.served["streaming"] == 0.0
    assert day.served["office"] > 0.2 * day.wanted["office"], "mail trickles as long as there is data"
    assert next(s for s in day.stages if RANK[s] >= RANK[Stage.SQUEEZED]) is Stage.SQUEEZED
    used = day.ledger.usage(day.wall, "lte")
    assert used is not None
    assert used.used_bytes == pytest.approx(day.octets, abs=1)
    print(f"{day.octets / GB:.2f} GB of 20, stages {[s.value for s in day.stages]}")


def test_without_an_allowance_the_same_day_eats_the_plan_and_more() -> None:
    """So the test above can fail."""
    unlimited = site(uplinks=(OFFICE.uplinks[0], Uplink("lte", "wwan0", down_bps=25_000_000, metered=True)))
    day = a_day(unlimited)
    day.live(10.0)
    assert day.octets > 20 * GB


def test_when_a_person_lifts_it_everybody_is_served_as_before_and_the_plan_is_not_kept() -> None:
    day = a_day()
    day.live(1.0)
    list(day.ledger.lift(day.wall, "lte", lifted=True))
    day.look()
    assert day.world.uses(traffic_class="bulk") == "lte"
    day.live(9.0)
    assert day.octets > 20 * GB
    assert day.world.uses() == "lte"
