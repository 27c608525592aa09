"""What a switch does to what was under way: moved, reset, drained or left alone; never with a wrong source.

Each scene is played once, with everybody in it; the tests then ask what became of whom.
"""

from __future__ import annotations

import select
import socket
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from tests.netns.conftest import a_name
from tests.netns.strangers import (
    ECHO,
    FAMILIES,
    FIREWALLED,
    GUEST,
    OFFICE,
    SERVER,
    SILENT,
    SO_BINDTODEVICE,
    STAFF,
    STREAM,
    TELLING,
    Commits,
    Ear,
    Tracked,
    accept,
    ask_by,
    connect,
    ends,
    events,
    forge,
    gateway_counters,
    go_home,
    make,
    move,
    numbers_of,
    serve,
    tracked,
    udp_packet,
    wrong_source,
)
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.gaps import Sample, between, of_stream
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.streams import raise_file_limit
from secondpath.lab.topology import ANCHORS_IPV4, ANCHORS_IPV6, find_topology, without_delay

pytestmark = [pytest.mark.netns, pytest.mark.alone]

BEAT_S = 0.02
FOREIGN = {10001: 0, 10002: 0x7, 10003: 0xCA6C, 10004: 0xABCD0000, 10005: 0x77770001}
"""Source port of a connection of other software -> its mark; the last one looks like ours, of another epoch."""


@dataclass
class Talker:
    """A connection of staff, and what it felt: when it was reset, which questions were answered when."""

    name: str
    sock: socket.socket
    asks: bool
    broken_s: float | None = None
    how: str = ""
    answered: list[tuple[float, float]] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    def ask(self) -> None:
        if self.asks and self.broken_s is None:
            number = len(self.asked)
            self.asked.append(time.monotonic())
            try:
                self.sock.send(number.to_bytes(4, "big"))
            except BlockingIOError:
                pass
            except OSError as error:
                self.broken(str(error))

    def hear(self) -> None:
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if self.sock.type is socket.SOCK_STREAM:
                self.broken(str(error))
            return
        now_s = time.monotonic()
        if self.sock.type is socket.SOCK_DGRAM:
            self.answered.append((self.asked[int.from_bytes(data[-4:], "big")], now_s))
        elif data:
            self.answered.append((now_s, now_s))
        else:
            self.broken("closed")

    def broken(self, how: str) -> None:
        self.broken_s, self.how = time.monotonic(), how


def talk(talkers: Sequence[Talker], for_s: float) -> None:
    """Everybody asks each 20 ms and hears what comes, for a while."""
    by_number = {t.sock.fileno(): t for t in talkers}
    poll = select.poll()
    for talker in talkers:
        talker.sock.setblocking(False)
        if talker.broken_s is None:
            poll.register(talker.sock, select.POLLIN)
    until_s = next_s = time.monotonic()
    until_s += for_s
    while time.monotonic() < until_s:
        if time.monotonic() >= next_s:
            for talker in talkers:
                talker.ask()
            next_s += BEAT_S
        for number, _ in poll.poll(max(0.0, next_s - time.monotonic()) * 1000):
            talker = by_number[number]
            talker.hear()
            if talker.broken_s is not None:
                poll.unregister(number)


def udp_talker(office: Office, name: str, server: str, port: int, source_port: int) -> Talker:
    sock = make(office, "staff", server, socket.SOCK_DGRAM, ("", source_port))
    sock.connect((server, port))
    return Talker(name, sock, asks=True)


def tcp_talker(office: Office, name: str, server: str, port: int, first: bytes = b"") -> Talker:
    sock = connect(office, "staff", (server, port))
    if first:
        sock.sendall(first)
    return Talker(name, sock, asks=not first and port == ECHO)


