"""Echoes of any size to several addresses over one raw socket, never fragmented on the way.

"Don't fragment" is set whatever the kernel believes to know of the path (IP_PMTUDISC_PROBE, ip(7)): a size is proven by
its own echo alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from secondpath import clock
from secondpath.model import Family, Instant, IPAddress
from secondpath.sense import echo
from secondpath.sense.egress import Egress
from secondpath.sense.examining.meter import IP_BYTES, Meter

SMALL_BYTES = {Family.IPV4: 44, Family.IPV6: 64}
"""The size of an ordinary echo, IP header included: 16 bytes of our own."""
_PROTOCOLS = {Family.IPV4: socket.IPPROTO_ICMP, Family.IPV6: socket.IPPROTO_ICMPV6}
_FILTER_OPTIONS = {Family.IPV4: (255, 1), Family.IPV6: (socket.IPPROTO_ICMPV6, 1)}
"""SOL_RAW ICMP_FILTER of linux/icmp.h; ICMP6_FILTER of linux/icmpv6.h."""
_PROBE = 3
"""IP_PMTUDISC_PROBE and IPV6_PMTUDISC_PROBE of linux/in.h and linux/in6.h."""
_WHOLE = {
    Family.IPV4: ((socket.IPPROTO_IP, 10, _PROBE),),
    Family.IPV6: ((socket.IPPROTO_IPV6, 23, _PROBE), (socket.IPPROTO_IPV6, 62, 1)),
}
"""IP_MTU_DISCOVER; IPV6_MTU_DISCOVER and IPV6_DONTFRAG (RFC 3542 section 11.2)."""
_ICMP_HEADER_BYTES = 8
_TOKEN_BYTES = 8
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Back:
    """What came back: the echo after `rtt_s` seconds, or a router that found the packet too big."""

    rtt_s: float | None = None
    limit_bytes: int | None = None
    limit_by: IPAddress | None = None


NOTHING = Back()


@dataclass(slots=True, eq=False)
class _Question:
    target: IPAddress
    token: bytes
    sent: Instant
    back: asyncio.Future[Back]


class Echoer:
    """One raw socket for the echoes of one examination of one line. A context manager."""

    def __init__(self, egress: Egress, meter: Meter) -> None:
        self._egress = egress
        self._meter = meter
        self._family = egress.line.family
        self._ident = secrets.randbelow(0x10000)
        self._serial = 0
        self._asked: dict[int, _Question] = {}
        self._sock: socket.socket | None = None
        self._closed = False
        self.held_back = False
        """Whether an echo was not sent because the line has cost what it may: then silence says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    async def ask(self, target: IPAddress, timeout_s: float, size_bytes: int | None = None) -> Back:
        """Send one echo of that size (IP header included) and wait. OSError when it cannot be sent.

        NOTHING when nothing came back in time, when the packet is too big for the interface itself, and when the line
        has cost what it may.
        """
        size = size_bytes or SMALL_BYTES[self._family]
        if not self._meter.may(2 * size):  # there and back
            self.held_back = True
            return NOTHING
        sequence, token = self._serial & 0xFFFF, secrets.token_bytes(_TOKEN_BYTES)
        self._serial += 1
        payload = token.ljust(size - IP_BYTES[self._family] - _ICMP_HEADER_BYTES, b"\0")
        packet = echo.request(self._family, self._ident, sequence, payload)
        question = _Question(target, token, clock.now(), asyncio.get_running_loop().create_future())
        self._asked[sequence] = question
        back = NOTHING
        try:
            self._socket().sendto(packet, self._destination(target))
            async with asyncio.timeout(timeout_s):
                back = await question.back
        except TimeoutError:
            pass
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
        finally:
            del self._asked[sequence]
            if back.rtt_s is None:
                self._meter.add(-size)
        return back

    def _destination(self, target: IPAddress) -> tuple[str, int] | tuple[str, int, int, int]:
        if self._family is Family.IPV4:
            return str(target), 0
        scope = socket.if_nametoindex(self._egress.interface) if target.is_link_local else 0
        return str(target), 0, 0, scope

    def _socket(self) -> socket.socket:
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self._sock is None:
            sock = self._egress.open(socket.SOCK_RAW, _PROTOCOLS[self._family])
            try:
                sock.setsockopt(*_FILTER_OPTIONS[self._family], echo.SIZING_FILTERS[self._family])
                for option in _WHOLE[self._family]:
                    sock.setsockopt(*option)
            except BaseException:
                sock.close()
                raise
            self._sock = sock
            asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)
        return self._sock

    def _read(self, sock: socket.socket) -> None:
        for packet, source in _waiting(sock):
            answer = echo.read(self._family, packet)
            question = self._asked.get(answer.sequence) if answer and answer.ident == self._ident else None
            if answer is None or question is None or question.back.done():
                continue
            sender = ip_address(source.partition("%")[0])
            if isinstance(answer, echo.Reply):
                # Some servers send back less than they got; what was asked has made its way all the same.
                if sender == question.target and answer.payload.startswith(question.token):
                    question.back.set_result(Back(rtt_s=clock.now() - question.sent))
            elif isinstance(answer, echo.Unreachable) and answer.target == question.target and answer.limit_bytes:
                question.back.set_result(Back(limit_bytes=answer.limit_bytes, limit_by=sender))


def _waiting(sock: socket.socket) -> Iterator[tuple[bytes, str]]:
    """The packets that wait; an error of an earlier one is taken by reading it."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(_BATCH):
            try:
                packet, source = sock.recvfrom(65_536)
            except BlockingIOError:
                raise
            except OSError:
                continue
            yield packet, str(source[0])
