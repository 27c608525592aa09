"""What others' users lost when their gateway switched, with ours: phones, mail, tunnels, names, and what goes home.

Each complaint was written down by somebody to whom it happened; its link stands in the test. The offices of this file
stand beside each other, and their scenes are played while the first test waits.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import at_work, felt_by, hurt, is_up, source_seen, uses, work_on
from tests.netns.strangers import (
    ECHO,
    FAMILIES,
    OFFICE,
    SERVER,
    TELLING,
    connect,
    make,
    numbers_of,
    serve,
    tracked,
    wrong_source,
)
from tests.patience import PATIENCE_S

from secondpath.judge.delay import KNOWN_S
from secondpath.lab.box import Box, config_of
from secondpath.lab.gaps import between, loss_ratio, of_stream, resets
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import find_topology
from secondpath.record.query import events

pytestmark = pytest.mark.netns

DRAIN_S = 3.0


def answer_of(sock: socket.socket) -> str:
    """Ask until somebody answers, as phones and tunnels do; the address that was seen out there."""
    until_s = time.monotonic() + PATIENCE_S
    sock.settimeout(0.1)
    while time.monotonic() < until_s:
        with suppress(TimeoutError, ConnectionRefusedError):
            sock.send(b"?")
            return sock.recv(64).split(b" ")[0].decode()
    raise TimeoutError("nobody answers")


class Phone:
    """A phone of staff: SIP from a fixed port, with keep-alives that never let it be forgotten; RTP as calls come."""

    def __init__(self, office: Office, family: str) -> None:
        self.office, self.family = office, family
        self.sip = make(office, "staff", SERVER[family], socket.SOCK_DGRAM, ("", 5060))
        self.sip.connect((SERVER[family], TELLING))

    def seen(self) -> tuple[str, str]:
        """The addresses that the registrar sees, and the other side of a new call."""
        with make(self.office, "staff", SERVER[self.family], socket.SOCK_DGRAM) as rtp:
            rtp.connect((SERVER[self.family], TELLING))
            return answer_of(self.sip), answer_of(rtp)


# ── The phones of an office whose line fails, heals and is renumbered ────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PhoneDay:
    """Where registration and voice of each family's phone travelled, by what had happened; and what was left behind."""

    seen: dict[str, list[tuple[str, str]]]
    left_on_lte: list[str]
    strays: dict[str, int]


def a_day_of_phones() -> PhoneDay:
    """Cable fails and is mended, three times; then its provider renumbers."""
    topology = find_topology("office")
    with (
        Office.up(topology, a_name()) as office,
        Box.of(office, hold="1s", hold_max="5s", drain=f"{DRAIN_S:g}s") as box,
    ):
        box.until_well()
        phones = [Phone(office, family) for family in FAMILIES]
        seen = {"start": [phone.seen() for phone in phones]}
        for number, fault in enumerate(("blackhole", "cable-cut", "blackhole"), 1):
            office.inject(fault, "cable")
            box.until(lambda: uses(box, "lte"), PATIENCE_S, "the office runs on lte")
            seen[f"failover {number}"] = [phone.seen() for phone in phones]
            office.heal(fault, "cable")
            box.until(lambda: uses(box, "cable"), PATIENCE_S, "the office comes home by itself")
            drained = [f"flows:lte/{family}" for family in FAMILIES]
            box.until(partial(are_told, box, drained, number), DRAIN_S + PATIENCE_S, "the drain ends")
            seen[f"failback {number}"] = [phone.seen() for phone in phones]
        left = [str(t) for t in tracked(office) if t.dport == TELLING and t.mark & 0xFF == numbers_of(box)["lte"]]
        strays = wrong_source(office)
        office.inject("gateway-changed", "cable")
        renumbered = "".join(NEW_ADDRESS.values())
        box.until(lambda: "".join(p.seen()[0] for p in phones) == renumbered, PATIENCE_S, "the new address is used")
        seen["renumbered"] = [phone.seen() for phone in phones]
        for phone in phones:
            phone.sip.close()
        return PhoneDay(seen, left, strays)


NEW_ADDRESS = {"ipv4": "198.51.100.66", "ipv6": "2001:db8:1::66"}


