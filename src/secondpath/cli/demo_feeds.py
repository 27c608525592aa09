"""What the live view listens to: people's notebooks and the gateway's status. Nothing here waits."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from secondpath.control.client import Unreachable
from secondpath.lab.errors import LabError
from secondpath.lab.gaps import Sample
from secondpath.lab.seat import Seat
from secondpath.wire.messages import BadMessage, Request, Verb, parse_response, request_line

CHUNK_BYTES = 1 << 18


class Lines:
    """Whole lines out of a stream of bytes."""

    def __init__(self) -> None:
        self.rest = b""

    def take(self, data: bytes) -> list[bytes]:
        """The lines that are complete now."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines


class Notebook:
    """A person's notes as they are written, once a second: a line on the pipe says that a page is full."""

    def __init__(self, host: str, seat: Seat) -> None:
        assert seat.process.stdout is not None, "the seat must be taken with live=True"
        self.host, self.seat = host, seat
        self.fd = seat.process.stdout.fileno()
        os.set_blocking(self.fd, False)
        self.written = seat.out.open("rb")
        self.pages, self.notes = Lines(), Lines()

    def close(self) -> None:
        """Read no more."""
        self.written.close()

    def read(self) -> list[Sample]:
        """The samples of the pages that are full."""
        data = os.read(self.fd, CHUNK_BYTES)
        if not data:
            raise LabError(f"People at {self.host} stopped working by themselves: {_last_words(self.seat.out)}")
        self.pages.take(data)
        return list(_samples(self.notes.take(self.written.read())))


def _samples(lines: list[bytes]) -> Iterator[Sample]:
    for line in lines:
        yield Sample(*json.loads(line))


def _last_words(out: Path) -> str:
    return out.with_suffix(".log").read_text(errors="replace").strip()[-400:]


class Watch:
    """The gateway's status documents as they come: one for each change, and one a second."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.connect(str(path))
            self.sock.sendall(request_line(Request(Verb.WATCH)))
        except OSError as why:
            self.sock.close()
            raise Unreachable(f"the gateway does not answer: {why.strerror or why}") from None
        self.sock.setblocking(False)
        self.fd = self.sock.fileno()
        self.lines = Lines()

    def close(self) -> None:
        """Ask no more."""
        self.sock.close()

    def read(self) -> Mapping[str, Any] | None:
        """The newest document, if a whole one has come."""
        try:
            data = self.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            return None
        except OSError as why:
            raise Unreachable(f"the gateway went away: {why.strerror or why}") from None
        if not data:
            raise Unreachable("the gateway went away")
        lines = self.lines.take(data)
        try:
            return parse_response(lines[-1]).data if lines else None
        except BadMessage as wrong:
            raise Unreachable(str(wrong)) from None
