"""Flushes, dumps and marks against the kernel's connection tracking, with conntrack(8) as the witness."""

import re
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces
from tests.patience import PATIENCE_S

from secondpath.netlink import flow as flows
from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.flow import Flow, pack_endpoints
from secondpath.netlink.wire import ACK, CREATE, NETLINK_NETFILTER, REQUEST, Socket, attribute, message, nest

pytestmark = pytest.mark.netns

DEAD, ALIVE, MASK = 0x00010000, 0x00020000, 0xFFFF0000
TRACK = """
table inet track {
  chain out { type filter hook output priority -100; ct state new udp dport 7000-7999 ct mark set 0x00010001
    ct state new tcp dport 7000-7999 ct mark set 0x00010002
    ct state new meta l4proto { icmp, ipv6-icmp } ct mark set 0x00010003
  }
  chain translate { type nat hook output priority -100; udp dport 7100 dnat ip to 127.0.0.1:7200
  }
}
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("ct") as (namespace,):
        namespace.run("nft", "-f", "-", given=TRACK)
        yield namespace


@pytest.fixture
def conntrack(gateway: Namespace) -> Iterator[Conntrack]:
    gateway.run("conntrack", "-F")
    with gateway.inside():
        opened = Conntrack()
    with opened:
        yield opened


def plant(
    gateway: Namespace, count: int, mark: int, *, status: int = flows.SEEN_REPLY, proto: int = 17, family: int = 2
) -> None:
    """Put entries into the kernel's table, as traffic would have."""
    network = b"\x0a" if family == socket.AF_INET else b"\xfd" + bytes(12)
    server = ip_address("192.0.2.1" if family == socket.AF_INET else "2001:db8::1").packed
    state = flows.CONFIRMED | status
    word = struct.Struct(">I").pack
    with gateway.inside(), Socket(NETLINK_NETFILTER) as sock:
        for start in range(0, count, 200):
            batch = []
            for number in range(start, min(start + 200, count)):
                client = network + number.to_bytes(3, "big")
                port = mark >> 16 & 255
                batch.append(
                    struct.pack(">BBH", family, 1, 0)
                    + pack_endpoints(flows.ORIGINAL, (proto, client, 1024 + port, server, 53))
                    + pack_endpoints(flows.REPLY, (proto, server, 53, client, 1024 + port))
                    + attribute(flows.STATUS, word(state))
                    + attribute(flows.TIMEOUT, word(600))
                    + attribute(flows.MARK, word(mark))
                    + (nest(flows.PROTOCOL_INFO, nest(1, attribute(1, b"\x03"))) if proto == 6 else b"")
                )
            first = sock.reserve(len(batch))
            flags = REQUEST | CREATE | ACK
            sock.send(b"".join(message(0x100, flags, first + place, body) for place, body in enumerate(batch)))
            sock.settle(first, first + len(batch) - 1, lambda place: f"plant flow {place}")


def told(gateway: Namespace, *arguments: str) -> list[str]:
    return gateway.run("conntrack", "-L", *arguments).splitlines()


def exchange_udp(gateway: Namespace, family: int, host: str, port: int, answered: bool) -> int:
    """Send a datagram over the loopback, and answer it or not; the sender's port."""
    with (
        gateway.inside(),
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(family, socket.SOCK_DGRAM) as client,
    ):
        server.bind((host, port))
        server.settimeout(PATIENCE_S)
        client.settimeout(PATIENCE_S)
        client.sendto(b"question", (host, port if port != 7200 else 7100))
        _question, sender = server.recvfrom(100)
        if answered:
            server.sendto(b"answer", sender)
            client.recv(100)
        return int(client.getsockname()[1])


def test_a_dumped_flow_says_what_conntrack_says(conntrack: Conntrack, gateway: Namespace) -> None:
    port = exchange_udp(gateway, socket.AF_INET, "127.0.0.1", 7001, answered=True)
    (flow,) = conntrack.dump(0x10001, 0xFFFFFFFF)
    (line,) = told(gateway, "-p", "udp", "--dport", "7001")
    timeout_s = int(line.split()[2])
    loopback = ip_address("127.0.0.1").packed
    assert (flow.family, flow.proto, flow.mark) == (socket.AF_INET, socket.IPPROTO_UDP, 0x10001)
    assert (flow.source, flow.sport, flow.dest, flow.dport) == (loopback, port, loopback, 7001)
    assert (flow.reply_source, flow.reply_sport, flow.reply_dest, flow.reply_dport) == (loopback, 7001, loopback, port)
    assert flow.answered
    assert "UNREPLIED" not in line
    assert flow.tcp_state is None
    assert timeout_s <= flow.timeout_s <= timeout_s + PATIENCE_S
    assert told(gateway, "-o", "id", "-p", "udp", "--dport", "7001")[0].endswith(f"id={flow.ident}")


