"""A line whose capacity varies: its shape follows the delay of what is asked over it, while people load it."""

from __future__ import annotations

import json

import pytest
from tests.office import CABLE4, CABLE6, LTE4, LTE6, World, office, settled_office, site

from secondpath.engine.mind import Engine
from secondpath.engine.shapes import LEARNED, Way
from secondpath.judge.delay import Flow
from secondpath.model import Health, Pipe, RateReading, Technology, TrafficSample, Uplink

MEGABIT = 1_000_000
DOWN_BPS, UP_BPS = 20 * MEGABIT, 8 * MEGABIT
LTE = Uplink("lte", "wwan0", Technology.CELLULAR, down_bps=DOWN_BPS, up_bps=UP_BPS, metered=True)
SITE = site(uplinks=(Uplink("cable", "wan0"), LTE))


def pipe(world: World, way: str = "down") -> Pipe:
    shape = next(s for s in world.engine.steering().shapes if s.uplink == "lte")
    found = shape.down if way == "down" else shape.up
    assert found is not None
    return found


def load(world: World, seconds: float, down_bps: float) -> None:
    """Downloads, as much as they get."""
    for _ in range(round(10 * seconds)):
        octets = round(min(down_bps, pipe(world).rate_bps) / 80)
        world.tell(TrafficSample(LTE4, out=50, in_=100, out_bytes=octets // 30, in_bytes=octets))
        world.run_for(0.1)


@pytest.fixture
def backup() -> World:
    """An office that works by its cellular backup, and has learned how quickly that answers."""
    world = settled_office(SITE)
    world.dead |= {CABLE4, CABLE6}
    world.run_until_used("lte", 10.0)
    world.run_for(60.0)
    return world


def test_it_begins_with_its_contract_and_falls_at_once_when_a_queue_grows(backup: World) -> None:
    began_bps = pipe(backup).rate_bps
    assert began_bps == 0.85 * DOWN_BPS
    backup.rtt_s = {LTE4: 0.25, LTE6: 0.25}
    load(backup, 10.0, DOWN_BPS)
    assert pipe(backup).rate_bps < 0.4 * began_bps
    assert pipe(backup, "up").rate_bps == 0.95 * UP_BPS, "nothing is uploaded: its delay tells of the other way"
    assert backup.uses() == "lte"
    assert backup.state(LTE4).health is Health.UP, "a queue of our own"


def answer(way: Way, queues_s: list[float], load_ratio: float) -> None:
    """Answers four times a second, each so much later than usual, while so much of its rate at first is moving."""
    flow, load_bps = Flow(), load_ratio * way.pace.rate_bps
    for tenth in range(40):
        flow.take(tenth / 10, round(load_bps / 80))
    for number, queued_s in enumerate(queues_s):
        now = 4.0 + number / 4
        flow.take(now, round(load_bps / 32))
        way.answered(now, queued_s, flow, calls=False)


def test_a_line_that_carries_less_than_a_quarter_of_its_rate_is_followed_too() -> None:
    way = Way.of(DOWN_BPS)
    answer(way, [0.9] * 40, 0.2)
    assert way.pace.rate_bps == way.pace.least_bps


def test_an_answer_that_comes_sooner_than_usual_makes_no_later_one_late() -> None:
    way = Way.of(DOWN_BPS)
    way.pace.rate_bps = way.pace.least_bps
    answer(way, [-0.09] + [0.0] * 8, 1.0)
    assert way.pace.rate_bps > 1.2 * way.pace.least_bps


def test_it_rises_while_more_is_asked_for_and_nothing_waits(backup: World) -> None:
    backup.rtt_s = {LTE4: 0.25, LTE6: 0.25}
    load(backup, 10.0, DOWN_BPS)
    low_bps = pipe(backup).rate_bps
    backup.rtt_s = {}
    load(backup, 20.0, DOWN_BPS)
    assert pipe(backup).rate_bps > 1.5 * low_bps


def test_while_calls_are_in_progress_it_is_the_floor_and_moves_down_only(backup: World) -> None:
    for minute in range(LEARNED):
        backup.engine.shapes.ways["lte", "down"].remember(backup.now, (3 + minute) * MEGABIT)
    backup.tell(RateReading("lte", calls=3))
    load(backup, 10.0, DOWN_BPS)
    pinned_bps = pipe(backup).rate_bps
    assert pinned_bps <= 0.85 * 4 * MEGABIT, "the 5th percentile of 3 to 22 Mbit/s"
    load(backup, 10.0, DOWN_BPS)
    assert pipe(backup).rate_bps <= pinned_bps
    backup.tell(RateReading("lte", calls=0))
    load(backup, 20.0, DOWN_BPS)
    assert pipe(backup).rate_bps > pinned_bps, "and hunts again when they have ended"


def test_before_it_is_known_calls_keep_to_what_does_not_queue(backup: World) -> None:
    backup.tell(RateReading("lte", calls=3))
    load(backup, 10.0, DOWN_BPS)
    assert pipe(backup).rate_bps == 0.85 * DOWN_BPS, "nothing speaks against the contract"
    backup.rtt_s = {LTE4: 0.25, LTE6: 0.25}
    load(backup, 3.0, DOWN_BPS)
    fallen_bps = pipe(backup).rate_bps
    assert fallen_bps < 0.85 * DOWN_BPS
    backup.rtt_s = {}
    load(backup, 10.0, DOWN_BPS)
    assert pipe(backup).rate_bps <= fallen_bps, "nobody hunts for more while they talk"


def test_an_idle_line_is_not_asked_more_often_and_its_rate_stays(backup: World) -> None:
    since_s, since = backup.now, pipe(backup)
    backup.run_for(60.0)
    assert pipe(backup) == since
    assert sum(probe.line == LTE4 and at > since_s for at, probe in backup.sent) < 60.0 * 2
    load(backup, 10.0, 0.5 * DOWN_BPS)
    asked = [at for at, probe in backup.sent if probe.line == LTE4 and at > backup.now - 5.0]
    assert len(asked) >= 5.0 / 0.3


def test_a_line_of_steady_capacity_keeps_to_its_contract() -> None:
    steady = site(uplinks=(Uplink("cable", "wan0", Technology.CABLE, down_bps=DOWN_BPS, up_bps=UP_BPS), LTE))
    world = settled_office(steady)
    world.rtt_s = {CABLE4: 0.25}
    for _ in range(100):
        world.tell(TrafficSample(CABLE4, out=50, in_=100, out_bytes=4000, in_bytes=DOWN_BPS // 90))
        world.run_for(0.1)
    shape = next(s for s in world.engine.steering().shapes if s.uplink == "cable")
    assert shape.down is not None
    assert shape.down.rate_bps == 0.85 * DOWN_BPS


@pytest.mark.slow
def test_what_it_has_delivered_outlives_a_restart(backup: World) -> None:
    for _ in range(3):
        load(backup, 65.0, DOWN_BPS)
    delivered = backup.engine.shapes.ways["lte", "down"].delivered
    assert len(delivered) >= 2
    memory = json.loads(json.dumps(backup.engine.memory(backup.now)))
    again = Engine(SITE, 1000.0)
    again.recall(1000.0, memory, 60.0)
    known = again.shapes.ways["lte", "down"]
    assert [bps for _, bps in known.delivered] == [bps for _, bps in delivered]
    assert known.pace.rate_bps == DOWN_BPS, "of the rate itself nothing is known any more"


def test_a_reload_with_another_contract_begins_anew_and_the_same_one_does_not() -> None:
    world = office(SITE)
    ways = dict(world.engine.shapes.ways)
    world.engine.shapes.settle(SITE)
    assert world.engine.shapes.ways["lte", "down"] is ways["lte", "down"]
    other = site(uplinks=(Uplink("cable", "wan0"), Uplink("lte", "wwan0", Technology.CELLULAR, down_bps=DOWN_BPS // 2)))
    world.engine.shapes.settle(other)
    assert set(world.engine.shapes.ways) == {("lte", "down")}
    assert world.engine.shapes.ways["lte", "down"] is not ways["lte", "down"]