def crowd(office: Office, server: str, size: int) -> list[Talker]:
    """Many idle connections, opened at once."""
    socks = []
    for _ in range(size):
        sock = make(office, "staff", server, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex((server, SILENT))
        socks.append(sock)
    until_s = time.monotonic() + PATIENCE_S
    for sock in socks:
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        assert poll.poll(max(0.0, until_s - time.monotonic()) * 1000) == [(sock.fileno(), select.POLLOUT)]
    return [Talker("crowd", sock, asks=False) for sock in socks]


# ── The line in use dies ─────────────────────────────────────────────────────────────


@dataclass
class Death:
    """What was felt when cable died under people's hands."""

    box: Box
    talkers: list[Talker]
    switched_s: dict[str, float]
    before: list[Tracked]
    after: list[Tracked]
    inside: tuple[socket.socket, socket.socket]

    def named(self, name: str) -> Talker:
        return next(t for t in self.talkers if t.name == name)


@pytest.fixture(scope="module")
def death() -> Iterator[Death]:
    with Office.up(without_delay(find_topology("office")), a_name()) as office, Box.of(office) as box:
        box.until_well()
        move(box, "lte")
        talkers = [tcp_talker(office, f"on lte {f}", SERVER[f], ECHO) for f in FAMILIES]
        go_home(box)
        for family in FAMILIES:
            open_one, silent_one = SERVER[family], FIREWALLED[family]
            talkers += [
                udp_talker(office, f"phone {family}", open_one, TELLING, 5060),
                tcp_talker(office, f"requests {family}", open_one, ECHO),
                tcp_talker(office, f"requests, firewalled {family}", silent_one, ECHO),
                tcp_talker(office, f"download {family}", open_one, STREAM, b"10 1200\n"),
                tcp_talker(office, f"download, firewalled {family}", silent_one, STREAM, b"10 1200\n"),
            ]
        for port, mark in FOREIGN.items():
            ours = ["-s", "10.99.0.1", "-d", "10.99.0.2", "-p", "udp", "--sport", str(port), "--dport", "9"]
            office.run("gw", ["conntrack", "-I", *ours, "-t", "300", "-m", str(mark)], check=True)
        with serve(office, "guest", socket.SOCK_STREAM, 631) as printer:
            here = connect(office, "staff", (GUEST["ipv4"], 631))
            there = accept(printer)
        talk(talkers, 0.6)
        before = tracked(office)
        with ThreadPoolExecutor(1) as pool, Commits(office) as commits:
            heard = {talker.name: len(talker.answered) for talker in talkers}
            work = pool.submit(talk, talkers, 4.0)
            box.until(lambda: all(len(t.answered) > heard[t.name] for t in talkers), PATIENCE_S, "everybody talks")
            office.inject("blackhole", "cable")
            commits.wait()
            work.result()
        assert box.uses() == box.uses("ipv6") == "lte"
        committed = commits.of(box, [f"flows:cable/{f}" for f in FAMILIES])
        switched = {f: committed[f"flows:cable/{f}"] for f in FAMILIES}
        yield Death(box, talkers, switched, before, tracked(office), (here, there))
        for talker in talkers:
            talker.sock.close()
        here.close()
        there.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_udp_flow_with_a_fixed_port_flows_again_soon_after_the_switch(death: Death, family: str) -> None:
    phone, at_s = death.named(f"phone {family}"), death.switched_s[family]
    first_s = next(sent_s for sent_s, _ in phone.answered if sent_s > at_s)
    print(f"{family}: first question answered was asked {1000 * (first_s - at_s):.0f} ms after the switch")
    assert first_s - at_s <= 0.1
    later = [s for s in phone.asked if first_s <= s < phone.asked[-1] - 0.5]
    assert len(later) > 20
    assert set(later) <= {sent_s for sent_s, _ in phone.answered}, "and none is lost after that"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("work", ["requests", "requests, firewalled", "download", "download, firewalled"])
def test_a_tcp_connection_of_the_dead_uplink_is_reset_soon_after_the_switch(
    death: Death, work: str, family: str
) -> None:
    """A stream stayed on the dead modem for ever. https://github.com/openwrt/packages/issues/24973"""
    talker, at_s = death.named(f"{work} {family}"), death.switched_s[family]
    assert talker.answered, "it was at work before"
    assert talker.broken_s is not None
    print(f"{work} {family}: reset {1000 * (talker.broken_s - at_s):.0f} ms after the switch")
    assert talker.how == "[Errno 104] Connection reset by peer"
    assert 0.0 < talker.broken_s - at_s <= 0.1


def test_a_thousand_connections_are_reset_soon(quick_box: Box) -> None:
    raise_file_limit()
    office = quick_box.office
    many = [t for f in FAMILIES for t in crowd(office, SERVER[f], 500)]
    with ThreadPoolExecutor(1) as pool, Commits(office) as commits:
        work = pool.submit(talk, many, 2.5)
        office.inject("cable-cut", "cable")
        commits.wait()
        work.result()
        at_s = commits.at_s[0]
    resets = [t.broken_s for t in many if t.broken_s is not None]
    for talker in many:
        talker.sock.close()
    assert len(resets) == len(many) == 1000
    print(f"1,000 connections: the last is reset {1000 * (max(resets) - at_s):.0f} ms after the first of both switches")
    assert max(resets) - at_s <= 0.5


@pytest.mark.parametrize("family", FAMILIES)
def test_flows_on_the_healthy_uplink_feel_nothing(death: Death, family: str) -> None:
    """ "A global nuke": https://sindro.me/posts/2026-05-01-mwan3-failover-conntrack/"""
    talker = death.named(f"on lte {family}")
    assert talker.broken_s is None
    heard = [s for s, _ in talker.answered if s > death.switched_s[family] - 0.3]
    assert max(b - a for a, b in pairwise(heard)) < 0.3
    number, after = numbers_of(death.box)["lte"], {t.ends: t.mark for t in death.after}
    on_lte = {t.ends: t.mark for t in death.before if t.state == "ESTABLISHED" and t.mark & 0xFF == number}
    assert on_lte
    assert {its_ends: after.get(its_ends) for its_ends in on_lte} == on_lte


def test_connections_of_other_software_are_left_as_they_are(death: Death) -> None:
    for entries in (death.before, death.after):
        assert {t.sport: t.mark for t in entries if t.dport == 9} == FOREIGN


def test_flows_inside_the_office_are_left_as_they_are(death: Death) -> None:
    here, there = death.inside
    here.sendall(b"page")
    assert there.recv(16) == b"page"
    assert [t.mark for t in death.after if t.dport == 631 and t.state == "ESTABLISHED"] == [0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_late_reply_for_the_dead_uplink_draws_no_answer(death: Death, family: str) -> None:
    """A plain masquerading gateway sends `port unreachable` for it, by the default route of the moment: a leak."""
    office, address = death.box.office, OFFICE["cable"][family]
    office.heal("blackhole", "cable")
    before = wrong_source(office)
    with Ear(office, "isp-a", "access") as cable, Ear(office, "isp-b", "access") as lte:
        for port in (5060, 34567):
            forge(office, "internet", udp_packet((SERVER[family], TELLING), (address, port)))
        refusals = [
            p
            for p in all_before(death.box, family, cable, lte)
            if ends(p)[1] == SERVER[family] and ends(p)[2] in (1, 58)
        ]
    assert refusals == []
    assert wrong_source(office) == before == {"cable": 0, "lte": 0}


def all_before(box: Box, family: str, cable: Ear, lte: Ear) -> list[bytes]:
    """What came from the office to both ISPs by the time that the gateway has dealt with all that was sent before."""
    ask_by(box, "cable", family)  # the way that was forged on
    return [p for ear, uplink in ((cable, "cable"), (lte, "lte")) for p in ear.before(ask_by(box, uplink, family))]


# ── Going home, and the end of the drain ─────────────────────────────────────────────

DRAIN_S = 5.0
FAILBACKS = 20
RECONNECTS_TO = {"ipv4": "192.0.2.11", "ipv6": "2001:db8:ff::11"}


@dataclass
class Homecoming:
    """A call on lte, a client that reconnects each 50 ms, and twenty failbacks; then the drain ends."""

    box: Box
    home_s: float
    samples: list[Sample]
    reconnector: list[Sample]
    live_on_lte: dict[str, int]
    given_up_s: dict[str, float]


def live_on(box: Box, uplink: str, dests: Sequence[str]) -> int:
    """TCP connections towards these servers that are alive and bear that uplink's mark."""
    number = numbers_of(box)[uplink]
    alive = {"SYN_SENT", "SYN_RECV", "ESTABLISHED"}
    return sum(t.mark & 0xFF == number and t.dest in dests and t.state in alive for t in tracked(box.office))


def until_asked(box: Box, seat: Seat, at_s: float) -> None:
    """Wait until people have asked something at that instant or later."""
    box.until(lambda: seat.samples()[-1].sent_s >= at_s, PATIENCE_S, "people work on")


def until_reconnected(box: Box, seat: Seat, after_s: float) -> None:
    """Wait until every lasting connection has been answered since then.

    One whose SYN was under way in the moment of the switch asks again after a second: RFC 6298, section 2. Nobody but
    the client itself can hurry that.
    """
    lasting = {f"{kind}.{f}" for f in FAMILIES for kind, _ in LOAD if kind not in ("new-udp", "new-tcp")}

    def all_answered() -> bool:
        answered = {s.stream.rpartition(".")[0] for s in seat.samples() if s.sent_s > after_s and s.answered_s}
        return lasting <= answered

    box.until(all_answered, PATIENCE_S, "every lasting connection is answered again")


def until_heard(ear: Ear) -> None:
    """Wait until twenty more packets of people leave by the uplink that this ear is at."""
    before = len(ear.heard())
    ear.until(lambda packets: len(packets) >= before + 20)


@pytest.fixture(scope="module")
def homecoming() -> Iterator[Homecoming]:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office, drain=f"{DRAIN_S:g}s") as box:
        box.until_well()
        client = Seat.take(office, "staff", [Wish("new-tcp", f, 0.05, RECONNECTS_TO[f]) for f in FAMILIES])
        box.until(lambda: len(client.samples()) > 20, PATIENCE_S, "the client is at work")
        with Ear(office, "isp-a", "access") as cable, Ear(office, "isp-b", "access") as lte:
            for _ in range(FAILBACKS - 1):
                move(box, "lte")
                until_heard(lte)
                go_home(box)
                until_heard(cable)
        move(box, "lte")
        wishes = [Wish(kind, f, 0.02) for f in FAMILIES for kind in ("call", "new-udp")]
        people = Seat.take(office, "staff", [*wishes, *(Wish("lasting-tcp", f, 0.05) for f in FAMILIES)])
        box.until(lambda: len(people.samples()) > 100, PATIENCE_S, "people are at work")
        home_s = go_home(box)
        with Commits(office) as commits:
            until_asked(box, people, home_s + 1.0)
            live = {"before the drain's end": live_on(box, "lte", list(RECONNECTS_TO.values()))}
            commits.wait()
            until_asked(box, people, time.monotonic() + 2.0)
            committed = commits.of(box, [f"flows:lte/{f}" for f in FAMILIES])
        live["after it"] = live_on(box, "lte", [*RECONNECTS_TO.values(), *SERVER.values()])
        given_up = {f: committed[f"flows:lte/{f}"] for f in FAMILIES}
        felt, reconnected = people.leave(), client.leave()
        yield Homecoming(box, home_s, felt, reconnected, live, given_up)


# ── A hundred switches, and cables pulled and mended, under load ─────────────────────

SWITCHES = 100
CUTS = 3


@dataclass
class Stress:
    """What the ISPs and our own guard counted."""

    wrong: dict[str, int]
    counters: dict[str, int]
    answered: dict[str, float]
    switches: int
    refused: list[bytes]
    held_back: set[str]


def note_whom_the_guard_holds(box: Box) -> None:
    """A table of the test's own asks right before the guard what the guard asks, and writes the addressees down."""
    sets = "".join(f"set held_{f} {{ type {f}_addr; flags dynamic; size 999; }}\n" for f in FAMILIES)
    rules = (
        'oifname != { "wan0", "wwan0" } accept',
        "fib saddr . oif type local accept",
        "ip6 saddr :: accept",
        "update @held_ipv4 { ip daddr }",
        "update @held_ipv6 { ip6 daddr }",
    )
    chain = "chain held {\ntype filter hook postrouting priority 299; policy accept;\n" + "\n".join(rules) + "\n}\n"
    box.office.run("gw", ["nft", "-f", "-"], text_in=f"table inet witness {{\n{sets}{chain}}}\n", check=True)


def whom_the_guard_held(box: Box) -> set[str]:
    """The addresses that were written down."""
    held: set[str] = set()
    for family in FAMILIES:
        said = box.office.run("gw", ["nft", "list", "set", "inet", "witness", f"held_{family}"], check=True).stdout
        held |= {
            word.strip() for word in said.partition("elements = {")[2].partition("}")[0].split(",") if word.strip()
        }
    return held


@pytest.fixture(scope="module")
def stress() -> Stress:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office, drain="0s") as box:
        box.until_well()
        wishes = [Wish(kind, f, every_s) for f in FAMILIES for kind, every_s in LOAD]
        staff = Seat.take(office, "staff", wishes)
        guest = Seat.take(office, "guest", [Wish("new-udp", f, 0.05) for f in FAMILIES])
        box.until(lambda: len(staff.samples()) > 100, PATIENCE_S, "people are at work")
        note_whom_the_guard_holds(box)
        with Ear(office, "isp-a", "access") as cable, Ear(office, "isp-b", "access") as lte:
            for number in range(SWITCHES):
                (move if number % 2 == 0 else lambda b, _: go_home(b))(box, "lte")
                until_heard(lte if number % 2 == 0 else cable)
            for _ in range(CUTS):
                office.inject("cable-cut", "cable")
                box.until(lambda: box.uses() == box.uses("ipv6") == "lte", PATIENCE_S, "both families run on lte")
                until_heard(lte)
                office.mend()
                box.until(lambda: box.health("cable") == box.health("cable", "ipv6") == "up", PATIENCE_S, "cable is up")
                go_home(box)
                until_heard(cable)
            servers = set(SERVER.values())
            icmp = [p for ear in (cable, lte) for p in ear.heard() if ends(p)[2] in (1, 58) and ends(p)[1] in servers]
        until_reconnected(box, staff, time.monotonic())
        settled_s = time.monotonic()
        until_asked(box, staff, settled_s + 1.2)
        samples = between(staff.leave(), settled_s, settled_s + 1.0)
        guest.leave()
        answered = defaultdict[str, list[bool]](list)
        for sample in samples:
            answered[sample.stream].append(sample.answered_s is not None)
        shares = {stream: sum(ok) / len(ok) for stream, ok in answered.items()}
        held = whom_the_guard_held(box)
        return Stress(wrong_source(office), dict(gateway_counters(box)), shares, SWITCHES, icmp, held)


