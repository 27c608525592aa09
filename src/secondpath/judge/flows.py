"""What a connection is, by what it does: a call, a meeting, a tunnel, a large transfer. Pure.

Every look gives, for each flow, how many packets and bytes it has moved each way since it began (the kernel's own
counters); what it did between two looks tells its kind. Nothing is ever decided for good on one look: what is not known
stays what its class says, and is looked at again.

A call is UDP to a port above 1023 with 15 to 120 packets a second of 60 to 330 bytes on average, both ways at once:
G.729 at 20 ms has 60 bytes, G.711 at 30 ms 280, Opus lies between, and a game or a tunnel seldom does. (RTP: RFC
3550 and 3551. IPv6's header is 20 bytes longer.) Once known it stays one while it moves at all: one side may
be silent, or listen to music. A download over QUIC has large packets one way and small ones back.
A meeting has sound and picture: a rhythm both ways, of packets with something in them.
What an office's table already knows (the class in the mark) comes first, and guests are never anything but guests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from secondpath.model import CLASSES, FlowKind, Instant

TCP, UDP = 6, 17
TUNNEL_PROTOCOLS = frozenset({4, 41, 47, 50, 51, 115})
"""IP in IP, IPv6 in IPv4, GRE (PPTP), ESP, AH, L2TP (IANA protocol numbers)."""
TUNNEL_PORTS = frozenset({500, 4500, 1194, 1701, 51820})
"""IKE and its NAT traversal (RFC 7296, 3948), OpenVPN, L2TP, WireGuard."""
TUNNEL_TCP_PORTS = frozenset({1194, 1723})
SIP_PORTS = range(5060, 5100)
"""RFC 3261 has 5060 and 5061; providers use the next few (RingCentral 5090 to 5099, Nextiva 5062)."""
SESSION_PORTS = frozenset({22, 1494, 2598, 3389, 5900, 5938})
"""SSH, Citrix, RDP, VNC, TeamViewer: somebody sits before it, even while nothing moves."""
ESTABLISHED = 3
CLOSING = frozenset({4, 5, 6, 7, 8})
"""FIN_WAIT to CLOSE (linux/netfilter/nf_conntrack_tcp.h)."""

LOOK_S = 0.5
"""Two looks nearer to each other than this tell nothing of a rhythm."""
CALL_PACKETS = (15.0, 120.0)
CALL_BYTES = (60.0, 330.0)
MEETING_PACKETS = 15.0
MEETING_PAYLOAD = 70.0
"""More than an acknowledgement of QUIC carries (RFC 9000: some 30 to 45 bytes)."""
HEADERS = {4: 28, 16: 48}
"""Bytes of IP and UDP headers, by the length of an address."""
WELL_KNOWN = 1023
RESTS_S: Mapping[FlowKind, float] = {FlowKind.CALL: 5.0, FlowKind.MEETING: 5.0, FlowKind.TUNNEL: 60.0}
"""So long without a packet, and it is over. A tunnel's keep-alives come every 20 to 25 s."""
HEAVY_BYTES = 3 << 20
"""A flow of no class of its own that has moved more than this is bulk until it ends."""
LARGE = 500.0
"""Bytes on average one way: the packets of a transfer."""

KIND_OF_CLASS: Mapping[str, FlowKind] = {
    "payments": FlowKind.PAYMENT,
    "line-of-business": FlowKind.SESSION,
    "remote-access": FlowKind.SESSION,
    "office": FlowKind.OFFICE,
    "personal": FlowKind.BULK,
    "bulk": FlowKind.BULK,
    "streaming": FlowKind.BULK,
    "guest": FlowKind.BULK,
}
"""What a class is to people while it is in progress; voice is told by what it does."""
VOICE, BULK, OFFICE = (CLASSES[name] for name in ("voice", "bulk", "office"))


class Seen(Protocol):
    """A flow as the kernel shows it (netlink.flow.Flow, of which judge knows nothing)."""

    @property
    def proto(self) -> int:
        """IP protocol number."""

    @property
    def source(self) -> bytes:
        """The inside address, packed."""

    @property
    def sport(self) -> int:
        """Source port."""

    @property
    def dport(self) -> int:
        """Destination port."""

    @property
    def tcp_state(self) -> int | None:
        """The kernel's number."""

    @property
    def answered(self) -> bool:
        """Whether anything came back."""

    @property
    def ident(self) -> int:
        """Tells it from a later one with the same ends."""

    @property
    def out_packets(self) -> int:
        """Sent, since it began."""

    @property
    def out_bytes(self) -> int:
        """Sent, with IP headers."""

    @property
    def in_packets(self) -> int:
        """Come back."""

    @property
    def in_bytes(self) -> int:
        """Come back, with IP headers."""


