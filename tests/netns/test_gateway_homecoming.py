"""Going home gently: calls, tunnels and phones are left where they are, all else comes home, and then nothing is left.

The scene is played once: an office at work on lte comes home while people are on the phone; the tests ask what became
of whom.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.netns.conftest import a_name
from tests.netns.strangers import (
    ECHO,
    OFFICE,
    SERVER,
    SILENT,
    STAFF,
    STREAM,
    Ear,
    connect,
    ends,
    events,
    go_home,
    make,
    move,
    numbers_of,
    tracked,
)
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.gaps import Sample, between
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import find_topology, without_delay
from secondpath.model import CLASSES

pytestmark = [pytest.mark.netns, pytest.mark.alone]

CALLS, DOWNLOADS = 10, 6
MIRROR, TELLING = 10000, 7001
ANOTHER_PHONE = "10.44.10.11"
VOICE, BULK, OFFICES = (CLASSES[name].ident for name in ("voice", "bulk", "office"))
LOOKS_S = 8.0
"""Two looks, 2 s apart, and what a busy machine adds."""


class Decoy(threading.Thread):
    """500 datagrams a second of 1.2 kB to a high port, mirrored: what a QUIC transfer looks like, and no call."""

    def __init__(self, office: Office, source_port: int) -> None:
        super().__init__(daemon=True)
        self.sock = make(office, "staff", SERVER["ipv4"], socket.SOCK_DGRAM, ("", source_port))
        self.sock.connect((SERVER["ipv4"], MIRROR))
        self.over = threading.Event()

    def run(self) -> None:
        due_s = time.monotonic()
        while not self.over.is_set():
            self.sock.send(bytes(1172))
            due_s += 0.002
            self.over.wait(max(0.0, due_s - time.monotonic()))

    def __enter__(self) -> Decoy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()
        self.sock.close()


class Downloads(threading.Thread):
    """Large downloads, read as they come; when each of them was broken off."""

    def __init__(self, office: Office, count: int) -> None:
        super().__init__(daemon=True)
        self.socks = [connect(office, "staff", (SERVER["ipv4"], STREAM)) for _ in range(count)]
        self.broken_s: dict[int, float] = {}
        for sock in self.socks:
            sock.sendall(b"20 40000\n")

    def run(self) -> None:
        readers = [threading.Thread(target=self.read, args=[number], daemon=True) for number in range(len(self.socks))]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()

    def read(self, number: int) -> None:
        try:
            while self.socks[number].recv(1 << 18):
                pass
        except OSError:
            pass
        self.broken_s[number] = time.monotonic()

    def __enter__(self) -> Downloads:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self.socks:
            sock.close()


def by_sport(office: Office, *sports: int) -> dict[int, int]:
    """The class in the mark of each UDP flow from staff with one of these source ports."""
    return {t.sport: t.mark >> 8 & 0x7F for t in tracked(office) if t.protocol == "udp" and t.sport in sports}


@dataclass
class Homecoming:
    """What was felt, by stream, and what was seen of the kernel and of the gateway on the way."""

    box: Box
    classes: dict[int, int]
    decoy: int
    bulk_before: int
    home_s: float
    downloads_broken_s: list[float]
    calls: list[Sample]
    tunnels: list[Sample]
    phones: dict[str, list[Sample]]
    other_phone: list[Sample]
    new_voice: list[str]
    told: list[dict[str, Any]]
    calls_ended_s: float
    registration_home_s: float
    metered_later: list[tuple[str, str, int]]


CALL_PORTS = tuple(range(30_000, 30_000 + 2 * CALLS, 2))
DECOY_PORT, PHONE_PORT = 33_000, 5060


@pytest.fixture(scope="module")
def homecoming() -> Iterator[Homecoming]:
    with Office.up(without_delay(find_topology("office")), a_name()) as office, Box.of(office, drain="5min") as box:
        office.run("staff", ["ip", "address", "add", f"{ANOTHER_PHONE}/24", "dev", "eth0"], check=True)
        box.until_well()
        move(box, "lte")
        with ExitStack() as stack:
            calls = Seat.take(office, "staff", [Wish("call", every_s=0.02, port=port) for port in CALL_PORTS])
            tunnels = Seat.take(office, "staff", [Wish("lasting-udp", every_s=0.1, port=p) for p in (500, 4500, 51820)])
            phone = Seat.take(office, "staff", [Wish("lasting-udp", every_s=0.1, port=PHONE_PORT)])
            other = Seat.take(
                office, "staff", [Wish("lasting-udp", every_s=0.1, port=PHONE_PORT, source=ANOTHER_PHONE)]
            )
            decoys = stack.enter_context(ExitStack())
            decoys.enter_context(Decoy(office, DECOY_PORT))
            downloads = stack.enter_context(Downloads(office, DOWNLOADS))
            box.until(
                lambda: list(by_sport(office, *CALL_PORTS).values()) == [VOICE] * CALLS, LOOKS_S, "all calls are found"
            )
            box.until(lambda: bulk_on_lte(box) == DOWNLOADS, LOOKS_S, "all downloads are found")
            classes, decoy = by_sport(office, *CALL_PORTS), by_sport(office, DECOY_PORT)[DECOY_PORT]
            bulk_before = bulk_on_lte(box)
            decoys.close()
            home_s = go_home(box)
            box.until(lambda: len(downloads.broken_s) == DOWNLOADS, PATIENCE_S, "the downloads are broken off")
            box.until(lambda: bool(box.status()["finishing"]), LOOKS_S, "it is told what finishes")
            box.until(lambda: bool(told_of(box, "call")), LOOKS_S, "and how many calls")
            told = list(box.status()["finishing"])
            new_voice = [who(office, MIRROR, None), who(office, MIRROR, ANOTHER_PHONE), who(office, TELLING, None)]
            until_s = time.monotonic() + 4.0
            box.until(lambda: phone.samples()[-1].sent_s > until_s, LOOKS_S, "two more looks")
            felt = calls.leave()
            ended_s = time.monotonic()
            box.until(lambda: phone.samples()[-1].note == OFFICE["cable"]["ipv4"], 10.0, "the phone comes home")
            registered_s = next(s.sent_s for s in phone.samples() if s.note == OFFICE["cable"]["ipv4"])
            tunnelled = tunnels.leave()
            phones = {"on the phone": phone.samples(), "idle": other.samples()}
            with Ear(office, "isp-b", "access") as lte:
                heard_s = time.monotonic() + max(0.0, ended_s + 10.0 - time.monotonic())
                while time.monotonic() < heard_s:  # nothing is to come: there is nothing else to wait for
                    lte.heard()
                    time.sleep(0.1)
                before = len(lte.heard())
                box.until(lambda: phone.samples()[-1].sent_s > heard_s + 5.0, 20.0, "people work on at home")
                later = [ends(packet) for packet in lte.heard()[before:]]
            phone.leave()
            other.leave()
            yield Homecoming(
                box, classes, decoy, bulk_before, home_s, sorted(downloads.broken_s.values()), felt, tunnelled, phones,
                phones["idle"], new_voice, told, ended_s, registered_s, later,
            )  # fmt: skip


def bulk_on_lte(box: Box) -> int:
    number = numbers_of(box)["lte"]
    flows = [t for t in tracked(box.office) if t.dport == STREAM and t.state == "ESTABLISHED"]
    return sum(t.mark & 0x7F == number and t.mark >> 8 & 0x7F == BULK for t in flows)


def told_of(box: Box, kind: str) -> int:
    return sum(f["counts"].get(kind, 0) for f in box.status()["finishing"])


def who(office: Office, port: int, source: str | None) -> str:
    """The address by which a new flow of a phone is seen outside."""
    with make(office, "staff", SERVER["ipv4"], socket.SOCK_DGRAM, (source, 0) if source else None) as sock:
        sock.connect((SERVER["ipv4"], port))
        sock.send(bytes(160))
        return sock.recv(2048).partition(b" ")[0].decode()


def test_calls_to_an_unknown_address_are_found_by_their_rhythm(homecoming: Homecoming) -> None:
    assert homecoming.classes == dict.fromkeys(CALL_PORTS, VOICE)


def test_what_only_moves_as_much_is_no_call(homecoming: Homecoming) -> None:
    assert homecoming.decoy == OFFICES


def test_a_large_download_without_a_class_becomes_bulk_and_comes_home_at_once(homecoming: Homecoming) -> None:
    assert homecoming.bulk_before == DOWNLOADS
    last_s = homecoming.downloads_broken_s[-1] - homecoming.home_s
    print(f"the last of {DOWNLOADS} downloads was reset {1000 * last_s:.0f} ms after home was reached")
    assert last_s < 0.5


def test_calls_and_tunnels_finish_where_they_are(homecoming: Homecoming) -> None:
    lte = OFFICE["lte"]["ipv4"]
    for samples, count in ((homecoming.calls, CALLS), (homecoming.tunnels, 3)):
        later = between(samples, homecoming.home_s - 1.0, homecoming.calls_ended_s - 0.5)
        assert len(later) > 30 * count
        assert {s.note for s in later} == {lte}
        assert [s for s in later if s.answered_s is None] == []


def test_a_phone_on_a_call_keeps_its_signalling_where_its_voice_is(homecoming: Homecoming) -> None:
    """SIP on the one line and RTP on the other: phones dead. https://github.com/opnsense/core/issues/3516"""
    during = between(homecoming.phones["on the phone"], homecoming.home_s, homecoming.calls_ended_s)
    assert len(during) > 20
    assert {s.note for s in during} == {OFFICE["lte"]["ipv4"]}
    its_new_voice, anothers, other_work = homecoming.new_voice
    assert its_new_voice == OFFICE["lte"]["ipv4"]
    assert anothers == OFFICE["cable"]["ipv4"]
    assert other_work == OFFICE["cable"]["ipv4"], "the rest of the same address goes home"


