"""Round trips that grow or tremble: who is moved, who is not, and what is said of it."""

from __future__ import annotations

import random
import statistics

import pytest
from tests.office import CABLE4, CABLE6, LTE4, World, office, working_office

from secondpath.judge.delay import BAD_S, KNOWN_S, LATE_S, Delay, Flow, Lateness, Load
from secondpath.model import Cause, Family, Health, Line, TrafficSample, VerdictCode

LTE6 = Line("lte", Family.IPV6)
MEGABIT = 125_000


@pytest.mark.parametrize(("rtt_s", "jitter_s", "cause"), [(0.33, 0.0, Cause.DELAY), (0.03, 0.15, Cause.JITTER)])
def test_a_line_that_becomes_late_or_trembles_is_left(rtt_s: float, jitter_s: float, cause: Cause) -> None:
    took = []
    for seed in range(5):
        world = working_office(seed)
        world.rtt_s = {CABLE4: rtt_s}
        world.jitter_s = {CABLE4: jitter_s}
        took.append(world.run_until_used("lte", 30.0))
        assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DEGRADED, cause)
        shown = world.state(CABLE4).measurement.rtt_s
        assert shown is not None
        assert cause is not Cause.DELAY or shown > 0.3, "what is told is what ails it, not what was usual"
        assert world.uses(Family.IPV6) == "cable", "the other family is well and stays"
    assert statistics.median(took) < 3.0, took
    assert max(took) < 8.0, took


@pytest.mark.parametrize("rtt_s", [0.53, 0.83, 1.03])
def test_answers_that_are_suddenly_very_late_look_like_silence_and_are_told_apart_when_they_come(rtt_s: float) -> None:
    """Half a second more than usual is later than any answer may be: the line is left as a dead one would be."""
    world = working_office()
    world.rtt_s = {CABLE4: rtt_s}
    world.run_until_used("lte", 3.0)
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.BROWN_OUT, 3.0)
    assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DEGRADED, Cause.DELAY)
    world.run_for(120.0)
    assert world.uses() == "lte", "late for good is no reason to go home"
    assert world.switches() == 1


@pytest.mark.slow
def test_it_is_well_again_when_the_round_trips_are_and_not_before() -> None:
    world = working_office()
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
    world = working_office()
    world.rtt_s = {LTE4: 0.6, LTE6: 0.6}
    world.run_for(600.0)
    world.rtt_s |= {CABLE4: 0.4}
    world.run_for(60.0)
    assert world.state(CABLE4).cause is Cause.DELAY
    assert world.uses() == "cable"


def test_lateness_that_our_own_traffic_explains_is_told_and_moves_nobody() -> None:
    world = working_office()
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


