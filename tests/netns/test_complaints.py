"""What others take for a dead line, what they take for a living one, and when it is only us who are late.

Each complaint was written down by somebody to whom it happened; its link stands in the test. The offices of this file
stand beside each other, and their scenes are played while the first test waits.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import EVERYBODY, at_work, felt_by, hurt, is_up, source_seen, uses, work_on
from tests.netns.strangers import FAMILIES, OFFICE, WAN, Ear, ends
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat
from secondpath.lab.topology import ANCHORS_IPV4, ANCHORS_IPV6, find_topology
from secondpath.record.query import events

pytestmark = pytest.mark.netns

ANCHORS = {"ipv4": ANCHORS_IPV4, "ipv6": ANCHORS_IPV6}


def told(box: Box, after: int = 0) -> list[tuple[int, str]]:
    """Number and sentence of what was told of lines and switches since an event."""
    found = events(box.state_dir / "book.db", after=after, limit=10_000)
    words = [(e.number, f"{e.transition.subject} {e.transition.after} {e.transition.reason}") for e in found]
    return [(number, said) for number, said in words if said.startswith(("line:", "steering:", "flows:"))]


def served(box: Box) -> tuple[Seat, float]:
    """People at work, and since when each of their streams was answered."""
    seat, _ = at_work(box)
    box.until(lambda: len({s.stream for s in seat.samples() if s.good()}) == len(EVERYBODY), PATIENCE_S, "all work")
    return seat, time.monotonic()


# ── An address that is asked misbehaves, one after the other ─────────────────────────────────────────────────

ODDITIES = {
    "refuses pings": ("target-refuses-icmp:192.0.2.1", "target-refuses-icmp:2001:db8:ff::1"),
    "is in maintenance": ("target-dead:192.0.2.3", "target-dead:2001:db8:ff::3"),
    "refuses everything": ("target-refused:192.0.2.2", "target-refused:2001:db8:ff::2"),
    "answers late": ("target-slow:192.0.2.3", "target-slow:2001:db8:ff::3"),
}
ODD_S = 6.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """What was told, and what people felt, by what happened."""

    told: dict[str, list[str]]
    felt: dict[str, list[str]]


def odd_addresses() -> Quiet:
    quiet = Quiet({}, {})
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office) as box:
        box.until_well()
        for oddity, faults in ODDITIES.items():
            seat, since = served(box)
            before = last_number(box)  # now the book has written down how it began
            for fault in faults:
                office.inject(fault)
            work_on(box, ODD_S)
            quiet.felt[oddity] = hurt(felt_by(box, seat, since))
            office.mend()
            quiet.told[oddity] = [said for _, said in told(box, before)]
    return quiet


def last_number(box: Box) -> int:
    return max((number for number, _ in told(box)), default=0)


# ── A line that loses so much that people pull the cable by hand ─────────────────────────────────────────────


def a_line_that_loses_fifteen_percent() -> tuple[float, dict[str, str]]:
    """After how many seconds it is left, and by which uplink new flows leave then."""
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office) as box:
        box.until_well()
        office.inject("loss-15", "cable")
        took_s = box.until(lambda: uses(box, "lte"), 5 * PATIENCE_S, "both families leave a line that loses 15 %")
        return took_s, {family: source_seen(office, family) for family in FAMILIES}


# ── By which line the questions about a line travel ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the gateway's, as its provider hears it."""

    uplink: str
    source: str
    about: str


@dataclass(frozen=True, slots=True)
class Questions:
    """What both providers heard: while all was well, and while the modem of cable was dead and its carrier stayed."""

    well: frozenset[Question]
    modem_dead: frozenset[Question]
    carrier: bool
    way: dict[str, str]


def questions_about_lines() -> Questions:
    with Office.up(find_topology("office"), a_name()) as office, ExitStack() as stack:
        ears = {u.name: stack.enter_context(Ear(office, u.isp, "access")) for u in office.topology.uplinks}
        with Box.of(office) as box:
            box.until_well()
            ears["lte"].until(lambda packets: {OFFICE["lte"][f] for f in FAMILIES} <= {ends(p)[0] for p in packets})
            well = {uplink: ear.heard() for uplink, ear in ears.items()}
            office.inject("modem-dead", "cable")
            box.until(lambda: uses(box, "lte"), PATIENCE_S, "the office runs on lte")
            ears["lte"].until(lambda packets: asks_names(packets[len(well["lte"]) :]))
            later = {uplink: ear.heard()[len(well[uplink]) :] for uplink, ear in ears.items()}
            carrier = bool(box.status()["uplinks"][0]["link"]["carrier"])
            way = {family: source_seen(office, family) for family in FAMILIES}
        return Questions(questions(well), questions(later), carrier, way)


