"""Routes and policy rules, as dataclasses and as bytes (linux/rtnetlink.h, fib_rules.h).

What is parsed here compares equal to what was packed, so that the difference of two sets of entries is the work to
do; where the kernel answers in other words than it was asked in, the field says so. Attributes without a field
(metrics, encapsulation, …) are not read: tell foreign entries by their `protocol`.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6
from typing import TypeAlias

from secondpath.netlink.wire import attribute, attributes, number, string, text, word

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network

UNICAST, LOCAL, BROADCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 2, 3, 5, 6, 7, 8  # RTN_*
SCOPE_GLOBAL, SCOPE_LINK, SCOPE_HOST = 0, 253, 254  # RT_SCOPE_*
TABLE_DEFAULT, TABLE_MAIN, TABLE_LOCAL = 253, 254, 255
PROTOCOL_KERNEL, PROTOCOL_BOOT, PROTOCOL_STATIC, PROTOCOL_RA, PROTOCOL_DHCP = 2, 3, 4, 9, 16  # RTPROT_*
DEAD, ONLINK, LINKDOWN = 1, 4, 16  # RTNH_F_*
TO_TABLE = 1  # FR_ACT_TO_TBL
INVERT = 2  # FIB_RULE_INVERT
LAST_METRIC = 0xFFFFFFFF

_NO_INTERFACE_TYPES = frozenset({BLACKHOLE, UNREACHABLE, PROHIBIT})
_ROUTE, _RULE, _NEXT_HOP = struct.Struct("=BBBBBBBBI"), struct.Struct("=BBBBBBBBI"), struct.Struct("=HBBi")
_DST, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _MULTIPATH, _TABLE, _VIA = 1, 4, 5, 6, 7, 9, 15, 18  # RTA_*
_RULE_DST, _RULE_SRC, _IIFNAME, _RULE_PRIORITY, _FWMARK, _SUPPRESS = 1, 2, 3, 6, 10, 14  # FRA_*
_RULE_TABLE, _FWMASK, _OIFNAME, _RULE_PROTOCOL = 15, 16, 17, 21


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way of a multipath route. `weight` is 1 to 256."""

    gateway: IPAddress | None
    oif: int
    weight: int = 1
    flags: int = 0


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route: to `dst` (None is the default route) by `gateway` and interface `oif`, or by `nexthops`.

    `priority` is the metric; IPv6 makes 1024 of 0. `kind` is RTN_*; UNREACHABLE and its like have no interface, though
    IPv6 names lo. `flags` are RTNH_F_*: ONLINK may be asked for, DEAD and LINKDOWN are only told. `scope` is
    RT_SCOPE_*, always 0 in IPv6. `protocol` is who made it. The gateway of an IPv4 route may be
    an IPv6 address (RFC 5549).
    """

    family: int
    table: int
    dst: IPNetwork | None
    gateway: IPAddress | None = None
    oif: int | None = None
    priority: int = 0
    protocol: int = PROTOCOL_BOOT
    kind: int = UNICAST
    prefsrc: IPAddress | None = None
    scope: int = SCOPE_GLOBAL
    flags: int = 0
    nexthops: tuple[NextHop, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A policy rule: packets with `fwmark` under `fwmask`, from `src`, to `dst`, by `iif` and `oif`, do `action`.

    `table` matters for TO_TABLE; `suppress_prefixlength` makes the rule pass over routes no longer than that (0:
    default routes) or None; `protocol` is who made it, 0 if nobody says; `flags` may be INVERT.
    """

    family: int
    priority: int
    table: int = 0
    fwmark: int = 0
    fwmask: int = 0
    suppress_prefixlength: int | None = None
    action: int = TO_TABLE
    protocol: int = 0
    iif: str | None = None
    oif: str | None = None
    src: IPNetwork | None = None
    dst: IPNetwork | None = None
    flags: int = 0


def parse_route(body: bytes) -> RouteEntry:
    """The route in one RTM_NEWROUTE or RTM_DELROUTE."""
    family, dst_len, _src_len, _tos, table, protocol, scope, kind, flags = _ROUTE.unpack_from(body)
    parts = attributes(body, _ROUTE.size)
    return RouteEntry(
        family=family,
        table=number(parts[_TABLE]) if _TABLE in parts else table,
        dst=_network(parts.get(_DST), dst_len, family),
        gateway=_gateway(parts),
        oif=None if kind in _NO_INTERFACE_TYPES or _OIF not in parts else number(parts.get(_OIF, b"")),
        priority=number(parts.get(_PRIORITY, b"")),
        protocol=protocol,
        kind=kind,
        prefsrc=ip_address(parts[_PREFSRC]) if _PREFSRC in parts else None,
        scope=scope,
        flags=flags & 0xFF,
        nexthops=_parse_next_hops(parts.get(_MULTIPATH, b"")),
    )


def _network(packed: bytes | None, length: int, family: int) -> IPNetwork | None:
    if packed is None and length == 0:
        return None
    return ip_network((packed or bytes(16 if family == AF_INET6 else 4), length), strict=False)


