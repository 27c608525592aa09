"""One entry of the kernel's connection tracking, as bytes and as a `Flow` (linux/netfilter/nfnetlink_conntrack.h).

A dump of 10,000 entries must not hold up a failover, and Python needs a third of a microsecond for each of an entry's
40 attributes. But the kernel builds the messages of like flows alike. So a `Layout` is learned from one message,
attribute by attribute: where its numbers are, and which bytes are attribute headers. Another message with the very same
headers is then read by one unpack; one with other headers is learned anew. Nothing is guessed.
"""

import errno
import struct
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from socket import IPPROTO_ICMP, IPPROTO_ICMPV6
from typing import Any, TypeAlias

from secondpath.netlink.wire import NetlinkError, attribute, each_attribute_at, nest

EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED = 1, 2, 4, 8  # IPS_*, the bits of `Flow.status`
SRC_NAT, DST_NAT, DYING = 16, 32, 512

ORIGINAL, REPLY, STATUS, PROTOCOL_INFO, TIMEOUT, MARK, IDENT = 1, 2, 3, 4, 7, 8, 12  # CTA_*
COUNTED_OUT, COUNTED_IN = 9, 10  # CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY
MARK_MASK, STATUS_MASK = 21, 26
_TUPLE_IP, _TUPLE_PROTOCOL = 1, 2
_NUMBER, _SOURCE_PORT, _DEST_PORT = 1, 2, 3  # CTA_PROTO_*
_ICMP_ID, _ICMP_TYPE, _ICMP_CODE = 4, 5, 6
_ICMPV6_ID, _ICMPV6_TYPE, _ICMPV6_CODE = 7, 8, 9

Endpoints: TypeAlias = tuple[int, bytes, int, bytes, int]
"""proto, source, sport, dest, dport"""


@dataclass(frozen=True, slots=True)
class Flow:
    """One tracked connection: how its first packet looked, how its answers look, its mark and its state.

    `family` is AF_INET or AF_INET6, `proto` an IP protocol number. Addresses are packed (4 or 16 bytes; both
    `ipaddress.ip_address` and `socket.inet_ntop` take them). The reply differs from the mirrored original where NAT is
    at work: `reply_dest` is then our own address on the uplink. Ports are 0 for protocols that have none; of ICMP and
    ICMPv6 `sport` is the identifier and `dport` type * 256 + code.

    `status` is a set of IPS_* bits (SEEN_REPLY, ASSURED …), `tcp_state` the kernel's number (1 SYN_SENT, 2 SYN_RECV,
    3 ESTABLISHED, 4 FIN_WAIT, 5 CLOSE_WAIT, 6 LAST_ACK, 7 TIME_WAIT, 8 CLOSE, 9 SYN_SENT2) or None if it is not TCP,
    `timeout_s` the seconds the entry lives on without a packet, `ident` tells it from a later one with the same tuple.

    `out_packets` and `out_bytes` (of IP) went the way of the first packet, `in_packets` and `in_bytes` came back: all 0
    where nothing was counted (sysctl nf_conntrack_acct) when the flow began.
    """

    family: int
    proto: int
    source: bytes
    sport: int
    dest: bytes
    dport: int
    reply_source: bytes
    reply_sport: int
    reply_dest: bytes
    reply_dport: int
    mark: int
    status: int
    tcp_state: int | None
    timeout_s: int
    ident: int
    out_packets: int = 0
    out_bytes: int = 0
    in_packets: int = 0
    in_bytes: int = 0

    @property
    def answered(self) -> bool:
        """Whether a packet ever came back."""
        return bool(self.status & SEEN_REPLY)


_BODY_AT = 4  # after nfgenmsg, whose first byte is the family
_FAMILY, _TCP_STATE, _CODE, _REPLY_CODE = 0, 12, 19, 20  # places among the numbers of a flow


def _side(side: int, first: int, code: int) -> dict[tuple[int, ...], tuple[int, str]]:
    source, sport, dest, dport = range(first, first + 4)
    ip, protocol = (side, _TUPLE_IP), (side, _TUPLE_PROTOCOL)
    return {
        (*ip, 1): (source, "4s"),
        (*ip, 2): (dest, "4s"),
        (*ip, 3): (source, "16s"),
        (*ip, 4): (dest, "16s"),
        (*protocol, _SOURCE_PORT): (sport, "H"),
        (*protocol, _DEST_PORT): (dport, "H"),
        (*protocol, _ICMP_ID): (sport, "H"),
        (*protocol, _ICMP_TYPE): (dport, "B"),
        (*protocol, _ICMP_CODE): (code, "B"),
        (*protocol, _ICMPV6_ID): (sport, "H"),
        (*protocol, _ICMPV6_TYPE): (dport, "B"),
        (*protocol, _ICMPV6_CODE): (code, "B"),
    }


# The way to each number through the nested attributes, its place among the fields of `Flow`, and its struct format.
_WANTED: dict[tuple[int, ...], tuple[int, str]] = {
    (ORIGINAL, _TUPLE_PROTOCOL, _NUMBER): (1, "B"),
    **_side(ORIGINAL, 2, _CODE),
    **_side(REPLY, 6, _REPLY_CODE),
    (MARK,): (10, "I"),
    (STATUS,): (11, "I"),
    (PROTOCOL_INFO, 1, 1): (_TCP_STATE, "B"),  # CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE
    (TIMEOUT,): (13, "I"),
    (IDENT,): (14, "I"),
    (COUNTED_OUT, 1): (15, "Q"),  # CTA_COUNTERS_PACKETS
    (COUNTED_OUT, 2): (16, "Q"),  # CTA_COUNTERS_BYTES
    (COUNTED_IN, 1): (17, "Q"),
    (COUNTED_IN, 2): (18, "Q"),
}
_NESTS = frozenset(way[:depth] for way in _WANTED for depth in range(1, len(way)))
_NEEDED = frozenset({1, 2, 4, 6, 8})  # proto and addresses


