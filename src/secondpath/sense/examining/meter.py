"""What an examination costs: bytes of IP, both ways, and on a metered line never more than allowed.

Echoes and datagrams are counted as they are sent, with the largest answer that may come. TCP is counted by the kernel
(TCP_INFO, tcp(7)), so an egress of ours keeps a second descriptor of each stream until its probe has ended.
"""

from __future__ import annotations

import contextlib
import socket
import struct

from secondpath.model import Family, Line
from secondpath.sense.egress import Egress

METERED_MOST_BYTES = 64_000
"""For one line: a tenth of a cent on the dearest of plans ($15/GB). What is usual is a tenth of it."""
IP_BYTES = {Family.IPV4: 20, Family.IPV6: 40}
"""The headers of RFC 791 without options and of RFC 8200."""
_TCP_INFO = struct.Struct("=8x24I4Q6I4Q2IQ")
"""struct tcp_info of linux/tcp.h up to tcpi_bytes_sent (Linux 4.19)."""
_RECEIVED, _SEGMENTS_OUT, _SEGMENTS_IN, _SENT = 27, 28, 29, 40
"""Their places among its fields: tcpi_bytes_received, tcpi_segs_out, tcpi_segs_in, tcpi_bytes_sent."""
_TCP_HEADER_BYTES = 32


class Meter:
    """Counts, and says no to what would go beyond the limit."""

    def __init__(self, limit_bytes: int | None) -> None:
        self.limit_bytes = limit_bytes
        self.octets = 0

    def may(self, octets: int) -> bool:
        """Whether so many more are allowed; if they are, they are counted."""
        if self.limit_bytes is not None and self.octets + octets > self.limit_bytes:
            return False
        self.octets += octets
        return True

    def add(self, octets: int) -> None:
        """Count what was not known beforehand."""
        self.octets += octets


class MeteredEgress(Egress):
    """An egress whose streams are counted when `settle` is called, which is when their probe has ended."""

    def __init__(self, line: Line, interface: str, mark: int, meter: Meter) -> None:
        super().__init__(line, interface, mark, lambda _: None)
        self._meter = meter
        self._streams: list[socket.socket] = []

    def open(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """As Egress, remembering streams."""
        sock = super().open(kind, protocol)
        if kind is socket.SOCK_STREAM:
            self._streams.append(sock.dup())
        return sock

    def settle(self) -> None:
        """Count what the streams cost, and let them go."""
        while self._streams:
            with self._streams.pop() as stream, contextlib.suppress(OSError, struct.error):
                information = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
                self._meter.add(_stream_bytes(information, IP_BYTES[self.line.family]))


def _stream_bytes(information: bytes, ip_bytes: int) -> int:
    """Bytes of IP of one connection: headers and data, both ways, and the reset that ends it."""
    fields = _TCP_INFO.unpack(information)
    segments = fields[_SEGMENTS_OUT] + fields[_SEGMENTS_IN] + 1
    return int(segments * (ip_bytes + _TCP_HEADER_BYTES) + fields[_SENT] + fields[_RECEIVED])