LOAD = (("lasting-udp", 0.02), ("new-udp", 0.02), ("new-tcp", 0.05), ("lasting-tcp", 0.05), ("download", 0.05))


def test_a_call_stays_on_the_backup_without_losing_a_packet_until_the_drain_ends(homecoming: Homecoming) -> None:
    """Going home killed everyone's flows, so it was off by default. https://github.com/openwrt/packages/pull/3050"""
    for family in FAMILIES:
        until_s = homecoming.given_up_s[family] - 0.15  # what is under way at the end is cut off
        call = between(of_stream(homecoming.samples, "call", family), homecoming.home_s - 0.5, until_s)
        assert len(call) > 100
        assert {s.note for s in call} == {OFFICE["lte"][family]}, "every packet came back, by lte"


def test_new_flows_go_home_at_once(homecoming: Homecoming) -> None:
    for family in FAMILIES:
        new = between(of_stream(homecoming.samples, "new-udp", family), homecoming.home_s, homecoming.home_s + 3.0)
        elsewhere = [s for s in new if s.note != OFFICE["cable"][family]]
        print(f"{family}: {len(elsewhere)} of {len(new)} new flows not by cable: {elsewhere[:3]}")
        assert len(new) > 50
        assert len(elsewhere) <= 2, "a fresh port may by chance be that of a flow which still lives on lte"