def questions(heard: dict[str, list[bytes]]) -> frozenset[Question]:
    """What was asked of the addresses that the gateway probes."""
    return frozenset(
        Question(uplink, ends(packet)[0], about(packet))
        for uplink, packets in heard.items()
        for packet in packets
        if ends(packet)[1] in (*ANCHORS_IPV4, *ANCHORS_IPV6)
    )


def about(packet: bytes) -> str:
    """What a packet asks: an echo, a name, or a connection."""
    protocol, head = ends(packet)[2], 40 if packet[0] >> 4 == 6 else 20
    if protocol == 17 and struct.unpack_from(">H", packet, head + 2)[0] == 53:
        return "name"
    return {1: "echo", 58: "echo", 6: "connection"}.get(protocol, "other")


def asks_names(packets: list[bytes]) -> bool:
    """Whether a name was asked for over both families."""
    asked = {ends(p)[1] for p in packets if about(p) == "name"}
    return all(asked & set(ANCHORS[family]) for family in FAMILIES)


# ── It is us who are late ────────────────────────────────────────────────────────────────────────────────────

BUSY, BUSY_S = 4, 20.0
HOLD_S, AWAY_S = 14.0, 6.0
HOG = "import time\nend_s = time.monotonic() + 60\nwhile time.monotonic() < end_s: pass"


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What was told and felt while our core was busy and while we were stopped; and the hold before and after."""

    waited_s: float
    busy: tuple[list[str], list[str]]
    away: tuple[list[str], list[str]]
    hold_left_s: list[float]
    away_in_the_hold: tuple[list[str], list[str]]
    came_home_s: float


def we_are_late() -> Ourselves:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office, hold=f"{HOLD_S:g}s") as box:
        box.until_well()
        assert box.process is not None
        waited_s = waiting_s(box.process.pid)
        busy = lived_through(box, partial(share_the_core, box))
        waited_s = waiting_s(box.process.pid) - waited_s
        away = lived_through(box, partial(be_away, box, []))
        office.inject("cable-cut", "cable")
        box.until(lambda: uses(box, "lte"), PATIENCE_S, "the office runs on lte")
        office.mend()
        box.until(lambda: is_up(box, "cable"), PATIENCE_S, "cable is up, its hold runs")
        box.until(lambda: hold_left_s(box) < HOLD_S - 3.0, PATIENCE_S, "some of the hold is served")
        holds: list[float] = []
        in_the_hold = lived_through(box, partial(be_away, box, holds))
        came_home_s = box.until(lambda: uses(box, "cable"), HOLD_S + PATIENCE_S, "traffic comes home")
        return Ourselves(waited_s, busy, away, holds, in_the_hold, came_home_s)


def lived_through(box: Box, happen: Callable[[], None]) -> tuple[list[str], list[str]]:
    """What was told while something happened to us, and what people felt."""
    seat, since = served(box)
    before = last_number(box)
    happen()
    felt = hurt(felt_by(box, seat, since))
    return [said for _, said in told(box, before)], felt


def waiting_s(pid: int) -> float:
    """How long a process has waited for a core, while it could have run (Documentation/scheduler/sched-stats.rst)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def share_the_core(box: Box) -> None:
    """The gateway has one core, and so have others who never rest."""
    assert box.process is not None
    cores = os.sched_getaffinity(box.process.pid)
    os.sched_setaffinity(box.process.pid, {min(cores)})
    try:
        with hogs(min(cores)):
            work_on(box, BUSY_S)
    finally:
        os.sched_setaffinity(box.process.pid, cores)


@contextmanager
def hogs(core: int) -> Iterator[None]:
    """Processes that keep a core busy; should nobody end them, they end by themselves."""
    running = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(BUSY)]
    try:
        for hog in running:
            os.sched_setaffinity(hog.pid, {core})
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def be_away(box: Box, holds_s: list[float]) -> None:
    """Stopped for longer than a step may be late, while people work; what is left of the hold before and after."""
    assert box.process is not None
    holds_s.append(hold_left_s(box))
    box.process.send_signal(signal.SIGSTOP)
    try:
        work_on(box, AWAY_S)
    finally:
        box.process.send_signal(signal.SIGCONT)
    work_on(box, 1.0)
    holds_s.append(hold_left_s(box))


