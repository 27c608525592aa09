"""Routes and rules as bytes: what is packed compares equal when it is parsed."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.netlink.entries import (
    BLACKHOLE,
    DEAD,
    LINKDOWN,
    ONLINK,
    PROHIBIT,
    UNREACHABLE,
    NextHop,
    RouteEntry,
    RuleEntry,
    pack_route,
    pack_rule,
    parse_route,
    parse_rule,
)
from secondpath.netlink.wire import word

words = st.integers(1, 2**32 - 1)
octets = st.integers(0, 255)
names = st.text(alphabet="abcwan0123.", min_size=1, max_size=15)
indexes = st.integers(1, 2**31 - 1)


def addresses(family: int) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    return st.ip_addresses(v=6 if family == AF_INET6 else 4)


def networks(family: int) -> st.SearchStrategy[IPv4Network | IPv6Network]:
    longest = 128 if family == AF_INET6 else 32
    return st.builds(
        lambda address, length: ip_network((address, length), strict=False), addresses(family), st.integers(1, longest)
    )


def hops(family: int) -> st.SearchStrategy[NextHop]:
    return st.builds(NextHop, st.none() | addresses(family), indexes, st.integers(1, 256), st.sampled_from([0, ONLINK]))


def routes_of(family: int) -> st.SearchStrategy[RouteEntry]:
    return st.builds(
        RouteEntry,
        family=st.just(family),
        table=words,
        dst=st.none() | networks(family),
        gateway=st.none() | addresses(family) | st.ip_addresses(v=6),
        oif=st.none() | indexes,
        priority=st.just(0) | words,
        protocol=octets,
        kind=st.sampled_from([1, 2, 3, 5]),
        prefsrc=st.none() | addresses(family),
        scope=st.sampled_from([0, 253, 254]),
        flags=st.sampled_from([0, ONLINK]),
        nexthops=st.lists(hops(family), max_size=3).map(tuple),
    )


def rules_of(family: int) -> st.SearchStrategy[RuleEntry]:
    return st.builds(
        RuleEntry,
        family=st.just(family),
        priority=words,
        table=st.just(0) | words,
        fwmark=words,
        fwmask=words,
        suppress_prefixlength=st.none() | st.integers(0, 128),
        action=octets,
        protocol=octets,
        iif=st.none() | names,
        oif=st.none() | names,
        src=st.none() | networks(family),
        dst=st.none() | networks(family),
        flags=st.sampled_from([0, 2]),
    )


families = st.sampled_from([AF_INET, AF_INET6])


@pytest.mark.slow
@given(families.flatmap(routes_of))
def test_a_route_packed_is_a_route_parsed(entry: RouteEntry) -> None:
    assert parse_route(pack_route(entry)) == entry


@pytest.mark.slow
@given(families.flatmap(rules_of))
def test_a_rule_packed_is_a_rule_parsed(entry: RuleEntry) -> None:
    assert parse_rule(pack_rule(entry)) == entry


def test_an_unreachable_route_has_no_interface_though_the_kernel_names_one() -> None:
    for kind in (UNREACHABLE, BLACKHOLE, PROHIBIT):
        wanted = RouteEntry(AF_INET6, 1001, None, kind=kind)
        assert parse_route(pack_route(wanted) + word(4, 1)) == wanted


def test_what_the_kernel_only_tells_is_not_asked_of_it() -> None:
    entry = RouteEntry(AF_INET, 254, None, ip_address("192.0.2.1"), 3, flags=DEAD | LINKDOWN | ONLINK)
    assert parse_route(pack_route(entry)) == replace(entry, flags=ONLINK)
