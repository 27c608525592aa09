"""People measure what happened: a known outage to one sampling interval, resets, moves; and a story is judged by it."""

import json
import os
import threading
import time
from collections.abc import Iterator

import pytest
from tests.patience import PATIENCE_S

from secondpath.lab import gaps
from secondpath.lab.errors import LabError
from secondpath.lab.measures import Finding
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.story import HEAL, INJECT, Expect, Step, Story
from secondpath.lab.story_run import run_story
from secondpath.lab.topology import TOPOLOGIES

pytestmark = pytest.mark.netns

PLAIN_GATEWAY = """table inet plain {
  chain out { type nat hook postrouting priority srcnat; oifname { wan0, wwan0 } masquerade;
  }
}
"""
KINDS = ("new-udp", "lasting-udp", "new-tcp", "lasting-tcp", "download", "dns", "call", "web")


def start_plain_gateway(office: Office) -> None:
    """What anyone would set up by hand: masquerade, two default routes; a route without carrier is not used."""
    office.run("gw", ["nft", "-f", "-"], text_in=PLAIN_GATEWAY, check=True)
    on = [
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        "net.ipv4.icmp_ratemask=0",  # whoever is refused is told so each time
        *(f"net.ipv{v}.conf.wan0.ignore_routes_with_linkdown=1" for v in (4, 6)),
    ]
    office.run("gw", ["sysctl", "-qw", *on], check=True)


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with Office.up(TOPOLOGIES["office"], f"t{os.getpid()}p") as office:
        start_plain_gateway(office)
        yield office


def wait_for_work(seat: Seat, streams: int, limit_s: float = PATIENCE_S) -> None:
    """Until every stream has been answered: then people are at work."""
    end_s = time.monotonic() + limit_s
    while len({s.stream for s in seat.samples() if s.answered_s is not None}) < streams:
        assert time.monotonic() < end_s, "people do not get to work"
        assert seat.process.poll() is None, seat.out.with_suffix(".log").read_text()
        time.sleep(0.05)


def let_pass(seconds: float) -> None:
    """An outage of a known length takes that long. A busy machine samples late: half a second is forgiven."""
    threading.Event().wait(seconds)


def test_a_known_outage_is_measured_in_every_stream_of_both_families(office: Office) -> None:
    wishes = [
        Wish(kind, family, {"web": 0.5, "call": 0.02}.get(kind, 0.05)) for kind in KINDS for family in ("ipv4", "ipv6")
    ]
    seat = Seat.take(office, "staff", wishes)
    wait_for_work(seat, len(wishes))
    broken_s = office.inject("blackhole", "cable")
    let_pass(2.0)
    healed_s = office.heal("blackhole", "cable")
    let_pass(4.0)  # TCP's back-off has to find out
    samples = seat.leave()
    for kind in KINDS:
        for family in ("ipv4", "ipv6"):
            mine = gaps.of_stream(samples, kind, family)
            outage = gaps.outage(mine, broken_s)
            assert outage is not None, (kind, family)
            # A new flow begun just before the fault still loses its answer; one begun after the healing is well.
            late_s = {"lasting-tcp": 3.0, "download": 3.0, "web": 1.0}.get(kind, 0.5)
            assert -0.5 <= outage.length_s - (healed_s - broken_s) <= late_s, (kind, family, outage.length_s)
            assert gaps.worst_gap_s(gaps.between(mine, 0, broken_s - 1.0)) < 0.5, (kind, family)
            assert gaps.resets(mine) == 0


def test_an_outage_is_measured_by_those_who_ask_every_5_ms(office: Office) -> None:
    seat = Seat.take(office, "staff", [Wish("new-udp", "ipv4", 0.005), Wish("lasting-udp", "ipv6", 0.005)])
    wait_for_work(seat, 2)
    begin_s = time.monotonic()
    let_pass(1.0)
    broken_s = office.inject("blackhole", "cable")
    let_pass(1.0)
    healed_s = office.heal("blackhole", "cable")
    let_pass(1.5)
    samples = seat.leave()
    for kind in ("new-udp", "lasting-udp"):
        mine = gaps.of_stream(samples, kind)
        asked = len(gaps.between(mine, begin_s, broken_s))
        assert 0.5 < asked / ((broken_s - begin_s) / 0.005) < 1.1, "not every 10 ms, nor every 4"
        outage = gaps.outage(mine, broken_s)
        assert outage is not None
        assert outage.length_s == pytest.approx(healed_s - broken_s, abs=0.5)