def are_told(box: Box, subjects: Sequence[str], times: int) -> bool:
    """Whether each of these was told about so often."""
    told = subjects_told(box)
    return all(told.count(subject) >= times for subject in subjects)


def subjects_told(box: Box) -> list[str]:
    """What every event so far is about."""
    return [event.transition.subject for event in events(box.state_dir / "book.db", after=0, limit=10_000)]


# ── A line that dies by halves; and a flow that begins while the table is gone ───────────────────────────────


@dataclass(frozen=True, slots=True)
class Halves:
    """Where each family left, and what part of names resolved: without IPv6, then without both. And after a gap."""

    ways: tuple[dict[str, str], ...]
    names: tuple[dict[str, float], ...]
    gap_flow_s: float


def a_line_that_dies_by_halves() -> Halves:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office) as box:
        box.until_well()
        seat = Seat.take(office, "staff", [Wish("dns", family, 0.05) for family in FAMILIES])
        box.until(lambda: len(seat.samples()) > 40, PATIENCE_S, "people ask for names")
        answered: list[dict[str, float]] = []
        ways: list[dict[str, str]] = []
        for fault, family in (("blackhole-v6", "ipv6"), ("blackhole-v4", "ipv4")):
            office.inject(fault, "cable")
            box.until(partial(runs_on, box, "lte", family), PATIENCE_S, f"{family} runs on lte")
            ways.append({f: source_seen(office, f) for f in FAMILIES})
            since = time.monotonic()
            until_heard(box, seat, since + 2.0)
            asked = between(seat.samples(), since, since + 1.0)
            answered.append({f: 1 - loss_ratio(of_stream(asked, "dns", f)) for f in FAMILIES})
        seat.leave()
        return Halves(tuple(ways), tuple(answered), a_flow_begun_in_the_gap(box))


def runs_on(box: Box, uplink: str, family: str) -> bool:
    return box.uses(family) == uplink


def until_heard(box: Box, seat: Seat, at_s: float) -> None:
    """Wait until what people asked before that instant is answered and written down."""
    box.until(lambda: any(s.sent_s >= at_s for s in seat.samples()[-1:]), PATIENCE_S, "people work on")


def a_flow_begun_in_the_gap(box: Box) -> float:
    """A tunnel that begins to send while nobody translates: how long until it is answered once the table is back."""
    office = box.office
    assert box.process is not None
    box.process.send_signal(signal.SIGSTOP)
    try:
        office.run("gw", ["nft", "-f", "-"], text_in=ONLY_OTHERS, check=True)
        tunnel = make(office, "staff", SERVER["ipv4"], socket.SOCK_DGRAM, ("", 4242))
        tunnel.connect((SERVER["ipv4"], TELLING))
        for _ in range(20):
            tunnel.send(b"handshake")
            time.sleep(0.02)
        untranslated = [t for t in tracked(office) if t.sport == 4242]
        assert [t.mark for t in untranslated] == [0], "the kernel knows the flow, and not as ours"
    finally:
        box.process.send_signal(signal.SIGCONT)
    began_s = time.monotonic()
    with tunnel:
        answer_of(tunnel)
    return time.monotonic() - began_s


ONLY_OTHERS = """flush ruleset
table inet stranger {
  chain seen { type filter hook forward priority 0; policy accept;
    ct state new accept
  }
}
"""
"""Our table is gone, and somebody else's makes the kernel remember flows."""


# ── Trouble on the line that nobody uses, and on the only one there is ───────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Beside:
    """What people on cable felt, and which switches were told."""

    felt_beside_a_bad_standby: list[str]
    felt_without_a_backup: list[str]
    switches: list[str]
    health: dict[str, str]
    marks_kept: bool


