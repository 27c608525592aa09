"""Changes of links, addresses, routes, rules and settings, as the kernel makes them (linux/rtnetlink.h, RTNLGRP_*).

What the kernel does not say, and a reader must know: when an interface goes down, its IPv4 routes vanish without an
event each (IPv6 tells of every one). So after a `LinkEvent` that is not up, read the routes again. After
`Overrun`, read everything again.
"""

import errno
import struct
from dataclasses import dataclass
from socket import AF_INET, AF_INET6
from typing import Final, Self, TypeAlias

from secondpath.netlink.entries import RouteEntry, RuleEntry, parse_route, parse_rule
from secondpath.netlink.links import Address, Link, parse_address, parse_link
from secondpath.netlink.wire import (
    NETLINK_NETFILTER,
    NETLINK_ROUTE,
    Message,
    NetlinkError,
    Socket,
    attributes,
    messages,
)

LINKS: Final = 1 << 0
ADDRESSES: Final = 1 << 4 | 1 << 8
ROUTES: Final = 1 << 6 | 1 << 10
RULES: Final = 1 << 7 | 1 << 18
SETTINGS: Final = 1 << 23 | 1 << 24
"""RTNLGRP_IPV4_NETCONF and RTNLGRP_IPV6_NETCONF: forwarding, reverse-path filter."""
QUEUEING: Final = 1 << 3
"""RTNLGRP_TC: qdiscs, classes, filters."""
EVERYTHING: Final = LINKS | ADDRESSES | ROUTES | RULES

_BUFFER_BYTES = 4 << 20
_QUEUE = struct.Struct("=B3xiIII")
_FAMILIES = frozenset({AF_INET, AF_INET6})


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """An interface is new or has changed, or is `deleted`; `link` is how it is now, or was last."""

    link: Link
    deleted: bool


@dataclass(frozen=True, slots=True)
class AddressEvent:
    """An address is new or has changed, or is `deleted`."""

    address: Address
    deleted: bool


@dataclass(frozen=True, slots=True)
class RouteEvent:
    """A route is new or has replaced another, or is `deleted`."""

    route: RouteEntry
    deleted: bool


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """A policy rule is new, or is `deleted`."""

    rule: RuleEntry
    deleted: bool


@dataclass(frozen=True, slots=True)
class SettingEvent:
    """A setting of this family (AF_*) has changed, of an interface or of all: linux/netconf.h."""

    family: int


@dataclass(frozen=True, slots=True)
class QueueLoss:
    """A qdisc, a class or a filter was deleted: `major` is its handle's; of a filter its parent's, and preference."""

    index: int
    major: int
    preference: int = 0


@dataclass(frozen=True, slots=True)
class Overrun:
    """Events came faster than they were read, and some are lost: read the full state again."""


Event: TypeAlias = LinkEvent | AddressEvent | RouteEvent | RuleEvent | SettingEvent | QueueLoss | Overrun


def parse_event(part: Message) -> Event | None:
    """The event in one message; None for what is none of ours (a bridge's word about its port, multicast routing)."""
    family = part.body[0]
    match part.kind:
        case 16 | 17 if family == 0:  # RTM_NEWLINK, RTM_DELLINK; AF_BRIDGE says DELLINK when a port leaves a bridge
            return LinkEvent(parse_link(part.body), part.kind == 17)
        case 20 | 21 if family in _FAMILIES:
            return AddressEvent(parse_address(part.body), part.kind == 21)
        case 24 | 25 if family in _FAMILIES:
            return RouteEvent(parse_route(part.body), part.kind == 25)
        case 32 | 33 if family in _FAMILIES:
            return RuleEvent(parse_rule(part.body), part.kind == 33)
        case 80 if family in _FAMILIES:
            return SettingEvent(family)
    return _lost_queue(part) if part.kind in (37, 41, 45) else None  # RTM_DELQDISC, RTM_DELTCLASS, RTM_DELTFILTER


def _lost_queue(part: Message) -> QueueLoss:
    _family, index, handle, parent, info = _QUEUE.unpack_from(part.body)  # struct tcmsg
    return QueueLoss(index, parent >> 16, info >> 16) if part.kind == 45 else QueueLoss(index, handle >> 16)


class Monitor:
    """A socket that becomes readable when something in `groups` changes; needs no capability.

    Open it before reading the full state, and no change can fall between the two.
    """

    def __init__(self, groups: int = EVERYTHING, *, buffer_bytes: int = _BUFFER_BYTES) -> None:
        self._socket = Socket(NETLINK_ROUTE, groups=groups, buffer_bytes=buffer_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def fileno(self) -> int:
        """For a selector or an event loop."""
        return self._socket.fileno()

    def read(self) -> list[Event]:
        """All that has happened since the last read, in order; empty if nothing. Never waits."""
        found: list[Event] = []
        while True:
            try:
                datagram = self._socket.receive(wait=False)
            except NetlinkError as fault:
                if fault.errno != errno.ENOBUFS:
                    raise
                found.append(Overrun())
                continue
            if datagram is None:
                return found
            found += [event for part in messages(datagram) if (event := parse_event(part)) is not None]


_DELETIONS = frozenset(10 << 8 | number for number in (2, 5, 8, 11))  # NFT_MSG_DELTABLE, DELCHAIN, DELRULE, DELSET
_DELETED_ELEMENTS = 10 << 8 | 14
_RULESET_GROUP = 1 << 6  # NFNLGRP_NFTABLES is 7


class RulesetMonitor:
    """A socket that becomes readable when somebody changes nftables; tells whether a table of ours lost something.

    `own_port` is the socket by which we ourselves change elements (`Nft.port`): that is no loss.
    """

    def __init__(self, table: str, own_port: int = 0, *, buffer_bytes: int = _BUFFER_BYTES) -> None:
        self._table, self._own_port = table.encode(), own_port
        self._socket = Socket(NETLINK_NETFILTER, groups=_RULESET_GROUP, buffer_bytes=buffer_bytes)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def fileno(self) -> int:
        """For a selector or an event loop."""
        return self._socket.fileno()

    def lost(self) -> bool:
        """Whether a table, chain, rule, set or element of ours was deleted since the last call, or may have been.

        Never waits.
        """
        found = False
        while True:
            try:
                datagram = self._socket.receive(wait=False)
            except NetlinkError as fault:
                if fault.errno != errno.ENOBUFS:
                    raise
                found = True
                continue
            if datagram is None:
                return found
            found = any(self._is_loss(part) for part in messages(datagram)) or found

    def _is_loss(self, part: Message) -> bool:
        by_others = part.kind == _DELETED_ELEMENTS and part.port != self._own_port
        gone = by_others or part.kind in _DELETIONS
        return gone and attributes(part.body, 4).get(1, b"").rstrip(b"\0") == self._table
