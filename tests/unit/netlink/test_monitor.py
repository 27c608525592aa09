"""Which of rtnetlink's messages are events of ours."""

import struct
from socket import AF_INET, AF_INET6

import pytest

from secondpath.netlink.entries import RouteEntry, RuleEntry, pack_route, pack_rule
from secondpath.netlink.links import Address, Link
from secondpath.netlink.monitor import AddressEvent, LinkEvent, RouteEvent, RuleEvent, parse_event
from secondpath.netlink.wire import Message, attribute, text, word

AF_BRIDGE, RTNL_FAMILY_IPMR = 7, 128


def link_body(family: int, flags: int) -> bytes:
    return struct.pack("=BxHiII", family, 1, 4, flags, 0) + text(3, "wan0") + word(4, 1500)


@pytest.mark.parametrize(("kind", "deleted"), [(16, False), (17, True)])
def test_a_link_message_is_a_link_event(kind: int, deleted: bool) -> None:
    link = Link(index=4, name="wan0", up=True, carrier=False, operstate="unknown", mtu=1500, kind=None, mac="")
    assert parse_event(Message(kind, 0, 0, link_body(0, 1))) == LinkEvent(link, deleted)


def test_a_bridges_word_about_its_port_is_no_event() -> None:
    assert parse_event(Message(17, 0, 0, link_body(AF_BRIDGE, 1))) is None


def test_the_far_end_of_a_point_to_point_line_is_its_peer() -> None:
    body = struct.pack("=BBBBI", AF_INET, 32, 0x80, 0, 4) + attribute(1, b"\xc0\0\2\1") + attribute(2, b"\xc0\0\2\2")
    event = parse_event(Message(20, 0, 0, body))
    assert isinstance(event, AddressEvent)
    assert (str(event.address.address), str(event.address.peer)) == ("192.0.2.2", "192.0.2.1")


@pytest.mark.parametrize(("flags", "deprecated", "tentative"), [(0x20, True, False), (0x40, False, True)])
def test_address_flags_beyond_eight_bits_are_read(flags: int, deprecated: bool, tentative: bool) -> None:
    body = struct.pack("=BBBBI", AF_INET6, 64, 0, 0, 4) + attribute(1, bytes(15) + b"\1") + word(8, flags | 0x100)
    event = parse_event(Message(21, 0, 0, body))
    assert isinstance(event, AddressEvent)
    assert isinstance(event.address, Address)
    assert event.deleted
    assert (event.address.deprecated, event.address.tentative) == (deprecated, tentative)
    assert event.address.flags == flags | 0x100


def test_routes_and_rules_are_told_with_the_entries_that_are_read() -> None:
    route, rule = RouteEntry(AF_INET, 1001, None), RuleEntry(AF_INET6, 100, table=7)
    assert parse_event(Message(25, 0, 0, pack_route(route))) == RouteEvent(route, deleted=True)
    assert parse_event(Message(32, 0, 0, pack_rule(rule))) == RuleEvent(rule, deleted=False)


@pytest.mark.parametrize("kind", [2, 3, 28, 68])
def test_other_messages_are_no_events(kind: int) -> None:
    assert parse_event(Message(kind, 0, 0, bytes(20))) is None


def test_multicast_routings_own_tables_are_no_events() -> None:
    assert parse_event(Message(24, 0, 0, bytes([RTNL_FAMILY_IPMR]) + bytes(11))) is None
