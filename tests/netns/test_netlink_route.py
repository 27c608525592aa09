"""Links, addresses, routes and rules against the kernel's, with ip(8) as the witness."""

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tests.netns.netlink_namespace import Interrupted, Namespace, namespaces, until

from secondpath.netlink.entries import (
    INVERT,
    ONLINK,
    SCOPE_LINK,
    UNREACHABLE,
    NextHop,
    RouteEntry,
    RuleEntry,
)
from secondpath.netlink.links import Link, parse_address
from secondpath.netlink.route import Route
from secondpath.netlink.wire import CREATE, NETLINK_ROUTE, NetlinkError, Socket, attribute

pytestmark = pytest.mark.netns

V4, V6 = socket.AF_INET, socket.AF_INET6
OURS = 201
SETUP = """
link add wan0 type veth peer name isp0
link add wan1 type veth peer name isp1
link add br0 type bridge
link set wan0 up
link set isp0 up
link set wan1 up mtu 1400
link set isp1 up
address add 192.0.2.2/24 dev wan0
address add 198.51.100.2 peer 198.51.100.1 dev wan1
address add 2001:db8:1::2/64 dev wan0 nodad
address add 2001:db8:2::2/64 dev wan1 nodad preferred_lft 0
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("route") as (namespace,):
        namespace.run("ip", "-batch", "-", given=SETUP)
        until(lambda: sum(link["operstate"] == "UP" for link in told(namespace, "link", "show")) == 4)
        yield namespace


@pytest.fixture
def route(gateway: Namespace) -> Iterator[Route]:
    with gateway.inside():
        opened = Route()
    with opened:
        yield opened
        for entry in opened.routes():
            if entry.protocol == OURS:
                opened.delete_route(entry)
        for rule in opened.rules():
            if rule.protocol == OURS:
                opened.delete_rule(rule)


def index_of(route: Route, name: str) -> int:
    return next(link.index for link in route.links() if link.name == name)


def told(gateway: Namespace, *command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.json("ip", "-j", "-details", *command)
    return found


def test_links_are_those_that_ip_tells(route: Route, gateway: Namespace) -> None:
    links = {link.name: link for link in route.links()}
    shown = {entry["ifname"]: entry for entry in told(gateway, "link", "show")}
    assert set(links) == set(shown) >= {"lo", "wan0", "isp0", "wan1", "br0"}
    for name, link in links.items():
        entry = shown[name]
        assert (link.index, link.mtu, link.operstate) == (entry["ifindex"], entry["mtu"], entry["operstate"].lower())
        assert link.up == ("UP" in entry["flags"])
        assert link.carrier == ("LOWER_UP" in entry["flags"])
        assert link.kind == entry.get("linkinfo", {}).get("info_kind")
        assert link.mac == entry["address"]
    assert links["wan1"].mtu == 1400
    assert links["wan0"].kind == "veth"
    assert not links["br0"].up


def test_a_link_without_its_peer_has_no_carrier(route: Route, gateway: Namespace) -> None:
    def found() -> Link:
        return next(link for link in route.links() if link.name == "wan0")

    gateway.run("ip", "link", "set", "isp0", "down")
    try:
        assert found().up
        assert not found().carrier
        # RFC 2863's state follows up to a second later: net/core/link_watch.c tells of all namespaces in turn
        until(lambda: found().operstate in ("down", "lowerlayerdown"))
    finally:
        gateway.run("ip", "link", "set", "isp0", "up")


def test_addresses_are_those_that_ip_tells(route: Route, gateway: Namespace) -> None:
    shown = {
        (link["ifindex"], ip_address(each["local"]), each["prefixlen"])
        for link in told(gateway, "address", "show")
        for each in link["addr_info"]
    }
    found = route.addresses()
    assert {(each.index, each.address, each.prefixlen) for each in found} == shown
    by_address = {str(each.address): each for each in found}
    assert by_address["198.51.100.2"].peer == ip_address("198.51.100.1")
    assert by_address["192.0.2.2"].peer is None
    assert by_address["2001:db8:2::2"].deprecated
    assert not by_address["2001:db8:1::2"].deprecated
    assert not by_address["2001:db8:1::2"].tentative
    assert by_address["127.0.0.1"].scope == 254


def test_an_address_under_duplicate_detection_is_tentative(route: Route, gateway: Namespace) -> None:
    gateway.run("ip", "link", "set", "isp0", "down")
    try:
        gateway.run("ip", "address", "add", "2001:db8:1::99/64", "dev", "wan0")
        assert next(each for each in route.addresses() if str(each.address) == "2001:db8:1::99").tentative
    finally:
        gateway.run("ip", "address", "del", "2001:db8:1::99/64", "dev", "wan0")
        gateway.run("ip", "link", "set", "isp0", "up")


def ways_out(route: Route) -> list[RouteEntry]:
    wan0, wan1 = index_of(route, "wan0"), index_of(route, "wan1")
    ours = RouteEntry(family=V4, table=1001, dst=None, protocol=OURS)
    ours6 = replace(ours, family=V6, priority=1024)
    return [
        replace(ours, gateway=ip_address("192.0.2.1"), oif=wan0, prefsrc=ip_address("192.0.2.2")),
        replace(ours, table=7, gateway=ip_address("203.0.113.1"), oif=wan0, flags=ONLINK),
        replace(ours, kind=UNREACHABLE, priority=0xFFFFFFFF),
        replace(ours, dst=ip_network("203.0.113.0/25"), oif=wan1, scope=SCOPE_LINK, priority=50),
        replace(ours, dst=ip_network("203.0.113.128/25"), gateway=ip_address("2001:db8:1::1"), oif=wan0),
        replace(
            ours,
            table=1003,
            nexthops=(NextHop(ip_address("192.0.2.1"), wan0, 3), NextHop(None, wan1, 1)),
        ),
        replace(ours6, gateway=ip_address("2001:db8:1::1"), oif=wan0),
        replace(ours6, table=1002, gateway=ip_address("2001:db8:9::1"), oif=wan0, flags=ONLINK),
        replace(ours6, kind=UNREACHABLE, priority=0xFFFFFFFF),
        replace(ours6, dst=ip_network("2001:db8:99::/48"), oif=wan1, priority=7),
    ]


def test_what_is_put_in_is_what_is_read_back(route: Route) -> None:
    wanted = ways_out(route)
    for entry in wanted:
        route.replace_route(entry)
        route.replace_route(entry)
    found = [entry for entry in route.routes() if entry.protocol == OURS]
    assert set(found) == set(wanted)
    assert len(found) == len(wanted)
    for entry in wanted:
        route.delete_route(entry)
        with pytest.raises(NetlinkError) as refused:
            route.delete_route(entry)
        assert refused.value.errno == errno.ESRCH
    assert not [entry for entry in route.routes() if entry.protocol == OURS]


def test_ip_sees_our_routes_as_they_were_meant(route: Route, gateway: Namespace) -> None:
    for entry in ways_out(route):
        route.replace_route(entry)
    table_7 = told(gateway, "route", "show", "table", "7")
    assert table_7[0]["gateway"] == "203.0.113.1"
    assert "onlink" in table_7[0]["flags"]
    assert table_7[0]["protocol"] == "201"
    default, backstop = (e for e in told(gateway, "route", "show", "table", "1001") if e["dst"] == "default")
    assert (default["gateway"], default["dev"], default["prefsrc"]) == ("192.0.2.1", "wan0", "192.0.2.2")
    assert (backstop["type"], backstop["metric"]) == ("unreachable", 0xFFFFFFFF)
    hops = told(gateway, "route", "show", "table", "1003")[0]["nexthops"]
    assert [(hop.get("gateway"), hop["dev"], hop["weight"]) for hop in hops] == [
        ("192.0.2.1", "wan0", 3),
        (None, "wan1", 1),
    ]
    six = told(gateway, "-6", "route", "show", "table", "1002")
    assert (six[0]["gateway"], six[0]["dev"]) == ("2001:db8:9::1", "wan0")


def test_all_routes_are_those_that_ip_tells(route: Route, gateway: Namespace) -> None:
    for family, option in ((V4, "-4"), (V6, "-6")):
        shown = told(gateway, option, "route", "show", "table", "all")
        assert len(route.routes(family=family)) == len(shown)
        links = {link.index: link.name for link in route.links()}
        found = {
            (str(e.dst or "default").removesuffix("/32").removesuffix("/128"), links[e.oif or 0], e.priority)
            for e in route.routes(family=family)
        }
        assert found == {(e["dst"], e["dev"], e.get("metric", 0)) for e in shown}


def test_a_route_replaced_is_the_only_one(route: Route) -> None:
    first, *_ = ways_out(route)
    route.replace_route(first)
    moved = replace(first, gateway=ip_address("192.0.2.254"))
    route.replace_route(moved)
    assert route.routes(1001, V4) == [moved]


def test_a_table_that_does_not_exist_has_no_routes(route: Route) -> None:
    assert route.routes(4242, V4) == []
    assert route.routes(4242, V6) == []
    assert route.routes(4242) == []


def test_a_gateway_on_no_link_is_refused_with_the_kernels_words(route: Route) -> None:
    lost = RouteEntry(V4, 1001, None, ip_address("10.9.9.9"), index_of(route, "wan0"), protocol=OURS)
    with pytest.raises(NetlinkError, match="invalid gateway") as refused:
        route.replace_route(lost)
    assert refused.value.errno == errno.ENETUNREACH
    with pytest.raises(NetlinkError) as refused:
        route.replace_route(replace(lost, oif=9999, flags=ONLINK))
    assert refused.value.errno == errno.ENODEV


OUR_RULES = [
    RuleEntry(family=family, priority=priority, protocol=OURS, **more)
    for family, net in ((V4, "10.0.0.0/8"), (V6, "fd00::/8"))
    for priority, more in (
        (100, {"table": 254, "suppress_prefixlength": 0}),
        (110, {"table": 1001, "fwmark": 1, "fwmask": 0xFF}),
        (120, {"table": 7, "src": ip_network(net), "iif": "lan0"}),
        (130, {"table": 1002, "dst": ip_network(net), "oif": "wan0", "flags": INVERT}),
        (140, {"action": 7, "fwmark": 0, "fwmask": 0xFF}),
    )
]


def test_rules_put_in_are_rules_read_back(route: Route, gateway: Namespace) -> None:
    foreign = [rule for rule in route.rules() if rule.protocol != OURS]
    for rule in OUR_RULES:
        route.add_rule(rule)
        with pytest.raises(NetlinkError) as refused:
            route.add_rule(rule)
        assert refused.value.errno == errno.EEXIST
    assert [rule for rule in route.rules() if rule.protocol == OURS] == OUR_RULES
    assert [rule for rule in route.rules() if rule.protocol != OURS] == foreign
    assert [rule for rule in route.rules(V6) if rule.protocol == OURS] == OUR_RULES[5:]
    shown = {rule["priority"]: rule for rule in gateway.json("ip", "-j", "-N", "-d", "rule", "show")}
    assert shown[100]["suppress_prefixlen"] == 0
    assert (shown[110]["fwmark"], shown[110]["fwmask"], shown[110]["table"]) == ("0x1", "0xff", "1001")
    assert (shown[120]["src"], shown[120]["srclen"], shown[120]["iif"]) == ("10.0.0.0", 8, "lan0")
    assert "not" in shown[130]
    assert shown[140]["action"] == "7"  # FR_ACT_UNREACHABLE
    for rule in OUR_RULES:
        route.delete_rule(rule)
        with pytest.raises(NetlinkError) as refused:
            route.delete_rule(rule)
        assert refused.value.errno == errno.ENOENT
    assert route.rules() == foreign


def test_the_kernels_own_rules_and_a_strangers_can_be_told_apart(route: Route, gateway: Namespace) -> None:
    gateway.run("ip", "rule", "add", "priority", "110", "fwmark", "1/0xff", "table", "1001")
    try:
        (stranger,) = [rule for rule in route.rules(V4) if rule.priority == 110]
        assert stranger.protocol != OURS
        assert [(rule.priority, rule.table, rule.protocol) for rule in route.rules(V4) if rule != stranger] == [
            (0, 255, 2),
            (32766, 254, 2),
            (32767, 253, 2),
        ]
        with pytest.raises(NetlinkError):
            route.delete_rule(replace(stranger, protocol=OURS))
    finally:
        gateway.run("ip", "rule", "del", "priority", "110")


def test_addresses_that_change_while_they_are_read_are_never_read_half(route: Route, gateway: Namespace) -> None:
    moving, *stable = [bytes([198, 18, number >> 8, number & 255]) for number in range(2000)]
    new, delete, lo = 20, 21, 1  # RTM_NEWADDR, RTM_DELADDR
    with gateway.inside():
        writer, reader = Socket(NETLINK_ROUTE), Interrupted(NETLINK_ROUTE)

    def change(kind: int, address: bytes) -> None:
        body = struct.pack("=BBBBI", V4, 32, 0, 0, lo) + attribute(2, address)
        writer.request(kind, CREATE if kind == new else 0, body, "change an address")

    with writer, reader:
        for address in (moving, *stable):
            change(new, address)
        reader.change = lambda: change(delete, moving)
        found = reader.dump(22, bytes(8), "list addresses")
        assert reader.change is None
        assert [parse_address(body) for body in found] == route.addresses()
        for address in stable:
            change(delete, address)