def _walk(body: bytes, at: int, end: int, above: tuple[int, ...] = ()) -> Iterator[tuple[int, tuple[int, ...], int]]:
    """Where each attribute begins, the way to it, and how long its payload is; those inside the wanted nests too."""
    for kind, start, stop in each_attribute_at(body, at, end):
        way = (*above, kind)
        yield start - 4, way, stop - start
        if way in _NESTS:
            yield from _walk(body, start, stop, way)


class Layout:
    """Where the numbers are in one message and in all that have the same headers. Raises `NetlinkError` EBADMSG."""

    def __init__(self, body: bytes) -> None:
        headers = bytearray(len(body))
        found = [(0, _FAMILY, "B")]
        for at, way, size in _walk(body, _BODY_AT, len(body)):
            headers[at : at + 4] = b"\xff" * 4
            place, code = _WANTED.get(way, (_FAMILY, ""))
            if code and struct.calcsize(code) <= size:
                found.append((at + 4, place, code))
        self.headers = int.from_bytes(headers, "little")
        self.skeleton = int.from_bytes(body, "little") & self.headers
        self.tcp_state_at = next((at for at, place, _code in found if place == _TCP_STATE), None)
        self._is_icmp = any(place >= _CODE for _at, place, _code in found)
        self._numbers, self._in_order = _plan(found, _REPLY_CODE + 1 if self._is_icmp else _CODE)

    def read(self, body: bytes) -> Flow:
        """The flow in a message that has this layout."""
        numbers = self._in_order((*self._numbers.unpack_from(body), 0, None))
        if self._is_icmp:
            *numbers, code, reply_code = numbers
            numbers[5] = numbers[5] << 8 | code
            numbers[9] = numbers[9] << 8 | reply_code
        return Flow(*numbers)


def _plan(found: list[tuple[int, int, str]], places: int) -> tuple[struct.Struct, Callable[[tuple[Any, ...]], Any]]:
    """One unpack for all the numbers found, and how to put what it yields, with 0 and None behind it, in order."""
    found.sort()
    order = {place: rank for rank, (_at, place, _code) in enumerate(found)}
    if not _NEEDED.issubset(order):
        raise NetlinkError(errno.EBADMSG, "a flow without addresses")
    code, end = ">", 0
    for at, _place, each in found:
        code += f"{at - end}x{each}"
        end = at + struct.calcsize(each)
    zero, none = len(found), len(found) + 1
    ranks = [order.get(place, none if place == _TCP_STATE else zero) for place in range(places)]
    return struct.Struct(code), itemgetter(*ranks)


def read_flows(bodies: Iterable[bytes], tcp_states: Container[int] | None = None) -> Iterator[Flow]:
    """The flows in the messages of a dump, each parsed when it is asked for; only TCP in `tcp_states`, if given.

    A busy office has ten closed connections for each open one, and one that is passed over costs half of one that is
    parsed.
    """
    learned: dict[int, list[Layout]] = {}  # by length; TCP over IPv4 and UDP over IPv6 happen to have the same
    for body in bodies:
        layout = _layout_of(body, learned)
        at = layout.tcp_state_at
        if tcp_states is None or (at is not None and body[at] in tcp_states):
            yield layout.read(body)


def read_slices(slices: Iterable[list[bytes]]) -> Iterator[list[Flow]]:
    """The flows in the messages of a dump that is read piece by piece."""
    learned: dict[int, list[Layout]] = {}
    for bodies in slices:
        yield [_layout_of(body, learned).read(body) for body in bodies]


def _layout_of(body: bytes, learned: dict[int, list[Layout]]) -> Layout:
    headers = int.from_bytes(body, "little")
    layouts = learned.setdefault(len(body), [])
    for layout in layouts:
        if headers & layout.headers == layout.skeleton:
            return layout
    layout = Layout(body)
    layouts.append(layout)
    return layout


def pack_tuple(flow: Flow) -> bytes:
    """The CTA_TUPLE_ORIG attribute by which the kernel finds `flow`."""
    return pack_endpoints(ORIGINAL, (flow.proto, flow.source, flow.sport, flow.dest, flow.dport))


def pack_endpoints(kind: int, endpoints: Endpoints) -> bytes:
    """A CTA_TUPLE_* attribute (`kind` ORIGINAL or REPLY)."""
    proto, source, sport, dest, dport = endpoints
    first = 3 if len(source) == 16 else 1
    addresses = nest(_TUPLE_IP, attribute(first, source), attribute(first + 1, dest))
    ports = _pack_ports(proto, sport, dport)
    return nest(kind, addresses, nest(_TUPLE_PROTOCOL, attribute(_NUMBER, bytes([proto])), ports))


def _pack_ports(proto: int, sport: int, dport: int) -> bytes:
    source = struct.pack(">H", sport)
    if proto not in (IPPROTO_ICMP, IPPROTO_ICMPV6):
        return attribute(_SOURCE_PORT, source) + attribute(_DEST_PORT, struct.pack(">H", dport))
    ident, kind, code = (
        (_ICMP_ID, _ICMP_TYPE, _ICMP_CODE) if proto == IPPROTO_ICMP else (_ICMPV6_ID, _ICMPV6_TYPE, _ICMPV6_CODE)
    )
    return attribute(ident, source) + attribute(kind, bytes([dport >> 8])) + attribute(code, bytes([dport & 255]))