def test_a_client_that_reconnects_each_50_ms_leaves_nothing_on_the_backup(homecoming: Homecoming) -> None:
    """15 h of metered LTE after an outage of a minute. https://github.com/opnsense/core/issues/10684"""
    print(f"live on lte: {homecoming.live_on_lte}")
    assert homecoming.live_on_lte == {"before the drain's end": 0, "after it": 0}
    unanswered = [s for s in homecoming.reconnector if s.answered_s is None]
    assert unanswered == [], "and no connection of its failed on the way"


def test_at_the_end_of_the_drain_what_is_left_on_the_backup_moves_home(homecoming: Homecoming) -> None:
    """Flows never returned from LTE. https://github.com/opnsense/core/issues/6803"""
    for family in FAMILIES:
        at_s, home = homecoming.given_up_s[family], OFFICE["cable"][family]
        assert abs(at_s - homecoming.home_s - DRAIN_S) < 0.5
        for kind, limit_s in (("call", 0.1), ("lasting-tcp", 0.4)):
            later = [s for s in of_stream(homecoming.samples, kind, family) if s.sent_s > at_s and s.note == home]
            print(f"{kind} {family}: home {1000 * (later[0].sent_s - at_s):.0f} ms after the drain's end")
            assert later[0].sent_s - at_s <= limit_s


