"""Several things break, in every order: the right path each time, no deadlock, and no move without a reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import FAMILIES, reaches, source_seen, uses, vacate, watched, work_on
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.gaps import between, lost, of_stream, resets
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import find_topology
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns


# ── A minute of what is no reason to move: it passes beside the other tests ──────────────────────────────────

QUIET_S = 60.0
QUIET = {
    "one target dead": (("target-dead:192.0.2.1", None), ("target-dead:2001:db8:ff::1", None)),
    "five percent loss": (("loss-5", "cable"),),
}


@dataclass(frozen=True, slots=True)
class Minute:
    """What a minute left behind: events, resets, and the part of new flows that was lost."""

    events: list[str]
    resets: int
    lost_ratio: float


def live_through(faults: tuple[tuple[str, str | None], ...]) -> Minute:
    """A minute of an office of its own under these faults."""
    wishes = [Wish(kind, family, 0.1) for family in FAMILIES for kind in ("new-udp", "lasting-tcp")]
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office) as box:
        box.until_well()
        for fault, uplink in faults:
            office.inject(fault, uplink)
        seat, since = Seat.take(office, "staff", wishes), time.monotonic() + 5.0
        work_on(box, QUIET_S)
        told = [str(e["event"]) for e in box.order(Verb.EVENTS, limit=20).data["events"]]
        assert len(told) < 20, "all of them"
        samples = between(seat.leave(), since, float("inf"))
        fresh = of_stream(samples, "new-udp")
        broken = sum(resets(of_stream(samples, "lasting-tcp", family)) for family in FAMILIES)
        return Minute(told, broken, lost(fresh) / len(fresh))


@pytest.fixture(scope="module", autouse=True)
def minutes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Minute]]]:
    """Begins when the first test of this file does."""
    wanted = {
        item.callspec.params["what"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_a_minute_of_that_is_no_reason_to_move
    }
    with ThreadPoolExecutor(len(QUIET)) as pool:
        yield {what: pool.submit(live_through, faults) for what, faults in QUIET.items() if what in wanted}


@pytest.fixture(scope="module")
def standing() -> Iterator[Office]:
    """One office for all tests; each begins without a gateway."""
    with Office.up(find_topology("office"), a_name()) as office:
        yield office


@pytest.fixture
def office(standing: Office) -> Iterator[Office]:
    yield standing
    vacate(standing)


@pytest.fixture
def box(office: Office) -> Iterator[Box]:
    with Box.of(office) as running:
        running.until_well()
        yield running


def is_down(box: Box, uplink: str) -> bool:
    return all(box.health(uplink, family) == "down" for family in FAMILIES)


# ── One after the other ──────────────────────────────────────────────────────────────────────────────────────


def test_the_second_uplink_dies_while_the_office_moves_there_and_whoever_comes_back_carries_it(box: Box) -> None:
    office = box.office
    office.inject("blackhole", "cable")
    office.inject("blackhole", "lte")  # dies within the failover: nothing is decided yet
    box.until(
        lambda: box.status()["verdict"]["code"] not in ("ok", "starting"), PATIENCE_S, "it is seen that all is dead"
    )
    office.heal("blackhole", "lte")
    box.until(lambda: uses(box, "lte") and reaches(office), PATIENCE_S, "the office runs on lte")
    office.inject("blackhole", "lte")
    office.heal("blackhole", "cable")
    box.until(lambda: uses(box, "cable") and reaches(office), PATIENCE_S, "the office runs on cable")


@pytest.mark.parametrize("fault", ["cable-cut", "blackhole"])
@pytest.mark.parametrize("first", ["cable", "lte"])
def test_all_die_and_the_one_that_comes_back_alone_carries_the_office(box: Box, fault: str, first: str) -> None:
    """The first line took everything down. https://github.com/Ysurac/openmptcprouter/issues/3635"""
    office, second = box.office, {"cable": "lte", "lte": "cable"}[first]
    for uplink in ("cable", "lte"):
        office.inject(fault, uplink)
    box.until(lambda: is_down(box, "cable") and is_down(box, "lte"), PATIENCE_S, "both are down")
    assert not reaches(office, families=["ipv4"])
    office.heal(fault, first)
    took_s = box.until(lambda: uses(box, first) and reaches(office), PATIENCE_S, f"the office runs on {first}")
    print(f"{fault}: people reach the internet by {first} {took_s:.2f} s after it came back")
    office.heal(fault, second)
    office.inject(fault, first)
    took_s = box.until(lambda: uses(box, second) and reaches(office), PATIENCE_S, f"the office runs on {second}")
    print(f"{fault}: and by {second} after {took_s:.2f} s")


