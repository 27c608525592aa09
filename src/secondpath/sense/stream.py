"""Connections, and non-blocking calls made awaitable."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from secondpath import clock
from secondpath.model import ProbeResult
from secondpath.sense.arrival import TCP, Trait
from secondpath.sense.attempt import Attempt
from secondpath.sense.refusal import refused
from secondpath.sense.stamp import handshake_s

T = TypeVar("T")


async def readable(sock: socket.socket) -> None:
    """Wait until there is something to read, an error included."""
    loop, fd = asyncio.get_running_loop(), sock.fileno()
    ready = loop.create_future()
    loop.add_reader(fd, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def writable(sock: socket.socket) -> None:
    """Wait until the socket takes data, which is also how a connection says that it stands."""
    loop, fd = asyncio.get_running_loop(), sock.fileno()
    ready = loop.create_future()
    loop.add_writer(fd, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_writer(fd)


async def carry_out(sock: socket.socket, call: Callable[[], T]) -> T:
    """Repeat a non-blocking call until it has what it lacked. A plain send must fit into an empty socket buffer."""
    while True:
        try:
            return call()
        except (BlockingIOError, ssl.SSLWantReadError):
            await readable(sock)
        except ssl.SSLWantWriteError:
            await writable(sock)


async def connect(sock: socket.socket, attempt: Attempt, port: int = 0) -> ProbeResult | None:
    """Connect, and set the attempt's round trip: SYN to SYN-ACK. The result when it failed, else None.

    An error of the call itself is raised, since nothing has left; a later one came from somebody.
    """
    sent = clock.now()
    error = sock.connect_ex(attempt.endpoint(port))
    attempt.answer = Trait(TCP, attempt.endpoint(port)[1], sock.getsockname()[1])
    if error == errno.EINPROGRESS:
        await writable(sock)
        answered = clock.now()
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            return refused(attempt, sock, OSError(error, os.strerror(error)), sent)
        attempt.rtt_s = handshake_s(sock, answered - sent)
    elif error:
        raise OSError(error, os.strerror(error))
    return None


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
