"""Every fault does at the packet level what it says, to nobody else, and its healing restores the world exactly."""

import json
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import dns.message
import pytest
from tests.patience import PATIENCE_S

from secondpath.lab import namespaces
from secondpath.lab.errors import LabError
from secondpath.lab.office import Office
from secondpath.lab.topology import TOPOLOGIES, with_rates

pytestmark = pytest.mark.netns
ANSWER_S = 0.35
"""What is dead is asked for so long; what must answer is asked again, or waited for with patience."""
SO_RCVBUFFORCE = 33
V4, V6 = "192.0.2.2", "2001:db8:ff::2"


@pytest.fixture(scope="module")
def standing() -> Iterator[Office]:
    with Office.up(TOPOLOGIES["office"], f"t{os.getpid()}f") as office:
        yield office


@pytest.fixture
def quiet() -> Iterator[Office]:
    """An office nobody else has used: its counters count only what a test sends."""
    with Office.up(TOPOLOGIES["office"], f"t{os.getpid()}q") as office:
        yield office


@pytest.fixture
def office(standing: Office) -> Iterator[Office]:
    yield standing
    standing.mend()


# ── Asking through one uplink ────────────────────────────────────────────────────────────────────────────────


def asking_socket(kind: socket.SocketKind, address: str, device: str, limit_s: float = PATIENCE_S) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    sock.settimeout(limit_s)
    return sock


def ping(office: Office, address: str, device: str, size: int = 16) -> bool:
    command = ["ping", "-c1", f"-W{ANSWER_S}", f"-s{size}", "-Mdo", "-I", device, address]
    return office.run("gw", command).returncode == 0


def tcp(address: str, device: str, limit_s: float = PATIENCE_S) -> bool:
    with asking_socket(socket.SOCK_STREAM, address, device, limit_s) as sock:
        sock.connect((address, 443))
        return True


def tls(address: str, device: str) -> bool:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with asking_socket(socket.SOCK_STREAM, address, device, ANSWER_S) as sock:
        sock.connect((address, 443))
        with trusting.wrap_socket(sock):
            return True


def http(address: str, device: str, limit_s: float = PATIENCE_S) -> bytes:
    with asking_socket(socket.SOCK_STREAM, address, device, limit_s) as sock:
        sock.connect((address, 80))
        sock.sendall(b"GET /generate_204 HTTP/1.1\r\nHost: probe.example\r\n\r\n")
        return sock.recv(2048).split(b" ")[1]


def name(address: str, device: str) -> bool:
    with asking_socket(socket.SOCK_DGRAM, address, device, ANSWER_S) as sock:
        sock.sendto(dns.message.make_query("probe.example", "A").to_wire(), (address, 53))
        return bool(sock.recv(2048))


def udp(address: str, device: str, limit_s: float = PATIENCE_S) -> bool:
    with asking_socket(socket.SOCK_DGRAM, address, device, limit_s) as sock:
        sock.sendto(b"?", (address, 7))
        return sock.recv(2048) == b"?"


Question = Callable[[Office, str], bool]
QUESTIONS: dict[str, Question] = {
    "hop4": lambda o, d: ping(o, {"wan0": "198.51.100.1", "wwan0": "203.0.113.1"}[d], d),
    "hop6": lambda o, d: ping(o, {"wan0": "2001:db8:1::1", "wwan0": "2001:db8:2::1"}[d], d),
    "ping4": lambda o, d: ping(o, V4, d),
    "ping6": lambda o, d: ping(o, V6, d),
    "big4": lambda o, d: ping(o, V4, d, 1400),
    "big6": lambda o, d: ping(o, V6, d, 1400),
    "tcp4": lambda _, d: tcp(V4, d, ANSWER_S),
    "tcp6": lambda _, d: tcp(V6, d, ANSWER_S),
    "tls4": lambda _, d: tls(V4, d),
    "tls6": lambda _, d: tls(V6, d),
    "http4": lambda _, d: http(V4, d, ANSWER_S) == b"204",
    "http6": lambda _, d: http(V6, d, ANSWER_S) == b"204",
    "dns4": lambda _, d: name(V4, d),
    "dns6": lambda _, d: name(V6, d),
    "udp4": lambda _, d: udp(V4, d, ANSWER_S),
    "udp6": lambda _, d: udp(V6, d, ANSWER_S),
    "other4": lambda o, d: ping(o, "192.0.2.1", d),
    "other6": lambda o, d: ping(o, "2001:db8:ff::1", d),
}


