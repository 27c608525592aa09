"""The whole mind of a site, as stories in pure time."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import CABLE4, CABLE6, LTE4, TARGETS, World, ask, interface, office, settled_office, site

from secondpath.engine import Engine
from secondpath.model import CLASSES, Family, Health, Line, Observation, Reload, Step, Treatment, Uplink, VerdictCode

BOTH = {CABLE4, CABLE6}


@pytest.mark.slow
def test_a_healthy_office_uses_its_first_uplink_and_stays_there() -> None:
    world = settled_office()
    world.run_for(900)
    assert (world.uses(), world.uses(Family.IPV6)) == ("cable", "cable")
    assert world.switches() == 0
    assert world.engine.verdict.code is VerdictCode.OK


def test_a_cut_cable_moves_everybody_in_the_same_step() -> None:
    world = settled_office()
    world.tell(interface("cable", carrier=False))
    assert (world.uses(), world.uses(Family.IPV6)) == ("lte", "lte")
    assert world.engine.verdict.code is VerdictCode.CABLE


def test_a_black_hole_is_left_within_a_second_whenever_it_begins() -> None:
    took = []
    for phase in range(40):
        world = settled_office(seed=phase)
        world.run_for(phase * 0.0317)
        world.dead |= BOTH
        took.append(world.run_until(lambda w=world: w.uses() == "lte" and w.uses(Family.IPV6) == "lte"))  # type: ignore[misc]
    assert statistics.median(took) < 0.9
    assert max(took) < 1.3


@pytest.mark.slow
def test_one_dead_target_never_moves_anybody() -> None:
    for uri in (t.uri for t in TARGETS):
        world = settled_office()
        world.dead_targets.add(uri)
        world.run_for(300)
        assert world.switches() + world.switches(Family.IPV6) == 0, uri
        assert world.state(CABLE4).health is Health.UP
        assert world.state(CABLE6).health is Health.UP


@pytest.mark.slow
def test_five_percent_loss_for_an_hour_moves_nobody() -> None:
    world = settled_office()
    world.loss = dict.fromkeys(BOTH, 0.05)
    world.run_for(3600)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()


@pytest.mark.parametrize(
    ("loss", "within_s"), [(0.6, 3.0), (0.3, 8.0), pytest.param(0.15, 20.0, marks=pytest.mark.slow)]
)
def test_a_brown_out_is_left_the_sooner_the_worse_it_is(loss: float, within_s: float) -> None:
    took = []
    for seed in range(15):
        world = settled_office(seed=seed)
        world.loss = {CABLE4: loss}
        took.append(world.run_until(lambda w=world: w.uses() == "lte", 300))  # type: ignore[misc]
    assert statistics.median(took) < within_s


@pytest.mark.slow
def test_a_slow_satellite_is_well() -> None:
    world = office()
    world.rtt_s = {CABLE4: 0.9, CABLE6: 0.9}
    world.run_for(900)
    assert world.uses() == "cable"
    assert world.switches() == 0
    assert world.state(CABLE4).health is Health.UP


def test_one_dead_family_moves_alone() -> None:
    world = settled_office()
    world.dead.add(CABLE6)
    world.run_until(lambda: world.uses(Family.IPV6) == "lte", 2.0)
    assert world.uses(Family.IPV4) == "cable"
    assert world.engine.verdict.code is VerdictCode.ONE_FAMILY


def test_with_no_better_path_nothing_is_given_up() -> None:
    world = settled_office()
    world.dead |= {CABLE4, CABLE6, LTE4, Line("lte", Family.IPV6)}
    before = dict(world.engine.steering().generations)
    world.run_for(60)
    assert world.engine.steering().generations == before
    assert world.uses() in ("cable", "lte")
    assert world.switches() <= 1
    assert world.engine.verdict.code is VerdictCode.ALL_DOWN


@pytest.mark.parametrize("back", ["cable", "lte"])
def test_whichever_uplink_comes_back_first_is_used(back: str) -> None:
    world = settled_office()
    everything = {CABLE4, CABLE6, LTE4, Line("lte", Family.IPV6)}
    world.dead |= everything
    world.run_for(30)
    world.dead -= {line for line in everything if line.uplink == back}
    world.run_until(lambda: world.uses() == back and world.state(Line(back, Family.IPV4)).health is Health.UP, 5.0)
    other = "lte" if back == "cable" else "cable"
    world.dead.clear()
    world.run_for(200)
    assert world.uses() == "cable"
    assert world.state(Line(other, Family.IPV4)).health is Health.UP


def test_a_family_that_is_dead_everywhere_is_asked_often_though_the_other_works() -> None:
    world = settled_office()
    world.dead.add(LTE4)
    world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 300.0)
    world.dead |= {CABLE4, CABLE6}
    world.run_for(60)
    assert world.uses() == "cable", "nowhere to go"
    assert world.uses(Family.IPV6) == "lte"
    world.dead.discard(LTE4)
    world.run_until(lambda: world.uses() == "lte" and world.state(LTE4).health is Health.UP, 5.0)


def test_the_second_uplink_dying_right_after_the_failover_is_noticed() -> None:
    world = settled_office()
    world.tell(interface("cable", carrier=False))
    assert world.uses() == "lte"
    world.dead |= {LTE4, Line("lte", Family.IPV6)}
    world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 3.0)
    world.tell(interface("cable"))
    world.run_until(lambda: world.uses() == "cable", 3.0)


def test_the_dead_flows_are_given_up_only_once_and_only_theirs() -> None:
    world = settled_office()
    before = dict(world.engine.steering().generations)
    world.dead.add(CABLE4)
    world.run_for(30)
    after = world.engine.steering().generations
    assert {line for line in after if after[line] != before[line]} == {CABLE4}
    assert after[CABLE4] == before[CABLE4] + 1


def test_home_only_after_the_whole_hold() -> None:
    world = settled_office()
    world.dead |= BOTH
    world.run_until(lambda: world.uses() == "lte")
    world.run_for(20)
    world.dead.clear()
    assert world.run_until(lambda: world.uses() == "cable", 120) >= 60.0


def test_five_second_cuts_every_thirty_seconds_cause_one_failover() -> None:
    world = settled_office()
    for _ in range(20):
        world.dead |= BOTH
        world.run_for(5)
        world.dead -= BOTH
        world.run_for(25)
    assert world.switches() == 1, world.recent()
    assert world.uses() == "lte"


@pytest.mark.slow
def test_the_hold_doubles_with_each_relapse_up_to_its_maximum() -> None:
    world = settled_office()
    holds = []
    for _ in range(7):
        world.dead |= BOTH
        world.run_until(lambda: world.uses() == "lte")
        world.run_for(5)
        world.dead -= BOTH
        holds.append(world.run_until(lambda: world.uses() == "cable", 2000))
    assert [round(h, -1) for h in holds] == [60, 120, 240, 480, 960, 1800, 1800]


def test_going_home_lets_flows_finish_and_then_ends_them() -> None:
    world = settled_office()
    world.dead |= BOTH
    world.run_until(lambda: world.uses() == "lte")
    world.dead.clear()
    world.run_until(lambda: world.uses() == "cable", 120)
    before = world.engine.steering().generations[LTE4]
    world.run_for(590)
    assert world.engine.steering().generations[LTE4] == before
    world.run_for(20)
    assert world.engine.steering().generations[LTE4] == before + 1


def test_a_standby_that_dies_is_found_out_although_it_is_seldom_asked() -> None:
    world = settled_office()
    world.dead |= {LTE4, Line("lte", Family.IPV6)}
    assert world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 150) < 125
    assert world.engine.verdict.code is VerdictCode.BACKUP_NOT_READY


def test_traffic_is_not_sent_to_a_standby_that_died_unnoticed_a_moment_ago() -> None:
    world = settled_office()
    world.run_for(45)
    world.dead |= {CABLE4, LTE4}
    world.run_for(20)
    assert world.uses() == "cable"
    assert world.switches() == 0


def test_guests_have_no_lane_on_the_metered_backup() -> None:
    world = settled_office()
    world.tell(interface("cable", carrier=False))
    assert world.uses(traffic_class="guest") is None
    assert world.uses(traffic_class="voice") == "lte"


def test_a_person_moves_the_office_and_brings_it_home_at_once() -> None:
    world = settled_office()
    world.tell(ask("failover", "lte"))
    assert world.uses() == "lte"
    world.run_for(600)
    assert world.uses() == "lte"
    world.tell(ask("failback"))
    assert world.uses() == "cable"


def test_a_persons_choice_ends_when_its_uplink_dies() -> None:
    world = settled_office()
    world.tell(ask("failover", "lte"))
    world.dead.add(LTE4)
    world.run_until(lambda: world.uses() == "cable", 3.0)
    world.dead.clear()
    world.run_for(300)
    assert world.uses() == "cable"


def test_nobody_is_moved_to_an_uplink_that_is_not_proven() -> None:
    world = settled_office()
    world.dead |= {LTE4, Line("lte", Family.IPV6)}
    world.run_until(lambda: world.state(LTE4).health is Health.DOWN, 150)
    assert "not proven" in (world.engine.refusal(ask("failover", "lte")) or "")
    assert "no uplink named" in (world.engine.refusal(ask("failover", "lta")) or "")
    assert world.engine.refusal(ask("failback")) is not None


def test_a_hold_keeps_the_office_where_it_is_until_it_ends() -> None:
    world = settled_office()
    world.tell(interface("cable", carrier=False))
    world.tell(ask("hold", duration_s=600))
    world.tell(interface("cable"))
    world.run_for(500)
    assert world.uses() == "lte"
    world.run_for(110)
    assert world.uses() == "cable"


def test_a_restart_moves_nobody() -> None:
    world = settled_office()
    world.tell(interface("cable", carrier=False))
    again = office(adopted=world.engine.steering())
    again.run_for(30)
    assert again.uses() == "lte"
    assert again.run_until(lambda: again.uses() == "cable", 60) > 20


def test_booting_with_a_broken_primary_uses_the_backup() -> None:
    world = office(dead=BOTH)
    assert world.run_until(lambda: world.uses() == "lte" and world.uses(Family.IPV6) == "lte", 5.0) < 3.0


def test_our_own_lateness_is_not_the_lines_fault() -> None:
    world = settled_office()
    step_at = world.now + 2.0  # the loop stood still for two seconds while answers piled up
    pending = [p for _, p in world.sent[-3:]]
    world.now = step_at
    world._step(None)
    assert world.uses() == "cable"
    world.run_for(30)
    assert world.switches() == 0, (pending, world.recent())


def test_waking_from_sleep_moves_nobody() -> None:
    world = settled_office()
    world.now += 8 * 3600
    world._step(None)
    world.run_for(60)
    assert world.switches() == 0, world.recent()


def test_an_uplink_without_ipv6_is_not_called_down_for_it() -> None:
    world = office()
    world.tell(interface("lte", ipv6=False))
    fresh = World(Engine(site(), 0.0))
    fresh.tell(interface("cable", ipv6=False))
    fresh.tell(interface("lte", ipv6=False))
    fresh.run_for(30)
    assert fresh.state(CABLE6).health is Health.UNKNOWN
    assert fresh.uses(Family.IPV6) is None
    assert fresh.engine.verdict.code is VerdictCode.OK


def test_a_reload_keeps_what_is_known_and_follows_what_is_new() -> None:
    world = settled_office()
    third = site(uplinks=(Uplink("cable", "wan0"), Uplink("lte", "wwan0", metered=True), Uplink("dsl", "wan1")))
    world.tell(Reload(third))
    world.tell(interface("dsl"))
    assert world.state(CABLE4).health is Health.UP
    world.run_until(lambda: world.state(Line("dsl", Family.IPV4)).health is Health.UP, 5)
    world.tell(Reload(replace(third, uplinks=third.uplinks[1:])))
    assert world.uses() == "lte"


@pytest.mark.slow
def test_a_metered_standby_is_asked_less_than_ten_megabytes_a_month() -> None:
    world = settled_office()
    world.run_for(180)
    world.sent.clear()
    world.run_for(3 * 3600)
    cost = {
        "icmp": (88, 128), "tcp": (224, 304), "dns": (154, 194), "http": (687, 847), "tls": (6000, 6200),
        "size": (2800, 2800),
    }  # fmt: skip
    spent = sum(
        cost[p.target.kind.value][p.line.family is Family.IPV6] for _, p in world.sent if p.line.uplink == "lte"
    )
    assert spent * 8 * 30 < 10e6


def test_the_same_day_gives_the_same_transitions() -> None:
    world = settled_office(seed=7)
    world.loss = {CABLE4: 0.1}
    world.run_for(20)
    world.dead |= BOTH
    world.run_for(20)
    world.dead.clear()
    world.run_for(100)
    engine = Engine(site(), 0.0)
    again = [t for at, observation in world.log for t in engine.step(at, observation).transitions]
    assert again == world.transitions


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["die", "live", "carrier-off", "carrier-on", "lossy", "clean", "failover", "failback", "hold"]),
        st.sampled_from(["cable", "lte"]),
        st.floats(0.01, 90.0),
    ),
    max_size=14,
)


def happen(world: World, what: str, uplink: str) -> None:
    lines = {Line(uplink, f) for f in Family}
    if what == "die":
        world.dead |= lines
    elif what == "live":
        world.dead -= lines
    elif what in ("lossy", "clean"):
        world.loss |= dict.fromkeys(lines, 0.25 if what == "lossy" else 0.0)
    elif what.startswith("carrier"):
        world.tell(interface(uplink, carrier=what == "carrier-on"))
    else:
        world.tell(ask(what, uplink, 30.0))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(EVENTS, st.integers(0, 5))
def test_whatever_happens_the_three_rules_hold(events: list[tuple[str, str, float]], seed: int) -> None:
    world = settled_office(seed=seed)
    engine_step = world.engine.step

    def recorded(now: float, observation: Observation | None = None) -> Step:
        before = world.engine.steering()
        step = engine_step(now, observation)
        check_rules(world, before.generations, step)
        return step

    world.engine.step = recorded  # type: ignore[method-assign]
    for what, uplink, pause_s in events:
        happen(world, what, uplink)
        world.run_for(pause_s)


def check_rules(world: World, before: object, step: Step) -> None:
    states = {line: judge.state for line, judge in world.engine.judges.items()}
    for family in Family:
        lanes = {name: step.steering.lane(name, family) for name in CLASSES}  # every class has a lane
        for name, lane in lanes.items():
            if CLASSES[name].on_backup is Treatment.BLOCK:
                assert lane.uplink != "lte", "a guest on the metered backup"
    for transition in step.transitions:
        if transition.subject.startswith("flows:"):
            given_up = transition.subject.removeprefix("flows:")
            family = Family(given_up.split("/")[1])
            used = step.steering.lane("office", family).uplink
            assert used is not None
            assert f"{used}/{family}" != given_up, "flows of the line in use were given up"
            assert states[Line(used, family)].health in (Health.UP, Health.DEGRADED), "given up for nothing better"
        if transition.subject.startswith("steering:") and transition.after:
            line = Line(transition.after, Family(transition.subject.removeprefix("steering:")))
            assert states[line].health in (Health.UP, Health.DEGRADED), "moved to a line that is not proven"


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 120.0), st.integers(0, 20))
def test_trust_returns_no_faster_than_the_hold(cut_s: float, seed: int) -> None:
    world = settled_office(seed=seed)
    world.dead |= BOTH
    world.run_for(cut_s)
    world.dead.clear()
    mended_at = world.now
    moved = world.uses() == "lte"
    world.run_for(59.0)
    if moved:
        assert world.uses() == "lte", world.recent()
        assert world.run_until(lambda: world.uses() == "cable", 30) + world.now - mended_at > 60.0


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.sampled_from(TARGETS), st.integers(0, 50), st.floats(0, 2))
def test_no_single_target_can_cause_a_failover(dead: object, seed: int, phase_s: float) -> None:
    world = settled_office(seed=seed)
    world.run_for(phase_s)
    world.dead_targets.add(dead.uri)  # type: ignore[attr-defined]
    world.run_for(300)
    assert world.switches() + world.switches(Family.IPV6) == 0
