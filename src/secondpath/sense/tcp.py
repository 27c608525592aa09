"""TCP: does a connection stand? Closed by RST at once: 4 packets, 224 bytes for IPv4."""

from __future__ import annotations

import socket

from secondpath.model import Outcome, ProbeResult
from secondpath.sense.attempt import Attempt
from secondpath.sense.stream import connect


async def ask(attempt: Attempt) -> ProbeResult:
    """OK when the handshake ends; REFUSED with its round trip when the target answers RST."""
    with attempt.egress.open(socket.SOCK_STREAM) as sock:
        return await connect(sock, attempt) or attempt.ended(Outcome.OK, "connected")
