"""What resolvers say of a name that cannot exist."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.examine.results import Denial
from secondpath.lab.zone import Zone
from secondpath.sense.examining.denial import read_denial

QUESTION = dns.message.make_query("0123456789abcdef.invalid", "A", id=4711)


def answer(rcode: dns.rcode.Rcode, address: str = "") -> bytes:
    response = dns.message.make_response(QUESTION)
    response.set_rcode(rcode)
    if address:
        response.answer.append(dns.rrset.from_text("0123456789abcdef.invalid.", 60, "IN", "A", address))
    return bytes(response.to_wire())


@pytest.mark.parametrize(
    ("rcode", "address", "denial"),
    [
        (dns.rcode.NXDOMAIN, "", Denial.HONEST),
        (dns.rcode.NOERROR, "203.0.113.5", Denial.INVENTED),
        (dns.rcode.NOERROR, "", Denial.OTHER),
        (dns.rcode.SERVFAIL, "", Denial.OTHER),
    ],
)
def test_each_answer_has_its_name(rcode: dns.rcode.Rcode, address: str, denial: Denial) -> None:
    assert read_denial(answer(rcode, address), QUESTION) is denial


def test_the_lab_s_internet_is_honest() -> None:
    answered = Zone().answer(QUESTION.to_wire())
    assert answered is not None
    assert read_denial(answered, QUESTION) is Denial.HONEST


def test_an_answer_to_somebody_else_is_none() -> None:
    other = dns.message.make_response(dns.message.make_query("0123456789abcdef.invalid", "A", id=4712))
    assert read_denial(other.to_wire(), QUESTION) is None


@given(st.binary(max_size=100))
def test_no_packet_can_raise(packet: bytes) -> None:
    read_denial(packet, QUESTION)
    read_denial(answer(dns.rcode.NOERROR)[:12] + packet, QUESTION)
