"""ICMP echo packets, pure: building requests, reading what comes back (RFC 792; RFC 4443 sections 3 and 4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from secondpath.model import Family, IPAddress

_HEADER = struct.Struct("!BBHHH")
_REQUEST = {Family.IPV4: 8, Family.IPV6: 128}
_REPLY = {Family.IPV4: 0, Family.IPV6: 129}
_UNREACHABLE = {Family.IPV4: 3, Family.IPV6: 1}
_EXPIRED = {Family.IPV4: 11, Family.IPV6: 3}
"""Time exceeded; code 0 is in transit, code 1 a packet whose pieces never came together."""
_PROTOCOL = {Family.IPV4: 1, Family.IPV6: 58}


_TOO_BIG_IPV4_CODE, _TOO_BIG_IPV6 = 4, 2
"""RFC 1191 section 4: a code of destination unreachable; RFC 4443 section 3.2: a type of its own."""


def _passing(words: int, *kinds: int) -> bytes:
    """A filter of `words` 32-bit words that lets these types pass; a set bit stops a type."""
    blocked = (1 << 32 * words) - 1
    for kind in kinds:
        blocked &= ~(1 << kind)
    return struct.pack(f"={words}I", *(blocked >> 32 * word & 0xFFFFFFFF for word in range(words)))


FILTERS = {
    family: _passing(words, _REPLY[family], _UNREACHABLE[family], _EXPIRED[family])
    for family, words in ((Family.IPV4, 1), (Family.IPV6, 8))
}
"""ICMP_FILTER (raw(7)) and ICMP6_FILTER (RFC 3542 section 3.2): others do not wake us."""
SIZING_FILTERS = {
    Family.IPV4: _passing(1, _REPLY[Family.IPV4], _UNREACHABLE[Family.IPV4]),
    Family.IPV6: _passing(8, _REPLY[Family.IPV6], _UNREACHABLE[Family.IPV6], _TOO_BIG_IPV6),
}
"""For the search for sizes: replies, refusals, and "packet too big"."""

WORDS = {
    Family.IPV4: {0: "no route to the network", 1: "no route to the host", 3: "port closed", 4: "too big"},
    Family.IPV6: {0: "no route to the network", 3: "no route to the host", 4: "port closed"},
}
"""Codes of destination unreachable in words; every other code is somebody's rule."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An echo reply."""

    ident: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Destination unreachable, for an echo request from `source` to `target` that it quotes.

    `limit_bytes` is the size of IP packet that the router would take, where it said that this one is too big.
    """

    ident: int
    sequence: int
    source: IPAddress
    target: IPAddress
    words: str
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """Time exceeded in transit, for an echo request from `source` to `target` that it quotes."""

    ident: int
    sequence: int
    source: IPAddress
    target: IPAddress


def request(family: Family, ident: int, sequence: int, payload: bytes) -> bytes:
    """An echo request. For ICMPv6 the kernel fills in the checksum (RFC 3542 section 3.1)."""
    kind = _REQUEST[family]
    packet = _HEADER.pack(kind, 0, 0, ident, sequence) + payload
    if family is Family.IPV4:
        packet = _HEADER.pack(kind, 0, checksum(packet), ident, sequence) + payload
    return packet


def checksum(data: bytes) -> int:
    """The ones' complement sum of RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def read(family: Family, packet: bytes) -> Reply | Unreachable | Expired | None:
    """What a packet of a raw socket says about an echo of ours; IPv4 packets come with their IP header."""
    if family is Family.IPV4:
        packet = packet[_ipv4_header_bytes(packet) :]
    if len(packet) < _HEADER.size:
        return None
    kind, code, _, ident, sequence = _HEADER.unpack_from(packet)
    if kind == _REPLY[family]:
        return Reply(ident, sequence, packet[_HEADER.size :])
    quoted = _quoted(family, packet[_HEADER.size :])
    if quoted is None:
        return None
    if family is Family.IPV6 and kind == _TOO_BIG_IPV6:
        return Unreachable(*quoted, "too big", ident << 16 | sequence)
    if kind == _UNREACHABLE[family]:
        too_big = family is Family.IPV4 and code == _TOO_BIG_IPV4_CODE
        words = WORDS[family].get(code, "forbidden by a rule")
        return Unreachable(*quoted, words, sequence if too_big else None)
    return Expired(*quoted) if kind == _EXPIRED[family] and code == 0 else None


def _quoted(family: Family, packet: bytes) -> tuple[int, int, IPAddress, IPAddress] | None:
    """The echo request inside an error: at least its IP header and 8 bytes (RFC 1122 section 3.2.2)."""
    source: IPAddress
    target: IPAddress
    start = _ipv4_header_bytes(packet) if family is Family.IPV4 else 40
    if len(packet) < start + _HEADER.size:
        return None
    if family is Family.IPV4:
        protocol, source, target = packet[9], IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    else:
        protocol, source, target = packet[6], IPv6Address(packet[8:24]), IPv6Address(packet[24:40])
    kind, _, _, ident, sequence = _HEADER.unpack_from(packet, start)
    if protocol != _PROTOCOL[family] or kind != _REQUEST[family]:
        return None
    return ident, sequence, source, target


def _ipv4_header_bytes(packet: bytes) -> int:
    """The length of an IPv4 header, options included; never less than 20."""
    return max(20, (packet[0] & 0x0F) * 4) if packet else 20
