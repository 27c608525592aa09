"""A look at an interface before any rule of this box: whether an answer arrives there that we never get.

A packet socket gets what the interface receives ahead of every hook of netfilter, tc and the route check (packet(7)).
So an answer that is seen here and does not come to the socket that asked was thrown away on this very box.

It is open only while questions are watched, and a little longer: its filter runs for every packet of the interface, and
closing it waits for all processors (synchronize_net). It needs CAP_NET_RAW and nothing else.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from secondpath import clock
from secondpath.model import Outcome, ProbeResult
from secondpath.sense import arrival
from secondpath.sense.attempt import Attempt
from secondpath.sense.egress import Egress

_ETH_P_ALL = 0x0003
"""linux/if_ether.h: what is bound to one protocol is served after the ingress hook, this before it."""
_SO_ATTACH_FILTER = 26
_IGNORE_OUTGOING = (263, 23)
"""SOL_PACKET, PACKET_IGNORE_OUTGOING (Linux 4.20): what we send is not copied for us. Else the filter drops it."""
LINGER_S = 10.0
"""How long it stays open after the last watched question: where answers are swallowed the next one is near."""
GRACE_LOOKS, GRACE_LOOK_S = 5, 0.01
"""How long an answer that has arrived may take to its socket. Every look reads all sockets first: a busy loop of ours
is never taken for a rule of this box."""
_BATCH = 64


@dataclass(slots=True, eq=False)
class _Watch:
    attempt: Attempt
    arrived: asyncio.Future[float]


class Tap:
    """The packet socket of one line, and the questions whose answers it looks for."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._watches: list[_Watch] = []
        self._sock: socket.socket | None = None
        self._closing: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def watching(self, attempt: Attempt) -> Iterator[asyncio.Future[float]]:
        """The instant at which the answer arrives, as a future. OSError where the interface cannot be looked at."""
        watch = _Watch(attempt, asyncio.get_running_loop().create_future())
        self._watches.append(watch)
        try:
            self._look()
            yield watch.arrived
        finally:
            self._watches.remove(watch)
            if not self._watches and self._sock is not None:
                self._closing = asyncio.get_running_loop().call_later(LINGER_S, self.close)

    def close(self) -> None:
        """Look no more."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _look(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if self._sock is not None:
            self._choose(self._sock)
            return
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.setsockopt(*_IGNORE_OUTGOING, 1)
            self._choose(sock)
            sock.bind((self._egress.interface, _ETH_P_ALL))
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)

    def _choose(self, sock: socket.socket) -> None:
        """The filter: only what comes from those who are asked now."""
        asked = dict.fromkeys(watch.attempt.probe.target.address for watch in self._watches)
        text = array.array("B", arrival.program(self._egress.line.family, asked))
        address, octets = text.buffer_info()
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", octets // 8, address))

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                packet = sock.recv(arrival.SEEN_BYTES)
            except BlockingIOError:
                return
            except OSError:  # the interface is down or gone: the next question opens another socket
                self.close()
                return
            seen = arrival.read(self._egress.line.family, packet)
            for watch in self._watches:
                if (watch.attempt.probe.target.address, watch.attempt.answer) == seen and not watch.arrived.done():
                    watch.arrived.set_result(clock.now())


async def watched(attempt: Attempt, ask: Callable[[Attempt], Awaitable[ProbeResult]]) -> ProbeResult:
    """Ask, and look for the answer at the interface: EATEN if it arrived there, and the question never got it."""
    with contextlib.ExitStack() as stack:
        try:
            arrived = stack.enter_context(attempt.egress.resident(Tap).watching(attempt))
        except OSError:  # then it is an ordinary question
            return await ask(attempt)
        began = clock.now()
        asking = asyncio.ensure_future(ask(attempt))
        try:
            either: set[asyncio.Future[Any]] = {asking, arrived}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(GRACE_LOOKS):
                if asking.done():
                    return asking.result()
                await asyncio.sleep(GRACE_LOOK_S)
            if asking.done():
                return asking.result()
            attempt.rtt_s = arrived.result() - began
            return attempt.ended(Outcome.EATEN, f"it arrived at {attempt.egress.interface}, and this box dropped it")
        finally:
            asking.cancel()
