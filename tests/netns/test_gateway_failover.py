"""The office survives: the whole gateway on the real kernel."""

from __future__ import annotations

import time

import pytest
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.gaps import of_stream, outage
from secondpath.lab.seat import Seat, Wish
from secondpath.wire.messages import Verb

pytestmark = [pytest.mark.netns, pytest.mark.alone]


def test_a_cut_cable_moves_the_office_and_a_mended_one_brings_it_home(box: Box) -> None:
    """An unplugged cable did not fail over elsewhere. https://github.com/opnsense/core/issues/4160"""
    box.office.inject("cable-cut", "cable")
    box.until(lambda: box.uses() == "lte" and box.uses("ipv6") == "lte", PATIENCE_S, "both families run on lte")
    assert box.office.run("staff", ["ping", "-c", "1", "-W", "1", "192.0.2.1"]).returncode == 0
    assert box.office.run("staff", ["ping", "-c", "1", "-W", "1", "2001:db8:ff::1"]).returncode == 0
    assert box.uses(traffic_class="guest") is None
    assert box.office.run("guest", ["ping", "-c", "1", "-W", "1", "192.0.2.1"]).returncode != 0
    box.office.mend()
    box.until(lambda: box.health("cable") == "up", PATIENCE_S, "cable is up again")
    assert box.uses() == "lte", "nobody goes home before the hold is served"


def test_a_line_that_stalls_now_and_then_for_a_third_of_a_second_is_not_left(box: Box) -> None:
    """As satellites and cells do when they hand over: the questions of that moment come back late and together."""
    kinds = [Wish(kind, family, 0.05) for kind in ("new-udp", "new-tcp") for family in ("ipv4", "ipv6")]
    seat = Seat.take(box.office, "staff", kinds)
    box.until(lambda: len(seat.samples()) > 1000, PATIENCE_S, "it is known what is usual")
    last = box.order(Verb.EVENTS, limit=1).data["events"][-1]["number"]
    for _ in range(12):
        at = box.office.inject("stall-330", "cable")
        box.until(lambda: seat.samples()[-1].sent_s > at + 2.5, PATIENCE_S, "people work on")  # noqa: B023 - called now
    seat.leave()
    told = box.order(Verb.EVENTS, after=last).data["events"]
    assert [event["text"] for event in told] == []


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_new_flows_work_again_soon_after_a_black_hole_begins(box: Box, family: str) -> None:
    """No new connections while the first line had no internet. https://github.com/Ysurac/openmptcprouter/issues/3110"""
    seat = Seat.take(box.office, "staff", [Wish("new-udp", family, 0.02), Wish("lasting-udp", family, 0.02)])
    box.until(lambda: len(seat.samples()) > 20, PATIENCE_S, "people are at work")
    at = box.office.inject("blackhole", "cable")
    box.until(lambda: box.uses(family) == "lte", PATIENCE_S, "traffic runs on lte")
    done = time.monotonic()
    box.until(lambda: seat.samples()[-1].sent_s > done + 1.5, PATIENCE_S, "people have noticed")
    samples = seat.leave()
    for kind in ("new-udp", "lasting-udp"):
        felt = outage(of_stream(samples, kind=kind, family=family), at)
        assert felt is not None
        assert 0.05 < felt.length_s < 2.0, kind
