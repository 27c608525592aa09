"""Round trips that grow or tremble: who is moved, who is not, and what is said of it."""

from __future__ import annotations

import statistics
from functools import cache

import pytest
from tests.office import CABLE4, CABLE6, LTE4, World, office, settled_office

from secondpath.judge.delay import BAD_S, KNOWN_S, LATE_S, Delay, Lateness, Load
from secondpath.model import Cause, Family, Health, Line, TrafficSample, VerdictCode

LTE6 = Line("lte", Family.IPV6)
MEGABIT = 125_000


def office_at_work(seed: int = 1) -> World:
    return _worked_for_a_minute(seed).another()


@cache
def _worked_for_a_minute(seed: int) -> World:
    world = settled_office(seed=seed)
    world.hum([CABLE4, CABLE6])
    world.run_for(60.0)
    return world


@pytest.mark.parametrize(("rtt_s", "jitter_s", "cause"), [(0.33, 0.0, Cause.DELAY), (0.03, 0.15, Cause.JITTER)])
def test_a_line_that_becomes_late_or_trembles_is_left(rtt_s: float, jitter_s: float, cause: Cause) -> None:
    took = []
    for seed in range(5):
        world = office_at_work(seed)
        world.rtt_s = {CABLE4: rtt_s}
        world.jitter_s = {CABLE4: jitter_s}
        took.append(world.run_until(lambda w=world: w.uses() == "lte", 30.0))  # type: ignore[misc]
        assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DEGRADED, cause)
        assert world.uses(Family.IPV6) == "cable", "the other family is well and stays"
    assert statistics.median(took) < 3.0, took
    assert max(took) < 8.0, took


def test_it_is_well_again_when_the_round_trips_are_and_not_before() -> None:
    world = office_at_work()
    world.rtt_s = {CABLE4: 0.4}
    world.run_until(lambda: world.uses() == "lte", 30.0)
    for _ in range(60):
        world.run_for(5.0)
        assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DEGRADED, Cause.DELAY)
    world.rtt_s = {}
    took_s = world.run_until(lambda: world.state(CABLE4).health is Health.UP, 60.0)
    assert took_s > 20.0, "trust comes slowly"


@pytest.mark.slow
def test_nobody_is_moved_to_a_line_that_is_no_quicker() -> None:
    world = office_at_work()
    world.rtt_s = {LTE4: 0.6, LTE6: 0.6}
    world.run_for(600.0)
    world.rtt_s |= {CABLE4: 0.4}
    world.run_for(60.0)
    assert world.state(CABLE4).cause is Cause.DELAY
    assert world.uses() == "cable"


def test_lateness_that_our_own_traffic_explains_is_told_and_moves_nobody() -> None:
    world = office_at_work()
    world.rtt_s = {CABLE4: 0.8}
    for _ in range(300):
        world.tell(TrafficSample(CABLE4, out=100, in_=400, out_bytes=MEGABIT // 20, in_bytes=MEGABIT))
        world.run_for(0.1)
    assert world.switches() == 0, world.recent()
    assert world.engine.verdict.code is VerdictCode.SATURATED
    world.rtt_s = {}
    world.run_for(15.0)
    assert world.engine.verdict.code.value == "ok"
    assert world.switches() == 0, world.recent()


@pytest.mark.parametrize("busy", [True, False])
def test_loss_out_of_a_queue_that_we_fill_ourselves_moves_nobody(busy: bool) -> None:
    world = office_at_work()
    for tenth in range(400):
        if tenth == 50:
            world.rtt_s, world.loss = {CABLE4: 0.08}, {CABLE4: 0.2}
        octets = MEGABIT if busy else MEGABIT // 100
        world.tell(TrafficSample(CABLE4, out=100, in_=400, out_bytes=octets // 20, in_bytes=octets))
        world.run_for(0.1)
        if not busy and tenth < 50:
            world.engine.judges[CABLE4].load.take(world.now, MEGABIT, 0)  # it has been seen to carry much more
    assert (world.switches() == 0) is busy, world.recent()


def test_one_address_that_answers_late_moves_nobody() -> None:
    delay = Delay()
    for second in range(100):
        for address, rtt_s in (("192.0.2.1", 0.02), ("192.0.2.2", 0.02)):
            late_s = 0.5 if second > 50 and address == "192.0.2.2" else 0.0
            delay.take(second / 2, f"icmp://{address}", address, rtt_s + late_s)
        assert delay.look(second / 2) is Lateness.NONE


@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.9])
def test_what_was_always_so_is_no_lateness(seconds: float) -> None:
    world = office()
    world.rtt_s = dict.fromkeys((CABLE4, CABLE6), seconds)
    world.run_for(10 * KNOWN_S)
    assert world.switches() == 0


def test_what_is_bad_is_late_only_where_it_used_to_be_better() -> None:
    for usual_s, late_s, expected in (
        (0.02, 0.02 + LATE_S, Lateness.NONE),
        (0.02, BAD_S + 0.01, Lateness.LATE),
        (0.6, 0.6 + LATE_S / 2, Lateness.NONE),
        (0.6, 0.6 + LATE_S + 0.01, Lateness.LATE),
    ):
        delay = Delay()
        for tenth in range(400):
            now = tenth / 10
            rtt_s = usual_s if now < 30 else late_s
            for address in ("192.0.2.1", "192.0.2.2"):
                delay.take(now, f"icmp://{address}", address, rtt_s)
        assert delay.look(now) is expected, (usual_s, late_s)


def test_our_own_lateness_is_forgotten() -> None:
    delay = Delay()
    for tenth in range(400):
        for address in ("192.0.2.1", "192.0.2.2"):
            delay.take(tenth / 10, f"icmp://{address}", address, 0.02 if tenth < 300 else 0.9)
    assert delay.look(40.0) is Lateness.LATE
    delay.forget()
    assert delay.look(40.0) is Lateness.NONE


def test_a_line_is_full_by_its_contract_or_by_the_most_it_was_seen_to_carry() -> None:
    by_contract, by_sight = Load(down_bps=20e6, up_bps=2e6), Load()
    for tenth in range(40):
        by_contract.take(tenth / 10, MEGABIT // 2, 0)  # 5 Mbit/s of 20
        by_sight.take(tenth / 10, MEGABIT, 0)
    assert not by_contract.fills(4.0)
    assert by_sight.fills(4.0)
    for tenth in range(40, 80):
        by_contract.take(tenth / 10, 0, MEGABIT // 10)  # 1 Mbit/s of 2 upwards
        by_sight.take(tenth / 10, MEGABIT // 5, 0)
    assert by_contract.fills(8.0)
    assert not by_sight.fills(8.0)
