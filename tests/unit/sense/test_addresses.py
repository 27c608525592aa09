"""Which addresses an answer tells, whatever stands before them in it."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.dns import addresses_in

NAME = "tax.example.com."


def answer(*records: tuple[str, str, str]) -> bytes:
    message = dns.message.make_response(dns.message.make_query(NAME, "A"))
    for name, kind, value in records:
        message.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    return message.to_wire()


def test_addresses_behind_an_alias_are_found_each_once_and_others_are_left() -> None:
    packet = answer(
        (NAME, "CNAME", "edge.example.net."),
        ("edge.example.net.", "A", "192.0.2.11"),
        ("edge.example.net.", "A", "192.0.2.12"),
        ("edge.example.net.", "AAAA", "2001:db8::1"),
        ("edge.example.net.", "TXT", '"192.0.2.13"'),
        (NAME, "A", "192.0.2.11"),
    )
    assert [str(a) for a in addresses_in(packet)] == ["192.0.2.11", "192.0.2.12", "2001:db8::1"]


def test_an_answer_that_was_cut_off_tells_what_it_has() -> None:
    message = dns.message.from_wire(answer((NAME, "A", "192.0.2.11")))
    message.flags |= dns.flags.TC
    assert [str(a) for a in addresses_in(message.to_wire())] == ["192.0.2.11"]


@given(st.binary(max_size=80))
def test_no_packet_is_an_error(packet: bytes) -> None:
    assert isinstance(addresses_in(packet), tuple)
    assert isinstance(addresses_in(answer((NAME, "A", "192.0.2.11"))[:20] + packet), tuple)
