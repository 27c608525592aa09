"""DNS: does a resolver answer, and which addresses does it tell? One UDP question (RFC 1035), over our own socket."""

from __future__ import annotations

import functools
import secrets
import socket
from dataclasses import replace
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from secondpath.model import IPAddress, Outcome, ProbeResult
from secondpath.sense.arrival import UDP, Trait
from secondpath.sense.attempt import Attempt
from secondpath.sense.refusal import refused
from secondpath.sense.stamp import CONTROL_BYTES, kernel_wall_s, round_trip_s, take_moment, want_stamps
from secondpath.sense.stream import carry_out

PORT = 53
_ANSWER_BYTES = 4096
_ADDRESSES = frozenset({dns.rdatatype.A, dns.rdatatype.AAAA})
_GOOD = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})
"""NXDOMAIN is an answer too: somebody walked the tree of names for us."""


async def ask(attempt: Attempt) -> ProbeResult:
    """OK for NOERROR and NXDOMAIN, truncated or not; REFUSED for any other code, such as SERVFAIL."""
    result, _ = await _exchange(attempt, attempt.probe.target.host or ".", "A")
    return result


async def resolve(attempt: Attempt) -> ProbeResult:
    """The same for a name and the type of record in the target's path; an answer brings the addresses that it tells."""
    result, packet = await _exchange(attempt, attempt.probe.target.host, attempt.probe.target.path)
    return replace(result, addresses=addresses_in(packet)) if result.outcome is Outcome.OK else result


async def _exchange(attempt: Attempt, name: str, record: str) -> tuple[ProbeResult, bytes]:
    """The result, and the packet that was the answer."""
    question, wire = _question(name, record)
    ident = secrets.token_bytes(2)
    with attempt.egress.open(socket.SOCK_DGRAM) as sock:
        sock.connect(attempt.endpoint(PORT))  # from here on the kernel drops what others send
        attempt.answer = Trait(UDP, attempt.endpoint(PORT)[1], sock.getsockname()[1])
        want_stamps(sock)
        sent = take_moment()
        sock.send(ident + wire[2:])
        while True:
            try:
                packet, ancillary, _, _ = await carry_out(sock, lambda: sock.recvmsg(_ANSWER_BYTES, CONTROL_BYTES))
            except OSError as error:
                return refused(attempt, sock, error, sent.monotonic_s), b""
            answered = take_moment()
            rcode = rcode_of(packet, int.from_bytes(ident), question)
            if rcode is not None:
                attempt.rtt_s = round_trip_s(sent, answered, kernel_wall_s(ancillary))
                outcome = Outcome.OK if rcode in _GOOD else Outcome.REFUSED
                return attempt.ended(outcome, dns.rcode.to_text(rcode)), packet


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


def addresses_in(packet: bytes) -> tuple[IPAddress, ...]:
    """All addresses that an answer tells, whatever aliases (CNAME) stand before them."""
    try:
        answer = dns.message.from_wire(packet, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError):
        return ()
    records = (r for rrset in answer.answer if rrset.rdtype in _ADDRESSES for r in rrset)
    return tuple(dict.fromkeys(ip_address(record.address) for record in records))


@functools.lru_cache(maxsize=512)
def _question(name: str, record: str) -> tuple[dns.message.Message, bytes]:
    """The question for a name and its bytes; making them costs far more than sending them. The id is replaced."""
    question = dns.message.make_query(name, record, id=0)
    return question, question.to_wire()
