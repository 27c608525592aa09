"""Our routes and rules in the real kernel.

A route that cannot be made now (no such interface, link not up) is no error: the world is like that, and the next
reconcile tries again.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from socket import AF_INET, AF_INET6, if_indextoname, if_nametoindex

from secondpath.act.plane import BACKSTOP_METRIC, FIRST, LAST, PROTOCOL, Route, Rule
from secondpath.model import Family
from secondpath.netlink.entries import ONLINK, SCOPE_GLOBAL, SCOPE_LINK, UNREACHABLE, RouteEntry, RuleEntry
from secondpath.netlink.route import Route as RouteSocket
from secondpath.netlink.wire import NetlinkError

FAMILY = {Family.IPV4: AF_INET, Family.IPV6: AF_INET6}
WORLD = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.ENODEV, errno.EHOSTUNREACH, errno.EINVAL, errno.ENONET})
"""What the kernel answers when the interface or the way to the gateway is not there at this moment."""
ABSENT = frozenset({errno.ENOENT, errno.ESRCH})
OWN_METRIC = 10


def read_routes(netlink: RouteSocket) -> frozenset[Route]:
    """The default routes in our tables."""
    found = set()
    for family, number in FAMILY.items():
        for entry in netlink.routes(family=number):
            if FIRST <= entry.table <= LAST and entry.protocol == PROTOCOL and entry.dst is None:
                found.add(_route(family, entry))
    return frozenset(found)


def _route(family: Family, entry: RouteEntry) -> Route:
    if entry.kind == UNREACHABLE:
        return Route(family, entry.table)
    return Route(family, entry.table, _name(entry.oif), entry.gateway)


def _name(index: int | None) -> str:
    try:
        return if_indextoname(index or 0)
    except OSError:
        return ""


def put_route(netlink: RouteSocket, route: Route) -> bool:
    """Make the route the default of its table; False when the world does not allow it now."""
    try:
        for old in list(_stale(netlink, route)):
            _delete(netlink, old)
        netlink.replace_route(_entry(route))
    except OSError as error:
        if error.errno not in WORLD:
            raise
        return False
    return True


def _stale(netlink: RouteSocket, route: Route) -> Iterator[RouteEntry]:
    """IPv6 keeps several defaults of one metric side by side, so another one has to go; IPv4 replaces it."""
    if route.family is Family.IPV6 and route.interface is not None:
        for entry in netlink.routes(route.table, AF_INET6):
            if entry.protocol == PROTOCOL and entry.dst is None and entry.kind != UNREACHABLE:
                yield entry


def _delete(netlink: RouteSocket, entry: RouteEntry) -> None:
    try:
        netlink.delete_route(entry)
    except NetlinkError as error:
        if error.errno not in ABSENT:
            raise


def drop_route(netlink: RouteSocket, route: Route) -> None:
    """Take a route away; gone is gone."""
    for entry in netlink.routes(route.table, FAMILY[route.family]):
        if entry.protocol == PROTOCOL and entry.dst is None and _route(route.family, entry) == route:
            _delete(netlink, entry)


def _entry(route: Route) -> RouteEntry:
    family = FAMILY[route.family]
    if route.interface is None:
        return RouteEntry(family, route.table, None, priority=BACKSTOP_METRIC, protocol=PROTOCOL, kind=UNREACHABLE)
    try:
        index = if_nametoindex(route.interface)
    except OSError as error:
        raise OSError(errno.ENODEV, f"no interface {route.interface}") from error
    point_to_point = route.gateway is None
    return RouteEntry(
        family,
        route.table,
        None,
        route.gateway,
        index,
        OWN_METRIC,
        PROTOCOL,
        scope=SCOPE_LINK if point_to_point and family == AF_INET else SCOPE_GLOBAL,
        flags=0 if point_to_point else ONLINK,
    )


def read_rules(netlink: RouteSocket) -> frozenset[Rule]:
    """The rules within our priorities that we made."""
    names = {int(number): family for family, number in FAMILY.items()}
    return frozenset(
        Rule(
            names[e.family],
            e.priority,
            e.table,
            e.fwmark if e.fwmask else None,
            own=e.iif == "lo",
            no_default=e.suppress_prefixlength == 0,
        )
        for e in netlink.rules()
        if FIRST <= e.priority <= LAST and e.protocol == PROTOCOL and e.family in names
    )


def _rule_entry(rule: Rule) -> RuleEntry:
    return RuleEntry(
        FAMILY[rule.family],
        rule.priority,
        rule.table,
        fwmark=rule.mark or 0,
        fwmask=0xFF if rule.mark is not None else 0,
        suppress_prefixlength=0 if rule.no_default else None,
        protocol=PROTOCOL,
        iif="lo" if rule.own else None,
    )


def put_rule(netlink: RouteSocket, rule: Rule) -> None:
    """Add a rule; there already is there."""
    try:
        netlink.add_rule(_rule_entry(rule))
    except NetlinkError as error:
        if error.errno != errno.EEXIST:
            raise


def drop_rule(netlink: RouteSocket, rule: Rule) -> None:
    """Take a rule away; gone is gone."""
    try:
        netlink.delete_rule(_rule_entry(rule))
    except NetlinkError as error:
        if error.errno not in ABSENT:
            raise
