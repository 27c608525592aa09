"""DNS: does a resolver answer? One UDP question for an address record (RFC 1035), over our own bound socket."""

from __future__ import annotations

import asyncio
import functools
import secrets
import socket

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode

from secondpath import clock
from secondpath.model import Outcome, ProbeResult
from secondpath.sense.attempt import Attempt
from secondpath.sense.refusal import refused

PORT = 53
_ANSWER_BYTES = 4096
_GOOD = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})
"""NXDOMAIN is an answer too: somebody walked the tree of names for us."""


async def ask(attempt: Attempt) -> ProbeResult:
    """OK for NOERROR and NXDOMAIN, truncated or not; REFUSED for any other code, such as SERVFAIL."""
    loop = asyncio.get_running_loop()
    question, wire = _question(attempt.probe.target.host or ".")
    ident = secrets.token_bytes(2)
    with attempt.egress.open(socket.SOCK_DGRAM) as sock:
        sock.connect(attempt.endpoint(PORT))  # from here on the kernel drops what others send
        sent = clock.now()
        sock.send(ident + wire[2:])
        while True:
            try:
                packet = await loop.sock_recv(sock, _ANSWER_BYTES)
            except OSError as error:
                return refused(attempt, sock, error, sent)
            answered = clock.now()
            rcode = rcode_of(packet, int.from_bytes(ident), question)
            if rcode is not None:
                attempt.rtt_s = answered - sent
                outcome = Outcome.OK if rcode in _GOOD else Outcome.REFUSED
                return attempt.ended(outcome, dns.rcode.to_text(rcode))


def rcode_of(packet: bytes, ident: int, question: dns.message.Message) -> dns.rcode.Rcode | None:
    """The response code of a packet that answers this question under this id; None for any other packet."""
    try:
        answer = dns.message.from_wire(packet, question_only=True, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return None
    if answer.id != ident or not answer.flags & dns.flags.QR or answer.opcode() != dns.opcode.QUERY:
        return None
    if answer.question != question.question and (answer.question or answer.rcode() in _GOOD):
        return None  # a server in trouble may leave the question out; one with an answer may not
    return answer.rcode()


@functools.lru_cache(maxsize=64)
def _question(name: str) -> tuple[dns.message.Message, bytes]:
    """The question for a name and its bytes; making them costs far more than sending them. The id is replaced."""
    question = dns.message.make_query(name, "A", id=0)
    return question, question.to_wire()
