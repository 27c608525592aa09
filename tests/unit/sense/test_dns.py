"""Which packets answer a question."""

import dns.flags
import dns.message
import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.dns import rcode_of

QUESTION = dns.message.make_query("probe.example", "A", id=0)
IDENT = 4711


def answer(name: str = "probe.example", ident: int = IDENT, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bytes:
    response = dns.message.make_response(dns.message.make_query(name, "A", id=ident))
    response.set_rcode(rcode)
    return bytes(response.to_wire())


def test_the_answer_to_the_question_counts_in_any_case() -> None:
    assert rcode_of(answer(), IDENT, QUESTION) is dns.rcode.NOERROR
    assert rcode_of(answer("PROBE.example"), IDENT, QUESTION) is dns.rcode.NOERROR
    assert rcode_of(answer(rcode=dns.rcode.SERVFAIL), IDENT, QUESTION) is dns.rcode.SERVFAIL


def test_another_id_another_name_or_a_question_is_no_answer() -> None:
    assert rcode_of(answer(ident=IDENT + 1), IDENT, QUESTION) is None
    assert rcode_of(answer("other.example"), IDENT, QUESTION) is None
    assert rcode_of(dns.message.make_query("probe.example", "A", id=IDENT).to_wire(), IDENT, QUESTION) is None


def test_a_server_in_trouble_may_leave_the_question_out() -> None:
    """RFC 1035 section 4.1.1: FORMERR is sent by those who could not read the question."""
    header = IDENT.to_bytes(2) + bytes([0x80, dns.rcode.FORMERR]) + bytes(8)
    assert rcode_of(header, IDENT, QUESTION) is dns.rcode.FORMERR
    assert rcode_of(IDENT.to_bytes(2) + bytes([0x80, 0]) + bytes(8), IDENT, QUESTION) is None


@given(st.binary(max_size=100))
def test_no_packet_can_raise(packet: bytes) -> None:
    rcode_of(packet, IDENT, QUESTION)
    rcode_of(answer()[:12] + packet, IDENT, QUESTION)
