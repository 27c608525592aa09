"""ARP and neighbour discovery: what is asked and what counts as an answer."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.examining.neighbour import (
    arp_request,
    is_advertisement,
    is_arp_answer,
    solicitation,
    solicited_group,
)

MAC = bytes.fromhex("020000000001")


def arp_answer(sender: IPv4Address, asker: IPv4Address) -> bytes:
    return bytes.fromhex("0001080006040002") + MAC + sender.packed + MAC + asker.packed


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_only_the_answer_of_the_one_who_was_asked_counts(hop: IPv4Address, other: IPv4Address) -> None:
    assert is_arp_answer(arp_answer(hop, other), hop)
    assert is_arp_answer(arp_answer(other, hop), hop) == (other == hop)
    assert not is_arp_answer(arp_request(MAC, other, hop), hop)


def test_a_question_is_that_of_rfc_826() -> None:
    asked = arp_request(MAC, IPv4Address("192.0.2.2"), IPv4Address("192.0.2.1"))
    assert asked.hex() == "0001080006040001" + "020000000001" + "c0000202" + "000000000000" + "c0000201"


def test_a_neighbour_is_asked_in_its_group() -> None:
    hop = IPv6Address("2001:db8::aa:bbcc")
    assert solicited_group(hop) == IPv6Address("ff02::1:ffaa:bbcc")
    asked = solicitation(MAC, hop)
    assert (asked[0], asked[8:24], asked[24:]) == (135, hop.packed, b"\x01\x01" + MAC)


@given(st.ip_addresses(v=6), st.ip_addresses(v=6))
def test_only_its_own_advertisement_counts(hop: IPv6Address, other: IPv6Address) -> None:
    told = bytes([136, 0, 0, 0, 0x60, 0, 0, 0]) + other.packed
    assert is_advertisement(told, hop) == (hop == other)
    assert not is_advertisement(solicitation(MAC, hop), hop)


@given(st.binary(max_size=64))
def test_no_packet_can_raise(packet: bytes) -> None:
    is_arp_answer(packet, IPv4Address("192.0.2.1"))
    is_advertisement(packet, IPv6Address("2001:db8::1"))
