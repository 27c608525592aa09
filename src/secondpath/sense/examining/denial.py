"""What a resolver says of a name that cannot exist: NXDOMAIN, or the lie that sells advertisements.

The name is a random label under `invalid`, which nobody can register (RFC 2606, RFC 6761 section 6.4).
"""

from __future__ import annotations

import asyncio
import secrets
import socket

import dns.exception
import dns.message
import dns.rcode

from secondpath.examine.results import Denial
from secondpath.model import Target
from secondpath.sense.dns import PORT, rcode_of
from secondpath.sense.egress import Egress
from secondpath.sense.examining.meter import IP_BYTES, Meter

_UDP_HEADER_BYTES = 8
_ANSWER_MOST_BYTES = 512
"""RFC 1035 section 2.3.4."""


async def ask_denial(egress: Egress, resolver: Target, meter: Meter, timeout_s: float) -> Denial:
    """Ask once; SILENT without an answer in time."""
    overhead_bytes = IP_BYTES[egress.line.family] + _UDP_HEADER_BYTES
    ident = secrets.randbelow(0x10000)
    question = dns.message.make_query(f"{secrets.token_hex(8)}.invalid", "A", id=ident)
    wire = question.to_wire()
    if not meter.may(len(wire) + overhead_bytes):
        return Denial.SILENT
    try:
        with egress.open(socket.SOCK_DGRAM) as sock:
            sock.connect((str(resolver.address), resolver.port or PORT))
            sock.send(wire)
            async with asyncio.timeout(timeout_s):
                while True:
                    packet = await asyncio.get_running_loop().sock_recv(sock, 4096)
                    meter.add(len(packet) + overhead_bytes)
                    if (denial := read_denial(packet, question)) is not None:
                        return denial
    except (OSError, TimeoutError):
        return Denial.SILENT


def read_denial(packet: bytes, question: dns.message.Message) -> Denial | None:
    """What a packet says of the name in question; None when it is no answer to it."""
    rcode = rcode_of(packet, question.id, question)
    if rcode is None:
        return None
    if rcode == dns.rcode.NXDOMAIN:
        return Denial.HONEST
    try:
        answers = dns.message.from_wire(packet, ignore_trailing=True).answer
    except (dns.exception.DNSException, ValueError):
        return None
    return Denial.INVENTED if rcode == dns.rcode.NOERROR and answers else Denial.OTHER