def test_a_phone_that_rests_comes_home_within_a_second(homecoming: Homecoming) -> None:
    home = [
        s.sent_s for s in homecoming.other_phone if s.sent_s > homecoming.home_s and s.note == OFFICE["cable"]["ipv4"]
    ]
    print(f"registered by the new line {1000 * (home[0] - homecoming.home_s):.0f} ms after home was reached")
    assert home[0] - homecoming.home_s < 1.0


def test_a_phone_comes_home_when_its_last_call_has_ended(homecoming: Homecoming) -> None:
    after_s = homecoming.registration_home_s - homecoming.calls_ended_s
    print(f"the phone registered at home {after_s:.1f} s after its last call")
    assert 0.0 < after_s < 10.0


def test_it_is_told_what_finishes_where(homecoming: Homecoming) -> None:
    (told,) = [t for t in homecoming.told if t["family"] == "ipv4"]
    assert told["uplink"] == "lte"
    assert told["counts"]["call"] == CALLS
    assert told["counts"]["tunnel"] == 3
    assert told["text"].startswith(f"{CALLS} calls")


def test_ten_seconds_after_the_last_call_only_probes_use_the_metered_line(homecoming: Homecoming) -> None:
    office = {*OFFICE["lte"].values()}
    servers = {*SERVER.values()}
    assert [e for e in homecoming.metered_later if set(e[:2]) & office and set(e[:2]) & servers] == []
    assert STAFF["ipv4"] not in {address for e in homecoming.metered_later for address in e[:2]}


