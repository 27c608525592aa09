"""Where the way to the internet ends on a silent line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from tests.office import CABLE4, CABLE6, LTE4, World, office, settled_office, site
from tests.unit.replay.tapes import incident_of, taped_office

from secondpath.judge.path import ABREAST, MOST_HOPS
from secondpath.model import Cause, Health, LastHop, Line, Outcome, ProbeResult, Transition, Uplink
from secondpath.replay.rerun import rerun

DAY_S = 86_400.0
WAY = ("198.51.1.1", "203.0.113.9", "198.18.0.1", "198.18.0.5")
WAY6 = ("2001:db8:1::1", "2001:db8:a::9")


def learned(*way: str, a_world: World | None = None) -> World:
    """An office that has seen the way by cable while all was well."""
    world = a_world or settled_office()
    world.hops = {CABLE4: way or WAY, CABLE6: WAY6}
    world.run_for(40.0)
    assert world.engine.judges[CABLE4].path.usual
    return world


def fails_after(world: World, hops: int) -> World:
    world.cut = {CABLE4: hops, CABLE6: hops}
    world.dead |= {CABLE4, CABLE6}
    world.near = {"198.51.1.1": True, "2001:db8:1::1": True}
    world.run_for(10.0)
    return world


def found(world: World, line: Line = CABLE4) -> LastHop | None:
    return world.state(line).last_hop


def walked(world: World, line: Line, since: float) -> list[tuple[float, int]]:
    return [(at, p.ttl) for at, p in world.sent if p.line == line and p.ttl is not None and at >= since]


def told(world: World) -> list[Transition]:
    return [t for t in world.transitions if t.subject.startswith("path:")]


def test_the_way_is_learned_while_all_is_well() -> None:
    world = learned()
    usual = world.engine.judges[CABLE4].path.usual
    assert [str(usual[ttl]) for ttl in sorted(usual)] == [*WAY, "192.0.2.1"]
    assert not told(world)


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
def test_the_last_hop_that_answers_is_named_and_the_first_that_used_to(hops: int) -> None:
    world = fails_after(learned(), hops)
    beyond = [*WAY, "192.0.2.1"][hops]
    seen = found(world)
    assert seen == LastHop(seen.at if seen else 0.0, hops, ip_address(WAY[hops - 1]), hops + 1, ip_address(beyond))
    its = [t for t in told(world) if t.subject == "path:cable/ipv4"]
    assert [(t.after, t.reason) for t in its] == [("ends", WAY[hops - 1])]
    assert its[0].detail == {"ttl": hops, "beyond_ttl": hops + 1, "beyond": beyond}


def test_each_family_has_a_way_of_its_own() -> None:
    world = fails_after(learned(), 2)
    seen = found(world, CABLE6)
    assert seen is not None
    assert (seen.ttl, str(seen.address), str(seen.beyond)) == (2, WAY6[1], "2001:db8:ff::1")


def test_a_hop_that_never_answered_proves_nothing_by_its_silence() -> None:
    world = fails_after(learned("198.51.1.1", "*", "*", "198.18.0.5"), 1)
    seen = found(world)
    assert seen is not None
    assert (seen.ttl, seen.beyond_ttl, str(seen.beyond)) == (1, 4, "198.18.0.5")


def test_without_a_way_that_was_learned_only_the_last_hop_is_named() -> None:
    world = office()
    world.hops = {CABLE4: WAY}
    world.run_until(lambda: world.state(CABLE4).health is Health.UP)
    seen = found(fails_after(world, 2))
    assert seen is not None
    assert (seen.ttl, seen.beyond) == (2, None)


def test_one_lost_packet_is_not_taken_for_the_end_of_the_way() -> None:
    world = learned()
    world.cut, world.near = {CABLE4: 3}, {"198.51.1.1": True}
    world.dead.add(CABLE4)
    world.hops[CABLE4] = (*WAY[:2], "*", WAY[3])
    world.run_until(lambda: bool(walked(world, CABLE4, world.state(CABLE4).since)) and world.uses() != "cable")
    world.hops[CABLE4] = WAY
    world.run_for(8.0)
    seen = found(world)
    assert seen is not None and seen.ttl == 3


def test_silence_of_all_says_nothing() -> None:
    world = fails_after(learned(), 0)
    assert world.state(CABLE4).cause is Cause.SILENT
    assert found(world) is None
    assert not told(world)


def test_a_next_hop_that_is_dead_too_explains_more_and_nobody_is_asked() -> None:
    world = learned()
    since = world.now
    world.dead |= {CABLE4, CABLE6}
    world.near = {"198.51.1.1": False, "2001:db8:1::1": False}
    world.run_for(60.0)
    assert world.state(CABLE4).cause is Cause.NEXT_HOP
    assert walked(world, CABLE4, since) == []


@pytest.mark.slow
def test_what_comes_back_on_the_way_is_no_answer_of_the_line() -> None:
    world = fails_after(learned(), 4)
    before = world.state(CABLE4)
    world.run_for(650.0)
    assert len(told(world)) > 1, "it was asked again"
    assert (world.state(CABLE4).health, world.state(CABLE4).since) == (Health.DOWN, before.since)
    for _, probe in [(at, p) for at, p in world.sent if p.ttl is not None][-4:]:
        world.tell(ProbeResult(probe, Outcome.OK, 0.02))
    assert world.state(CABLE4).health is Health.DOWN
    assert not world.engine.judges[CABLE4].recovering()


def test_silence_on_the_way_is_no_loss_of_the_line() -> None:
    world = settled_office()
    world.hops = {CABLE4: ("*",) * MOST_HOPS}
    world.run_for(60.0)
    assert world.state(CABLE4).health is Health.UP
    assert world.state(CABLE4).measurement.loss_ratio == 0.0


@pytest.mark.slow
def test_an_outage_costs_a_handful_of_packets_and_then_seldom() -> None:
    world = learned()
    since = world.now
    fails_after(world, 2)
    first = walked(world, CABLE4, since)
    assert len(first) <= len(WAY) + 1 + ABREAST
    assert first[-1][0] - first[0][0] <= 2.5
    world.run_for(500.0)
    assert walked(world, CABLE4, since) == first
    world.run_for(200.0)
    assert len(walked(world, CABLE4, since)) == 2 * len(first)


def test_an_unknown_way_is_asked_no_farther_than_it_answers_and_never_more_than_sixteen_hops() -> None:
    world = settled_office()
    world.hops = {CABLE4: tuple(f"198.18.1.{n}" for n in range(1, 30)), CABLE6: ("2001:db8:1::1", *("*",) * 20)}
    since = world.now
    world.run_for(40.0)
    assert [ttl for _, ttl in walked(world, CABLE4, since)] == list(range(1, MOST_HOPS + 1))
    assert [ttl for _, ttl in walked(world, CABLE6, since)] == list(range(1, 2 * ABREAST + 1))


@pytest.mark.slow
def test_a_metered_line_is_asked_once_a_day_and_a_wired_one_hourly() -> None:
    world = learned()
    world.hops[LTE4] = ("198.51.2.1",)
    since = world.now
    world.run_for(7300.0)
    assert walked(world, LTE4, since) == []
    assert len(walked(world, CABLE4, since)) == 2 * 2 * ABREAST, "two walks of two waves"


@pytest.mark.slow
def test_a_walk_on_which_nobody_answers_forgets_nobody() -> None:
    world = learned()
    before = world.engine.judges[CABLE4].path.learned()
    world.hops[CABLE4] = ("*",) * MOST_HOPS
    world.run_for(3700.0)
    assert world.engine.judges[CABLE4].path.learned() == before


def test_other_targets_have_another_way() -> None:
    world = learned()
    judge = world.engine.judges[CABLE4]
    others = tuple(replace(t, address=ip_address("192.0.2.200")) for t in judge.targets if t.address.version == 4)
    judge.configure(others, judge.waves)
    fails_after(world, 1)
    seen = found(world)
    assert seen is not None and seen.beyond is None


def test_what_was_found_is_forgotten_when_the_line_is_up() -> None:
    world = fails_after(learned(), 2)
    assert found(world) is not None
    world.dead.clear()
    world.run_until(lambda: world.state(CABLE4).health is Health.UP)
    assert found(world) is None


@pytest.mark.slow
def test_a_record_with_a_walk_in_it_replays_the_same() -> None:
    world, tape, cuts = taped_office(site(uplinks=(Uplink("cable", "wan0"), Uplink("lte", "wwan0", metered=True))))
    fails_after(learned(a_world=world), 2)
    world.run_for(60.0)
    tape.close()
    replay = rerun(incident_of(cuts[-1]))
    assert replay.differences == ()
    assert "path:cable/ipv4" in {t.subject for t in replay.transitions}