def test_a_flapping_cable_costs_one_failover(office: Office) -> None:
    """The default line bounced. https://github.com/opnsense/core/issues/5786"""
    with watched(office, hold="2s") as box:
        box.until_well()
        for _ in range(5):
            office.inject("cable-cut", "cable")
            box.until(lambda: not has_carrier(box), PATIENCE_S, "the cut is seen")
            office.heal("cable-cut", "cable")
            box.until(lambda: has_carrier(box), PATIENCE_S, "the cable is seen")
        assert uses(box, "lte")
        for family in ("IPv4", "IPv6"):
            assert box.log.read_text().count(f"{family} traffic moved from cable to lte") == 1
        assert "came home" not in box.log.read_text()
        box.until(lambda: uses(box, "cable"), PATIENCE_S, "traffic comes home once the cable has held")
        assert reaches(office)


def has_carrier(box: Box) -> bool:
    return bool(box.status()["uplinks"][0]["link"]["carrier"])


def test_a_backup_that_is_dead_beforehand_is_said_and_then_nothing_is_withdrawn(office: Office) -> None:
    unmetered = config_of(office.topology).replace("metered = true\n", "")  # a metered one is not asked all the time
    with watched(office, unmetered) as box:
        box.until_well()
        office.inject("blackhole", "lte")
        box.until(lambda: box.status()["verdict"]["code"] == "backup-not-ready", PATIENCE_S, "the backup is not ready")
        before = office.run("gw", ["nft", "-s", "list", "ruleset"]).stdout
        office.inject("blackhole", "cable")
        box.until(lambda: is_down(box, "cable"), PATIENCE_S, "cable is seen to be down")
        work_on(box, 1.0)
        assert uses(box, "cable"), "with no proven better path nothing is withdrawn"
        assert office.run("gw", ["nft", "-s", "list", "ruleset"]).stdout == before
        office.heal("blackhole", "cable")
        took_s = box.until(lambda: reaches(office), PATIENCE_S, "people work again as soon as the line does")
        print(f"reached {took_s:.2f} s after the cable was mended")


@pytest.mark.parametrize("family", FAMILIES)
def test_one_family_that_dies_moves_alone(box: Box, family: str) -> None:
    other = {"ipv4": "ipv6", "ipv6": "ipv4"}[family]
    wishes = [Wish(kind, other, 0.05) for kind in ("lasting-tcp", "new-udp")]
    seat = Seat.take(box.office, "staff", wishes)
    box.until(lambda: len(seat.samples()) > 20, PATIENCE_S, "people are at work")
    since = time.monotonic()
    box.office.inject(f"blackhole-v{family[-1]}", "cable")
    box.until(lambda: box.uses(family) == "lte", PATIENCE_S, f"{family} runs on lte")
    assert source_seen(box.office, family) == "lte"
    assert source_seen(box.office, other) == "cable"
    work_on(box, 1.0)
    assert box.uses(other) == "cable"
    samples = between(seat.leave(), since, float("inf"))
    assert lost(samples) == 0, f"{other} feels nothing"
    assert len(samples) > 20


# ── Starting into trouble ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", ["cable-cut", "blackhole", "modem-dead"])
def test_a_start_with_a_broken_cable_uses_lte(office: Office, fault: str) -> None:
    """Two sites stayed offline, engineers were sent. https://github.com/balena-os/meta-balena/issues/3053"""
    office.inject(fault, "cable")
    with Box.of(office) as box:
        took_s = box.until(lambda: uses(box, "lte") and reaches(office), PATIENCE_S, "the office runs on lte")
        print(f"{fault}: on lte {took_s:.2f} s after the gateway answered")


@pytest.mark.parametrize("fault", ["cable-cut", "blackhole"])
def test_a_start_with_everything_broken_uses_what_comes_first(office: Office, fault: str) -> None:
    for uplink in ("cable", "lte"):
        office.inject(fault, uplink)
    with Box.of(office) as box:
        work_on(box, 2.0)
        assert not reaches(office, families=["ipv4"])
        office.heal(fault, "lte")
        took_s = box.until(lambda: uses(box, "lte") and reaches(office), PATIENCE_S, "the office runs on lte")
        print(f"{fault}: on lte {took_s:.2f} s after it came")


# ── The minute is over ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", QUIET)
def test_a_minute_of_that_is_no_reason_to_move(what: str, minutes: dict[str, Future[Minute]]) -> None:
    """One address in maintenance was a failover. https://github.com/opnsense/core/issues/7163"""
    minute = minutes[what].result()
    print(what, minute)
    assert not [e for e in minute.events if e.startswith(("steering.failover", "flows", "override"))]
    assert "line.down" not in minute.events
    assert minute.resets == 0
    assert minute.lost_ratio < 0.12
