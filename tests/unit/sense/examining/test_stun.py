"""STUN messages: what is built can be answered, and nothing that arrives can do harm."""

from __future__ import annotations

import secrets
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.lab.services import stun_answer
from secondpath.model import Endpoint
from secondpath.sense.examining.stun import COOKIE, mapped_in, request

TRANSACTIONS = st.binary(min_size=12, max_size=12)
RFC5769 = bytes.fromhex("b7e7a701bc34d686fa87dfae")
"""The transaction of the vectors of RFC 5769."""
WHO = Endpoint(ip_address("192.0.2.1"), 32853)


def answer(transaction: bytes, *attributes: tuple[int, bytes], kind: int = 0x0101) -> bytes:
    body = b"".join(k.to_bytes(2) + len(v).to_bytes(2) + v + bytes(-len(v) % 4) for k, v in attributes)
    return kind.to_bytes(2) + len(body).to_bytes(2) + COOKIE + transaction + body


@given(st.ip_addresses(), st.integers(0, 65535), TRANSACTIONS)
def test_the_lab_s_server_and_our_reading_agree(address: object, port: int, transaction: bytes) -> None:
    answered = stun_answer(request(transaction), str(address), port)
    assert answered is not None
    assert mapped_in(answered, transaction) == Endpoint(ip_address(str(address)), port)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("0001a147e112a643", WHO),
        (
            "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
            Endpoint(ip_address("2001:db8:1234:5678:11:2233:4455:6677"), 32853),
        ),
    ],
)
def test_the_vectors_of_rfc_5769_are_read(value: str, seen: Endpoint) -> None:
    assert mapped_in(answer(RFC5769, (0x8022, b"test vector"), (0x0020, bytes.fromhex(value))), RFC5769) == seen


def test_a_plain_address_counts_only_where_there_is_no_masked_one() -> None:
    plain = (0x0001, bytes.fromhex("000180550a000001"))
    masked = (0x0020, bytes.fromhex("0001a147e112a643"))
    assert mapped_in(answer(RFC5769, plain), RFC5769) == Endpoint(ip_address("10.0.0.1"), 32853)
    assert mapped_in(answer(RFC5769, plain, masked), RFC5769) == WHO


def test_what_must_be_understood_and_is_not_is_no_answer() -> None:
    masked = (0x0020, bytes.fromhex("0001a147e112a643"))
    assert mapped_in(answer(RFC5769, masked, (0x8AAA, b"later")), RFC5769) == WHO
    assert mapped_in(answer(RFC5769, masked, (0x7AAA, b"must")), RFC5769) is None


def test_another_transaction_an_error_or_a_request_is_no_answer() -> None:
    masked = (0x0020, bytes.fromhex("0001a147e112a643"))
    assert mapped_in(answer(RFC5769, masked), secrets.token_bytes(12)) is None
    assert mapped_in(answer(RFC5769, masked, kind=0x0111), RFC5769) is None
    assert mapped_in(request(RFC5769), RFC5769) is None


@given(st.binary(max_size=100), TRANSACTIONS)
def test_no_packet_can_raise(packet: bytes, transaction: bytes) -> None:
    mapped_in(packet, transaction)
    mapped_in(b"\x01\x01" + len(packet).to_bytes(2) + COOKIE + transaction + packet, transaction)
