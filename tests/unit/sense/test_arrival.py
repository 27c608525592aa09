"""Which packets that arrive at an interface are answers to questions of ours."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sense.test_echo import OURS, PAYLOAD, TARGET, both_families, ip_header

from secondpath.model import Family, IPAddress
from secondpath.sense.arrival import ECHO, MOST_ADDRESSES, SEEN_BYTES, TCP, UDP, Trait, program, read
from secondpath.sense.echo import request

ETHER = {Family.IPV4: 0x0800, Family.IPV6: 0x86DD}
INCOMING, OUTGOING = 0, 4


def passes(text: bytes, packet: bytes, ether_type: int, kind: int = INCOMING) -> int:
    """What the kernel's machine says to a packet: how many bytes of it are handed over."""
    lines: list[tuple[int, int, int, int]] = [struct.unpack_from("=HBBI", text, at) for at in range(0, len(text), 8)]
    place = word = 0
    while True:
        code, true, false, value = lines[place]
        place += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            known = {0xFFFFF000: ether_type, 0xFFFFF004: kind}
            word = known[value] if value in known else struct.unpack_from("!I", packet, value)[0]
        else:
            place += true if word == value else false


def arriving(family: Family, message: bytes, protocol: int | None = None, options: bytes = b"") -> bytes:
    header = bytearray(ip_header(family, TARGET, OURS, options if family is Family.IPV4 else b""))
    header[9 if family is Family.IPV4 else 6] = protocol if protocol is not None else ECHO[family]
    return bytes(header) + message


def reply(family: Family, ident: int = 7, sequence: int = 9) -> bytes:
    return bytes([0 if family is Family.IPV4 else 129]) + request(family, ident, sequence, PAYLOAD)[1:]


@both_families
@pytest.mark.parametrize("options", [b"", bytes(8)], ids=["plain header", "header with options"])
def test_an_echo_is_known_by_its_identifier_and_its_number(family: Family, options: bytes) -> None:
    assert read(family, arriving(family, reply(family), options=options)) == (
        TARGET[family],
        Trait(ECHO[family], 7, 9),
    )


@both_families
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_anything_else_is_known_by_its_ports(family: Family, protocol: int) -> None:
    message = struct.pack("!HH", 443, 40123) + bytes(16)
    assert read(family, arriving(family, message, protocol)) == (TARGET[family], Trait(protocol, 443, 40123))


@both_families
def test_a_question_and_an_error_are_no_answers(family: Family) -> None:
    assert read(family, arriving(family, request(family, 7, 9, PAYLOAD))) is None
    assert read(family, arriving(family, bytes([3]) + bytes(30))) is None
    assert read(family, arriving(family, reply(family), protocol=47)) is None


def test_the_later_pieces_of_a_packet_have_no_ports() -> None:
    piece = bytearray(arriving(Family.IPV4, struct.pack("!HH", 53, 40123) + bytes(16), UDP))
    piece[6:8] = struct.pack("!H", 185)
    assert read(Family.IPV4, bytes(piece)) is None


@both_families
@given(packet=st.binary(max_size=80))
def test_no_packet_can_raise(family: Family, packet: bytes) -> None:
    read(family, packet)
    read(family, bytes([0x45 if family is Family.IPV4 else 0x60]) + packet)


ADDRESSES: dict[Family, list[IPAddress]] = {
    Family.IPV4: [IPv4Address(f"192.0.2.{n}") for n in range(1, MOST_ADDRESSES)],
    Family.IPV6: [IPv6Address(f"2001:db8:{n:x}::1") for n in range(1, MOST_ADDRESSES)],
}


@both_families
@pytest.mark.parametrize("count", [0, 1, 2, MOST_ADDRESSES])
def test_the_filter_lets_pass_what_comes_from_those_who_were_asked(family: Family, count: int) -> None:
    others = ADDRESSES[family]
    asked = [*others[: count - 1], TARGET[family]] if count else []
    text, packet = program(family, asked), arriving(family, reply(family))
    assert len(text) % 8 == 0
    assert passes(text, packet, ETHER[family]) == (SEEN_BYTES if count else 0)
    assert passes(program(family, others[-1:]), packet, ETHER[family]) == 0


@both_families
def test_the_filter_lets_pass_nothing_that_we_send_nor_another_protocol(family: Family) -> None:
    text, packet = program(family, [TARGET[family]]), arriving(family, reply(family))
    assert passes(text, packet, ETHER[family], OUTGOING) == 0
    assert passes(text, packet, 0x0806) == 0
    assert passes(text, packet, next(e for f, e in ETHER.items() if f is not family)) == 0