def test_a_hundred_switches_under_load_send_nothing_with_a_wrong_source(stress: Stress) -> None:
    print(f"ISPs: {stress.wrong}; ours: {stress.counters}; held back towards {stress.held_back}")
    assert stress.wrong == {"cable": 0, "lte": 0}


def test_our_own_guard_held_back_nothing_but_the_gateways_refusals_of_late_answers_to_its_probes(
    stress: Stress,
) -> None:
    """A probe that was given up is answered after all: the kernel refuses that by the default route of the moment."""
    assert stress.held_back <= {*ANCHORS_IPV4, *ANCHORS_IPV6}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_late_answer_to_a_probe_is_refused_on_no_uplink(quick_box: Box, family: str) -> None:
    box, office, server = quick_box, quick_box.office, SERVER[family]
    with make(office, "gw", server, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"wan0")
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, numbers_of(box)["cable"])
        probe.connect((server, TELLING))
        probe.send(b"?")
        probe.recv(64)
        port = probe.getsockname()[1]
    move(box, "lte")
    held = gateway_counters(box)["wrong_source_2"]
    with Ear(office, "isp-a", "access") as cable, Ear(office, "isp-b", "access") as lte:
        forge(office, "internet", udp_packet((server, TELLING), (OFFICE["cable"][family], port)))
        refusals = [p for p in all_before(box, family, cable, lte) if ends(p)[1] == server]
    assert refusals == []
    assert wrong_source(office) == {"cable": 0, "lte": 0}
    assert gateway_counters(box)["wrong_source_2"] == held + 1, "the guard tells of what it held back"