def hold_left_s(box: Box) -> float:
    """Of the family that has more of it left."""
    lines = box.status()["uplinks"][0]["lines"]
    return max(float(lines[family]["hold_left_s"] or 0.0) for family in FAMILIES)


# ── What became of it ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def scenes() -> Iterator[Scenes]:
    with ThreadPoolExecutor(3) as pool:
        yield Scenes(
            pool.submit(we_are_late),
            pool.submit(a_line_that_loses_fifteen_percent),
            pool.submit(odd_addresses),
            pool.submit(questions_about_lines),
        )


@dataclass(frozen=True, slots=True)
class Scenes:
    """What is being played."""

    late: Future[Ourselves]
    lossy: Future[tuple[float, dict[str, str]]]
    odd: Future[Quiet]
    questions: Future[Questions]


@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_address_that_is_asked_and_misbehaves_moves_nobody(scenes: Scenes, oddity: str) -> None:
    """8.8.8.8 dropped pings, Google stopped answering one gateway's, a monitored address was in maintenance.

    https://github.com/Ranger802004/asusmerlin/issues/12, https://github.com/openwrt/packages/issues/19416,
    https://github.com/opnsense/core/issues/7163,
    https://help.neptune.net.au/en/articles/13366164-ubiquiti-sla-monitoring-recommendations
    """
    quiet = scenes.odd.result()
    assert quiet.told[oddity] == []
    assert quiet.felt[oddity] == []


def test_a_line_that_loses_fifteen_percent_is_left(scenes: Scenes) -> None:
    """The router kept it, and users pulled the cable by hand. https://github.com/Ysurac/openmptcprouter/issues/3046"""
    took_s, way = scenes.lossy.result()
    print(f"15 % loss: both families had left after {took_s:.1f} s")
    assert way == {"ipv4": "lte", "ipv6": "lte"}


def test_a_line_that_nobody_uses_is_asked_by_itself_over_both_families(scenes: Scenes) -> None:
    """The inactive interface could not be probed at all. https://github.com/openwrt/packages/issues/12309"""
    heard = scenes.questions.result().well
    for uplink in WAN:
        assert {q.source for q in heard if q.uplink == uplink} == set(OFFICE[uplink].values())


def test_names_are_asked_for_by_the_line_they_are_to_prove(scenes: Scenes) -> None:
    """Cellular was called "limited" because the name to probe was looked up through the broken wire.

    https://github.com/balena-os/meta-balena/issues/3016
    """
    names = {q for q in scenes.questions.result().modem_dead if q.about == "name"}
    assert {q.source for q in names if q.uplink == "lte"} == set(OFFICE["lte"].values())
    assert all(q.source in OFFICE[q.uplink].values() for q in names)


def test_a_modem_without_power_behind_a_switch_is_left_though_the_carrier_stays(scenes: Scenes) -> None:
    """The fibre's modem was off, the router's lights were green. https://github.com/Ranger802004/asusmerlin/issues/60"""
    played = scenes.questions.result()
    assert played.carrier
    assert played.way == {"ipv4": "lte", "ipv6": "lte"}


def test_a_busy_core_is_not_the_lines_fault(scenes: Scenes) -> None:
    """Nobody is moved because the gateway itself is late."""
    late = scenes.late.result()
    print(f"beside {BUSY} busy processes the gateway waited {late.waited_s:.2f} s in {BUSY_S:g} s for its core")
    assert late.waited_s > 0.1, "it really was kept waiting"
    assert late.busy == ([], [])


def test_a_gateway_that_was_stopped_for_six_seconds_moves_nobody(scenes: Scenes) -> None:
    """A machine that was suspended has heard no answer for so long, and no line is to blame."""
    assert scenes.late.result().away == ([], [])


def test_a_line_in_its_hold_has_to_prove_itself_anew_after_we_were_away(scenes: Scenes) -> None:
    """We cannot know that it was good while we did not look: the whole hold runs again."""
    late = scenes.late.result()
    before_s, after_s = late.hold_left_s
    print(f"hold left: {before_s:.1f} s before, {after_s:.1f} s after; home after {late.came_home_s:.1f} s more")
    assert late.away_in_the_hold == ([], [])
    assert 0.0 < before_s < after_s
