"""ICMP packets: what is built can be read, and nothing that arrives can do harm."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.model import Family, IPAddress
from secondpath.sense.echo import FILTERS, SIZING_FILTERS, Expired, Reply, Unreachable, checksum, read, request

PAYLOAD = bytes(range(16))
OURS: dict[Family, IPAddress] = {Family.IPV4: IPv4Address("198.51.100.2"), Family.IPV6: IPv6Address("2001:db8::2")}
TARGET: dict[Family, IPAddress] = {Family.IPV4: IPv4Address("192.0.2.1"), Family.IPV6: IPv6Address("2001:db8:ff::1")}
ROUTER: dict[Family, IPAddress] = {Family.IPV4: IPv4Address("198.51.100.1"), Family.IPV6: IPv6Address("2001:db8::1")}
both_families = pytest.mark.parametrize("family", list(Family))


def ip_header(
    family: Family, source: dict[Family, IPAddress], target: dict[Family, IPAddress], options: bytes = b""
) -> bytes:
    addresses = source[family].packed + target[family].packed
    if family is Family.IPV6:
        return bytes([0x60, 0, 0, 0, 0, 24, 58, 64]) + addresses
    return bytes([0x45 + len(options) // 4, 0, 0, 44, 0, 0, 0, 0, 64, 1, 0, 0]) + addresses + options


def arrival(family: Family, message: bytes, options: bytes = b"") -> bytes:
    """A message as a raw socket hands it over: IPv4 with its header, IPv6 without."""
    return ip_header(family, ROUTER, OURS, options) + message if family is Family.IPV4 else message


def unreachable(family: Family, code: int, quoted: bytes) -> bytes:
    return bytes([3 if family is Family.IPV4 else 1, code]) + bytes(6) + quoted


@both_families
@given(ident=st.integers(0, 0xFFFF), sequence=st.integers(0, 0xFFFF), payload=st.binary(max_size=64))
def test_the_reply_to_a_request_is_read_with_all_it_carries(
    family: Family, ident: int, sequence: int, payload: bytes
) -> None:
    asked = request(family, ident, sequence, payload)
    reply = bytes([0 if family is Family.IPV4 else 129]) + asked[1:]
    assert read(family, arrival(family, reply)) == Reply(ident, sequence, payload)


@given(ident=st.integers(0, 0xFFFF), sequence=st.integers(0, 0xFFFF), payload=st.binary(max_size=64))
def test_an_ipv4_request_sums_up_to_nothing(ident: int, sequence: int, payload: bytes) -> None:
    assert checksum(request(Family.IPV4, ident, sequence, payload)) in (0, 0xFFFF)


@both_families
@pytest.mark.parametrize("options", [b"", bytes(8)], ids=["plain header", "header with options"])
def test_a_router_s_refusal_names_the_question_it_quotes(family: Family, options: bytes) -> None:
    quoted = ip_header(family, OURS, TARGET, options) + request(family, 7, 9, PAYLOAD)[:8]
    assert read(family, arrival(family, unreachable(family, 0, quoted), options)) == Unreachable(
        7, 9, OURS[family], TARGET[family], "no route to the network"
    )


@both_families
def test_a_refusal_by_a_rule_says_so(family: Family) -> None:
    quoted = ip_header(family, OURS, TARGET) + request(family, 7, 9, PAYLOAD)
    read_back = read(family, arrival(family, unreachable(family, 13 if family is Family.IPV4 else 5, quoted)))
    assert isinstance(read_back, Unreachable)
    assert read_back.words == "forbidden by a rule"


@both_families
@given(limit=st.integers(0, 0xFFFF))
def test_a_router_that_finds_a_packet_too_big_names_its_limit(family: Family, limit: int) -> None:
    quoted = ip_header(family, OURS, TARGET) + request(family, 7, 9, PAYLOAD)
    kind = bytes([3, 4]) if family is Family.IPV4 else bytes([2, 0])
    read_back = read(family, arrival(family, kind + bytes(4) + limit.to_bytes(2) + quoted))
    if family is Family.IPV6:
        read_back = read(family, kind + bytes(2) + limit.to_bytes(4) + quoted)
    assert read_back == Unreachable(7, 9, OURS[family], TARGET[family], "too big", limit)


@both_families
def test_a_refusal_of_somebody_else_s_packet_is_none_of_ours(family: Family) -> None:
    udp = bytearray(ip_header(family, OURS, TARGET))
    udp[9 if family is Family.IPV4 else 6] = 17
    quoted = bytes(udp) + request(family, 7, 9, PAYLOAD)
    assert read(family, arrival(family, unreachable(family, 0, quoted))) is None


@both_families
def test_our_own_requests_and_other_messages_are_no_answers(family: Family) -> None:
    assert read(family, arrival(family, request(family, 7, 9, PAYLOAD))) is None
    assert read(family, arrival(family, bytes([11]) + bytes(30))) is None


@both_families
@given(packet=st.binary(max_size=120))
def test_no_packet_can_raise(family: Family, packet: bytes) -> None:
    read(family, packet)
    read(family, arrival(family, bytes([3 if family is Family.IPV4 else 1]) + packet))


@pytest.mark.parametrize(("family", "passing"), [(Family.IPV4, {0, 3, 11}), (Family.IPV6, {1, 3, 129})])
def test_the_filters_let_replies_refusals_and_the_end_of_a_ttl_pass_and_nothing_else(
    family: Family, passing: set[int]
) -> None:
    blocked = int.from_bytes(FILTERS[family], "little")
    assert {kind for kind in range(len(FILTERS[family]) * 8) if not blocked >> kind & 1} == passing


@pytest.mark.parametrize(("family", "passing"), [(Family.IPV4, {0, 3}), (Family.IPV6, {1, 2, 129})])
def test_the_search_for_sizes_hears_of_packets_that_are_too_big(family: Family, passing: set[int]) -> None:
    blocked = int.from_bytes(SIZING_FILTERS[family], "little")
    assert {kind for kind in range(len(SIZING_FILTERS[family]) * 8) if not blocked >> kind & 1} == passing


@both_families
@pytest.mark.parametrize("octets", [8, 24], ids=["the least that RFC 792 asks for", "the whole of it"])
def test_a_router_at_which_the_ttl_ends_names_the_question(family: Family, octets: int) -> None:
    kind = 11 if family is Family.IPV4 else 3
    quoted = ip_header(family, OURS, TARGET) + request(family, 7, 9, PAYLOAD)[:octets]
    message = bytes([kind, 0]) + bytes(6) + quoted
    assert read(family, arrival(family, message)) == Expired(7, 9, OURS[family], TARGET[family])
    pieces = bytes([kind, 1]) + bytes(6) + quoted
    assert read(family, arrival(family, pieces)) is None, "pieces that never came together tell of no hop"
