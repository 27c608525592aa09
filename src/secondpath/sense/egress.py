"""The way out of one line: every socket opened here leaves by its interface and carries its mark, or not at all.

Device and mark are set before anything is sent. Set later they have no effect on a connection: the probe then leaves
by the default route and praises the wrong uplink.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Protocol, TypeVar

from secondpath.model import Family, Line, ProbeResult

ADDRESS_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}

# linux/in.h and linux/in6.h; Python 3.11 names neither.
IP_RECVERR = 11
IPV6_RECVERR = 25
_RECVERR = {Family.IPV4: (socket.IPPROTO_IP, IP_RECVERR), Family.IPV6: (socket.IPPROTO_IPV6, IPV6_RECVERR)}

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger, on for 0 s: close() sends RST, which costs one packet where FIN costs four (224 against 375 bytes)."""


class Resident(Protocol):
    """Something that stays open between the probes of a line, such as its raw ICMP socket."""

    def close(self) -> None:
        """Give everything back."""


ResidentT = TypeVar("ResidentT", bound=Resident)


class Egress:
    """One line's interface and mark, the probes under way on it, and what they keep open between them."""

    def __init__(self, line: Line, interface: str, mark: int, deliver: Callable[[ProbeResult], None]) -> None:
        self.line = line
        self.interface = interface
        self.mark = mark
        self.deliver = deliver
        self.tasks: set[asyncio.Task[None]] = set()
        self._residents: dict[Callable[[Egress], Resident], Resident] = {}

    def open(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """A non-blocking socket that can only leave by this line; OSError when there is no such way out."""
        sock = socket.socket(ADDRESS_FAMILIES[self.line.family], kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self.mark)
            if kind is not socket.SOCK_RAW:
                sock.setsockopt(*_RECVERR[self.line.family], 1)
            if kind is socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        except BaseException:
            sock.close()
            raise
        return sock

    def resident(self, make: Callable[[Egress], ResidentT]) -> ResidentT:
        """The one thing that `make` made for this line; it is made at the first call."""
        if make not in self._residents:
            self._residents[make] = make(self)
        return self._residents[make]  # type: ignore[return-value]  # stored by its maker, so of the maker's type

    def close(self) -> None:
        """Cancel what is under way (it delivers nothing any more) and close what stayed open."""
        for task in self.tasks:
            task.cancel()
        for resident in self._residents.values():
            resident.close()
        self._residents.clear()