def answers(office: Office, device: str) -> set[str]:
    """Which questions are answered through a device; all are asked at once, each from a thread that goes there."""

    def answered(key: str) -> bool:
        try:
            with namespaces.inside(office.host_netns("gw")):
                return QUESTIONS[key](office, device)
        except OSError:
            return False

    with ThreadPoolExecutor(len(QUESTIONS)) as pool:
        return {key for key, good in zip(QUESTIONS, pool.map(answered, QUESTIONS), strict=True) if good}


def heard(office: Office, device: str, expected: set[str]) -> set[str]:
    """All that has answered by the time that all who should have: only they are waited for, and nobody is forgiven."""
    found: set[str] = set()

    def all_have_answered() -> bool:
        found.update(answers(office, device))
        return found >= expected

    until(all_have_answered)
    return found


ALL = set(QUESTIONS)
HOPS = {"hop4", "hop6"}
IPV4 = {key for key in ALL if key.endswith("4")}
TCP = {key for key in ALL if key.startswith(("tcp", "tls", "http"))}
OF_SERVER_4 = IPV4 - {"hop4", "other4"}

DIES = {
    "cable-cut": ALL,
    "next-hop-dead": ALL,
    "modem-dead": ALL,
    "access-dead": ALL,
    "blackhole": ALL - HOPS,
    "blackhole-in": ALL - HOPS,
    "blackhole-out": ALL - HOPS,
    "blackhole-v4": IPV4 - HOPS,
    "blackhole-v6": ALL - IPV4 - HOPS,
    "loss-100": ALL - HOPS,
    "dns-dead": {"dns4", "dns6"},
    "tcp-dead": TCP,
    "tls-stall": {"tls4", "tls6"},
    "big-packets": {"big4", "big6"},
    "captive": ALL - HOPS,
    f"app-dead:{V4}": OF_SERVER_4,
    f"app-dead:{V6}": ALL - IPV4 - {"hop6", "other6"},
    "address-gone": IPV4,
}


@pytest.mark.parametrize("fault", DIES)
def test_a_fault_kills_what_it_says_on_its_uplink_only_and_healing_brings_all_back(office: Office, fault: str) -> None:
    before = snapshot(office)
    assert heard(office, "wan0", ALL) == ALL
    office.inject(fault, "cable")
    if fault == "address-gone":  # without an address of its own the box may still ask with another's
        assert not answers(office, "wan0") & HOPS
    else:
        assert heard(office, "wan0", ALL - DIES[fault]) == ALL - DIES[fault]
    assert heard(office, "wwan0", ALL) == ALL
    office.heal(fault, "cable")
    assert snapshot(office) == before
    assert heard(office, "wan0", ALL) == ALL


def until(holds: Callable[[], bool], limit_s: float = PATIENCE_S) -> bool:
    end_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end_s:
            return False
    return True


def snapshot(office: Office) -> dict[str, object]:
    """All that stands in the kernel of every host, but not what comes and goes by itself."""
    world: dict[str, object] = {}
    for host in office.topology.hosts:
        for key, command in {
            "addresses": "ip -j address",
            "routes4": "ip -j route show table all",
            "routes6": "ip -j -6 route show table all",
            "rules": "ip -j rule",
            "queues": "tc -j qdisc show",
        }.items():
            entries = json.loads(office.run(host, command.split(), check=True).stdout or "[]")
            world[f"{host} {key}"] = sorted(json.dumps(entry, sort_keys=True) for entry in entries)
        world[f"{host} nft"] = office.run(host, ["nft", "-s", "list", "ruleset"], check=True).stdout
    return world


@pytest.mark.parametrize("fault", [*DIES, "loss-30", "rate-2", "delay+100", "jitter-20", "gateway-changed"])
def test_injecting_twice_and_healing_twice_is_as_good_as_once(office: Office, fault: str) -> None:
    before = snapshot(office)
    office.inject(fault, "cable")
    once = snapshot(office)
    office.inject(fault, "cable")
    assert snapshot(office) == once
    assert office.broken() == [(fault, "cable")]
    office.heal(fault, "cable")
    office.heal(fault, "cable")
    assert snapshot(office) == before
    assert office.broken() == []


