"""People's traffic as evidence, in the real kernel: what the table counts, and what the daemon makes of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.model import Transition
from secondpath.record.query import events
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns
FAMILIES = ("ipv4", "ipv6")
WORK = [Wish(kind, family, 0.05) for family in FAMILIES for kind in ("new-tcp", "dns", "lasting-udp")]
OURS = ("out_", "in_", "syn_", "synack_", "dnsq_", "dnsr_")


def counted(box: Box) -> Mapping[str, int]:
    """What was counted of the lines so far: packets by the counter's name."""
    counters: dict[str, int] = box.status()["evidence"]["counters"]
    return {name: packets for name, packets in counters.items() if name.startswith(OURS)}


def working(box: Box) -> Seat:
    """People at work by the first uplink, in both families."""
    seat = Seat.take(box.office, "staff", WORK)
    box.until(lambda: all(counted(box)[f"synack_1_{f}"] > 5 for f in FAMILIES), 10.0, "people are at work")
    return seat


def ended(box: Box, after: int = 0) -> list[Transition]:
    """The lines of the first uplink that were found down since event number `after`."""
    told = [event.transition for event in events(box.state_dir / "book.db", after=after, limit=10_000)]
    return [t for t in told if t.subject.startswith("line:cable/") and t.after == "down"]


def last_event(box: Box) -> int:
    return max((event.number for event in events(box.state_dir / "book.db", after=0, limit=10_000)), default=0)


def test_what_people_do_is_counted_where_it_travels_and_both_ways(quick_box: Box) -> None:
    before = counted(quick_box)
    assert set(before.values()) == {0}, "our own questions are no traffic of people"
    seat = working(quick_box)
    seat.leave()
    now = counted(quick_box)
    for family in FAMILIES:
        out, came, syn, synack, dnsq, dnsr = (now[f"{what}1_{family}"] for what in OURS)
        assert out > syn + dnsq > 10
        assert came > synack + dnsr > 10
        assert abs(syn - synack) <= 2, "every connection was answered"
        assert abs(dnsq - dnsr) <= 2, "every question was answered"
    assert {packets for name, packets in now.items() if "_2_" in name} == {0}


def test_traffic_inside_the_office_and_of_the_gateway_itself_is_not_counted(quick_box: Box) -> None:
    office = quick_box.office
    for host, address in (("staff", "10.44.20.10"), ("staff", "fd44:20::10"), ("staff", "10.44.10.1")):
        assert office.run(host, ["ping", "-c", "3", "-i", "0.1", "-W", "1", address]).returncode == 0, address
    for address in ("192.0.2.1", "2001:db8:ff::1"):
        assert office.run("gw", ["ping", "-c", "3", "-i", "0.1", "-W", "1", address]).returncode == 0, address
    assert set(counted(quick_box).values()) == {0}


def test_what_somebody_refuses_on_the_way_is_no_answer(quick_box: Box) -> None:
    """An ICMP error is related to a flow, and proves nothing of its other end."""
    office = quick_box.office
    nowhere = "198.18.255.1"
    done = office.run("staff", ["ping", "-c", "3", "-i", "0.1", "-W", "1", nowhere])
    assert done.returncode != 0
    now = counted(quick_box)
    assert now["out_1_ipv4"] >= 3
    assert "nreachable" in done.stdout, "somebody did refuse"
    assert now["in_1_ipv4"] == 0


def test_a_black_hole_is_suspected_because_of_the_traffic_before_a_question_is_lost(office: Office) -> None:
    """Heartbeats are slow (1 s) and come at any phase, so once in ten times one of them is first: then again."""
    with Box.of(office, profile="careful") as box:
        box.until_well()
        seat, doubts = working(box), list[object]()
        for _ in range(4):
            before = last_event(box)
            office.inject("blackhole", "cable")
            box.until(lambda b=before: len(ended(box, b)) == 2, 5.0, "both families are down")  # type: ignore[misc]
            office.mend()
            doubts += [t.detail.get("traffic") for t in ended(box, before)]
            if "unanswered" in doubts:
                break
            box.until(lambda: all(box.health("cable", f) == "up" for f in FAMILIES), 10.0, "the line is up again")
            box.until(lambda: box.order(Verb.FAILBACK).ok, 3.0, "traffic goes home")
        seat.leave()
    assert "unanswered" in doubts


def test_a_table_that_somebody_flushed_counts_on_when_it_is_back(quick_box: Box) -> None:
    seat = working(quick_box)
    quick_box.office.run("gw", ["nft", "flush", "ruleset"], check=True)
    quick_box.until(lambda: counted(quick_box).get("in_1_ipv4", 0) > 5, 5.0, "traffic is counted again")
    before = last_event(quick_box)
    quick_box.office.inject("blackhole", "cable")
    quick_box.until(lambda: len(ended(quick_box, before)) == 2, 3.0, "both families are down")
    seat.leave()
    assert "Traceback" not in quick_box.log.read_text()
