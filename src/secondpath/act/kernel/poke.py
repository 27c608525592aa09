"""The packet that makes a TCP client ask for the reset it needs.

A client whose uplink died waits: for its own retransmission timer if it sends, for ever if it only receives. We send it
one ACK with a sequence number from nowhere, in the name of its server. RFC 9293, section 3.10.7.4, makes it answer with
an ACK that carries its real numbers; that ACK meets the stale chain of our table and gets an exactly matching reset.
No guessing of sequence numbers, and nothing a stranger could do from outside.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable

from secondpath.act.plane import POKE_MARK, is_from_inside
from secondpath.netlink.flow import Flow

OPEN = frozenset({3, 4, 5})
"""TCP_CONNTRACK_ESTABLISHED, FIN_WAIT and CLOSE_WAIT (linux/netfilter/nf_conntrack_tcp.h): data may yet come."""
CLOSED = frozenset({8})
"""TCP_CONNTRACK_CLOSE: reset. Of TIME_WAIT the kernel itself makes way for a new connection."""
ACK = 0x10


def pokable(flow: Flow) -> bool:
    """Only TCP that was begun inside the office and was answered: its client is within our reach."""
    return flow.proto == socket.IPPROTO_TCP and flow.answered and is_from_inside(flow.mark)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def poke_packet(flow: Flow, sequence: int, acknowledgement: int) -> bytes:
    """The whole packet, from the flow's server to its client."""
    offset_flags = 5 << 12 | ACK
    segment = struct.pack(">HHIIHHHH", flow.dport, flow.sport, sequence, acknowledgement, offset_flags, 65535, 0, 0)
    tail = struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(segment))
    total = checksum(flow.dest + flow.source + tail + segment)
    segment = segment[:16] + struct.pack(">H", total) + segment[18:]
    if len(flow.source) == 4:
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0)
        header += flow.dest + flow.source
        return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + segment
    return struct.pack(">IHBB", 6 << 28, len(segment), socket.IPPROTO_TCP, 64) + flow.dest + flow.source + segment


class Poker:
    """Two raw sockets, one for each family. Needs CAP_NET_RAW, and CAP_NET_ADMIN for the mark."""

    def __init__(self) -> None:
        self._sockets = {}
        for family in (socket.AF_INET, socket.AF_INET6):
            raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, POKE_MARK)
            raw.setblocking(False)
            self._sockets[family] = raw

    def close(self) -> None:
        """Give the sockets back."""
        for raw in self._sockets.values():
            raw.close()

    def poke(self, flows: Iterable[Flow]) -> list[Flow]:
        """Poke the client of each flow; those that were. One that cannot be reached now is left to the sweeps."""
        poked = []
        for flow in flows:
            numbers = struct.unpack("=II", os.urandom(8))
            packet = poke_packet(flow, *numbers)
            try:
                if len(flow.source) == 4:
                    self._sockets[socket.AF_INET].sendto(packet, (socket.inet_ntoa(flow.source), 0))
                else:
                    address = socket.inet_ntop(socket.AF_INET6, flow.source)
                    self._sockets[socket.AF_INET6].sendto(packet, (address, 0))
            except OSError:
                continue
            poked.append(flow)
        return poked
