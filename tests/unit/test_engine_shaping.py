"""What the engine makes of rates and calls that senses report."""

from __future__ import annotations

from dataclasses import replace

from tests.office import settled_office, site

from secondpath.model import Pipe, RateReading

MEGABIT = 1_000_000


def test_what_is_found_of_an_uplink_is_kept_until_something_else_is_found_of_it() -> None:
    """Calls are told by one sense, rates by another: neither forgets what the other has said."""
    rated = tuple(replace(u, down_bps=10 * MEGABIT, up_bps=10 * MEGABIT) for u in site().uplinks[:1])
    office = settled_office(site(uplinks=(*rated, *site().uplinks[1:])))

    def down() -> Pipe:
        (shape,) = office.engine.steering().shapes
        assert shape.uplink == "cable"
        assert shape.down is not None
        return shape.down

    assert (down().rate_bps, down().others_bps) == (8_500_000, 8_500_000)
    office.tell(RateReading("cable", calls=10))
    assert (down().rate_bps, down().others_bps) == (8_500_000, 4_560_000)
    office.tell(RateReading("cable", down_bps=6 * MEGABIT))
    assert (down().rate_bps, down().others_bps) == (5_100_000, 2_520_000)
    office.tell(RateReading("cable", calls=0))
    assert (down().rate_bps, down().others_bps) == (5_100_000, 5_100_000)
    office.tell(RateReading("cable", down_bps=0))
    assert down().rate_bps == 8_500_000, "what was measured no longer holds: the contract does"


def test_news_of_a_rate_moves_nobody_and_no_news_is_no_new_steering() -> None:
    office = settled_office()
    before = office.engine.steering()
    office.tell(RateReading("lte", 4 * MEGABIT, 2 * MEGABIT))
    after = office.engine.steering()
    assert after.lanes == before.lanes
    assert [shape.uplink for shape in after.shapes] == ["lte"]
    office.tell(RateReading("lte", 4 * MEGABIT))
    assert office.engine.steering() is after