def test_everything_broken_at_once_is_mended_at_once(office: Office) -> None:
    before = snapshot(office)
    for fault in (
        "loss-15",
        "dns-dead",
        "captive",
        "delay+200",
        "rate-1",
        "blackhole-v6",
        "next-hop-dead",
        "cable-cut",
    ):
        office.inject(fault, "cable")
    office.inject("gateway-changed", "lte")
    office.inject("target-dead:192.0.2.1")
    office.mend()
    assert snapshot(office) == before
    for device in ("wan0", "wwan0"):
        assert heard(office, device, ALL) == ALL


def carrier(office: Office, device: str) -> bool:
    return "NO-CARRIER" not in office.run("gw", ["ip", "link", "show", device]).stdout


def test_a_cut_cable_loses_the_carrier_and_a_dead_modem_keeps_it(office: Office) -> None:
    office.inject("cable-cut", "cable")
    assert not carrier(office, "wan0")
    assert carrier(office, "wwan0")
    office.heal("cable-cut", "cable")
    assert carrier(office, "wan0")
    office.inject("modem-dead", "cable")
    assert carrier(office, "wan0")


def test_one_way_black_holes_swallow_one_way(office: Office) -> None:
    for fault, reached in (("blackhole-in", True), ("blackhole-out", False)):
        office.inject(fault, "lte")
        before = received(office)
        with namespaces.inside(office.host_netns("gw")), pytest.raises(TimeoutError):
            udp(V4, "wwan0", ANSWER_S)
        has_come = partial(more_than, office, before)
        assert (until(has_come) if reached else has_come()) is reached
        office.heal(fault, "lte")


def more_than(office: Office, before: int) -> bool:
    return received(office) > before


def received(office: Office) -> int:
    """UDP datagrams that reached the internet's servers."""
    counters = office.run("internet", ["nstat", "-asz", "UdpInDatagrams"]).stdout.split()
    return int(counters[counters.index("UdpInDatagrams") + 1])


@pytest.mark.parametrize(
    ("fault", "ratio"), [("loss-5", 0.05), ("loss-30", 0.3), ("loss-60", 0.6), ("loss-in-20", 0.2)]
)
def test_loss_is_what_its_name_says_in_round_trips(office: Office, fault: str, ratio: float) -> None:
    office.inject(fault, "cable")
    sent = 1500
    with namespaces.inside(office.host_netns("gw")), asking_socket(socket.SOCK_DGRAM, V4, "wan0") as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        back = 0
        for number in range(sent):
            sock.sendto(struct.pack("!I", number), (V4, 7))
            if number % 50 == 49:  # no faster than the queues on the way
                back += drained(sock, 0.1)
        back += drained(sock, 2.0)
    assert 1 - back / sent == pytest.approx(ratio, abs=0.05)  # four standard deviations


def drained(sock: socket.socket, quiet_s: float) -> int:
    """How many answers come until none has come for a while."""
    count = 0
    while select.select([sock], [], [], quiet_s)[0]:
        count += len(sock.recv(64)) > 0
    return count


def round_trips(office: Office, device: str, count: int = 15) -> list[float]:
    """Round-trip times through a device, one question after another."""
    times = []
    with namespaces.inside(office.host_netns("gw")), asking_socket(socket.SOCK_DGRAM, V4, device) as sock:
        for _ in range(count):
            sent_s = time.monotonic()
            sock.sendto(b"?", (V4, 7))
            sock.recv(64)
            times.append(time.monotonic() - sent_s)
    return sorted(times)


def test_the_relay_is_as_far_as_it_says(office: Office) -> None:
    for device, rtt_s in (("wan0", 0.030), ("wwan0", 0.050)):
        times = round_trips(office, device)
        assert rtt_s <= times[0] < 2 * rtt_s  # the quickest of fifteen: the machine delayed the others, or not


