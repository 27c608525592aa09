"""ICMP: is there an echo? 44 bytes out, 44 back for IPv4; one raw socket for each line.

The same in full size: an echo of FULL_BYTES that nobody may cut in pieces finds a path that swallows large packets.
With a TTL of its own, as traceroute asks, it ends at a router which says so (RFC 792; RFC 4443 section 3.3).
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from secondpath.model import Family, IPAddress, Outcome, ProbeKind, ProbeResult
from secondpath.sense import echo
from secondpath.sense.arrival import ECHO, Trait
from secondpath.sense.attempt import Attempt
from secondpath.sense.egress import Egress
from secondpath.sense.stamp import CONTROL_BYTES, Moment, kernel_wall_s, round_trip_s, take_moment, want_stamps

_PROTOCOLS = {Family.IPV4: socket.IPPROTO_ICMP, Family.IPV6: socket.IPPROTO_ICMPV6}
_FILTER_OPTIONS = {Family.IPV4: (255, 1), Family.IPV6: (socket.IPPROTO_ICMPV6, 1)}
"""SOL_RAW ICMP_FILTER of linux/icmp.h; ICMP6_FILTER of linux/icmpv6.h."""
_DONT_FRAGMENT = {
    Family.IPV4: (socket.IPPROTO_IP, 10, 3),
    Family.IPV6: (socket.IPPROTO_IPV6, 23, 3),
}
"""IP_MTU_DISCOVER and IPV6_MTU_DISCOVER (linux/in.h, in6.h) set to PROBE: DF, and no heed to what was learned."""
_TTL = {Family.IPV4: (socket.IPPROTO_IP, socket.IP_TTL), Family.IPV6: (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}
"""Of one packet, by a control message: Linux 3.13 for IPv4, RFC 3542 section 6.3 for IPv6."""
FULL_BYTES = 1400
"""IP length of an echo in full size: what every common access carries, tunnels and cellular ones mostly too."""
_HEADERS_BYTES = {Family.IPV4: 28, Family.IPV6: 48}
_REMEMBERED = 512
"""Questions kept for a late answer, of each line."""
_BATCH = 64


async def ask(attempt: Attempt) -> ProbeResult:
    """OK for an echo reply, also after the TIMEOUT was delivered; REFUSED when a router says that there is no way.

    EXPIRED when a router says that the probe's own TTL ended there.
    """
    return await attempt.egress.resident(Echoes).ask(attempt)


@dataclass(slots=True, eq=False)
class _Question:
    attempt: Attempt
    payload: bytes
    sent: Moment
    result: asyncio.Future[ProbeResult]


class Echoes:
    """The echoes of one line: numbered, matched, and remembered for a while when they are late."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._family = egress.line.family
        self._ident = secrets.randbelow(0x10000)
        self._serial = secrets.randbelow(0x10000)
        self._asked: dict[int, _Question] = {}
        self._sock: socket.socket | None = None
        self._index = 0

    async def ask(self, attempt: Attempt) -> ProbeResult:
        """Send one echo request and wait; whoever gives up earlier still gets a late reply delivered."""
        sock = self._socket()
        self._serial += 1
        sequence = self._serial & 0xFFFF
        payload = struct.pack("!Q", self._serial) + secrets.token_bytes(8)
        if attempt.probe.target.kind is ProbeKind.SIZE:
            payload = payload.ljust(FULL_BYTES - _HEADERS_BYTES[self._family], b"\0")
        packet = echo.request(self._family, self._ident, sequence, payload)
        attempt.answer = Trait(ECHO[self._family], self._ident, sequence)
        result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
        question = _Question(attempt, payload, take_moment(), result)
        ttl = attempt.probe.ttl
        control = [] if ttl is None else [(*_TTL[self._family], struct.pack("=i", ttl))]
        sock.sendmsg([packet], control, 0, (str(attempt.probe.target.address), 0))
        self._asked[sequence] = question
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return await result

    def close(self) -> None:
        """Close the socket and forget all questions."""
        self._asked.clear()
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _socket(self) -> socket.socket:
        """The raw socket; a new one when the interface came back with another index, as ppp0 and wwan0 do."""
        index = _index_of(self._egress.interface)
        if self._sock is None or index != self._index:
            self.close()
            self._sock = self._open()
            self._index = index
            asyncio.get_running_loop().add_reader(self._sock.fileno(), self._read, self._sock)
        return self._sock

    def _open(self) -> socket.socket:
        sock = self._egress.open(socket.SOCK_RAW, _PROTOCOLS[self._family])
        sock.setsockopt(*_FILTER_OPTIONS[self._family], echo.FILTERS[self._family])
        sock.setsockopt(*_DONT_FRAGMENT[self._family])
        want_stamps(sock)
        return sock

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                packet, ancillary, _, source = sock.recvmsg(2048, CONTROL_BYTES)
            except OSError:  # nothing more; an error of an earlier packet is taken by reading it
                return
            self._match(packet, ancillary, str(source[0]))

    def _match(self, packet: bytes, ancillary: Iterable[tuple[int, int, bytes]], source: str) -> None:
        answer = echo.read(self._family, packet)
        if answer is None or answer.ident != self._ident:
            return
        question = self._asked.get(answer.sequence)
        if question is None:
            return
        sender = ip_address(source.partition("%")[0])
        target = question.attempt.probe.target.address
        if isinstance(answer, echo.Reply):
            if answer.payload == question.payload and sender == target:
                question.attempt.rtt_s = round_trip_s(question.sent, take_moment(), kernel_wall_s(ancillary))
                self._finish(answer.sequence, Outcome.OK, "echo")
        elif answer.target != target:
            return
        elif isinstance(answer, echo.Expired):
            if question.attempt.probe.ttl is None:
                self._finish(answer.sequence, Outcome.REFUSED, f"{sender} says: the way goes round in circles")
            else:
                self._finish(answer.sequence, Outcome.EXPIRED, "time exceeded", sender)
        elif answer.source == sender:
            self._finish(answer.sequence, Outcome.UNSENT, f"{self._egress.interface}: the next hop does not answer")
        else:
            self._finish(answer.sequence, Outcome.REFUSED, f"{sender} says: {answer.words}")

    def _finish(self, sequence: int, outcome: Outcome, detail: str, by: IPAddress | None = None) -> None:
        question = self._asked.pop(sequence)
        result = question.attempt.ended(outcome, detail, by)
        if not question.result.done():
            question.result.set_result(result)
        elif outcome is Outcome.OK:
            self._egress.deliver(result)


def _index_of(interface: str) -> int:
    """The interface's number; ENODEV when it is missing (Python's own error has no number)."""
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