def test_a_nated_flow_shows_the_other_side_of_the_translation(conntrack: Conntrack, gateway: Namespace) -> None:
    port = exchange_udp(gateway, socket.AF_INET, "127.0.0.1", 7200, answered=True)
    (flow,) = conntrack.dump(0x10001, 0xFFFFFFFF)
    assert (flow.sport, flow.dport) == (port, 7100)
    assert (flow.reply_sport, flow.reply_dport) == (7200, port)
    assert flow.status & flows.DST_NAT


def test_an_ipv6_flow_that_nobody_answered_is_seen_as_such(conntrack: Conntrack, gateway: Namespace) -> None:
    exchange_udp(gateway, socket.AF_INET6, "::1", 7002, answered=False)
    (flow,) = conntrack.dump(0x10001, 0xFFFFFFFF)
    assert (flow.family, flow.source, flow.dport) == (socket.AF_INET6, ip_address("::1").packed, 7002)
    assert not flow.answered
    assert "UNREPLIED" in told(gateway, "-f", "ipv6")[0]


def test_a_tcp_flow_has_its_state(conntrack: Conntrack, gateway: Namespace) -> None:
    with gateway.inside():
        server = socket.create_server(("127.0.0.1", 7003))
        client = socket.create_connection(("127.0.0.1", 7003))
    with server, client:
        (flow,) = conntrack.dump(0x10002, 0xFFFFFFFF)
        assert "ESTABLISHED" in told(gateway, "-p", "tcp", "--dport", "7003")[0]
    assert (flow.proto, flow.tcp_state, flow.dport) == (6, 3, 7003)
    assert flow.answered


def test_an_echo_is_a_flow_of_identifier_type_and_code(conntrack: Conntrack, gateway: Namespace) -> None:
    for family, host in (("-4", "127.0.0.1"), ("-6", "::1")):
        gateway.run("ping", family, "-c", "1", host)
    found = {flow.family: flow for flow in conntrack.dump(0x10003, 0xFFFFFFFF)}
    lines = told(gateway, "-p", "icmp") + told(gateway, "-f", "ipv6", "-p", "icmpv6")
    idents = [int(re.findall(r"id=(\d+)", line)[0]) for line in lines]
    assert [found[socket.AF_INET].sport, found[socket.AF_INET6].sport] == idents
    assert (found[socket.AF_INET].dport, found[socket.AF_INET6].dport) == (8 << 8, 128 << 8)
    assert all(conntrack.delete(flow) for flow in found.values())
    assert conntrack.count(0x10003, 0xFFFFFFFF) == 0


def test_a_flush_by_mark_ends_these_flows_and_no_other(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 300, DEAD | 1)
    plant(gateway, 50, DEAD | 2, family=socket.AF_INET6)
    plant(gateway, 200, ALIVE | 1)
    assert conntrack.count(DEAD, MASK) == 350
    conntrack.flush(DEAD, MASK)
    assert conntrack.count(DEAD, MASK) == 0
    assert conntrack.count(ALIVE, MASK) == 200
    assert len(told(gateway)) == 200


def test_a_flush_of_one_family_leaves_the_other(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 5, DEAD)
    plant(gateway, 7, DEAD, family=socket.AF_INET6)
    conntrack.flush(DEAD, MASK, family=socket.AF_INET)
    assert {flow.family for flow in conntrack.dump(DEAD, MASK)} == {socket.AF_INET6}
    assert conntrack.count(DEAD, MASK, family=socket.AF_INET6) == 7


@pytest.mark.parametrize("supported", [None, False])
def test_unreplied_flows_can_be_ended_alone(gateway: Namespace, supported: bool | None) -> None:
    gateway.run("conntrack", "-F")
    plant(gateway, 450, DEAD | 1, status=0)
    plant(gateway, 30, DEAD, status=flows.SEEN_REPLY, family=socket.AF_INET6)
    plant(gateway, 20, ALIVE, status=0)
    with gateway.inside():
        conntrack = Conntrack(supports_status_flush=supported)
    with conntrack:
        conntrack.flush(DEAD, MASK, unreplied_only=True)
        left = list(conntrack.dump(DEAD, MASK))
        assert len(left) == 30
        assert all(flow.answered for flow in left)
        assert conntrack.count(ALIVE, MASK) == 20


def test_the_probe_for_flushes_by_status_ends_nothing(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 3, 0xFFFFFFFF, status=0)
    with gateway.inside(), Conntrack() as other:
        assert other.supports_status_flush
    assert conntrack.count(0xFFFFFFFF, 0xFFFFFFFF) == 3


