"""The parts of the lab's processes that need no namespace: the relay's lanes, the zone, what servers say."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator

import dns.message
import dns.rcode
import pytest

from secondpath.lab.habit import Habit
from secondpath.lab.relay import Distance, Lane, apply_order
from secondpath.lab.services import page_head, sip_answer, told
from secondpath.lab.streams_udp import NewUdp
from secondpath.lab.zone import Zone

SELDOM_USED = 61897
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def wires() -> Iterator[tuple[Pair, Pair]]:
    """Two wires that keep packets apart, as tun devices do."""
    pairs = tuple(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2))
    for end in (end for pair in pairs for end in pair):
        end.setblocking(False)
    yield pairs[0], pairs[1]
    for end in (end for pair in pairs for end in pair):
        end.close()


def lane(wires: tuple[Pair, Pair], distance: Distance) -> Lane:
    return Lane(wires[0][1].fileno(), wires[1][0].fileno(), distance)


def arrived(wires: tuple[Pair, Pair]) -> list[bytes]:
    come = []
    while True:
        try:
            come.append(wires[1][1].recv(2048))
        except BlockingIOError:
            return come


def test_a_packet_arrives_when_its_time_has_come_and_not_before(wires: tuple[Pair, Pair]) -> None:
    way = lane(wires, Distance(0.015))
    wires[0][0].send(b"one")
    way.take(10.0)
    way.deliver(10.0149)
    assert arrived(wires) == []
    way.deliver(10.0151)
    assert arrived(wires) == [b"one"]


def test_jitter_keeps_the_order(wires: tuple[Pair, Pair]) -> None:
    way = lane(wires, Distance(0.015, jitter_s=0.05))
    for number in range(100):
        wires[0][0].send(bytes([number]))
        way.take(10.0 + number / 1000)
    way.deliver(11.0)
    assert arrived(wires) == [bytes([number]) for number in range(100)]


def test_when_a_delay_ends_new_packets_do_not_wait_behind_old_ones(wires: tuple[Pair, Pair]) -> None:
    way = lane(wires, Distance(0.015, extra_s=0.3))
    wires[0][0].send(b"old")
    way.take(10.0)
    apply_order(b'{"extra_s": 0}', way.distance, (way, way))
    wires[0][0].send(b"new")
    way.take(10.1)
    way.deliver(10.2)
    assert arrived(wires) == [b"new"]
    way.deliver(10.4)
    assert arrived(wires) == [b"old"]


def test_what_comes_in_a_stall_arrives_at_its_end_together(wires: tuple[Pair, Pair]) -> None:
    way = lane(wires, Distance(0.015))
    before = time.monotonic()
    apply_order(b'{"stall_s": 0.4}', way.distance, (way, way))
    after = time.monotonic()
    for number in range(3):
        wires[0][0].send(bytes([number]))
        way.take(before + number / 10)
    way.deliver(before + 0.399)
    assert arrived(wires) == []
    way.deliver(after + 0.401)
    assert arrived(wires) == [b"\0", b"\1", b"\2"]
    wires[0][0].send(b"then")
    way.take(after + 1.0)
    way.deliver(after + 1.016)
    assert arrived(wires) == [b"then"]


def test_an_order_to_a_relay_turns_only_the_knob_it_names(wires: tuple[Pair, Pair]) -> None:
    way = lane(wires, Distance(0.015, jitter_s=0.02))
    answer = json.loads(apply_order(b'{"extra_s": 0.1}', way.distance, (way, way)))
    assert (way.distance.delay_s, way.distance.extra_s, way.distance.jitter_s) == (0.015, 0.1, 0.02)
    assert answer["at_s"] > 0


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("probe.example", "A", "192.0.2.4"),
        ("probe.example", "AAAA", "2001:db8:ff::4"),
        ("PBX.example.net", "A", "192.0.2.10"),
        ("x7.www.example.com", "A", "192.0.2.12"),
    ],
)
def test_the_zone_answers_its_names_and_all_below_them(name: str, kind: str, answer: str) -> None:
    zone = Zone()
    for _ in range(2):  # the second from memory
        query = dns.message.make_query(name, kind)
        wire = zone.answer(query.to_wire())
        assert wire is not None
        reply = dns.message.from_wire(wire)
        assert query.is_response(reply)
        assert [record.to_text() for record in reply.answer[0]] == [answer]


def test_the_zone_denies_what_it_does_not_know_and_ignores_noise() -> None:
    wire = Zone().answer(dns.message.make_query("nowhere.test", "A").to_wire())
    assert wire is not None
    assert dns.message.from_wire(wire).rcode() == dns.rcode.NXDOMAIN
    assert Zone().answer(b"noise") is None
    assert Zone().answer(b"\xff" * 40) is None


def test_a_registrar_answers_options_with_the_headers_it_must_copy() -> None:
    request = (
        b"OPTIONS sip:pbx.example.net SIP/2.0\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    answer = sip_answer(request)
    assert answer is not None
    assert answer.startswith(b"SIP/2.0 200 OK\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n")
    assert sip_answer(b"GET / HTTP/1.1\r\n\r\n") is None


def test_a_telling_server_shows_ipv4_clients_as_ipv4() -> None:
    assert told("::ffff:198.51.100.2", b"?") == b"198.51.100.2 ?"
    assert page_head("204 No Content", 0).startswith(b"HTTP/1.1 204 No Content\r\n")


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_new_flow_never_takes_the_port_of_a_lasting_one(family: str) -> None:
    """Both would be one flow: the answers of the one came to the other, and somebody seemed to lose a packet."""

    async def port_of_a_new_flow(taken: int) -> int:
        new = NewUdp(Habit("new-udp", family, 0.05, "localhost"), lambda _: None)
        new.source_ports = iter([taken, taken, taken + 1, taken + 2])
        with new.fresh_socket() as sock:
            return int(sock.getsockname()[1])

    lasting = Habit("lasting-udp", family, 0.02, "localhost")
    with lasting.socket(socket.SOCK_DGRAM, SELDOM_USED) as sock:
        assert sock.getsockname()[1] == SELDOM_USED
        assert asyncio.run(port_of_a_new_flow(SELDOM_USED)) in (SELDOM_USED + 1, SELDOM_USED + 2)
