"""The other end of the control socket, for the commands: ask once, or follow."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from secondpath.wire.messages import BadMessage, Request, Response, parse_response, request_line

ANSWER_LIMIT_BYTES = 4 * 2**20


class Unreachable(Exception):  # noqa: N818
    """The daemon cannot be reached; says why, and what to do, in a sentence."""


def ask(path: Path, request: Request, timeout_s: float = 5.0) -> Response:
    """The daemon's answer to one request."""
    with _connected(path, timeout_s) as sock:
        return next(_answers(sock, request, timeout_s))


def follow(path: Path, request: Request, timeout_s: float = 5.0) -> Iterator[Response]:
    """The daemon's answers, one after the other, until it goes away (Unreachable)."""
    with _connected(path, timeout_s) as sock:
        yield from _answers(sock, request, timeout_s)


def is_answered(path: Path) -> bool:
    """Whether a daemon is there."""
    try:
        _connected(path, 1.0).close()
    except Unreachable:
        return False
    return True


def _connected(path: Path, timeout_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout_s)
    try:
        sock.connect(str(path))
    except OSError as why:
        sock.close()
        raise Unreachable(_sentence(path, why)) from None
    return sock


def _sentence(path: Path, why: OSError) -> str:
    start = "start it with: systemctl start secondpath"
    if isinstance(why, FileNotFoundError):
        return f"secondpath is not running ({path} is not there); {start}"
    if isinstance(why, ConnectionRefusedError):
        return f"secondpath is not running (nobody answers on {path}); {start}"
    if isinstance(why, PermissionError):
        return f"you may not talk to the daemon on {path}: use sudo, or join the group secondpath"
    if isinstance(why, (TimeoutError, BlockingIOError)):
        return f"secondpath does not answer on {path}; see: journalctl -u secondpath"
    return f"cannot reach secondpath on {path}: {why.strerror or why}"


def _answers(sock: socket.socket, request: Request, timeout_s: float) -> Iterator[Response]:
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a busy daemon refuses before it is asked
            sock.sendall(request_line(request))
        with sock.makefile("rb") as lines:
            while True:
                yield _answer(lines.readline(ANSWER_LIMIT_BYTES))
    except TimeoutError:
        raise Unreachable(f"secondpath did not answer within {timeout_s:g} s; see: journalctl -u secondpath") from None
    except OSError as why:
        raise Unreachable(f"the daemon went away: {why.strerror or why}") from None


def _answer(line: bytes) -> Response:
    if not line.endswith(b"\n"):
        raise Unreachable("the daemon closed the connection without an answer; see: journalctl -u secondpath")
    try:
        return parse_response(line)
    except BadMessage as wrong:
        raise Unreachable(f"{wrong} Is it of another version than this command?") from None