# ── Single cases, with everything well before ────────────────────────────────────────


def reset_s(sock: socket.socket, limit_s: float) -> float:
    """The instant at which a connection that nobody sends anything on is reset."""
    sock.settimeout(limit_s)
    with pytest.raises(ConnectionResetError):
        sock.recv(16)
    return time.monotonic()


def test_signalling_over_tcp_and_resting_connections_are_reset_so_that_they_come_home(quick_box: Box) -> None:
    box, server = quick_box, SERVER["ipv4"]
    move(box, "lte")
    with ExitStack() as stack:
        phone = stack.enter_context(connect(box.office, "staff", (server, ECHO), ("", 5061)))
        resting = stack.enter_context(connect(box.office, "staff", (server, ECHO)))
        session = stack.enter_context(connect(box.office, "staff", (server, SILENT)))
        busy = Seat.take(box.office, "staff", [Wish("lasting-tcp", every_s=0.1)])
        box.until(lambda: len(busy.samples()) > 20, PATIENCE_S, "somebody is at work")
        home_s = go_home(box)
        phone_s = reset_s(phone, PATIENCE_S) - home_s
        resting_s = reset_s(resting, LOOKS_S) - home_s
        print(
            f"after home was reached: the phone is reset after {phone_s:.2f} s, a resting connection {resting_s:.2f} s"
        )
        assert phone_s < 1.0
        box.until(lambda: busy.samples()[-1].sent_s > home_s + 5.0, LOOKS_S, "two more looks")
        felt = busy.leave()
        session.settimeout(0.1)
        with pytest.raises(TimeoutError):
            session.recv(1)
    during = between(felt, home_s, home_s + 5.0)
    assert {s.note for s in during} == {OFFICE["lte"]["ipv4"]}, "whoever waits for an answer gets it"
    assert [s for s in during if s.answered_s is None] == []


