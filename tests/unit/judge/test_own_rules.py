"""Answers that arrive, and that this box throws away itself."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.office import CABLE4, CABLE6, LTE4, TARGETS, World, office, settled_office
from tests.unit.replay.tapes import incident_of, taped_office

from secondpath.model import Cause, Family, Health, TrafficSample, VerdictCode
from secondpath.replay.chain import chain_of
from secondpath.replay.notes import Notes
from secondpath.replay.rerun import rerun
from secondpath.wire.account import Kind

ALL = {str(t.address) for t in TARGETS}
CABLE = (CABLE4, CABLE6)


def swallowing(world: World, *addresses: str) -> World:
    """From now on this box throws away what these answer by cable; all of them where none is named."""
    world.eaten = {line: set(addresses or ALL) for line in CABLE}
    return world


def people(world: World, seconds: float, out: int, in_: int) -> None:
    """People at work by cable: so many packets every 0.1 s."""
    for _ in range(round(seconds / 0.1)):
        world.run_for(0.1)
        world.tell(TrafficSample(CABLE4, out=out, in_=in_, out_bytes=out * 100, in_bytes=in_ * 100))


def well(world: World) -> bool:
    return all(world.state(line).health is Health.UP for line in CABLE)


@pytest.mark.parametrize("traffic", [(0, 0), (2, 2)], ids=["nobody at work", "people at work"])
def test_a_line_whose_answers_this_box_swallows_is_not_left_and_is_told(traffic: tuple[int, int]) -> None:
    world = swallowing(settled_office())
    before = len(world.transitions)
    people(world, 30.0, *traffic)
    assert well(world)
    assert world.state(CABLE4).cause is Cause.OWN_RULES
    assert world.engine.verdict.code is VerdictCode.OWN_RULES
    assert set(world.engine.verdict.lines) == set(CABLE)
    assert world.uses() == world.uses(Family.IPV6) == "cable"
    assert {t.subject.partition(":")[0] for t in world.transitions[before:]} == {"line", "verdict"}


def test_it_is_found_at_the_end_of_the_first_burst() -> None:
    world = swallowing(settled_office())
    assert world.run_until(lambda: world.state(CABLE4).cause is Cause.OWN_RULES, 5.0) < 1.5


@pytest.mark.slow
def test_no_rung_is_convicted_and_the_standby_is_not_asked_all_the_time() -> None:
    asked = []
    for world in (settled_office(), swallowing(settled_office())):
        world.run_for(600.0)
        assert well(world)
        assert not any(ladder.failing for ladder in world.engine.ladders.values())
        asked.append(sum(1 for _, p in world.sent if p.line == LTE4))
    assert asked[1] <= asked[0] + 2


def test_when_the_rule_is_gone_all_is_well_again() -> None:
    world = swallowing(settled_office())
    world.run_for(10.0)
    world.eaten.clear()
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OK, 10.0)
    since = world.now
    world.run_for(30.0)
    assert [p for at, p in world.sent if at > since and p.watched] == []


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_was_asked_before_it_was_found_delays_nothing_when_it_is_gone(seed: int) -> None:
    """Questions that nobody watched end in silence later: they make no address mute that is known to be swallowed."""
    world = swallowing(settled_office(seed=seed))
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OWN_RULES, 5.0)
    world.run_for(3.5)
    world.eaten.clear()
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OK, 5.0)


def test_a_line_is_left_where_people_s_traffic_is_swallowed_too_and_only_real_answers_bring_it_back() -> None:
    world = settled_office()
    people(world, 5.0, 2, 2)
    swallowing(world)
    left_s = 0.0
    while world.uses() == "cable":
        people(world, 0.1, 1, 0)
        left_s += 0.1
        assert left_s < 5.0
    assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DOWN, Cause.OWN_RULES)
    world.run_for(300.0)
    assert world.state(CABLE4).cause is Cause.OWN_RULES
    assert world.uses() == "lte"
    world.eaten.clear()
    world.run_until(lambda: world.state(CABLE4).health is Health.UP, 60.0)
    before = len(world.transitions)
    world.run_until(lambda: world.uses() == "cable", 200.0)
    again = [t for t in world.transitions[before:] if t.subject == "line:cable/ipv4" and t.reason == "own-rules"]
    assert not again, "only real answers brought it back: nothing is thrown away any more"


@pytest.mark.parametrize("seed", [21, 35, 44, 49])
def test_a_burst_under_way_when_such_a_line_is_left_changes_nothing_of_why(seed: int) -> None:
    """It ends in silence: what is thrown away counts as no answer any more."""
    world = settled_office(seed=seed)
    world.run_for(seed * 0.0713)
    swallowing(world)
    world.loss = dict.fromkeys(CABLE, 0.4)
    for _ in range(100):
        world.run_for(0.1)
        for line in CABLE:
            world.tell(TrafficSample(line, out=2, out_bytes=200))
    assert [world.state(line).cause for line in CABLE] == [Cause.OWN_RULES] * 2


def test_a_trickle_that_wants_no_answer_is_no_reason_to_leave() -> None:
    world = swallowing(settled_office())
    for _ in range(20):
        world.run_for(10.0)
        world.tell(TrafficSample(CABLE4, out=1, out_bytes=60))
    assert well(world)


def test_a_dead_line_is_left_as_fast_as_ever_and_blames_nobody_here() -> None:
    world = settled_office()
    world.dead |= set(CABLE)
    world.near = {"198.51.1.1": True, "2001:db8:1::1": True}
    assert world.run_until(lambda: world.uses() == "lte", 2.0) < 1.0
    world.run_for(60.0)
    assert world.state(CABLE4).cause is Cause.SILENT
    assert world.engine.verdict.code is VerdictCode.UPSTREAM


def test_a_line_that_dies_while_its_answers_are_swallowed_is_left_all_the_same() -> None:
    world = swallowing(settled_office())
    world.run_for(10.0)
    world.dead |= set(CABLE)
    assert world.run_until(lambda: world.uses() == "lte", 2.0) < 1.0
    assert world.state(CABLE4).cause is Cause.SILENT
    world.dead.clear()
    world.run_until(lambda: well(world), 60.0)
    assert world.state(CABLE4).cause in (Cause.WELL, Cause.OWN_RULES)


def test_it_is_found_on_a_line_that_never_answered_us() -> None:
    world = swallowing(office())
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OWN_RULES, 30.0)
    assert well(world)


@pytest.mark.slow
def test_one_address_on_a_blocklist_moves_nobody_and_is_told_some_time() -> None:
    world = swallowing(settled_office(), "192.0.2.1")
    people(world, 60.0, 1, 0)
    assert well(world)
    world.run_until(lambda: world.state(CABLE4).cause is Cause.OWN_RULES, 700.0)
    world.run_for(60.0)
    assert well(world)


@pytest.mark.slow
def test_few_questions_are_watched_on_a_line_that_is_well_or_dead() -> None:
    world = settled_office()
    since = world.now
    world.run_for(300.0)
    assert [p for at, p in world.sent if p.watched and at > since] == []
    world.dead |= set(CABLE)
    world.run_for(600.0)
    watched = Counter(p.line for at, p in world.sent if p.watched and at > since)
    assert watched[CABLE4] <= 2 + 10, "the last wave, and then one a minute"


def test_a_record_of_it_replays_the_same_and_tells_what_was_swallowed() -> None:
    world, tape, cuts = taped_office()
    world.run_for(40.0)
    swallowing(world)
    people(world, 8.0, 1, 0)
    assert world.uses() == "lte"
    tape.close()
    notes = Notes()
    assert rerun(incident_of(cuts[-1]), notes.see).differences == ()
    moved = next(t for t in world.transitions if t.subject == "steering:ipv4" and t.after == "lte")
    eaten = [link for link in chain_of(notes, moved) if link.kind is Kind.EATEN]
    assert eaten and eaten[0].questions


def test_questions_that_a_rule_of_this_box_drops_are_told_as_that_and_not_as_a_dead_line() -> None:
    world = settled_office()
    world.forbidden = set(CABLE)
    assert world.run_until(lambda: world.uses() == "lte", 2.0) < 1.0
    world.run_for(60.0)
    assert (world.state(CABLE4).health, world.state(CABLE4).cause) == (Health.DOWN, Cause.OWN_RULES)
    assert world.engine.verdict.code is VerdictCode.OWN_RULES
    assert [t.reason for t in world.transitions if t.subject == "line:cable/ipv4"][-1] == "own-rules"
    world.forbidden.clear()
    world.run_until(lambda: well(world), 60.0)
    assert world.state(CABLE4).cause is Cause.WELL


def test_the_standby_that_is_asked_seldom_keeps_its_cause() -> None:
    world = settled_office()
    world.forbidden = {LTE4}
    world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 200.0)
    before = len(world.transitions)
    world.run_for(300.0)
    assert world.state(LTE4).cause is Cause.OWN_RULES
    assert not [t for t in world.transitions[before:] if t.subject == "line:lte/ipv4"]
