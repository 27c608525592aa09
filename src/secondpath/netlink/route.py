"""rtnetlink: read links, addresses, routes and policy rules; replace and delete the latter two (linux/rtnetlink.h).

Every change is one message and one acknowledgement, 6-10 µs. Nothing here is idempotent: adding a rule twice is EEXIST,
deleting what is not there ENOENT (a rule) or ESRCH (a route), and the caller knows which of them it meant.
"""

import errno
import struct
from socket import AF_INET, AF_INET6
from typing import Self

from secondpath.netlink.entries import RouteEntry, RuleEntry, pack_route, pack_rule, parse_route, parse_rule
from secondpath.netlink.links import Address, Counts, Link, parse_address, parse_counts, parse_link
from secondpath.netlink.wire import CREATE, EXCLUSIVE, NETLINK_ROUTE, REPLACE, NetlinkError, Socket, word

_GET_LINK, _GET_ADDRESS = 18, 22
_NEW_ROUTE, _DELETE_ROUTE, _GET_ROUTE = 24, 25, 26
_NEW_RULE, _DELETE_RULE, _GET_RULE = 32, 33, 34
_TABLE = 15  # RTA_TABLE
_LINK_MASK, _SKIP_STATISTICS = 29, 8  # IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS
_HEADER = struct.Struct("=B11x")  # rtmsg and fib_rule_hdr, all but the family
_ONE_LINK = struct.Struct("=4xi8x")  # ifinfomsg
_FAMILIES = frozenset({AF_INET, AF_INET6})  # 0 would also tell of multicast routing's own tables (RTNL_FAMILY_IPMR)


class Route:
    """Links, addresses, routes and rules of this network namespace, over one open socket.

    `family` is AF_INET, AF_INET6 or 0 for both. Reading needs no capability, changing CAP_NET_ADMIN. Everything
    raises `NetlinkError`.
    """

    def __init__(self, *, timeout_s: float = 5.0) -> None:
        self._socket = Socket(NETLINK_ROUTE, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def links(self) -> list[Link]:
        """All interfaces."""
        asked = bytes(16) + word(_LINK_MASK, _SKIP_STATISTICS)
        return [parse_link(body) for body in self._socket.dump(_GET_LINK, asked, "list links")]

    def counts(self) -> list[Counts]:
        """What all interfaces have counted."""
        found = (parse_counts(body) for body in self._socket.dump(_GET_LINK, bytes(16), "count links"))
        return [counts for counts in found if counts is not None]

    def link(self, index: int) -> Link | None:
        """One interface; None if there is none of this index."""
        asked = _ONE_LINK.pack(index) + word(_LINK_MASK, _SKIP_STATISTICS)
        try:
            return parse_link(self._socket.ask(_GET_LINK, asked, f"read link {index}"))
        except NetlinkError as fault:
            if fault.errno == errno.ENODEV:
                return None
            raise

    def addresses(self) -> list[Address]:
        """All addresses of all interfaces, IPv4 and IPv6."""
        return [parse_address(body) for body in self._socket.dump(_GET_ADDRESS, bytes(8), "list addresses")]

    def routes(self, table: int | None = None, family: int = 0) -> list[RouteEntry]:
        """The routes of one table, or of all; a table that does not exist has none.

        Of multicast and neighbour-made ("cached") routes only those are told that `ip route show table all` tells.
        """
        asked = _HEADER.pack(family)
        if table is not None:
            asked += word(_TABLE, table)
        try:
            bodies = self._socket.dump(_GET_ROUTE, asked, "list routes")
        except NetlinkError as fault:
            if fault.errno == errno.ENOENT and table is not None:
                return []
            raise
        found = [parse_route(body) for body in bodies if body[0] in _FAMILIES]
        return found if table is None else [entry for entry in found if entry.table == table]

    def rules(self, family: int = 0) -> list[RuleEntry]:
        """The policy rules, in the order in which packets meet them within a family.

        Of 400 and more, some may be missed if others are deleted meanwhile: of this dump the kernel does not say so.
        """
        asked = _HEADER.pack(family)
        bodies = self._socket.dump(_GET_RULE, asked, "list rules")
        return [parse_rule(body) for body in bodies if body[0] in _FAMILIES]

    def replace_route(self, entry: RouteEntry) -> None:
        """Make `entry` the route of its table, destination and priority, whatever was there before.

        Errors: ENETUNREACH if the gateway is on no link or the interface is gone, ENETDOWN if it is not up; with
        ONLINK in `flags`, which spares the question for the gateway, ENODEV; EINVAL.
        """
        self._socket.request(_NEW_ROUTE, CREATE | REPLACE, pack_route(entry), f"replace the route {_words(entry)}")

    def delete_route(self, entry: RouteEntry) -> None:
        """Delete the route that has all that `entry` says. ESRCH if there is none."""
        self._socket.request(_DELETE_ROUTE, 0, pack_route(entry), f"delete the route {_words(entry)}")

    def add_rule(self, entry: RuleEntry) -> None:
        """Add a rule. EEXIST if there is the very same."""
        what = f"add the rule {entry.priority} of family {entry.family}"
        self._socket.request(_NEW_RULE, CREATE | EXCLUSIVE, pack_rule(entry), what)

    def delete_rule(self, entry: RuleEntry) -> None:
        """Delete the first rule that has all that `entry` says. ENOENT if there is none."""
        what = f"delete the rule {entry.priority} of family {entry.family}"
        self._socket.request(_DELETE_RULE, 0, pack_rule(entry), what)


def _words(entry: RouteEntry) -> str:
    return f"to {entry.dst or 'default'} of table {entry.table} and family {entry.family}"