def test_whoever_is_on_the_metered_line_without_reason_is_named_and_ended(quick_box: Box) -> None:
    """Flows never returned from LTE, and nobody said which. https://github.com/opnsense/core/issues/6803"""
    box = quick_box
    epoch = box.status()["evidence"]["epochs"]["lte/ipv4"]
    mark = epoch << 16 | 0x8000 | OFFICES << 8 | numbers_of(box)["lte"]
    ends_ = ["-s", STAFF["ipv4"], "-d", SERVER["ipv4"], "-p", "udp", "--sport", "41000", "--dport", str(TELLING)]
    nat = ["--src-nat", OFFICE["lte"]["ipv4"], "-t", "300", "-u", "SEEN_REPLY", "-m", str(mark)]
    box.office.run("gw", ["conntrack", "-I", *ends_, *nat], check=True)
    seat = Seat.take(box.office, "staff", [Wish("lasting-udp", every_s=0.05, port=41000)])
    box.until(lambda: bool(events(box, "straggler:lte/ipv4")), 2 * LOOKS_S, "it is told who is there")
    (event,) = events(box, "straggler:lte/ipv4")
    said = event["detail"]
    assert (said["device"], said["destination"]) == (STAFF["ipv4"], f"{SERVER['ipv4']}:{TELLING}")
    assert said["class"] == "office"
    assert said["bytes"] > 1000
    assert STAFF["ipv4"] in event["text"]
    (shown,) = box.status()["stragglers"]
    assert shown["device"] == STAFF["ipv4"]
    told_s = time.monotonic()
    box.until(lambda: seat.samples()[-1].sent_s > told_s + 1.0, PATIENCE_S, "its owner works on")
    samples = seat.leave()
    assert OFFICE["lte"]["ipv4"] in {s.note for s in samples}, "it was on lte"
    assert {s.note for s in between(samples, told_s, told_s + 1.0)} == {OFFICE["cable"]["ipv4"]}


def test_killed_in_the_middle_of_the_homecoming_the_next_life_lets_the_calls_finish(quick_office: Office) -> None:
    with Box.of(quick_office, drain="5min") as box:
        box.until_well()
        move(box, "lte")
        ports = (30_000, 30_002, 30_004)
        calls = Seat.take(quick_office, "staff", [Wish("call", every_s=0.02, port=port) for port in ports])
        phone = Seat.take(quick_office, "staff", [Wish("lasting-udp", every_s=0.1, port=PHONE_PORT)])
        box.until(lambda: list(by_sport(quick_office, *ports).values()) == [VOICE] * 3, LOOKS_S, "the calls are found")
        home_s = go_home(box)
        box.until(lambda: told_of(box, "call") == 3, LOOKS_S, "three calls finish")
        box.stop(signal.SIGKILL)
        box.start()
        lte = OFFICE["lte"]["ipv4"]
        assert who(quick_office, MIRROR, None) == lte, "the phone is known to be on a call"
        box.until(lambda: told_of(box, "call") == 3, LOOKS_S, "the next life knows of three calls")
        again_s = time.monotonic()
        box.until(lambda: phone.samples()[-1].sent_s > again_s + 5.0, 2 * LOOKS_S, "several looks later")
        (told,) = [f for f in box.status()["finishing"] if f["family"] == "ipv4"]
        assert told["left_s"] < 300.0 - (again_s - home_s) + 1.0, "the drain runs from the homecoming"
        felt = between(calls.leave(), home_s, again_s + 4.0)
        assert {s.note for s in felt} == {lte}
        assert [s for s in felt if s.answered_s is None] == []
        assert {s.note for s in between(phone.samples(), home_s, again_s + 4.0)} == {lte}
        box.until(lambda: bool(events(box, "flows:lte/ipv4", "finished")), 20.0, "then nothing is left there")
        phone.leave()
