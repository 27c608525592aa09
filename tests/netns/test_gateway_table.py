"""The table is put in place under a working office, and put back when somebody takes it away."""

from __future__ import annotations

import time

import pytest
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.gaps import between, lost, of_stream
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish

pytestmark = pytest.mark.netns
FAMILIES = ("ipv4", "ipv6")


def works_for(box: Box, seat: Seat, seconds: float) -> None:
    """Wait until people have been at work for so long after now."""
    end_s = time.monotonic() + seconds
    box.until(lambda: any(s.sent_s > end_s for s in seat.samples()), seconds + PATIENCE_S, "people are at work")


@pytest.mark.parametrize("every_s", [0.02, 2.0])
def test_a_flow_that_was_sending_before_the_first_start_works_soon_after(quick_office: Office, every_s: float) -> None:
    seat = Seat.take(quick_office, "staff", [Wish("lasting-udp", family, every_s) for family in FAMILIES])
    with Box.of(quick_office) as box:
        box.until_well()
        works_for(box, seat, 7.0)
        end_s = time.monotonic()
        samples = seat.leave()
        for family in FAMILIES:
            late = between(of_stream(samples, kind="lasting-udp", family=family), end_s - 3.0, end_s - 0.5)
            assert late
            assert lost(late) == 0, family


def test_a_flush_by_somebody_else_is_mended_when_it_is_heard_of(quick_box: Box) -> None:
    seat = Seat.take(quick_box.office, "staff", [Wish("new-udp", family, 0.02) for family in FAMILIES])
    works_for(quick_box, seat, 1.0)
    before = {isp: quick_box.office.counters(isp)["wrong_source"].packets for isp in ("cable", "lte")}
    at_s = time.monotonic()
    quick_box.office.run("gw", ["nft", "flush", "ruleset"], check=True)
    works_for(quick_box, seat, 2.0)
    samples = seat.leave()
    for family in FAMILIES:
        after = between(of_stream(samples, kind="new-udp", family=family), at_s, at_s + 2.0)
        # Some 20 ms: it is heard of. Unheard, it waits for the comparison with the kernel, up to two seconds.
        assert lost(after) * 0.02 < 1.0, family
    strays = {isp: quick_box.office.counters(isp)["wrong_source"].packets - before[isp] for isp in before}
    assert sum(strays.values()) < 60, strays


def test_a_chain_that_somebody_emptied_is_filled_again(quick_box: Box) -> None:
    def rules() -> str:
        return quick_box.office.run("gw", ["nft", "list", "chain", "inet", "secondpath", "guard"]).stdout

    whole = rules()
    quick_box.office.run("gw", ["nft", "flush", "chain", "inet", "secondpath", "guard"], check=True)
    quick_box.until(lambda: rules() == whole, PATIENCE_S, "the chain is as it was")
