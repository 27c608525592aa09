"""The daemon's end of the control socket.

The loop that answers here is the loop that decides, so nothing a client does may hold it up: lines are short, requests
and reading of answers have a time limit, users have a number of connections each, and what a client does not read is
bounded by one document and then by the end of its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from secondpath.control.peer import Peer, peer_of
from secondpath.wire.messages import (
    LINE_LIMIT_BYTES,
    READING,
    BadMessage,
    Request,
    Response,
    Verb,
    parse_request,
    refuse,
    response_line,
)

Handle: TypeAlias = Callable[[Request, Peer], Awaitable[Response]]
"""Answers a request. For WATCH it is called again and again, and answers as it does for STATUS."""

PATIENCE_S = 5.0
"""A client that has not asked, or not read its answer, after this long is let go."""
WATCH_EVERY_S = 1.0
WATCH_GAP_S = 0.1
"""Changes that come faster than this share a line."""
CLIENTS = 32
CLIENTS_PER_USER = 16


class Occupied(Exception):  # noqa: N818
    """Another daemon answers on the socket; says so in a sentence."""


class Server:
    """A listening control socket. `announce` tells the watchers that something changed."""

    def __init__(
        self, path: Path, handle: Handle, allowed_gid: int | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self.path = path
        self._handle = handle
        self._allowed_gid = allowed_gid
        self._patience_s = patience_s
        self._clients: set[asyncio.Task[None]] = set()
        self._users: Counter[int] = Counter()
        self._news = asyncio.Event()
        self._lock = -1
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        """Take the path, unless another daemon has it."""
        self._lock = _lock(self.path)
        try:
            sock = _listen(self.path, self._allowed_gid)
        except BaseException:
            os.close(self._lock)
            raise
        self._listener = await asyncio.start_unix_server(self._welcome, sock=sock, limit=LINE_LIMIT_BYTES)

    def announce(self) -> None:
        """Something changed: watchers get a line now."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def close(self) -> None:
        """Stop listening, let every client go, and leave no socket file behind."""
        if self._listener is not None:
            self._listener.close()
        for client in tuple(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self.path.unlink(missing_ok=True)
        os.close(self._lock)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.current_task()
        peer = peer_of(writer.get_extra_info("socket"), self._allowed_gid)
        if client is not None:
            self._clients.add(client)
        self._users[peer.uid] += 1
        writer.transport.set_write_buffer_limits(high=0)  # drain() then means: all of it is with the kernel
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                await self._serve(reader, writer, peer)
        finally:
            self._users[peer.uid] -= 1
            self._users += Counter()  # forgets users who have left
            writer.transport.abort()
            if client is not None:
                self._clients.discard(client)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        if len(self._clients) > CLIENTS or self._users[peer.uid] > CLIENTS_PER_USER:
            await self._send(writer, refuse("The daemon is busy with other clients; try again in a moment."))
            return
        try:
            request = await self._request(reader)
        except BadMessage as wrong:
            await self._send(writer, refuse(str(wrong), exit_code=2))
            return
        if request.verb not in READING and not peer.may_change:
            no = f"{peer.name} may look, but not {request.verb}: use sudo, or join the daemon's group."
            await self._send(writer, refuse(no))
        elif request.verb is Verb.WATCH:
            await self._watch(request, writer, peer)
        else:
            await self._send(writer, await self._handle(request, peer))

    async def _watch(self, request: Request, writer: asyncio.StreamWriter, peer: Peer) -> None:
        while not writer.is_closing():
            news = self._news
            await self._send(writer, await self._handle(request, peer))
            await asyncio.sleep(WATCH_GAP_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_EVERY_S - WATCH_GAP_S):
                    await news.wait()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        async with asyncio.timeout(self._patience_s):
            try:
                return parse_request(await reader.readuntil(b"\n"))
            except asyncio.LimitOverrunError:
                raise BadMessage(f"A request has at most {LINE_LIMIT_BYTES} bytes.") from None
            except asyncio.IncompleteReadError:
                raise BadMessage("A request ends with a newline.") from None

    async def _send(self, writer: asyncio.StreamWriter, response: Response) -> None:
        writer.write(response_line(response))
        async with asyncio.timeout(self._patience_s):
            await writer.drain()


async def serve(path: Path, handle: Handle, allowed_gid: int | None = None, patience_s: float = PATIENCE_S) -> Server:
    """Answer on a Unix socket at `path` from now on. Raises Occupied if another daemon already does."""
    server = Server(path, handle, allowed_gid, patience_s)
    await server.open()
    return server


# ── The path ─────────────────────────────────────────────────────────────────────────


def _lock(path: Path) -> int:
    """A lock that dies with its process: of two daemons starting at the same instant one loses here."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Occupied(f"Another secondpath is running and holds {path}. Stop it first.") from None
    return lock


def _listen(path: Path, allowed_gid: int | None) -> socket.socket:
    """A socket at the path, complete with its rights before anyone can see it: made beside it, then renamed."""
    if _answers(path):
        raise Occupied(f"Another secondpath answers on {path}. Stop it first.")
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(beside))
        beside.chmod(0o660)
        if allowed_gid not in (None, os.getegid()):
            os.chown(beside, -1, allowed_gid)
        sock.listen(CLIENTS)
        beside.rename(path)
    except BaseException:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.0)
        code = sock.connect_ex(str(path))
    return code not in (errno.ENOENT, errno.ECONNREFUSED)