def _gateway(parts: dict[int, bytes]) -> IPAddress | None:
    if _GATEWAY in parts:
        return ip_address(parts[_GATEWAY])
    return ip_address(parts[_VIA][2:]) if _VIA in parts else None


def _parse_next_hops(data: bytes) -> tuple[NextHop, ...]:
    found = []
    at = 0
    while at + _NEXT_HOP.size <= len(data):
        size, flags, hops, oif = _NEXT_HOP.unpack_from(data, at)
        parts = attributes(data[at : at + max(size, _NEXT_HOP.size)], _NEXT_HOP.size)
        found.append(NextHop(_gateway(parts), oif, hops + 1, flags))
        at += max((size + 3) & ~3, _NEXT_HOP.size)
    return tuple(found)


def pack_route(entry: RouteEntry) -> bytes:
    """The body of the message that replaces or deletes `entry`."""
    dst_len = entry.dst.prefixlen if entry.dst else 0
    table = entry.table if entry.table < 256 else 0
    head = (entry.family, dst_len, 0, 0, table, entry.protocol, entry.scope, entry.kind, entry.flags & ONLINK)
    parts = [_ROUTE.pack(*head), word(_TABLE, entry.table)]
    if entry.dst:
        parts.append(attribute(_DST, entry.dst.network_address.packed))
    if entry.priority:
        parts.append(word(_PRIORITY, entry.priority))
    if entry.gateway:
        parts.append(_pack_gateway(entry.family, entry.gateway))
    if entry.oif is not None:
        parts.append(word(_OIF, entry.oif))
    if entry.prefsrc:
        parts.append(attribute(_PREFSRC, entry.prefsrc.packed))
    if entry.nexthops:
        hops = b"".join(_pack_next_hop(entry.family, hop) for hop in entry.nexthops)
        parts.append(attribute(_MULTIPATH, hops))
    return b"".join(parts)


def _pack_gateway(family: int, gateway: IPAddress) -> bytes:
    if family == AF_INET and isinstance(gateway, IPv6Address):
        return attribute(_VIA, struct.pack("=H", AF_INET6) + gateway.packed)
    return attribute(_GATEWAY, gateway.packed)


def _pack_next_hop(family: int, hop: NextHop) -> bytes:
    way = _pack_gateway(family, hop.gateway) if hop.gateway else b""
    return _NEXT_HOP.pack(_NEXT_HOP.size + len(way), hop.flags & ONLINK, hop.weight - 1, hop.oif) + way


def parse_rule(body: bytes) -> RuleEntry:
    """The rule in one RTM_NEWRULE or RTM_DELRULE."""
    family, dst_len, src_len, _tos, table, _, _, action, flags = _RULE.unpack_from(body)
    parts = attributes(body, _RULE.size)
    suppress = number(parts[_SUPPRESS]) if _SUPPRESS in parts else LAST_METRIC
    return RuleEntry(
        family=family,
        priority=number(parts.get(_RULE_PRIORITY, b"")),
        table=number(parts[_RULE_TABLE]) if _RULE_TABLE in parts else table,
        fwmark=number(parts.get(_FWMARK, b"")),
        fwmask=number(parts.get(_FWMASK, b"")),
        suppress_prefixlength=None if suppress == LAST_METRIC else suppress,
        action=action,
        protocol=number(parts.get(_RULE_PROTOCOL, b"")),
        iif=string(parts[_IIFNAME]) if _IIFNAME in parts else None,
        oif=string(parts[_OIFNAME]) if _OIFNAME in parts else None,
        src=_network(parts.get(_RULE_SRC), src_len, family),
        dst=_network(parts.get(_RULE_DST), dst_len, family),
        flags=flags & INVERT,
    )


def pack_rule(entry: RuleEntry) -> bytes:
    """The body of the message that adds or deletes `entry`."""
    dst_len = entry.dst.prefixlen if entry.dst else 0
    src_len = entry.src.prefixlen if entry.src else 0
    table = entry.table if entry.table < 256 else 0
    parts = [
        _RULE.pack(entry.family, dst_len, src_len, 0, table, 0, 0, entry.action, entry.flags),
        word(_RULE_PRIORITY, entry.priority),
    ]
    if entry.table:
        parts.append(word(_RULE_TABLE, entry.table))
    if entry.fwmark or entry.fwmask:
        parts += [word(_FWMARK, entry.fwmark), word(_FWMASK, entry.fwmask)]
    if entry.suppress_prefixlength is not None:
        parts.append(word(_SUPPRESS, entry.suppress_prefixlength))
    if entry.protocol:
        parts.append(attribute(_RULE_PROTOCOL, bytes([entry.protocol])))
    named = ((_IIFNAME, entry.iif), (_OIFNAME, entry.oif))
    parts += [text(kind, name) for kind, name in named if name]
    networks = ((_RULE_SRC, entry.src), (_RULE_DST, entry.dst))
    parts += [attribute(kind, network.network_address.packed) for kind, network in networks if network]
    return b"".join(parts)