def test_delay_and_jitter_come_and_go_at_once(office: Office) -> None:
    office.inject("delay+300", "cable")
    assert 0.33 <= round_trips(office, "wan0")[0] < 0.63
    office.heal("delay+300", "cable")
    assert 0.03 <= round_trips(office, "wan0")[0] < 0.33
    office.inject("jitter-40", "cable")
    times = round_trips(office, "wan0", 30)
    assert times[0] >= 0.030
    assert times[-1] - times[0] > 0.02
    office.heal("jitter-40", "cable")
    assert until(lambda: round_trips(office, "wan0", 30)[20] < 0.04), "in some second two of three are as without"


def seconds_to_fetch(office: Office, octets: int, device: str) -> float:
    command = ["curl", "-s", "-o/dev/null", "-m20", "-w%{time_total}", "--interface", device]
    return float(office.run("gw", [*command, f"http://{V4}/bytes/{octets}"], check=True).stdout)


def test_a_rate_is_what_its_name_says_and_heals_to_no_limit(office: Office) -> None:
    free_s = seconds_to_fetch(office, 500_000, "wan0")
    office.inject("rate-2", "cable")
    limited_s = seconds_to_fetch(office, 500_000, "wan0")
    assert 1.6 < limited_s < 8.0  # 4 Mbit at 2 Mbit/s, less the first burst
    office.heal("rate-2", "cable")
    assert max(free_s, seconds_to_fetch(office, 500_000, "wan0")) < limited_s


def test_a_contracted_rate_is_kept_and_comes_back_after_a_rate_fault() -> None:
    topology = with_rates(TOPOLOGIES["office"], "lte", down_bps=4_000_000, up_bps=1_000_000)
    with Office.up(topology, f"t{os.getpid()}r") as office:
        before = snapshot(office)
        assert 0.8 < seconds_to_fetch(office, 500_000, "wwan0") < 4.0
        office.inject("rate-0.5", "lte")
        assert snapshot(office) != before
        office.mend()
        assert snapshot(office) == before


def test_a_captive_portal_answers_http_of_both_families_with_a_redirect(office: Office) -> None:
    office.inject("captive", "cable")
    with namespaces.inside(office.host_netns("gw")):
        assert http(V4, "wan0") == b"302"
        assert http(V6, "wan0") == b"302"
        assert http(V4, "wwan0") == b"204"
    office.heal("captive", "cable")
    with namespaces.inside(office.host_netns("gw")):
        assert http(V4, "wan0") == b"204"