@dataclass(slots=True)
class Record:
    """What earlier looks have left of one flow: its counters then, when it last moved, and what it was."""

    at: Instant
    out_packets: int
    out_bytes: int
    in_packets: int
    in_bytes: int
    moved_at: Instant
    looks: int = 1
    kind: FlowKind | None = None
    turn: int = 0
    promoted: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What a flow is now. `known`: it has been looked at often enough to say so. `over`: it has ended for people.

    `rests`: nothing has moved since the look before; `moves`: something has. `becomes` is the number of the class that
    it should bear from now on, where that is another one than it has.
    """

    kind: FlowKind
    known: bool
    over: bool
    rests: bool
    moves: bool
    becomes: int | None = None


class FlowJudge:
    """Looks at the flows of one line, again and again: `judge` each, then `turn` to forget those that are gone."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, int, bytes], Record] = {}
        self._turn = 0

    def judge(self, now: Instant, flow: Seen, traffic_class: str, recognised: bool = False) -> Judged:
        """One flow of a class (a name of CLASSES); `recognised` where the office's own table knows it by name."""
        key = (flow.ident, flow.sport, flow.source)
        record = self._records.get(key)
        if record is None:
            self._records[key] = record = _begun(now, flow)
            record.turn = self._turn
            return self._said(now, flow, record, traffic_class, recognised)
        record.turn = self._turn
        if now - record.at >= LOOK_S:
            _look(now, flow, record, traffic_class)
        return self._said(now, flow, record, traffic_class, recognised)

    def _said(self, now: Instant, flow: Seen, record: Record, traffic_class: str, recognised: bool) -> Judged:
        kind = record.kind or static_kind(flow, traffic_class)
        becomes = None
        if record.kind is FlowKind.CALL and traffic_class == "office":
            becomes, record.promoted = VOICE.ident, True
        elif record.promoted and record.kind is not FlowKind.CALL and is_heavy(flow):
            becomes, record.promoted = OFFICE.ident, False  # it only sounded like one
        elif kind is FlowKind.OFFICE and not recognised and is_heavy(flow):
            kind, becomes = FlowKind.BULK, BULK.ident
        known = record.looks >= 2 or flow.proto != UDP
        over, moved = is_over(now, flow, kind, record.moved_at), record.moved_at == record.at
        return Judged(kind, known, over, record.looks >= 2 and not moved, record.looks >= 2 and moved, becomes)

    def turn(self) -> None:
        """One look at all of them is complete: what was not there is gone."""
        self._records = {key: record for key, record in self._records.items() if record.turn == self._turn}
        self._turn += 1


def _begun(now: Instant, flow: Seen) -> Record:
    return Record(now, flow.out_packets, flow.out_bytes, flow.in_packets, flow.in_bytes, now)


def _look(now: Instant, flow: Seen, record: Record, traffic_class: str) -> None:
    """Take in what a flow did since the look before."""
    passed_s = now - record.at
    out, back = flow.out_packets - record.out_packets, flow.in_packets - record.in_packets
    out_bytes, back_bytes = flow.out_bytes - record.out_bytes, flow.in_bytes - record.in_bytes
    if out or back:
        record.moved_at = now
    if flow.proto == UDP and traffic_class != "guest" and not is_tunnel(flow):
        header = HEADERS[len(flow.source)]
        ways = ((out / passed_s, _mean(out_bytes, out) - header), (back / passed_s, _mean(back_bytes, back) - header))
        record.kind = _rhythm(ways, record.kind)
        if record.kind is FlowKind.CALL and flow.dport <= WELL_KNOWN:
            record.kind = FlowKind.MEETING
    record.at, record.looks = now, record.looks + 1
    record.out_packets, record.out_bytes = flow.out_packets, flow.out_bytes
    record.in_packets, record.in_bytes = flow.in_packets, flow.in_bytes


def _mean(octets: int, packets: int) -> float:
    return octets / packets if packets else 0.0


def _rhythm(ways: tuple[tuple[float, float], ...], before: FlowKind | None) -> FlowKind | None:
    """What two ways say (packets a second, bytes of payload on average); one that pauses is still what it was."""
    least, most = (size - HEADERS[4] for size in CALL_BYTES)
    if all(CALL_PACKETS[0] <= rate <= CALL_PACKETS[1] and least <= size <= most for rate, size in ways):
        return FlowKind.CALL
    if all(rate >= MEETING_PACKETS and size >= MEETING_PAYLOAD for rate, size in ways):
        return FlowKind.MEETING
    too_much = any(rate > CALL_PACKETS[1] or size > most for rate, size in ways)
    return None if before is FlowKind.CALL and too_much else before


def static_kind(flow: Seen, traffic_class: str) -> FlowKind:
    """What a flow is by its class and its ports alone."""
    if traffic_class == "guest":
        return FlowKind.BULK
    if is_tunnel(flow):
        return FlowKind.TUNNEL
    if is_dialog(flow, traffic_class):
        return FlowKind.DIALOG
    if traffic_class == "voice":
        return FlowKind.CALL
    if flow.proto == TCP and flow.dport in SESSION_PORTS and traffic_class == "office":
        return FlowKind.SESSION
    return KIND_OF_CLASS[traffic_class]


def is_tunnel(flow: Seen) -> bool:
    """Whether other traffic travels inside it."""
    if flow.proto == UDP:
        return flow.dport in TUNNEL_PORTS or flow.sport in (500, 4500, 51820)
    return flow.proto in TUNNEL_PROTOCOLS or (flow.proto == TCP and flow.dport in TUNNEL_TCP_PORTS)


def is_dialog(flow: Seen, traffic_class: str) -> bool:
    """Whether it is the signalling of a phone."""
    if flow.proto not in (TCP, UDP):
        return False
    return flow.dport in SIP_PORTS or flow.sport in SIP_PORTS or (flow.proto == TCP and traffic_class == "voice")


def is_heavy(flow: Seen) -> bool:
    """Whether it is a large transfer: it has moved much, and in the packets of a transfer at least one way."""
    if flow.out_bytes + flow.in_bytes < HEAVY_BYTES:
        return False
    return max(_mean(flow.out_bytes, flow.out_packets), _mean(flow.in_bytes, flow.in_packets)) >= LARGE


def is_over(now: Instant, flow: Seen, kind: FlowKind, moved_at: Instant) -> bool:
    """Whether it has ended for the people who had it, though the kernel remembers it yet."""
    if flow.proto == TCP:
        return flow.tcp_state in CLOSING or not flow.answered
    return now - moved_at >= RESTS_S.get(kind, float("inf"))
