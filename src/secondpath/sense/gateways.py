"""Which next hop an uplink has, and whether it needs one. Pure.

First what the configuration says; then the default routes of the host's tools, table main before the tables they keep
apart (systemd-networkd and NetworkManager do where policy routing is set up); then leases. Our own tables never count:
we would find what we wrote there ourselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from socket import AF_INET, AF_INET6

from secondpath.model import Family, IPAddress, family_of
from secondpath.netlink.entries import TABLE_LOCAL, TABLE_MAIN, UNICAST, RouteEntry
from secondpath.netlink.links import Address, Link

_NUMBERS = {Family.IPV4: AF_INET, Family.IPV6: AF_INET6}
_ETHERNET_MAC = len("00:00:00:00:00:00")


def is_foreign_default(route: RouteEntry, own_tables: frozenset[int]) -> bool:
    """Whether a route is a default route that somebody else made."""
    return route.dst is None and route.kind == UNICAST and route.table not in own_tables | {TABLE_LOCAL}


def defaults_of(routes: Iterable[RouteEntry], index: int, family: Family) -> list[IPAddress | None]:
    """The next hops of one interface's default routes, best first; None stands for a route that needs no next hop."""
    ranked = sorted(
        (route for route in routes if route.family == _NUMBERS[family]),
        key=lambda route: (route.table != TABLE_MAIN, route.table, route.priority),
    )
    hops = [hop for route in ranked for hop in _hops(route, index)]
    # An IPv4 route by an IPv6 next hop (RFC 5549) has none that the words of the house can say.
    return [hop for hop in hops if hop is None or family_of(hop) is family]


def _hops(route: RouteEntry, index: int) -> list[IPAddress | None]:
    if route.nexthops:
        return [hop.gateway for hop in route.nexthops if hop.oif == index]
    return [route.gateway] if route.oif == index else []


def choose_gateways(
    configured: Iterable[IPAddress], routes: Iterable[RouteEntry], index: int, leased: Iterable[IPv4Address]
) -> tuple[IPAddress, ...]:
    """The next hop of each family, IPv4 first; a family without one is left out. `routes` are foreign defaults."""
    known, found = list(routes), list(configured)
    chosen: list[IPAddress] = []
    for family in Family:
        candidates: list[IPAddress | None] = [hop for hop in found if family_of(hop) is family]
        candidates += defaults_of(known, index, family)
        candidates += list(leased) if family is Family.IPV4 else []
        chosen += [hop for hop in candidates if hop is not None][:1]
    return tuple(chosen)


def needs_no_gateway(link: Link, addresses: Iterable[Address], routes: Iterable[RouteEntry]) -> bool:
    """Whether what is sent here arrives without a next hop: PPP, raw-IP modems, a default route without one.

    A link without a MAC address has nobody to resolve: that is what IFF_POINTOPOINT and IFF_NOARP say of real devices.
    """
    if link.kind == "ppp" or len(link.mac) != _ETHERNET_MAC:
        return True
    if any(address.peer is not None for address in addresses):
        return True
    known = list(routes)
    return any(None in defaults_of(known, link.index, family) for family in Family)
