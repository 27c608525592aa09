"""Packets as they arrive at an interface, pure: which of them answers a question of ours, and a filter for them.

The filter is classic BPF (Documentation/networking/filter.rst of Linux) for a packet socket of kind SOCK_DGRAM: it sees
packets from their IP header on. So much is enough to know an answer: an echo by its identifier and its number (RFC 792,
RFC 4443 section 4.2), anything else by its two ports. Extension headers and fragments are nobody's answer here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from secondpath.model import Family, IPAddress

TCP, UDP = 6, 17
ECHO = {Family.IPV4: 1, Family.IPV6: 58}
"""The protocol of echoes in each family."""
_REPLY = {Family.IPV4: 0, Family.IPV6: 129}
_ETHER_TYPE = {Family.IPV4: 0x0800, Family.IPV6: 0x86DD}
_HALVES = struct.Struct("!HH")
_FRAGMENT = 0x1FFF
"""The offset of RFC 791: what begins later has no ports in it."""
SEEN_BYTES = 128
"""So much of a packet is handed over: both headers, options included."""
MOST_ADDRESSES = 16

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
"""BPF_LD+BPF_W+BPF_ABS, BPF_JMP+BPF_JEQ+BPF_K, BPF_RET+BPF_K (linux/bpf_common.h)."""
_PROTOCOL, _PACKET_TYPE = 0xFFFFF000, 0xFFFFF004
"""SKF_AD_OFF with SKF_AD_PROTOCOL and SKF_AD_PKTTYPE (linux/filter.h)."""
_OUTGOING = 4


@dataclass(frozen=True, slots=True)
class Trait:
    """By what the answer to a question is known: its protocol, and two numbers.

    Of an echo these are identifier and sequence number, of anything else the ports: the other's, and ours.
    """

    protocol: int
    first: int
    second: int


def program(family: Family, addresses: Iterable[IPAddress]) -> bytes:
    """The filter that lets what comes in from these addresses pass, and nothing else."""
    lines = [(_LOAD, 0, 0, _PACKET_TYPE), (_EQUAL, 0, 1, _OUTGOING), (_RETURN, 0, 0, 0)]
    lines += [(_LOAD, 0, 0, _PROTOCOL), (_EQUAL, 1, 0, _ETHER_TYPE[family]), (_RETURN, 0, 0, 0)]
    start = 12 if family is Family.IPV4 else 8
    for address in list(addresses)[:MOST_ADDRESSES]:
        words = struct.unpack(f"!{len(address.packed) // 4}I", address.packed)
        for place, word in enumerate(words):
            to_the_next = 2 * (len(words) - place) - 1
            lines += [(_LOAD, 0, 0, start + 4 * place), (_EQUAL, 0, to_the_next, word)]
        lines.append((_RETURN, 0, 0, SEEN_BYTES))
    lines.append((_RETURN, 0, 0, 0))
    return b"".join(_INSTRUCTION.pack(*line) for line in lines)


def read(family: Family, packet: bytes) -> tuple[IPAddress, Trait] | None:
    """Who sent a packet, and the trait of the answer that it is; None for what is no answer."""
    source: IPAddress
    if family is Family.IPV4:
        if len(packet) < 20 or packet[0] >> 4 != 4 or int.from_bytes(packet[6:8]) & _FRAGMENT:
            return None
        protocol, source, start = packet[9], IPv4Address(packet[12:16]), max(20, (packet[0] & 0x0F) * 4)
    else:
        if len(packet) < 40 or packet[0] >> 4 != 6:
            return None
        protocol, source, start = packet[6], IPv6Address(packet[8:24]), 40
    message = packet[start:]
    if len(message) < 8:
        return None
    if protocol == ECHO[family]:
        return (source, Trait(protocol, *_HALVES.unpack_from(message, 4))) if message[0] == _REPLY[family] else None
    return (source, Trait(protocol, *_HALVES.unpack_from(message))) if protocol in (TCP, UDP) else None
