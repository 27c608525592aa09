"""How much of a data allowance is used: cycles, stages, projections, restarts; all clocks come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site

from secondpath.model import DataPlan, Site, Stage, Tally, Uplink
from secondpath.record.allowance import RANK, Ledger, Told, billing_day, closes_at, cycle_of, growth
from secondpath.wire.snapshot import Usage

GB = 10**9
LA = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=LA)
WORKDAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-18:00")


def office(renews_on: int | None = 5, data: int | None = 20 * GB, **changes: object) -> Site:
    lte = Uplink("lte", "wwan0", metered=True, plan=DataPlan(data_bytes=data, renews_on=renews_on))
    return site(uplinks=(Uplink("cable", "wan0"), lte), hours=WORKDAYS, **changes)


class Meter:
    """A ledger, its clocks, and an interface that counts."""

    def __init__(self, a_site: Site | None = None, wall: datetime = NOON) -> None:
        self.site = a_site or office()
        self.ledger = Ledger()
        self.ledger.settle(self.site)
        self.now, self.wall, self.octets, self.boot = 1000.0, wall, 7 * GB, "a"
        self.told: list[Told] = []
        self.look()

    def look(self, grown: int = 0, seconds: float = 10.0, *, carrying: bool = True) -> None:
        self.now += seconds
        self.wall = (self.wall.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.wall.tzinfo)
        self.octets += grown
        tally = Tally(self.boot, self.octets)
        self.told += self.ledger.see(self.now, self.wall, "lte", tally, carrying=carrying)

    def carry(self, bps: float, seconds: float) -> None:
        for _ in range(int(seconds / 10)):
            self.look(round(bps * 10 / 8))

    def restart(self) -> None:
        """Another process, the same boot."""
        text = self.ledger.text()
        self.ledger = Ledger()
        self.ledger.take_up(text)
        self.ledger.settle(self.site)

    @property
    def usage(self) -> Usage:
        usage = self.ledger.usage(self.wall, "lte")
        assert usage is not None
        return usage

    def reasons(self) -> list[tuple[str, Stage]]:
        return [(t.reason, t.after) for t in self.told]


# ── Cycles ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("today", "day", "begins", "ends"),
    [
        (date(2026, 3, 3), 5, date(2026, 2, 5), date(2026, 3, 5)),
        (date(2026, 3, 5), 5, date(2026, 3, 5), date(2026, 4, 5)),
        (date(2026, 1, 3), 5, date(2025, 12, 5), date(2026, 1, 5)),
        (date(2026, 2, 27), 31, date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 2, 28), 31, date(2026, 2, 28), date(2026, 3, 31)),
        (date(2028, 2, 29), 30, date(2028, 2, 29), date(2028, 3, 30)),
        (date(2026, 12, 31), 31, date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 4, 30), 31, date(2026, 4, 30), date(2026, 5, 31)),
        (date(2026, 3, 15), None, date(2026, 3, 1), date(2026, 4, 1)),
    ],
)
def test_a_cycle_begins_on_the_billing_day_or_on_the_last_of_a_shorter_month(
    today: date, day: int | None, begins: date, ends: date
) -> None:
    assert cycle_of(today, day) == (begins, ends)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 31))
def test_every_day_lies_in_one_cycle_and_cycles_follow_each_other_without_a_gap(today: date, day: int) -> None:
    begins, ends = cycle_of(today, day)
    assert begins <= today < ends
    assert 28 <= (ends - begins).days <= 31
    assert cycle_of(ends, day)[0] == ends
    assert cycle_of(begins - timedelta(days=1), day)[1] == begins
    assert begins == billing_day(begins.year, begins.month, day)


@pytest.mark.parametrize(
    ("before", "renews"),
    [
        (datetime(2026, 3, 7, 23, 50, tzinfo=LA), "2026-03-08T00:00:00-08:00"),  # clocks go forward at 2:00 that day
        (datetime(2026, 10, 31, 23, 50, tzinfo=LA), "2026-11-01T00:00:00-07:00"),  # and back on this
    ],
)
def test_it_begins_anew_at_midnight_by_the_offices_clock_whatever_the_clocks_do_that_day(
    before: datetime, renews: str
) -> None:
    meter = Meter(office(renews_on=datetime.fromisoformat(renews).day), before)
    meter.look(GB, carrying=False)
    assert meter.usage.renews_at.isoformat() == renews
    meter.look(seconds=560.0, carrying=False)
    assert meter.usage.used_bytes == GB
    meter.look(seconds=30.0, carrying=False)
    assert meter.usage.used_bytes == 0
    assert meter.reasons()[-1] == ("renewed", Stage.AMPLE)


def test_the_day_is_the_offices_and_not_that_of_greenwich() -> None:
    evening = Meter(office(renews_on=4), datetime(2026, 3, 3, 20, 0, tzinfo=LA))  # the 4th in Greenwich
    evening.look(GB)
    evening.look(seconds=3600.0)
    assert evening.usage.used_bytes == GB


def test_a_clock_that_starts_in_1970_begins_no_cycle_and_neither_does_its_correction() -> None:
    meter = Meter()
    meter.look(GB)
    meter.restart()
    meter.boot, meter.octets, right = "b", 0, meter.wall
    meter.wall = datetime(1970, 1, 1, tzinfo=UTC)
    meter.look(GB)
    meter.wall = right
    meter.look(GB)
    assert meter.usage.used_bytes == 3 * GB
    assert meter.told == []


# ── Counting ─────────────────────────────────────────────────────────────────────────


def test_what_the_interface_counted_before_we_knew_it_is_nobodys() -> None:
    assert Meter().usage.used_bytes == 0


def test_a_restart_loses_nothing_and_counts_what_passed_meanwhile() -> None:
    meter = Meter()
    meter.look(GB)
    meter.restart()
    meter.octets += GB
    meter.look(seconds=300.0)
    assert meter.usage.used_bytes == 2 * GB


def test_a_reboot_counts_what_passed_since_though_the_counter_has_overtaken_the_old_one() -> None:
    meter = Meter()
    meter.look(GB)
    meter.restart()
    meter.boot, meter.octets = "b", 9 * GB
    meter.look()
    assert meter.usage.used_bytes == 10 * GB


@given(st.lists(st.tuples(st.integers(0, 30_000_000), st.sampled_from(["", "", "", "restart", "crash"])), max_size=200))
def test_over_restarts_and_crashes_it_is_right_within_what_a_minute_brings(events: list[tuple[int, str]]) -> None:
    """A reboot without a word loses what was not yet written down; each minute it is."""
    meter, truth, unwritten, text = Meter(), 0, 0, ""
    lost = 0
    for number, (grown, event) in enumerate(events):
        meter.look(grown)
        truth, unwritten = truth + grown, unwritten + grown
        if number % 6 == 0:
            text, unwritten = meter.ledger.text(), 0
        if event == "restart":
            meter.restart()
        elif event == "crash" and text:
            meter.ledger = Ledger()
            meter.ledger.take_up(text)
            meter.ledger.settle(meter.site)
            meter.boot, meter.octets = f"{number}", 0
            lost, unwritten = lost + unwritten, 0
    assert meter.usage.used_bytes == truth - lost or meter.usage.data_bytes == 0
    assert lost <= 5 * 30_000_000 * sum(event == "crash" for _, event in events)


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_counter_never_runs_backwards(before: int, after: int) -> None:
    grown = growth(Tally("a", before), Tally("a", after))
    assert grown == (after - before if after >= before else after)


def test_another_plan_keeps_what_was_used_and_no_limit_keeps_it_for_later() -> None:
    meter = Meter()
    meter.look(GB)
    meter.ledger.settle(office(data=None))
    assert meter.ledger.usage(meter.wall, "lte") is None
    meter.ledger.settle(office(data=50 * GB))
    assert (meter.usage.used_bytes, meter.usage.data_bytes) == (GB, 50 * GB)


@pytest.mark.parametrize("text", ["{", "[]", '{"lte": 3}', '{"lte": {}, "x": {"used_bytes": 1}}'])
def test_what_cannot_be_read_is_refused_and_changes_nothing(text: str) -> None:
    meter = Meter()
    meter.look(GB)
    with pytest.raises(ValueError):
        meter.ledger.take_up(text)
    assert meter.usage.used_bytes == GB


# ── Stages ───────────────────────────────────────────────────────────────────────────


def test_each_stage_is_told_once_when_its_level_is_reached() -> None:
    meter = Meter()
    for _ in range(210):
        meter.look(GB // 10, carrying=False)
    stages = [Stage.WARNED, Stage.SQUEEZED, Stage.CRITICAL, Stage.USED_UP]
    assert meter.reasons() == [("level", stage) for stage in stages]
    used = [t.detail["used_bytes"] for t in meter.told]
    assert used == [15 * GB, 18 * GB, 19 * GB, 20 * GB]


def test_a_person_lifts_it_until_the_data_begins_anew_and_takes_it_back() -> None:
    meter = Meter(wall=datetime(2026, 3, 4, 12, 0, tzinfo=LA))
    meter.look(19 * GB, carrying=False)
    assert meter.usage.stage is Stage.CRITICAL
    list(meter.ledger.lift(meter.wall, "lte", lifted=True))
    assert meter.usage.lifted
    meter.restart()
    meter.look(2 * GB, carrying=False)
    assert RANK[meter.usage.stage] == RANK[Stage.WARNED]
    assert [t.after for t in meter.ledger.lift(meter.wall, "lte", lifted=False)] == [Stage.USED_UP]
    list(meter.ledger.lift(meter.wall, "lte", lifted=True))
    meter.look(seconds=13 * 3600.0, carrying=False)
    assert (meter.usage.stage, meter.usage.lifted, meter.usage.used_bytes) == (Stage.AMPLE, False, 0)


def test_the_providers_figure_takes_the_place_of_ours() -> None:
    meter = Meter()
    meter.look(19 * GB, carrying=False)
    (told,) = meter.ledger.correct(meter.wall, "lte", 12 * GB)
    assert (told.before, told.after, told.reason) == (Stage.CRITICAL, Stage.AMPLE, "corrected")
    meter.look(GB, carrying=False)
    assert meter.usage.used_bytes == 13 * GB


@given(st.lists(st.integers(0, GB), max_size=60))
def test_within_a_cycle_the_stages_only_ever_rise(steps: list[int]) -> None:
    meter, ranks = Meter(), [0]
    for grown in steps:
        meter.look(grown, carrying=False)
        ranks.append(RANK[meter.usage.stage])
    assert ranks == sorted(ranks)


# ── Projections ──────────────────────────────────────────────────────────────────────


def test_that_the_data_will_not_last_is_told_with_the_moment_and_squeezes_before_any_level_is_reached() -> None:
    """20 GB at 20 Mbit/s last 2 h 13 min, and the office closes in six."""
    meter = Meter()
    meter.carry(20e6, 290.0)
    assert meter.reasons() == []
    meter.carry(20e6, 320.0)
    assert meter.reasons() == [("projection", Stage.SQUEEZED), ("foretold", Stage.SQUEEZED)]
    out_at = meter.usage.runs_out_at
    assert out_at is not None
    assert abs((out_at - (NOON + timedelta(hours=2, minutes=13))).total_seconds()) < 120
    assert meter.usage.rate_bps == pytest.approx(20e6, rel=0.01)


def test_a_rate_that_lasts_the_day_is_told_and_squeezes_nobody() -> None:
    """At 3 Mbit/s it lasts 14 h 48 min."""
    meter = Meter(office(renews_on=20))
    meter.carry(3e6, 1800.0)
    assert meter.reasons() == [("foretold", Stage.AMPLE)]
    assert meter.usage.pace_bps == pytest.approx(
        8 * 0.9 * (20 * GB - meter.usage.used_bytes) / (18 * 3600 - 12.5 * 3600), rel=0.01
    )


def test_a_moments_burst_says_nothing() -> None:
    meter = Meter()
    meter.carry(25e6, 40.0)
    meter.carry(0.2e6, 3600.0)
    assert meter.told == []


def test_when_the_uplink_is_left_nothing_is_squeezed_any_more() -> None:
    meter = Meter()
    meter.carry(20e6, 600.0)
    meter.look(carrying=False)
    assert meter.usage.stage is Stage.AMPLE
    assert meter.reasons()[-1] == ("left", Stage.AMPLE)
    assert meter.usage.runs_out_at is None


def test_on_a_standby_nothing_is_projected() -> None:
    meter = Meter()
    for _ in range(100):
        meter.look(100_000_000, carrying=False)
        assert meter.usage.runs_out_at is None


@pytest.mark.parametrize(
    ("wall", "closes"),
    [
        (datetime(2026, 3, 3, 12, 0, tzinfo=LA), datetime(2026, 3, 3, 18, 0, tzinfo=LA)),
        (datetime(2026, 3, 3, 19, 0, tzinfo=LA), datetime(2026, 3, 4, 3, 0, tzinfo=LA)),
        (datetime(2026, 3, 7, 12, 0, tzinfo=LA), datetime(2026, 3, 7, 20, 0, tzinfo=LA)),  # a Saturday
    ],
)
def test_the_data_should_last_until_the_office_closes_or_for_eight_hours(wall: datetime, closes: datetime) -> None:
    assert closes_at(wall, WORKDAYS) == closes


def test_an_uplink_without_a_limit_has_no_account() -> None:
    meter = Meter()
    assert list(meter.ledger.see(meter.now, meter.wall, "cable", Tally("a", 1), carrying=True)) == []
    assert meter.ledger.stages() == {"lte": Stage.AMPLE}
