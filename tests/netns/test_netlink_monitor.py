"""Events against a kernel whose links, addresses, routes and rules are changed with ip(8)."""

import select
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces, until

from secondpath.netlink.monitor import (
    LINKS,
    AddressEvent,
    Event,
    LinkEvent,
    Monitor,
    Overrun,
    RouteEvent,
    RuleEvent,
)
from secondpath.netlink.route import Route

pytestmark = pytest.mark.netns


@pytest.fixture
def gateway() -> Iterator[Namespace]:
    with namespaces("mon") as (namespace,):
        namespace.run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "isp0")
        namespace.run("ip", "link", "set", "wan0", "up")
        namespace.run("ip", "link", "set", "isp0", "up")
        yield namespace


@pytest.fixture
def monitor(gateway: Namespace) -> Iterator[Monitor]:
    with gateway.inside():
        opened = Monitor()
    with opened:
        yield opened


def wait_for(monitor: Monitor, wanted: Callable[[Event], bool]) -> Event:
    """The first event that is as wanted; fails when it does not come."""
    hits: list[Event] = []

    def came() -> bool:
        select.select([monitor], [], [], 0.1)
        hits.extend(event for event in monitor.read() if wanted(event))
        return bool(hits)

    until(came)
    return hits[0]


def test_nothing_happened_is_an_empty_list_at_once(monitor: Monitor) -> None:
    monitor.read()
    assert select.select([monitor], [], [], 0)[0] == []
    assert monitor.read() == []


def test_a_pulled_cable_is_an_event_and_so_is_its_return(monitor: Monitor, gateway: Namespace) -> None:
    gateway.run("ip", "link", "set", "isp0", "down")
    pulled = wait_for(monitor, lambda e: isinstance(e, LinkEvent) and e.link.name == "wan0" and not e.link.carrier)
    assert isinstance(pulled, LinkEvent)
    assert pulled.link.up
    assert not pulled.deleted
    gateway.run("ip", "link", "set", "isp0", "up")
    wait_for(monitor, lambda e: isinstance(e, LinkEvent) and e.link.name == "wan0" and e.link.carrier)


def test_a_new_and_a_deleted_interface_are_told(monitor: Monitor, gateway: Namespace) -> None:
    gateway.run("ip", "link", "add", "br0", "type", "bridge")
    wait_for(monitor, lambda e: isinstance(e, LinkEvent) and e.link.name == "br0" and not e.deleted)
    gateway.run("ip", "link", "del", "br0")
    wait_for(monitor, lambda e: isinstance(e, LinkEvent) and e.link.name == "br0" and e.deleted)


def test_leaving_a_bridge_is_not_the_end_of_an_interface(monitor: Monitor, gateway: Namespace) -> None:
    gateway.run("ip", "link", "add", "br0", "type", "bridge")
    gateway.run("ip", "link", "set", "wan0", "master", "br0")
    gateway.run("ip", "link", "set", "wan0", "nomaster")
    gateway.run("ip", "link", "del", "br0")
    seen: list[Event] = []

    def br0_is_gone() -> bool:
        seen.extend(monitor.read())
        return any(isinstance(e, LinkEvent) and e.deleted and e.link.name == "br0" for e in seen)

    until(br0_is_gone)
    assert not [e for e in seen if isinstance(e, LinkEvent) and e.deleted and e.link.name == "wan0"]


@pytest.mark.parametrize("address", ["192.0.2.2/24", "2001:db8::2/64"])
def test_an_address_that_comes_and_goes_is_told(monitor: Monitor, gateway: Namespace, address: str) -> None:
    bare = ip_address(address.split("/", maxsplit=1)[0])
    gateway.run("ip", "address", "add", address, "dev", "wan0")
    wait_for(monitor, lambda e: isinstance(e, AddressEvent) and e.address.address == bare and not e.deleted)
    gateway.run("ip", "address", "del", address, "dev", "wan0")
    wait_for(monitor, lambda e: isinstance(e, AddressEvent) and e.address.address == bare and e.deleted)


