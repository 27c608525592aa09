"""DNS answers that pass: what they tell, and that nothing a stranger writes into one can do harm."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from secondpath.model import AnswerSeen
from secondpath.sense.answers import RENEW_S, Answers, Asked, addresses_of, match_name, parse_answer

CLIENT4, CLIENT6 = IPv4Address("10.44.10.7"), IPv6Address("fd44:10::7")


def message(name: str, *records: str, kind: str = "A", rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bytes:
    """An answer with records such as "tax.example.com 60 A 192.0.2.11"."""
    answer = dns.message.make_response(dns.message.make_query(name, kind))
    answer.set_rcode(rcode)
    for record in records:
        owner, ttl_s, of, *data = record.split()
        answer.answer.append(dns.rrset.from_text(owner + ".", int(ttl_s), "IN", of, " ".join(data)))
    return answer.to_wire()


def packet(payload: bytes, client: IPv4Address | IPv6Address = CLIENT4, port: int = 53) -> bytes:
    datagram = struct.pack(">HHHH", port, 40_000, 8 + len(payload), 0) + payload
    if client.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(datagram), 17, 64) + bytes(16) + client.packed + datagram
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + bytes(4) + client.packed + datagram


TAX = message(
    "Portal.Tax.example.com", "portal.tax.example.com 60 A 192.0.2.11", "portal.tax.example.com 60 A 192.0.2.12"
)


@pytest.mark.parametrize("client", [CLIENT4, CLIENT6])
def test_it_tells_who_asked_and_for_what(client: IPv4Address | IPv6Address) -> None:
    assert parse_answer(packet(TAX, client)) == Asked(client, "portal.tax.example.com", TAX)


def test_addresses_come_with_their_time() -> None:
    assert addresses_of(TAX) == ((ip_address("192.0.2.11"), ip_address("192.0.2.12")), 60.0)


def test_aliases_are_followed_and_what_stands_beside_them_is_left() -> None:
    """Whoever answers for his own name could otherwise say where everybody else's is."""
    told = message(
        "tax.example.com",
        "tax.example.com 300 CNAME edge.cdn.example.",
        "edge.cdn.example 20 A 192.0.2.20",
        "bank.example 9000 A 203.0.113.66",
    )
    assert addresses_of(told) == ((ip_address("192.0.2.20"),), 20.0)


@pytest.mark.parametrize(
    "wire",
    [
        message("tax.example.com", rcode=dns.rcode.NXDOMAIN),
        message("tax.example.com", "tax.example.com 5 A 192.0.2.1", rcode=dns.rcode.SERVFAIL),
        message("tax.example.com", "tax.example.com 5 A 0.0.0.0"),
        message("tax.example.com", "tax.example.com 5 A 127.0.0.1"),
        message("tax.example.com", "a.example 5 A 192.0.2.1"),
        message("tax.example.com", "tax.example.com 5 CNAME b.example.", "b.example 5 CNAME tax.example.com."),
        TAX[:-3],
        b"",
    ],
    ids=["no such name", "failure", "nowhere", "loopback", "a stranger's", "a circle", "cut off", "empty"],
)  # fmt: skip
def test_what_tells_no_address_tells_none(wire: bytes) -> None:
    assert addresses_of(wire)[0] == ()


@pytest.mark.parametrize(
    "other",
    [
        packet(dns.message.make_query("tax.example.com", "A").to_wire()),
        packet(message("tax.example.com", kind="HTTPS")),
        packet(TAX, port=5353),
        packet(TAX)[:40],
        packet(TAX).replace(b"\x11", b"\x06", 1),
        b"\x45",
        b"",
    ],
    ids=["a question", "another type", "another port", "cut off", "over TCP", "a byte", "empty"],
)
def test_other_packets_are_none(other: bytes) -> None:
    assert parse_answer(other) is None


@given(st.binary(max_size=600))
@example(packet(TAX)[:28] + b"\xff" * 40)
def test_no_packet_does_harm(noise: bytes) -> None:
    parse_answer(noise)
    addresses_of(noise)
    for wrapped in (packet(noise), packet(noise, CLIENT6)):
        found = parse_answer(wrapped)
        if found is not None:
            addresses_of(found.message)
            assert len(found.name) <= 255


@given(st.data())
def test_no_answer_with_any_bytes_changed_does_harm(data: st.DataObject) -> None:
    """Pointers that turn in circles, lengths that lead outside, counts that promise thousands."""
    wire = bytearray(TAX)
    for at, value in data.draw(st.lists(st.tuples(st.integers(2, len(wire) - 1), st.integers(0, 255)), max_size=6)):
        wire[at] = value
    found = parse_answer(packet(bytes(wire)))
    if found is not None:
        addresses_of(found.message)


def test_a_domain_covers_all_below_it_and_the_longest_name_has_it() -> None:
    wanted = {"example.com": "", "tax.example.com": ""}
    assert match_name("a.b.tax.example.com", wanted) == "tax.example.com"
    assert match_name("mail.example.com", wanted) == "example.com"
    assert match_name("badexample.com", wanted) is None
    assert match_name("com", wanted) is None


def test_what_was_just_told_is_not_told_again_until_it_is_worth_renewing() -> None:
    told: list[AnswerSeen] = []
    answers = Answers(told.append, 0)
    answers.watch(["Tax.example.com"])
    asked = Asked(CLIENT4, "portal.tax.example.com", TAX)
    for now in (0.0, 1.0, RENEW_S - 1.0):
        answers.take(now, asked)
    assert [a.name for a in told] == ["Tax.example.com"]
    answers.take(2.0, Asked(CLIENT4, "tax.example.com", message("tax.example.com", "tax.example.com 5 A 192.0.2.99")))
    answers.take(RENEW_S, asked)
    assert len(told) == 3
    answers.take(
        RENEW_S, Asked(CLIENT4, "www.example.org", message("www.example.org", "www.example.org 5 A 192.0.2.9"))
    )
    assert len(told) == 3, "names of nobody are nobody's business"