def test_no_late_reply_draws_a_refusal_from_the_gateway(stress: Stress) -> None:
    assert stress.refused == []


def test_afterwards_everything_works_as_before(stress: Stress) -> None:
    assert len(stress.answered) == 2 * len(LOAD)
    assert set(stress.answered.values()) == {1.0}


# ── Everything dies ──────────────────────────────────────────────────────────────────


def test_with_both_uplinks_dead_nothing_is_killed_and_all_goes_on_when_they_return(quick_box: Box) -> None:
    """States were killed with nowhere to go. https://github.com/opnsense/core/issues/9789"""
    box, office = quick_box, quick_box.office
    talkers = [
        talker
        for f in FAMILIES
        for talker in (tcp_talker(office, f, SERVER[f], ECHO), udp_talker(office, f, SERVER[f], TELLING, 5060))
    ]
    talk(talkers, 0.3)
    office.inject("cable-cut", "lte")
    for family in FAMILIES:
        box.until(lambda f=family: box.health("lte", f) == "down", PATIENCE_S, "lte is known to be dead")  # type: ignore[misc]
    mine = {t.ends: t.mark for t in tracked(office) if t.source in STAFF.values() and t.dport in (ECHO, TELLING)}
    routes = office.run("gw", ["ip", "route", "show", "table", "all"]).stdout
    office.inject("blackhole", "cable")
    for family in FAMILIES:
        box.until(lambda f=family: box.health("cable", f) == "down", PATIENCE_S, "cable is known to be dead")  # type: ignore[misc]
    talk(talkers, 0.5)
    after = {t.ends: t.mark for t in tracked(office)}
    assert len(mine) == 4
    assert {e: after.get(e) for e in mine} == mine, "nothing was flushed"
    assert [t.broken_s for t in talkers] == [None] * 4, "nothing was reset"
    assert sorted(office.run("gw", ["ip", "route", "show", "table", "all"]).stdout.split("\n")) == sorted(
        routes.split("\n")
    )
    assert not events(box, "flows:cable/ipv4")
    heard = [len(t.answered) for t in talkers]
    office.heal("blackhole", "cable")
    until_s = time.monotonic() + PATIENCE_S
    while not all(len(t.answered) > before for t, before in zip(talkers, heard, strict=True)):
        assert time.monotonic() < until_s, "the same connections go on"
        talk(talkers, 0.5)
    for talker in talkers:
        talker.sock.close()


# ── At last ──────────────────────────────────────────────────────────────────────────


def test_the_sweep_says_that_nothing_was_left(homecoming: Homecoming) -> None:
    """It comes 15 s after the end of the drain: while others played, most of that time has passed."""
    box = homecoming.box
    for family in FAMILIES:
        box.until(lambda f=family: bool(events(box, f"sweep:lte/{f}")), PATIENCE_S, "the sweep is told")  # type: ignore[misc]
        assert [event["detail"]["left"] for event in events(box, f"sweep:lte/{family}")] == [0]
    assert wrong_source(box.office) == {"cable": 0, "lte": 0}