@pytest.mark.parametrize("net", ["203.0.113.0/24", "2001:db8:5::/48"])
def test_a_route_that_comes_and_goes_is_told(monitor: Monitor, gateway: Namespace, net: str) -> None:
    dst = ip_network(net)
    there = (f"-{dst.version}", "route"), (net, "dev", "wan0", "table", "1001")
    gateway.run("ip", *there[0], "add", *there[1])
    event = wait_for(monitor, lambda e: isinstance(e, RouteEvent) and e.route.dst == dst and not e.deleted)
    assert isinstance(event, RouteEvent)
    assert event.route.table == 1001
    gateway.run("ip", *there[0], "del", *there[1])
    wait_for(monitor, lambda e: isinstance(e, RouteEvent) and e.route.dst == dst and e.deleted)


@pytest.mark.parametrize("version", ["-4", "-6"])
def test_a_rule_that_is_swept_away_is_told(monitor: Monitor, gateway: Namespace, version: str) -> None:
    rule = ("priority", "110", "fwmark", "1", "table", "1001")
    gateway.run("ip", version, "rule", "add", *rule)
    wait_for(monitor, lambda e: isinstance(e, RuleEvent) and e.rule.priority == 110 and not e.deleted)
    gateway.run("ip", version, "rule", "del", *rule)
    wait_for(monitor, lambda e: isinstance(e, RuleEvent) and e.rule.priority == 110 and e.deleted)


def test_a_monitor_hears_only_the_groups_it_asked_for(gateway: Namespace) -> None:
    with gateway.inside(), Monitor(LINKS) as monitor, Monitor() as witness:
        gateway.run("ip", "address", "add", "192.0.2.2/24", "dev", "wan0")
        wait_for(witness, lambda e: isinstance(e, AddressEvent))
        assert not [event for event in monitor.read() if not isinstance(event, LinkEvent)]


def test_events_lost_are_said_to_be_lost_and_later_ones_are_heard(gateway: Namespace) -> None:
    with gateway.inside():
        monitor = Monitor(buffer_bytes=4096)
        wan0 = socket.if_nametoindex("wan0")
    with monitor:
        batch = "".join(f"route add 10.{n // 250}.{n % 250}.0/24 dev wan0 table 1001\n" for n in range(500))
        gateway.run("ip", "-batch", "-", given=batch)
        events = monitor.read()
        assert Overrun() in events
        assert len(events) < 500
        gateway.run("ip", "route", "add", "203.0.113.0/24", "dev", "wan0", "table", "1001")
        event = wait_for(monitor, lambda e: isinstance(e, RouteEvent))
        assert isinstance(event, RouteEvent)
        assert (event.route.dst, event.route.oif) == (ip_network("203.0.113.0/24"), wan0)


def test_ipv4_routes_of_an_interface_that_goes_down_vanish_without_an_event(
    monitor: Monitor, gateway: Namespace
) -> None:
    gateway.run("ip", "route", "add", "203.0.113.0/24", "dev", "wan0", "table", "1001")
    gateway.run("ip", "-6", "route", "add", "2001:db8:5::/48", "dev", "wan0", "table", "1001")
    monitor.read()
    gateway.run("ip", "link", "set", "wan0", "down")
    seen: list[Event] = []

    def is_down() -> bool:
        seen.extend(monitor.read())
        return any(isinstance(e, LinkEvent) and e.link.name == "wan0" and not e.link.up for e in seen)

    until(is_down)
    with gateway.inside(), Route() as route:
        assert route.routes(1001) == []
    gone = {str(e.route.dst) for e in seen + monitor.read() if isinstance(e, RouteEvent) and e.deleted}
    assert "2001:db8:5::/48" in gone
    assert "203.0.113.0/24" not in gone
