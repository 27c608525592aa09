"""The packets that ask a neighbour for its hardware address, pure: ARP (RFC 826) and neighbour discovery (RFC 4861)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET, _IPV4, _ASK, _ANSWER = 1, 0x0800, 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
"""ICMPv6 types."""
_SOURCE_LINK_ADDRESS = b"\x01\x01"
"""Option 1, one unit of eight bytes (RFC 4861 section 4.6.1)."""
_SOLICITED = int(IPv6Address("ff02::1:ff00:0"))
HOP_LIMIT = 255
"""RFC 4861 section 4.3: what was forwarded has less, and is not believed."""


def arp_request(mac: bytes, source: IPv4Address, target: IPv4Address) -> bytes:
    """Who has `target`? Tell `source`, which has this hardware address."""
    return _ARP.pack(_ETHERNET, _IPV4, 6, 4, _ASK, mac, source.packed, bytes(6), target.packed)


def is_arp_answer(packet: bytes, target: IPv4Address) -> bool:
    """Whether a packet says where `target` is."""
    if len(packet) < _ARP.size:
        return False
    hardware, protocol, mac_size, ip_size, operation, _, sender, _, _ = _ARP.unpack_from(packet)
    return (hardware, protocol, mac_size, ip_size, operation, sender) == (
        _ETHERNET, _IPV4, 6, 4, _ANSWER, target.packed
    )  # fmt: skip


def solicitation(mac: bytes, target: IPv6Address) -> bytes:
    """A neighbour solicitation; the kernel fills in the checksum (RFC 3542 section 3.1)."""
    return struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target.packed + _SOURCE_LINK_ADDRESS + mac


def solicited_group(target: IPv6Address) -> IPv6Address:
    """The multicast group in which a neighbour of that address listens (RFC 4291 section 2.7.1)."""
    return IPv6Address(_SOLICITED | int(target) & 0xFFFFFF)


def is_advertisement(packet: bytes, target: IPv6Address) -> bool:
    """Whether an ICMPv6 message is the advertisement of `target`."""
    return len(packet) >= 24 and packet[0] == ADVERTISEMENT and packet[8:24] == target.packed