def test_an_empty_mask_is_refused_because_it_would_take_everyones_flows(
    conntrack: Conntrack, gateway: Namespace
) -> None:
    plant(gateway, 3, ALIVE)
    for refused in (lambda: conntrack.flush(0, 0), lambda: conntrack.flush(1, 0x10), lambda: conntrack.dump(0, 0)):
        with pytest.raises(ValueError, match="mask"):
            refused()
    assert conntrack.count(ALIVE, MASK) == 3


def test_a_deleted_flow_is_gone_and_only_this_one(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 3, ALIVE, proto=6)
    victim = next(conntrack.dump(ALIVE, MASK))
    assert conntrack.delete(victim)
    assert not conntrack.delete(victim)
    left = list(conntrack.dump(ALIVE, MASK))
    assert len(left) == 2
    assert victim not in left


def test_a_flow_that_took_the_place_of_another_is_not_deleted_for_it(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 1, ALIVE)
    (earlier,) = conntrack.dump(ALIVE, MASK)
    gateway.run("conntrack", "-F")
    plant(gateway, 1, ALIVE)
    (later,) = conntrack.dump(ALIVE, MASK)
    if later.ident != earlier.ident:  # the kernel makes it from the entry's address in memory: it may come back
        assert not conntrack.delete(earlier)
        assert conntrack.count(ALIVE, MASK) == 1


def test_deleting_many_says_how_many_were_still_there(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 1000, ALIVE)
    known = list(conntrack.dump(ALIVE, MASK))
    assert conntrack.delete_all(known[:450]) == 450
    assert conntrack.delete_all(known) == 550
    assert conntrack.delete_all(known) == 0


def test_a_mark_changes_under_its_mask_on_nated_flows_too(conntrack: Conntrack, gateway: Namespace) -> None:
    exchange_udp(gateway, socket.AF_INET, "127.0.0.1", 7200, answered=True)
    plant(gateway, 250, DEAD | 7)
    ours = list(conntrack.dump(DEAD, MASK))
    assert conntrack.set_mark(ours, ALIVE, MASK) == 251
    assert conntrack.count(DEAD, MASK) == 0
    assert sorted({flow.mark for flow in conntrack.dump(ALIVE, MASK)}) == [ALIVE | 1, ALIVE | 7]


def test_ten_thousand_flows_are_read_and_ended(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 10_000, DEAD, proto=6)
    found: list[Flow] = list(conntrack.dump(DEAD, MASK))
    assert len(found) == 10_000
    assert all(flow.tcp_state == 3 for flow in found)
    conntrack.flush(DEAD, MASK)
    assert conntrack.count(DEAD, MASK) == 0


def test_a_flow_says_what_it_moved_either_way_where_that_is_counted(conntrack: Conntrack, gateway: Namespace) -> None:
    exchange_udp(gateway, socket.AF_INET, "127.0.0.1", 7003, answered=True)
    (uncounted,) = conntrack.dump(0x10001, 0xFFFFFFFF)
    assert (uncounted.out_packets, uncounted.out_bytes, uncounted.in_packets, uncounted.in_bytes) == (0, 0, 0, 0)
    gateway.run("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
    gateway.run("conntrack", "-F")
    for family, host, headers in ((socket.AF_INET, "127.0.0.1", 28), (socket.AF_INET6, "::1", 48)):
        exchange_udp(gateway, family, host, 7003, answered=True)
        (flow,) = conntrack.dump(0x10001, 0xFFFFFFFF, family)
        assert (flow.out_packets, flow.out_bytes) == (1, headers + len("question"))
        assert (flow.in_packets, flow.in_bytes) == (1, headers + len("answer"))
    gateway.run("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=0")


def test_a_walk_sees_what_a_dump_sees_a_few_at_a_time(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 2000, ALIVE)
    plant(gateway, 500, ALIVE, proto=6, family=socket.AF_INET6)
    plant(gateway, 100, DEAD)
    slices = list(conntrack.walk(ALIVE, MASK))
    assert max(map(len, slices)) <= 250
    walked = [flow for each in slices for flow in each]
    assert sorted(f.ident for f in walked) == sorted(f.ident for f in conntrack.dump(ALIVE, MASK))
    assert len(walked) == 2500


def test_marking_revives_no_flow_and_leaves_the_other_bits(conntrack: Conntrack, gateway: Namespace) -> None:
    plant(gateway, 3, ALIVE | 0x8501)
    first, *rest = conntrack.dump(ALIVE, MASK)
    assert conntrack.delete(first)
    assert conntrack.set_mark([first, *rest], 0x100, 0x7F00) == 2
    assert [f.mark for f in conntrack.dump(ALIVE, MASK)] == [ALIVE | 0x8101] * 2