def resolved(server: str, name: str, device: str) -> set[str]:
    """The addresses that a name server gives for a name, asked from one interface."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    query = dns.message.make_query(name, "A")
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.sendto(query.to_wire(), (server, 53))
        packet, sender = sock.recvfrom(4096)
    assert sender[0] == server, "who is asked seems to answer"
    return {str(address) for record in dns.message.from_wire(packet).answer for address in record}


@pytest.mark.parametrize("server", [V4, V6])
def test_invented_names_come_in_the_name_of_any_name_server_and_go_when_healed(office: Office, server: str) -> None:
    before = snapshot(office)
    office.inject("dns-invented", "cable")
    with namespaces.inside(office.host_netns("gw")):
        assert resolved(server, "nothing.invalid", "wan0") == {"192.0.2.12"}
        assert resolved(server, "probe.example", "wan0") == {"192.0.2.4"}
        assert resolved(server, "nothing.invalid", "wwan0") == set()
    office.heal("dns-invented", "cable")
    assert snapshot(office) == before
    with namespaces.inside(office.host_netns("gw")):
        assert resolved(server, "nothing.invalid", "wan0") == set()


def test_a_server_dies_refuses_or_is_slow_for_everybody_and_alone(office: Office) -> None:
    for device in ("wan0", "wwan0"):
        office.inject(f"target-dead:{V4}")
        assert ALL - heard(office, device, ALL - OF_SERVER_4) == OF_SERVER_4
        office.mend()
        office.inject(f"target-refuses-icmp:{V6}")
        assert ALL - heard(office, device, ALL - {"ping6", "big6"}) == {"ping6", "big6"}
        office.mend()
        office.inject(f"target-refused:{V4}")
        with namespaces.inside(office.host_netns("gw")), pytest.raises(ConnectionRefusedError):
            tcp(V4, device)
        office.mend()
        office.inject(f"target-slow:{V4}")
        assert ALL - heard(office, device, ALL - {"http4", "dns4"}) == {"http4", "dns4"}
        office.mend()
        assert heard(office, device, ALL) == ALL


def test_the_instant_of_a_fault_lies_within_the_call_and_the_world_has_changed_by_then(office: Office) -> None:
    for change, works in ((office.inject, False), (office.heal, True)):
        before_s = time.monotonic()
        at_s = change("blackhole", "cable")
        assert before_s < at_s <= time.monotonic()
        with namespaces.inside(office.host_netns("gw")):
            if works:
                assert udp(V4, "wan0")
            else:
                with pytest.raises(TimeoutError):
                    udp(V4, "wan0", ANSWER_S)


def test_a_source_that_is_not_the_customers_is_dropped_and_counted(quiet: Office) -> None:
    wrong = {
        "198.51.100.2": "wwan0",
        "203.0.113.2": "wan0",
        "10.44.10.1": "wan0",
        "2001:db8:2::2": "wan0",
        "fd44:10::1": "wwan0",
    }
    for source, device in wrong.items():
        isp = "isp-a" if device == "wan0" else "isp-b"
        before, other = quiet.counters(isp), quiet.counters("isp-b" if isp == "isp-a" else "isp-a")
        reached = received(quiet)
        with namespaces.inside(quiet.host_netns("gw")):
            target = V6 if ":" in source else V4
            with asking_socket(socket.SOCK_DGRAM, target, device, ANSWER_S) as sock:
                sock.bind((source, 0))
                for _ in range(5):
                    sock.sendto(b"?", (target, 7))
                with pytest.raises(TimeoutError):
                    sock.recv(64)
        after = quiet.counters(isp)
        assert after["wrong_source"].packets - before["wrong_source"].packets == 5
        assert after["from_office"] == before["from_office"]
        assert quiet.counters("isp-b" if isp == "isp-a" else "isp-a")["wrong_source"] == other["wrong_source"]
        assert received(quiet) == reached


def test_an_isp_counts_packets_and_bytes_both_ways_and_those_to_peoples_servers(quiet: Office) -> None:
    before = quiet.counters("lte")
    with namespaces.inside(quiet.host_netns("gw")), asking_socket(socket.SOCK_DGRAM, V4, "wwan0") as sock:
        for server in ("192.0.2.10", "192.0.2.1"):
            sock.sendto(bytes(100), (server, 7))
            sock.recv(200)
    after = quiet.counters("isp-b")
    grown = {key: (after[key].packets - before[key].packets, after[key].octets - before[key].octets) for key in after}
    assert grown == {"wrong_source": (0, 0), "from_office": (2, 256), "to_office": (2, 256), "to_servers": (1, 128)}


def test_only_the_firewalled_server_is_silent_to_segments_it_does_not_know(office: Office) -> None:
    for server, resets in (
        ("192.0.2.12", True),
        ("192.0.2.13", False),
        ("2001:db8:ff::12", True),
        ("2001:db8:ff::13", False),
    ):
        with namespaces.inside(office.host_netns("gw")), asking_socket(socket.SOCK_STREAM, server, "wan0") as sock:
            sock.settimeout(PATIENCE_S if resets else ANSWER_S)
            if resets:
                with pytest.raises(ConnectionRefusedError):
                    sock.connect((server, 9))
            else:
                with pytest.raises(TimeoutError):
                    sock.connect((server, 9))


def test_a_renumbered_uplink_works_at_its_new_address_only(office: Office) -> None:
    office.inject("gateway-changed", "cable")
    with namespaces.inside(office.host_netns("gw")):
        assert until(lambda: ping(office, "198.51.100.65", "wan0"))
        assert not ping(office, "198.51.100.1", "wan0")
        with asking_socket(socket.SOCK_DGRAM, V4, "wan0") as sock:
            sock.connect((V4, 7001))
            sock.send(b"?")
            assert sock.recv(64).startswith(b"198.51.100.66 ")
        assert until(lambda: ping(office, V6, "wan0"))


def test_an_unknown_fault_breaks_nothing(office: Office) -> None:
    with pytest.raises(LabError, match="Did you mean 'blackhole'"):
        office.inject("blakhole", "cable")
    assert office.broken() == []