def trouble_beside_people() -> Beside:
    """First lte loses, flaps and dies beside people on cable. Then it stays dead, and cable becomes slow."""
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office) as box:
        began_s = time.monotonic()
        box.until_well()
        seat, since = at_work(box)
        office.inject("loss-30", "lte")
        work_on(box, 4.0)
        office.heal("loss-30", "lte")
        for _ in range(3):
            office.inject("cable-cut", "lte")
            box.until(lambda: box.health("lte") == "down", PATIENCE_S, "lte is down")
            office.heal("cable-cut", "lte")
            box.until(lambda: is_up(box, "lte"), PATIENCE_S, "lte is up again")
        office.inject("cable-cut", "lte")
        box.until(lambda: box.health("lte") == box.health("lte", "ipv6") == "down", PATIENCE_S, "lte is down for good")
        beside = hurt(felt_by(box, seat, since))
        with connect(office, "staff", (SERVER["ipv4"], ECHO)) as call:
            call.sendall(b"hello")
            call.recv(16)
            mine = {t.ends: t.mark for t in tracked(office) if t.dport == ECHO}
            people = Seat.take(office, "staff", [Wish("lasting-tcp", family, 0.1) for family in FAMILIES])
            box.until(lambda: len(people.samples()) > 20, PATIENCE_S, "people are at work")
            box.until(lambda: time.monotonic() > began_s + 2 * KNOWN_S, PATIENCE_S, "what is usual on cable is known")
            office.run("isp-a", ["nft", "-f", "-"], text_in=DEAF_ROUTER, check=True)
            office.inject("delay+300", "cable")
            slow = partial(is_degraded, box, "cable")
            box.until(slow, PATIENCE_S, "cable is seen to be slow")
            work_on(box, 4.0)
            health = {uplink: box.health(uplink) for uplink in ("cable", "lte")}
            felt = people.leave()
            broken = [f"{f}: {resets(of_stream(felt, 'lasting-tcp', f))}" for f in FAMILIES]
            call.sendall(b"still here")
            assert call.recv(16) == b"still here"
            after = {t.ends: t.mark for t in tracked(office)}
        switches = [subject for subject in subjects_told(box) if subject.startswith(("steering", "flows:cable"))]
        return Beside(beside, broken, switches, health, all(after.get(e) == mark for e, mark in mine.items()))


def is_degraded(box: Box, uplink: str) -> bool:
    return all(box.health(uplink, family) == "degraded" for family in FAMILIES)


DEAF_ROUTER = """table inet deaf {
  chain asked { type filter hook input priority -150; policy accept;
    icmp type echo-request drop
    icmpv6 type echo-request drop
  }
}
"""
"""The provider's router no longer answers pings."""


# ── What became of whom ──────────────────────────────────────────────────────────────────────────────────────

SCENES: dict[str, Callable[[], object]] = {
    "phones": a_day_of_phones,
    "halves": a_line_that_dies_by_halves,
    "beside": trouble_beside_people,
}


@pytest.fixture(scope="module")
def scenes() -> Iterator[dict[str, Future[object]]]:
    with ThreadPoolExecutor(len(SCENES)) as pool:
        yield {name: pool.submit(scene) for name, scene in SCENES.items()}


@pytest.fixture
def phones(scenes: dict[str, Future[object]]) -> PhoneDay:
    day = scenes["phones"].result()
    assert isinstance(day, PhoneDay)
    return day


@pytest.fixture
def halves(scenes: dict[str, Future[object]]) -> Halves:
    day = scenes["halves"].result()
    assert isinstance(day, Halves)
    return day


@pytest.fixture
def beside(scenes: dict[str, Future[object]]) -> Beside:
    day = scenes["beside"].result()
    assert isinstance(day, Beside)
    return day


def together(uplink: str) -> list[tuple[str, str]]:
    """Registration and voice of both families' phones by that uplink."""
    return [(OFFICE[uplink][family], OFFICE[uplink][family]) for family in FAMILIES]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_failover_works_twice_and_thrice(phones: PhoneDay, number: int) -> None:
    """It worked once; then the page said "failed over" and the traffic said no: opnsense/core#3688.

    https://github.com/opnsense/core/issues/3688
    """
    assert phones.seen[f"failover {number}"] == together("lte")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_registration_and_voice_of_a_phone_are_on_the_same_line_once_it_is_home(phones: PhoneDay, number: int) -> None:
    """SIP stayed on tier 2, new RTP left by tier 1: phones dead until somebody flushed the states by hand.

    Nobody need flush anything here: when the drain ends, a registration that never rests comes home too. This says
    nothing of the time before: while the drain lasts, the registration stays and the voice of a new call goes home.
    https://github.com/opnsense/core/issues/3516
    """
    assert phones.seen["start"] == together("cable")
    assert phones.seen[f"failback {number}"] == together("cable")