def busy_for(world: World, seconds: float, down_bps: float) -> None:
    for _ in range(round(10 * seconds)):
        octets = round(down_bps / 80)
        world.tell(TrafficSample(CABLE4, out=50, in_=100, out_bytes=octets // 20, in_bytes=octets))
        world.run_for(0.1)


def test_a_line_that_carries_less_than_it_did_is_filled_by_what_has_just_begun() -> None:
    world = working_office()
    busy_for(world, 10.0, 10e6)
    busy_for(world, 20.0, 0.1e6)
    world.rtt_s = {CABLE4: 0.6, CABLE6: 0.6}
    busy_for(world, 20.0, 2e6)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()
    assert world.engine.verdict.code is VerdictCode.SATURATED


def test_what_was_carried_without_a_queue_does_not_explain_one_later() -> None:
    world = working_office()
    busy_for(world, 10.0, 10e6)
    busy_for(world, 20.0, 2e6)
    world.rtt_s = {CABLE4: 0.6}
    busy_for(world, 10.0, 2e6)
    assert world.uses() == "lte"
    assert world.state(CABLE4).cause is Cause.DELAY


def test_a_queue_that_stays_when_our_traffic_has_gone_is_not_ours() -> None:
    world = working_office()
    busy_for(world, 10.0, 10e6)
    busy_for(world, 20.0, 0.1e6)
    world.rtt_s = {CABLE4: 0.6}
    busy_for(world, 5.0, 2e6)
    busy_for(world, 10.0, 0.5e6)
    assert world.uses() == "lte"


@pytest.mark.parametrize("busy", [True, False])
def test_loss_out_of_a_queue_that_we_fill_ourselves_moves_nobody(busy: bool) -> None:
    world = working_office()
    for tenth in range(400):
        if tenth == 50:
            world.rtt_s, world.loss = {CABLE4: 0.08}, {CABLE4: 0.2}
        octets = MEGABIT if busy else MEGABIT // 100
        world.tell(TrafficSample(CABLE4, out=100, in_=400, out_bytes=octets // 20, in_bytes=octets))
        world.run_for(0.1)
        if not busy and tenth < 50:
            world.engine.judges[CABLE4].load.take(world.now, MEGABIT, 0)  # it has been seen to carry much more
    assert (world.switches() == 0) is busy, world.recent()


@pytest.mark.parametrize("seed", [0, 5, 6, 7])
def test_what_was_lost_at_the_end_of_a_download_is_still_our_own(seed: int) -> None:
    """That it was lost is known a second or two later, when the download is over and the queue is empty."""
    world = working_office(seed)
    cable = (CABLE4, CABLE6)
    busy_for(world, 5.0, 0.05e6)
    world.rtt_s, world.loss = dict.fromkeys(cable, 0.3), dict.fromkeys(cable, 0.2)
    busy_for(world, 15.0, 10e6)
    busy_for(world, 1.0, 0.05e6)
    world.rtt_s, world.loss = {}, {}
    busy_for(world, 10.0, 0.05e6)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()


@pytest.mark.parametrize("stall_s", [0.25, 0.35, 0.45])
def test_a_line_that_stalls_for_a_moment_is_not_left(stall_s: float) -> None:
    """All that is asked meanwhile is answered together when it goes on: a change of cell, of satellite."""
    office_at_work = working_office(3)
    for phase in range(12):
        world = office_at_work.another()
        world.run_for(0.11 * phase)
        goes_on = world.now + stall_s
        while world.now < goes_on - 0.001:
            world.rtt_s = dict.fromkeys((CABLE4, CABLE6), goes_on - world.now + 0.03)
            world.run_for(0.01)
        world.rtt_s = {}
        world.run_for(5.0)
        assert world.switches() + world.switches(Family.IPV6) == 0, (phase, world.recent())


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


def in_order(chance: random.Random, most_s: float, packets_per_s: float, seconds: float) -> list[float]:
    """What one way takes more, at each tenth of a second: up to `most_s` drawn for each packet, in order."""
    found: list[float] = []
    last_at = now = 0.0
    while now < seconds:
        now += chance.expovariate(packets_per_s)
        last_at = max(last_at, now + chance.uniform(0.0, most_s))
        if int(10 * now) >= len(found):
            found.append(last_at - now)
    return found


def after(usual_s: float, tremble_s: float, more_s: list[float]) -> Lateness:
    """What is said of a line that was so for a minute, and then took so much more at each tenth of a second."""
    chance, delay, seen = random.Random(4), Delay(), Lateness.NONE
    for tenth, extra_s in enumerate([0.0] * 600 + more_s):
        for address in ("192.0.2.1", "192.0.2.2"):
            rtt_s = max(0.005, chance.gauss(usual_s, tremble_s)) + extra_s
            delay.take(tenth / 10, f"icmp://{address}", address, rtt_s)
        seen = delay.look(tenth / 10)
        assert seen is Lateness.NONE or tenth >= 600, "what is usual is no lateness"
    return seen


@pytest.mark.parametrize("packets_per_s", [10.0, 50.0, 100.0])
def test_jitter_that_ruins_calls_is_seen_however_much_traffic_smooths_it(packets_per_s: float) -> None:
    """Packets keep their order: the more there are, the more it is a delay, and the less it trembles."""
    chance = random.Random(5)
    ways = [in_order(chance, 0.15, packets_per_s, 6.0) for _ in range(2)]
    assert after(0.03, 0.002, [a + b for a, b in zip(*ways, strict=False)]) is not Lateness.NONE


@pytest.mark.parametrize(
    ("usual_s", "tremble_s", "more_s"), [(0.03, 0.002, 0.1), (0.05, 0.015, 0.1), (0.1, 0.02, 0.0), (0.6, 0.02, 0.08)]
)
def test_what_calls_bear_is_no_lateness(usual_s: float, tremble_s: float, more_s: float) -> None:
    assert after(usual_s, tremble_s, [more_s] * 100) is Lateness.NONE


@pytest.mark.parametrize(("shortest_s", "width_s"), [(0.855, 0.135), (0.3, 0.2)])
@pytest.mark.parametrize("answers_per_s", [1.0, 4.0])
def test_a_line_that_always_trembled_is_not_left_for_it(
    shortest_s: float, width_s: float, answers_per_s: float
) -> None:
    """What is usual is the shortest round trip, and such a line is nearly always later than that."""
    chance, delay, now, seen = random.Random(1), Delay(), 0.0, []
    while now < 7200.0:
        now += chance.expovariate(2 * answers_per_s)
        address = chance.choice(("192.0.2.1", "192.0.2.2"))
        delay.take(now, f"icmp://{address}", address, shortest_s + chance.uniform(0.0, width_s))
        if delay.look(now) is not Lateness.NONE:
            seen.append(now)
    assert seen == []


def test_our_own_lateness_is_forgotten() -> None:
    delay = Delay()
    for tenth in range(400):
        for address in ("192.0.2.1", "192.0.2.2"):
            delay.take(tenth / 10, f"icmp://{address}", address, 0.02 if tenth < 300 else 0.9)
    assert delay.look(40.0) is Lateness.LATE
    delay.forget()
    assert delay.look(40.0) is Lateness.NONE


def test_a_line_is_full_by_its_contract_or_by_the_most_it_was_seen_to_carry() -> None:
    by_contract, by_sight = Load(Flow(20e6), Flow(2e6)), Load()
    for tenth in range(40):
        by_contract.take(tenth / 10, MEGABIT // 2, 0)  # 5 Mbit/s of 20
        by_sight.take(tenth / 10, MEGABIT, 0)
    assert by_contract.fills(4.0), "it has just risen to a quarter of it"
    for second in (0.9, 4.0):
        by_contract.carried(second, queued=False)
    assert not by_contract.fills(4.0), "and no queue was met"
    assert by_sight.fills(4.0)
    for tenth in range(40, 80):
        by_contract.take(tenth / 10, 0, MEGABIT // 10)  # 1 Mbit/s of 2 upwards
        by_sight.take(tenth / 10, MEGABIT // 5, 0)
    assert by_contract.fills(8.0)
    assert not by_sight.fills(8.0)


def sent(flow: Flow, began: float, rates_bps: list[tuple[float, float]]) -> list[bool]:
    """Whether traffic of these rates, for so many seconds each, explains a queue: told at every tenth of a second."""
    found, now = [], began
    for seconds, rate_bps in rates_bps:
        for _ in range(round(10 * seconds)):
            now += 0.1
            flow.take(now, round(rate_bps / 80))
            found.append(flow.fills(now, 0.3))
    return found


def test_what_is_sent_into_a_full_queue_at_first_is_no_measure_of_what_passes() -> None:
    """Eight uploads begin with ten times what the line carries, and share it from then on."""
    flow = Flow()
    sent(flow, 0.0, [(10.0, 8e6), (20.0, 0.1e6)])
    assert all(sent(flow, 30.0, [(1.5, 12e6), (30.0, 2e6)])[5:])
    assert not any(sent(flow, 61.5, [(10.0, 0.5e6)])[25:]), "it has fallen to a quarter"


def test_a_download_explains_its_queue_within_half_a_second() -> None:
    flow = Flow()
    sent(flow, 0.0, [(10.0, 8e6), (20.0, 0.05e6)])
    assert sent(flow, 30.0, [(0.4, 2e6)])[-1]


@pytest.mark.slow
def test_a_full_queue_that_is_empty_for_a_moment_is_still_ours() -> None:
    """Many uploads lose at once, and wait: for a second it is gone. The line once carried four times as much."""
    world = working_office()
    busy_for(world, 10.0, 8e6)
    busy_for(world, 20.0, 0.1e6)
    for queue_s, seconds in ((0.9, 8.0), (0.0, 2.0), (0.9, 10.0), (0.0, 1.0), (0.9, 10.0)):
        world.rtt_s = dict.fromkeys((CABLE4, CABLE6), 0.03 + queue_s)
        busy_for(world, seconds, 2e6)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()
