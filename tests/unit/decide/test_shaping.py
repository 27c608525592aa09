"""What an uplink is shaped to: sums that hold whatever the rates are, and the figures that were measured to work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site

from secondpath.decide.policy import Choice, lanes_of
from secondpath.decide.shaping import LEAST_PIPE_BPS, SMALL_BPS, shape_of, shapes_of
from secondpath.engine.shapes import Shapes
from secondpath.model import (
    CLASSES,
    OWN,
    DataPlan,
    Family,
    Lane,
    Pipe,
    RateReading,
    Stage,
    Steering,
    Treatment,
    Uplink,
    Why,
)

MEGABIT = 1_000_000
BACKUP = Uplink("lte", "wwan0", down_bps=4 * MEGABIT, up_bps=2 * MEGABIT, metered=True)
LIMITED = {("bulk", Family.IPV4): Lane("lte", Why.BETTER, Treatment.LIMIT)}
rates = st.integers(LEAST_PIPE_BPS, 2 * 10**9)


def down(
    found: RateReading | None = None, lanes: dict[tuple[str, Family], Lane] | None = None, **change: object
) -> Pipe:
    pipe = shape_of(replace(BACKUP, **change), lanes or {}, found or RateReading("lte")).down  # type: ignore[arg-type]
    assert pipe is not None
    return pipe


def test_an_uplink_of_which_no_rate_is_known_is_left_alone() -> None:
    assert shapes_of(site(), {}, {}) == ()
    only_down = shape_of(Uplink("lte", "wwan0", down_bps=4 * MEGABIT), {}, RateReading("lte"))
    assert only_down.down is not None
    assert only_down.up is None


def test_upwards_the_line_is_filled_to_95_percent_and_downwards_to_85() -> None:
    shape = shape_of(BACKUP, {}, RateReading("lte"))
    assert shape.up is not None
    assert shape.down is not None
    assert (shape.up.rate_bps, shape.down.rate_bps) == (1_900_000, 3_400_000)
    assert shape.down.share("voice").rate_bps == 2_040_000


def test_what_is_measured_goes_before_what_was_promised_and_what_is_spent_leaves_what_the_plan_says() -> None:
    assert down(RateReading("lte", down_bps=2 * MEGABIT)).rate_bps == 1_700_000
    plan = DataPlan(beyond_bps=600_000)
    assert down(RateReading("lte", spent=True), plan=plan).rate_bps == 510_000
    assert down(RateReading("lte"), plan=plan).rate_bps == 3_400_000
    assert down(RateReading("lte", down_bps=500_000, spent=True), plan=plan).rate_bps == 425_000


def test_calls_in_progress_keep_their_share_of_a_small_line_to_themselves_and_of_a_large_one_lend_it() -> None:
    assert down().others_bps == 3_400_000
    assert down(RateReading("lte", calls=10)).others_bps == 1_500_000, "60 % of what they leave"
    assert down(RateReading("lte", calls=60)).others_bps == 816_000, "calls are never sure of more than 60 %"
    assert down(RateReading("lte", calls=60), down_bps=50 * MEGABIT).others_bps == 42_500_000
    up = shape_of(BACKUP, {}, RateReading("lte", calls=10)).up
    assert up is not None
    assert up.others_bps == up.rate_bps, "the queue upwards is ours: order is enough"


def test_a_limited_class_has_a_tenth_of_a_small_line_and_a_quarter_of_a_large_one() -> None:
    assert down(lanes=LIMITED).share("bulk").ceil_bps == 340_000
    assert down(lanes=LIMITED, down_bps=100 * MEGABIT).share("bulk").ceil_bps == 21_250_000
    assert down(lanes=LIMITED).share("office").ceil_bps == 3_400_000
    guest = {("guest", Family.IPV6): Lane("lte", Why.BETTER, Treatment.LIMIT)}
    assert down(lanes=guest).share("guest").ceil_bps == 256_000
    assert down(lanes=guest, down_bps=100 * MEGABIT).share("guest").ceil_bps == 4_250_000
    elsewhere = {("bulk", Family.IPV4): Lane("cable", Why.BETTER, Treatment.LIMIT)}
    assert down(lanes=elsewhere).share("bulk").ceil_bps == 3_400_000


def test_a_throttled_line_has_next_to_nothing_to_spare_for_what_can_wait() -> None:
    throttled, contracted = down(down_bps=600_000), down()
    for pipe, least, most in ((throttled, 0.0, 0.1), (contracted, 0.1, 0.3)):
        rest = pipe.rate_bps - pipe.share("voice").rate_bps
        waiting = sum(pipe.share(name).rate_bps for name in ("personal", "bulk", "streaming", "guest"))
        assert least <= waiting / rest <= most


@given(rates, st.integers(0, 300), st.sets(st.sampled_from(sorted(CLASSES))), st.booleans())
def test_what_classes_are_sure_of_never_adds_up_to_more_than_there_is(
    rate_bps: int, calls: int, limited: set[str], spent: bool
) -> None:
    """An HTB class within its own rate sends even where its parent is over its limit."""
    lanes = {(name, Family.IPV4): Lane("lte", Why.BETTER, Treatment.LIMIT) for name in limited}
    uplink = replace(BACKUP, down_bps=rate_bps, up_bps=rate_bps)
    shape = shape_of(uplink, lanes, RateReading("lte", calls=calls, spent=spent))
    for pipe in (shape.down, shape.up):
        assert pipe is not None
        assert {share.traffic_class for share in pipe.shares} == {*CLASSES, OWN}
        voice = pipe.share("voice").rate_bps
        assert sum(share.rate_bps for share in pipe.shares) <= pipe.rate_bps <= rate_bps
        assert sum(s.rate_bps for s in pipe.shares) - voice <= pipe.others_bps <= pipe.rate_bps
        for share in pipe.shares:
            assert 0 < share.rate_bps <= share.ceil_bps <= pipe.rate_bps
            assert share.traffic_class == "voice" or share.ceil_bps <= pipe.others_bps
            assert share.rate_bps % 1000 == share.ceil_bps % 1000 == 0
        if rate_bps < SMALL_BPS and calls:
            assert pipe.others_bps + min(calls * 90_000, voice) <= pipe.rate_bps or pipe is shape.up


@pytest.mark.parametrize("treatment", Treatment)
def test_the_steering_of_the_engine_says_how_each_uplink_is_shaped(treatment: Treatment) -> None:
    office = site(uplinks=(Uplink("cable", "wan0"), BACKUP))
    lanes = lanes_of(office, {family: Choice("lte", Why.BETTER) for family in Family})
    lanes["streaming", Family.IPV4] = Lane("lte", Why.BETTER, treatment)
    (shape,) = shapes_of(office, lanes, {})
    assert shape.uplink == "lte"
    assert shape.down is not None
    limited = shape.down.share("streaming").ceil_bps < shape.down.rate_bps
    assert limited is (treatment is Treatment.LIMIT)


def test_what_is_limited_on_an_uplink_whose_data_is_squeezed_keeps_to_its_pace() -> None:
    """Half of the pace is shared out among those that are limited, up and down alike; nobody else is held back."""
    lanes = {
        (name, Family.IPV4): Lane(
            "lte", Why.BETTER, Treatment.LIMIT if name in ("office", "personal") else Treatment.KEEP
        )
        for name in CLASSES
    }
    free = shape_of(BACKUP, lanes, RateReading("lte"))
    paced = shape_of(BACKUP, lanes, RateReading("lte"), 400_000)
    for before, after in ((free.down, paced.down), (free.up, paced.up)):
        assert before is not None and after is not None
        most = {share.traffic_class: share.ceil_bps for share in after.shares}
        assert most["office"] == most["personal"] == 100_000
        others = {s.traffic_class: s for s in before.shares if s.traffic_class not in ("office", "personal")}
        assert others == {s.traffic_class: s for s in after.shares if s.traffic_class in others}


def test_data_that_is_used_up_is_known_to_the_shaper_by_its_stage() -> None:
    plan = DataPlan(data_bytes=10**9, beyond_bps=600_000)
    office = site(uplinks=(site().uplinks[0], Uplink("lte", "wwan0", down_bps=25 * MEGABIT, metered=True, plan=plan)))
    shaped = Shapes().shaped(office, Steering({}, {}), {"lte": Stage.USED_UP})
    usual = Shapes().shaped(office, Steering({}, {}), {"lte": Stage.CRITICAL})
    assert [s.down.rate_bps for s in (*shaped.shapes, *usual.shapes) if s.down] == [510_000, 21_250_000]
