"""Which next hop an uplink has."""

from ipaddress import IPv4Address, ip_address
from socket import AF_INET, AF_INET6
from typing import Any

import pytest

from secondpath.netlink.entries import TABLE_LOCAL, UNREACHABLE, NextHop, RouteEntry
from secondpath.netlink.links import Address, Link
from secondpath.sense.gateways import choose_gateways, is_foreign_default, needs_no_gateway

MAIN, INDEX, OTHER = 254, 3, 4
LEASED = (IPv4Address("10.0.0.9"),)
ETHERNET = Link(INDEX, "wan0", True, True, "up", 1500, None, "02:00:00:00:00:01")


def default(gateway: str | None, *, table: int = MAIN, metric: int = 0, oif: int = INDEX, **more: Any) -> RouteEntry:
    family = AF_INET6 if gateway and ":" in gateway else AF_INET
    hop = ip_address(gateway) if gateway else None
    return RouteEntry(
        **{"family": family, "table": table, "dst": None, "gateway": hop, "oif": oif} | more, priority=metric
    )


def chosen(*routes: RouteEntry, configured: tuple[str, ...] = (), leased: tuple[IPv4Address, ...] = ()) -> list[str]:
    return [str(hop) for hop in choose_gateways(map(ip_address, configured), routes, INDEX, leased)]


def test_the_lowest_metric_of_table_main_wins() -> None:
    assert chosen(default("10.0.0.2", metric=200), default("10.0.0.1", metric=100)) == ["10.0.0.1"]


def test_table_main_goes_before_the_tables_of_other_tools_and_these_before_leases() -> None:
    apart, main = default("10.0.0.2", table=42), default("10.0.0.1", metric=900)
    assert chosen(apart, main, leased=LEASED) == ["10.0.0.1"]
    assert chosen(apart, leased=LEASED) == ["10.0.0.2"]
    assert chosen(leased=LEASED) == ["10.0.0.9"]


def test_what_is_configured_wins_for_its_family_and_only_for_it() -> None:
    routes = default("10.0.0.1"), default("fe80::1")
    assert chosen(*routes, configured=("10.0.0.7",)) == ["10.0.0.7", "fe80::1"]
    assert chosen(*routes, configured=("fe80::7",)) == ["10.0.0.1", "fe80::7"]


def test_the_gateways_of_other_interfaces_are_not_ours() -> None:
    assert chosen(default("10.0.0.1", oif=OTHER)) == []


def test_of_a_route_with_many_ways_the_one_of_our_interface_counts() -> None:
    hops = (NextHop(ip_address("10.1.0.1"), OTHER), NextHop(ip_address("10.0.0.1"), INDEX))
    assert chosen(default(None, oif=0, nexthops=hops)) == ["10.0.0.1"]


def test_an_ipv6_next_hop_of_an_ipv4_route_is_no_gateway_of_either_family() -> None:
    assert chosen(default("fe80::1", family=AF_INET)) == []


@pytest.mark.parametrize(
    ("route", "foreign"),
    [
        (default("10.0.0.1"), True),
        (default("10.0.0.1", table=42), True),
        (default("10.0.0.1", table=1001), False),
        (default("10.0.0.1", table=TABLE_LOCAL), False),
        (default(None, kind=UNREACHABLE), False),
    ],
)
def test_only_default_routes_that_others_made_count(route: RouteEntry, *, foreign: bool) -> None:
    assert is_foreign_default(route, frozenset({1001})) is foreign


def test_ethernet_needs_a_gateway_until_a_route_says_otherwise() -> None:
    assert not needs_no_gateway(ETHERNET, [], [default("10.0.0.1")])
    assert needs_no_gateway(ETHERNET, [], [default(None)])
    assert not needs_no_gateway(ETHERNET, [], [default(None, oif=OTHER)])


@pytest.mark.parametrize(
    "link",
    [
        Link(INDEX, "ppp0", True, True, "unknown", 1492, "ppp", ""),
        Link(INDEX, "wwan0", True, True, "unknown", 1500, None, ""),
        Link(INDEX, "gre1", True, True, "unknown", 1476, "gre", "0a:00:00:01"),
    ],
    ids=lambda link: link.name,
)
def test_a_link_without_an_ethernet_address_needs_no_gateway(link: Link) -> None:
    assert needs_no_gateway(link, [], [])


def test_an_address_with_a_peer_needs_no_gateway() -> None:
    address = Address(INDEX, ip_address("100.64.0.5"), 32, 0, 0x80, ip_address("100.64.0.1"))
    assert needs_no_gateway(ETHERNET, [address], [])
