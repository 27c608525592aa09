"""One stream of somebody's work as asked for, and the words for what went wrong with it."""

import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from secondpath.lab.gaps import Sample

TELLING, MIRROR, STREAM, DNS, HTTP = 7001, 10000, 5001, 53, 80
PATIENCE_S = 2.0
"""An answer later than this no longer helps anyone: the flow is closed and the sample stays unanswered."""
NOTES = {
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.EPERM: "forbidden",
    errno.EACCES: "forbidden",
}
Report = Callable[[Sample], None]


@dataclass(frozen=True, slots=True)
class Habit:
    """One stream as asked for: its kind, family, rhythm, and where to."""

    kind: str
    family: str
    every_s: float
    server: str
    source: str | None = None
    port: int = 0  # the fixed source port of a lasting UDP flow

    @property
    def name(self) -> str:
        """kind.family.interval, as `new-udp.ipv4.50ms`."""
        return f"{self.kind}.{self.family}.{round(self.every_s * 1000)}ms"

    def socket(self, kind: socket.SocketKind, port: int = 0, *, shared: bool = True) -> socket.socket:
        """A non-blocking socket, bound when a source or a port is asked for.

        A port that is not shared must be nobody else's in this host: OSError (EADDRINUSE) where it is.
        """
        family = socket.AF_INET if self.family == "ipv4" else socket.AF_INET6
        with ExitStack() as stack:
            sock = stack.enter_context(socket.socket(family, kind))
            sock.setblocking(False)
            if self.source or port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))
                sock.bind((self.source or ("0.0.0.0" if family == socket.AF_INET else "::"), port))  # noqa: S104
            stack.pop_all()
        return sock


def note_of(error: BaseException) -> str:
    """One word for what went wrong."""
    if isinstance(error, EOFError):
        return "closed"
    return NOTES.get(error.errno or 0, "error") if isinstance(error, OSError) else "error"