def test_a_registration_outlives_a_change_of_the_lines_address(phones: PhoneDay) -> None:
    """Stale UDP states kept every phone's REGISTER unanswered. https://github.com/opnsense/core/issues/4652"""
    assert phones.seen["renumbered"] == [(NEW_ADDRESS[f], NEW_ADDRESS[f]) for f in FAMILIES]


def test_a_registration_that_never_rests_leaves_nothing_on_the_backup(phones: PhoneDay) -> None:
    """Tunnels stuck to the paid backup after each nightly reset of the line, until they were restarted.

    https://github.com/opnsense/core/issues/6363
    """
    assert phones.left_on_lte == []
    assert phones.strays == {"cable": 0, "lte": 0}


def test_a_dead_family_keeps_the_other_from_nothing(halves: Halves) -> None:
    """A dead IPv6 stayed active and then the failover of IPv4 failed. https://github.com/opnsense/core/issues/8064"""
    assert halves.ways == ({"ipv4": "cable", "ipv6": "lte"}, {"ipv4": "lte", "ipv6": "lte"})


def test_names_resolve_by_the_backup(halves: Halves) -> None:
    """Names stopped resolving after the failover; the name servers of the backup were not used.

    https://github.com/openwrt/packages/issues/27631 and https://github.com/opnsense/core/issues/8064
    """
    assert halves.names == ({"ipv4": 1.0, "ipv6": 1.0}, {"ipv4": 1.0, "ipv6": 1.0})


def test_a_flow_that_began_while_nobody_translated_works_soon_after(halves: Halves) -> None:
    """It stayed wrong for as long as it kept sending. https://github.com/slackhq/nebula/issues/889"""
    print(f"answered {halves.gap_flow_s:.2f} s after the gateway could mend its table")
    assert halves.gap_flow_s < PATIENCE_S


def test_trouble_on_the_standby_disturbs_nobody_on_the_line_in_use(beside: Beside) -> None:
    """Loss on a line that nobody used disrupted the one in use. https://github.com/opnsense/core/issues/5017"""
    assert beside.felt_beside_a_bad_standby == []
    assert beside.switches == []


def test_a_slow_line_without_a_backup_kills_nothing(beside: Beside) -> None:
    """The provider's router was slow to answer pings: states were killed every 1 to 3 minutes, for nothing better.

    https://github.com/opnsense/core/issues/9789, https://internetsecure.org/blog?post=opnsense-failover-kills-states-no-target
    """
    assert beside.health == {"cable": "degraded", "lte": "down"}
    assert beside.felt_without_a_backup == ["ipv4: 0", "ipv6: 0"]
    assert beside.marks_kept
    assert beside.switches == []


# ── Answers leave where the question came in ────────────────────────────────────────────────────────────────

MAIL = """
[[forward]]
port = "tcp/25"
to = "10.44.10.10:25"

[[forward]]
port = "tcp/25"
to = "[fd44:10::10]:25"
"""


def test_mail_to_the_primary_is_answered_by_it_though_the_sender_sits_in_the_standby_s_subnet() -> None:
    """Mail was answered out of the standby, where main knows a nearer way; replies did not follow the connection.

    https://veraciousnetwork.com/posts/2025-01/21-ubiquiti-dual-wan-route-issues.html
    """
    topology = find_topology("office")
    with Office.up(topology, a_name()) as office, Box.of(office, config_of(topology) + MAIL) as box:
        box.until_well()
        with serve(office, "staff", socket.SOCK_STREAM, 25):
            for family, sender in {"ipv4": "203.0.113.1", "ipv6": "2001:db8:2::1"}.items():
                mail = make(office, "isp-b", sender, socket.SOCK_STREAM, (sender, 0))
                mail.settimeout(PATIENCE_S)
                mail.connect((OFFICE["cable"][family], 25))
                mail.close()
        counters = box.status()["evidence"]["counters"]
        assert counters["wrong_source_2"] == 0, "no answer left by the standby with the primary's address"
