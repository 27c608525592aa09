"""The engine brings the office home gently: lines that were left, phones on a call, and the end of both."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest
from tests.office import CABLE4, LTE4, LTE6, World, ask, settled_office, site
from tests.unit.replay.tapes import incident_of, taped_office

from secondpath.engine.mind import Engine
from secondpath.model import CLASSES, Cause, Family, FlowKind, FlowsReading, Health, Line, LineState, Steering
from secondpath.replay.rerun import rerun

DESK = ip_address("10.44.10.7")
DRAIN_S = site().failover.drain_s


def reading(line: Line, calls: int = 0, **more: int) -> FlowsReading:
    counts = {FlowKind.CALL: calls} if calls else {}
    return FlowsReading(line, counts | {FlowKind(k): n for k, n in more.items()}, (DESK,) * bool(calls))


def went_home() -> World:
    """The office was on lte for a minute, and a person has just asked to go home."""
    world = settled_office()
    world.tell(ask("failover", "lte"))
    world.run_for(60.0)
    world.tell(ask("failback"))
    assert world.uses() == "cable"
    return world


def given_up(world: World, line: Line) -> list[tuple[str, object]]:
    return [(t.after, t.detail.get("because")) for t in world.transitions if t.subject == f"flows:{line}"]


def test_what_was_left_is_said_at_once() -> None:
    assert went_home().engine.steering().left == {LTE4, LTE6}


@pytest.mark.slow
def test_nothing_left_to_finish_ends_the_drain_at_once_and_once_only() -> None:
    world = went_home()
    before = world.engine.steering().generations[LTE4]
    world.tell(reading(LTE4, calls=2))
    world.run_for(30.0)
    assert given_up(world, LTE4) == []
    assert world.engine.steering().calling == {DESK: LTE4}
    world.tell(reading(LTE4))
    assert given_up(world, LTE4) == [("finished", "finished")]
    assert world.engine.steering().generations[LTE4] == before + 1
    assert world.engine.steering().calling == {}
    assert world.engine.steering().left == {LTE6}
    world.tell(reading(LTE4))
    world.run_for(2 * DRAIN_S)
    assert given_up(world, LTE4) == [("finished", "finished")]


def test_a_call_that_does_not_end_ends_with_the_drain() -> None:
    world = went_home()
    world.tell(reading(LTE4, calls=1))
    world.run_for(DRAIN_S - 1.0)
    assert given_up(world, LTE4) == []
    world.run_for(2.0)
    assert given_up(world, LTE4) == [("given up", "drained")]
    assert world.engine.steering().calling == {}


def test_a_call_ends_when_its_line_dies() -> None:
    world = went_home()
    world.tell(reading(LTE4, calls=1))
    world.dead |= {LTE4, LTE6}
    world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 300.0)
    assert given_up(world, LTE4) == [("given up", None)]
    assert world.engine.steering().calling == {}


def test_who_goes_back_to_the_backup_has_left_nothing_there() -> None:
    world = went_home()
    world.tell(reading(LTE4, calls=1))
    world.tell(ask("failover", "lte"))
    assert world.engine.steering().left == {CABLE4, Line("cable", Family.IPV6)}, "cable is well, and was left"
    assert world.engine.steering().calling == {}
    world.tell(reading(LTE4))
    world.run_for(DRAIN_S + 10.0)
    assert given_up(world, LTE4) == given_up(world, CABLE4) == []


@pytest.mark.parametrize("killed", [False, True])
def test_a_restart_in_the_middle_keeps_the_calls_and_the_clock(killed: bool) -> None:
    """Killed before it could write down who is on the phone, it finds that in the kernel."""
    world = went_home()
    at_home = json.loads(json.dumps(world.engine.memory(world.now)))
    world.tell(reading(LTE4, calls=1))
    steering = world.engine.steering()
    adopted = Steering(steering.lanes, {}, left=frozenset({LTE4}), calling=steering.calling)
    world.run_for(100.0)
    memory = at_home if killed else json.loads(json.dumps(world.engine.memory(world.now)))
    passed_s = 105.0 if killed else 5.0
    again = Engine(site(), world.now + 5.0, adopted)
    again.recall(world.now + 5.0, memory, passed_s)
    assert again.steering().calling == {DESK: LTE4}
    assert again.steering().left == {LTE4, LTE6}
    until = again.homecoming.going_home()[LTE4]
    assert until == pytest.approx(world.now + 5.0 + DRAIN_S - 105.0)


def test_a_brown_out_is_left_without_an_end_and_its_calls_stay() -> None:
    world = settled_office()
    states = world.engine.states(world.now)
    degraded = LineState(CABLE4, Health.DEGRADED, Cause.LOSS, 0.0)
    assert states[CABLE4].health is Health.UP
    world.engine.homecoming.move(world.now, degraded, LTE4, goes_home=False, rules=site().failover)
    world.tell(reading(CABLE4, calls=1))
    assert world.engine.steering().calling == {DESK: CABLE4}
    world.run_for(DRAIN_S + 10.0)
    assert given_up(world, CABLE4) == []


def test_every_class_keeps_its_lane_whoever_is_on_the_phone() -> None:
    world = went_home()
    world.tell(reading(LTE4, calls=1))
    lanes = world.engine.steering().lanes
    assert {lanes[name, Family.IPV4].uplink for name in CLASSES} == {"cable"}


def test_a_homecoming_is_replayed_exactly() -> None:
    world, tape, cuts = taped_office()
    world.run_for(30.0)
    world.tell(ask("failover", "lte"))
    world.run_for(20.0)
    world.tell(ask("failback"))
    for calls in (3, 2, 0):
        world.tell(reading(LTE4, calls=calls, office=1))
        world.run_for(15.0)
    world.run_for(10.0)
    tape.close()
    assert any(t.subject == f"flows:{LTE4}" and t.after == "finished" for t in world.transitions)
    replayed = rerun(incident_of(cuts[-1]))
    assert replayed.same, replayed.differences[:3]
    assert "finished" in {t.after for t in replayed.transitions}
