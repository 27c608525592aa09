"""Where the way to the internet ends: routers that answer at the end of a TTL, and a gateway that asks them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.netns.netlink_namespace import Namespace
from tests.unit.sense.world import World, desk

from secondpath.lab.box import Box
from secondpath.model import Family, Outcome, ProbeKind, ProbeResult

pytestmark = pytest.mark.netns

ENOUGH_S = 60.0
NEXT_HOP = {"ipv4": "198.51.100.1", "ipv6": "2001:db8:1::1"}
BEYOND = {"ipv4": "192.0.2.1", "ipv6": "2001:db8:ff::1"}
HOPS = {
    Family.IPV4: ("10.9.1.1", "10.9.2.1", "10.9.3.1"),
    Family.IPV6: ("fd00:9:1::1", "fd00:9:2::1", "fd00:9:3::1"),
}
END = {Family.IPV4: "192.0.2.9", Family.IPV6: "2001:db8:ff::9"}
LOOP = {Family.IPV4: "192.0.2.99", Family.IPV6: "2001:db8:ff::99"}
"""An address that the first two routers send to each other."""

MUTE = """
table inet mute {
  chain out { type filter hook output priority 0;
    icmp type time-exceeded drop
    icmpv6 type time-exceeded drop
  }
}
"""

both_families = pytest.mark.parametrize("family", list(Family))


@pytest.fixture(scope="module")
def chain() -> Iterator[World]:
    """A gateway and three routers in a row, the target on the last; `wan0` leads there."""
    with ExitStack() as stack:
        made = [Namespace(f"sppa-{os.getpid()}-{n}") for n in range(4)]
        for namespace in made:
            stack.callback(namespace.remove)
        for number in (1, 2, 3):
            near, far = made[number - 1], made[number]
            near.run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "back", "netns", far.name)
            for place, device, host in ((near, "wan0", 2), (far, "back", 1)):
                place.run("ip", "addr", "add", f"10.9.{number}.{host}/24", "dev", device)
                place.run("ip", "addr", "add", f"fd00:9:{number}::{host}/64", "dev", device, "nodad")
                place.run("ip", "link", "set", device, "up")
            far.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for number, place in enumerate(made):
            if number < 3:
                place.run("ip", "route", "add", "default", "via", f"10.9.{number + 1}.1")
                place.run("ip", "-6", "route", "add", "default", "via", f"fd00:9:{number + 1}::1")
            if number > 1:
                place.run("ip", "route", "add", "10.9.0.0/16", "via", f"10.9.{number}.2")
                place.run("ip", "-6", "route", "add", "fd00:9::/32", "via", f"fd00:9:{number}::2")
        made[3].run("ip", "addr", "add", f"{END[Family.IPV4]}/32", "dev", "lo")
        made[3].run("ip", "addr", "add", f"{END[Family.IPV6]}/128", "dev", "lo", "nodad")
        made[2].run("ip", "route", "add", f"{LOOP[Family.IPV4]}/32", "via", "10.9.2.2")
        made[2].run("ip", "-6", "route", "add", f"{LOOP[Family.IPV6]}/128", "via", "fd00:9:2::2")
        yield World(made[0], made[1:])


def asked(chain: World, address: str, ttl: int | None, timeout_s: float = ENOUGH_S) -> ProbeResult:
    async def story() -> ProbeResult:
        async with desk(main=("wan0", 0)) as asker:
            return await asker.ask(ProbeKind.ICMP, address, ttl=ttl, timeout_s=timeout_s)

    return chain.play(story)


@both_families
def test_each_router_says_that_the_echo_came_as_far_as_it(chain: World, family: Family) -> None:
    results = [asked(chain, END[family], ttl) for ttl in (1, 2, 3, 16)]
    assert [r.outcome for r in results] == [Outcome.EXPIRED, Outcome.EXPIRED, Outcome.OK, Outcome.OK]
    assert [str(r.by) for r in results[:2]] == list(HOPS[family][:2])
    assert all(r.rtt_s is None and r.probe.ttl for r in results[:2]), "the target itself said nothing"


@both_families
def test_a_ttl_is_that_of_one_echo_alone(chain: World, family: Family) -> None:
    async def story() -> list[Outcome]:
        async with desk(main=("wan0", 0)) as asker:
            return [(await asker.ask(ProbeKind.ICMP, END[family], ttl=ttl)).outcome for ttl in (1, None, 1, None)]

    assert chain.play(story) == [Outcome.EXPIRED, Outcome.OK] * 2


@both_families
def test_a_router_that_keeps_silent_is_a_timeout(chain: World, family: Family) -> None:
    chain.providers[1].run("nft", "-f", "-", given=MUTE)
    try:
        assert asked(chain, END[family], 2, timeout_s=0.3).outcome is Outcome.TIMEOUT
        assert asked(chain, END[family], 3).outcome is Outcome.OK
    finally:
        chain.providers[1].run("nft", "delete table inet mute")


@both_families
def test_a_plain_echo_that_goes_round_in_circles_is_refused(chain: World, family: Family) -> None:
    result = asked(chain, LOOP[family], None)
    assert (result.outcome, result.rtt_s) == (Outcome.REFUSED, None)
    assert "goes round in circles" in result.detail


def last_hops(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = box.status()["evidence"]["last_hop"]
    return found


def test_a_gateway_says_how_far_one_still_comes(box: Box) -> None:
    ways = {f"cable/{f}": {"1": NEXT_HOP[f], "2": BEYOND[f]} for f in NEXT_HOP}
    box.until(lambda: ways.items() <= box.status()["evidence"]["path"].items(), ENOUGH_S, "the way has been learned")
    box.office.inject("blackhole", "cable")
    box.until(lambda: box.uses() == box.uses("ipv6") == "lte", ENOUGH_S, "both families leave cable")
    box.until(lambda: len(last_hops(box)) == 2, ENOUGH_S, "it is known where the way ends")
    for family, next_hop in NEXT_HOP.items():
        end = {"ttl": 1, "address": next_hop, "beyond": {"ttl": 2, "address": BEYOND[family]}}
        assert last_hops(box)[f"cable/{family}"] == end
    status = box.status()
    assert status["verdict"]["code"] == "upstream"
    assert "the fault lies past the 1st device on the way, so not in your modem or cable" in status["verdict"]["text"]
    technical = next(u for u in status["uplinks"] if u["name"] == "cable")["lines"]["ipv4"]["technical"]
    assert "the last hop that answers is 1 (198.51.100.1), and hop 2 (192.0.2.1) used to and does not" in technical
    events = [e for e in status["events"] if e["event"] == "path.ends"]
    assert {e["subject"] for e in events} == {"path:cable/ipv4", "path:cable/ipv6"}
    box.office.heal("blackhole", "cable")
    box.until(lambda: box.health("cable") == box.health("cable", "ipv6") == "up", ENOUGH_S, "cable is well")
    assert last_hops(box) == {}