def test_people_see_by_which_uplink_they_left_and_that_a_connection_broke(office: Office) -> None:
    seat = Seat.take(office, "staff", [Wish("new-udp"), Wish("lasting-tcp"), Wish("lasting-tcp", "ipv6")])
    wait_for_work(seat, 3)
    office.inject("target-refused:192.0.2.10")  # resets IPv4 connections, IPv6 ones feel nothing
    let_pass(0.5)
    office.mend()
    let_pass(0.5)
    cut_s = office.inject("cable-cut", "cable")
    let_pass(1.5)
    office.mend()
    samples = seat.leave()
    lasting = gaps.between(gaps.of_stream(samples, "lasting-tcp"), 0, cut_s - 0.1)
    assert gaps.resets(gaps.of_stream(lasting, "lasting-tcp", "ipv4")) == 1
    assert gaps.resets(gaps.of_stream(lasting, "lasting-tcp", "ipv6")) == 0
    seen = [office.topology.uplink_of(path) for path in gaps.paths(gaps.of_stream(samples, "new-udp"))]
    assert seen[:2] == ["cable", "lte"]


def test_an_unrefused_guest_is_answered_and_a_refused_one_is_not(office: Office) -> None:
    seat = Seat.take(office, "guest", [Wish("new-udp"), Wish("new-tcp")])
    wait_for_work(seat, 2)
    refuse = 'table inet house { chain f { type filter hook forward priority 0; iifname "guest0" reject;\n }\n }'
    office.run("gw", ["nft", "-f", "-"], text_in=refuse, check=True)
    refused_s = time.monotonic()
    let_pass(1.5)
    office.run("gw", ["nft", "delete", "table", "inet", "house"], check=True)
    healed_s = time.monotonic()
    samples = gaps.between(seat.leave(), refused_s, healed_s - 1.0)
    assert samples
    assert all(s.answered_s is None and s.note == "refused" for s in samples)


def test_a_page_can_watch_people_live(office: Office) -> None:
    seat = Seat.take(office, "staff", [Wish("new-udp"), Wish("call", every_s=0.02)], live=True)
    lines = seat.live()
    next(lines)
    second = next(lines)
    assert second["streams"]["call.ipv4.20ms"]["answered"] >= 10
    assert 0.03 <= second["streams"]["new-udp.ipv4.50ms"]["wait_s"] < 1.0
    assert json.dumps(second)
    seat.leave()


def test_people_who_cannot_work_are_an_error_and_not_a_result(office: Office) -> None:
    seat = Seat.take(office, "staff", [Wish("new-upd")])
    seat.process.wait(PATIENCE_S)
    with pytest.raises(LabError, match="stopped working by themselves"):
        seat.leave()


SHORT_STORY = Story(
    "short",
    "A cable is pulled for three seconds.",
    7.0,
    (
        Step(1.0, INJECT, "cable-cut", "cable", "Someone pulls the cable."),
        Step(4.0, HEAL, "cable-cut", "cable", "It is back."),
    ),
    (
        Expect("new flows leave by lte", "leaves_by", from_s=1.5, to_s=3.9, equals="lte"),
        Expect("new flows leave by cable", "leaves_by", from_s=1.5, to_s=3.9, equals="cable"),
        Expect("new flows are back soon", "outage_s", family="ipv4", from_s=1.0, to_s=3.9, at_most=2.0),
        Expect("there and back", "switches", equals=2.0),
        Expect("guests work", "answered_ratio", host="guest", to_s=0.9, at_least=0.5),
        Expect("the lasting flow dies with its uplink", "outage_s", "lasting-udp", "ipv4", from_s=1.0, at_least=0.0),
        # A plain gateway answers late packets of moved flows with ICMP errors that leave by the other uplink.
        Expect("hardly a wrong source", "wrong_source", at_most=20.0),
    ),
    (Wish("new-udp"), Wish("lasting-udp")),
    (Wish("new-udp", every_s=0.1),),
)


def test_a_story_is_played_told_and_judged(office: Office) -> None:
    told: list[str] = []
    report = run_story(office, SHORT_STORY, tell=told.append, status=lambda: {"steering": "none"})
    held = {finding.expect.words: finding for finding in report.findings}
    failed: list[Finding] = [f for f in report.findings if not f.held]
    assert [f.expect.words for f in failed] == ["new flows leave by cable"], report.sentences()
    assert held["new flows leave by lte"].value == "lte"
    assert not report.held
    assert [line[9:] for line in told] == ["Someone pulls the cable.", "It is back."]
    assert [at_s for at_s, _ in report.statuses[:2]] == [1.0, 4.0]
    assert office.broken() == []


def test_a_story_that_is_stopped_mends_what_it_broke_and_sends_people_home(office: Office) -> None:
    stop = threading.Event()
    report = run_story(office, SHORT_STORY, tell=lambda _words: stop.set(), stop=stop)
    assert len(report.evidence.instants) == 1
    assert office.broken() == []
    assert all(child.poll() is not None for child in office.children if "secondpath.lab.people" in str(child.args))
