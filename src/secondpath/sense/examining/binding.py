"""What STUN servers see of one port of ours: asked of all at once, so that the mappings can be compared (RFC 5780)."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_interface

from secondpath.examine.results import Nat, Seen
from secondpath.model import Endpoint
from secondpath.sense.egress import Egress
from secondpath.sense.examining import stun
from secondpath.sense.examining.meter import IP_BYTES, Meter
from secondpath.sense.refusal import take_offender

WAITS_S = (0.5, 1.0, 0.5)
"""RFC 8489 section 6.2.1 doubles from 0.5 s and goes on for 39.5 s; here a person waits: three questions in 2 s."""
_UDP_HEADER_BYTES = 8
_ANSWER_MOST_BYTES = 548
"""RFC 8489 section 6.1: what a server may send over UDP where the path is not known, for IPv4."""


async def ask_servers(egress: Egress, own: str, servers: Sequence[Endpoint], meter: Meter) -> Nat:
    """Ask all servers from one port of the line's own address. Silence and errors are values."""
    try:
        with egress.open(socket.SOCK_DGRAM) as sock:
            sock.bind((str(ip_interface(own).ip), 0))
            address, port = sock.getsockname()[:2]
            local = Endpoint(ip_address(address), port)
            seen = await _ask(sock, servers, meter, IP_BYTES[egress.line.family] + _UDP_HEADER_BYTES)
    except OSError:
        return Nat(None, tuple(Seen(server) for server in servers))
    return Nat(local, tuple(Seen(server, seen.get(server)) for server in servers))


async def _ask(
    sock: socket.socket, servers: Sequence[Endpoint], meter: Meter, overhead_bytes: int
) -> dict[Endpoint, Endpoint]:
    transactions = {server: secrets.token_bytes(stun.TRANSACTION_BYTES) for server in servers}
    seen: dict[Endpoint, Endpoint] = {}
    for wait_s in WAITS_S:
        for server, transaction in transactions.items():
            packet = stun.request(transaction)
            if server not in seen and meter.may(len(packet) + overhead_bytes):
                with suppress(OSError):  # an error that waits is of an earlier packet; the next question goes out
                    sock.sendto(packet, (str(server.address), server.port))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while len(seen) < len(transactions):
                    await _take(sock, transactions, seen, meter, overhead_bytes)
        if len(seen) == len(transactions):
            break
    return seen


async def _take(
    sock: socket.socket,
    transactions: dict[Endpoint, bytes],
    seen: dict[Endpoint, Endpoint],
    meter: Meter,
    overhead_bytes: int,
) -> None:
    """One packet, or one error of an earlier one."""
    try:
        packet, sender = await asyncio.get_running_loop().sock_recvfrom(sock, _ANSWER_MOST_BYTES)
    except OSError:
        take_offender(sock)
        return
    meter.add(len(packet) + overhead_bytes)
    server = Endpoint(ip_address(sender[0]), sender[1])
    mapped = stun.mapped_in(packet, transactions[server]) if server in transactions else None
    if mapped is not None:
        seen.setdefault(server, mapped)
