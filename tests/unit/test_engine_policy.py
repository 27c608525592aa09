"""Classes that choose in a manner of their own, and data allowances: what the whole mind makes of a policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.office import CABLE4, CABLE6, LTE4, World, ask, interface, office, site

from secondpath.model import (
    CLASSES,
    CRITICAL,
    Application,
    DataPlan,
    Failover,
    Family,
    Health,
    Line,
    Match,
    Policy,
    Reload,
    Site,
    Stage,
    Steering,
    Treatment,
    Uplink,
    UsageReading,
    Why,
)

DSL4, DSL6 = Line("dsl", Family.IPV4), Line("dsl", Family.IPV6)
IPV4 = Family.IPV4
UPLINKS = (
    Uplink("cable", "wan0"),
    Uplink("dsl", "wan1", down_bps=8_000_000),
    Uplink("lte", "wwan0", metered=True, plan=DataPlan(data_bytes=20 * 10**9)),
)


def three(*policies: Policy) -> Site:
    return site(uplinks=UPLINKS, policies=policies, failover=Failover(drain_s=20.0))


def settled(a_site: Site) -> World:
    world = office(a_site)
    for uplink in a_site.uplinks:
        world.tell(interface(uplink.name))
    world.run_until(lambda: all(s.health is Health.UP for s in world.engine.states(world.now).values()))
    world.run_for(5.0)
    return world


def used(world: World) -> dict[str, str | None]:
    return {name: world.uses(traffic_class=name) for name in ("voice", "office", "bulk")}


PHONES_BY_DSL = Policy("voice", uplinks=("dsl",))
BULK_STAYS = Policy("bulk", stays_if_poor=True)


def test_a_class_with_its_own_order_has_its_own_lane() -> None:
    world = settled(three(PHONES_BY_DSL))
    assert used(world) == {"voice": "dsl", "office": "cable", "bulk": "cable"}
    assert world.engine.steering().lane("voice", IPV4).treatment is Treatment.KEEP


def test_it_leaves_its_line_when_that_dies_and_comes_home_only_after_the_hold() -> None:
    world = settled(three(PHONES_BY_DSL))
    world.dead |= {DSL4, DSL6}
    world.run_until(lambda: world.uses(traffic_class="voice") == "cable", 5.0)
    assert world.switches() == 0, "nobody else moved"
    assert world.engine.steering().generations[DSL4] == 1, "what it carried is given up"
    world.dead.clear()
    world.run_until(lambda: world.state(DSL4).health is Health.UP, 30.0)
    world.run_for(50.0)
    assert world.uses(traffic_class="voice") == "cable"
    world.run_until(lambda: world.uses(traffic_class="voice") == "dsl", 30.0)
    told = [(t.before, t.after, t.reason) for t in world.transitions if t.subject == "class:voice/ipv4"]
    assert told[-2:] == [("dsl", "cable", "better"), ("cable", "dsl", "preferred")]


def test_what_it_left_behind_on_a_line_that_others_use_ends_alone_after_its_drain() -> None:
    world = settled(three(PHONES_BY_DSL))
    world.dead |= {DSL4, DSL6}
    world.run_until(lambda: world.uses(traffic_class="voice") == "cable", 5.0)
    world.dead.clear()
    world.run_until(lambda: world.uses(traffic_class="voice") == "dsl", 120.0)
    world.run_for(world.engine.site.failover.drain_s - 5.0)
    assert world.engine.steering().class_generations == {}
    world.run_for(10.0)
    steering = world.engine.steering()
    assert steering.class_generations == {("voice", CABLE4): 1, ("voice", CABLE6): 1}
    assert steering.generations[CABLE4] == 0, "the office's own connections live on"


def test_voice_moves_and_bulk_may_stay() -> None:
    world = settled(three(BULK_STAYS))
    world.run_for(60.0)
    world.loss |= {CABLE4: 0.3, CABLE6: 0.3}
    world.run_until(lambda: world.uses(traffic_class="voice") != "cable", 60.0)
    assert used(world) == {"voice": "dsl", "office": "dsl", "bulk": "cable"}
    world.run_for(20.0)
    assert used(world)["bulk"] == "cable"
    world.dead |= {CABLE4, CABLE6}
    world.run_until(lambda: world.uses(traffic_class="bulk") == "dsl", 10.0)


def test_voice_moves_alone_where_all_others_stay() -> None:
    stay = [Policy(name, stays_if_poor=True) for name in CLASSES if name != "voice"]
    world = settled(three(*stay))
    world.run_for(60.0)
    world.loss |= {CABLE4: 0.3, CABLE6: 0.3}
    world.run_until(lambda: world.uses(traffic_class="voice") == "dsl", 60.0)
    assert {world.uses(traffic_class=name) for name in CLASSES if name != "voice"} == {"cable"}
    assert world.switches() == 0


def test_a_person_sends_everybody_the_same_way() -> None:
    world = settled(three(PHONES_BY_DSL))
    world.tell(ask("failover", "lte"))
    assert used(world) == {"voice": "lte", "office": "lte", "bulk": "lte"}
    world.tell(ask("failback"))
    assert used(world) == {"voice": "dsl", "office": "cable", "bulk": "cable"}


def test_a_reload_that_takes_the_order_away_brings_the_class_to_the_others_and_ends_what_it_leaves() -> None:
    world = settled(three(PHONES_BY_DSL))
    world.tell(Reload(three()))
    assert used(world)["voice"] == "cable"
    world.run_for(world.engine.site.failover.drain_s + 5.0)
    assert world.engine.steering().generations[DSL4] == 1


def test_a_reload_that_brings_an_order_moves_that_class_alone() -> None:
    world = settled(three())
    world.tell(Reload(three(PHONES_BY_DSL)))
    assert used(world) == {"voice": "dsl", "office": "cable", "bulk": "cable"}


def test_a_restart_leaves_a_class_with_its_own_order_where_it_is() -> None:
    before = settled(three(PHONES_BY_DSL)).engine.steering()
    world = office(three(PHONES_BY_DSL), Steering(before.lanes, {}))
    assert used(world) == {"voice": "dsl", "office": "cable", "bulk": "cable"}
    assert world.transitions == [] or all(not t.subject.startswith(("class", "steering")) for t in world.transitions)


# ── The data allowance ───────────────────────────────────────────────────────────────


def on_lte() -> World:
    world = settled(three())
    world.tell(ask("failover", "lte"))
    return world


@pytest.mark.parametrize("family", Family)
def test_a_stage_restrains_in_the_step_in_which_it_is_told(family: Family) -> None:
    world = on_lte()
    assert world.uses(family, "bulk") == "lte"
    world.tell(UsageReading("lte", Stage.SQUEEZED))
    bulk, mail = (world.engine.steering().lane(name, family) for name in ("bulk", "office"))
    assert (bulk.uplink, bulk.why, bulk.barred_from) == (None, Why.SAVING, "lte")
    assert (mail.uplink, mail.treatment) == ("lte", Treatment.LIMIT)
    world.tell(UsageReading("lte", Stage.CRITICAL))
    lanes = {name: world.uses(family, name) for name in CLASSES}
    assert {name for name, uplink in lanes.items() if uplink} == CRITICAL
    world.tell(UsageReading("lte", Stage.AMPLE))
    assert world.uses(family, "bulk") == "lte"


def test_a_stage_is_kept_over_a_restart_and_let_go_with_the_plan() -> None:
    world = on_lte()
    world.tell(UsageReading("lte", Stage.CRITICAL))
    other = office(three(), Steering(world.engine.steering().lanes, {}))
    other.engine.recall(other.now, world.engine.memory(world.now), 1.0)
    assert other.engine.ways.stages == {"lte": Stage.CRITICAL}
    unlimited = (*UPLINKS[:2], replace(UPLINKS[2], plan=None))
    other.tell(Reload(site(uplinks=unlimited)))
    assert other.engine.ways.stages == {}


def test_the_stage_of_an_uplink_that_nobody_knows_changes_nothing() -> None:
    world = on_lte()
    before = world.engine.steering()
    world.tell(UsageReading("sky", Stage.USED_UP))
    world.tell(UsageReading("lte", Stage.AMPLE))
    assert world.engine.steering() is before


# ── Applications ─────────────────────────────────────────────────────────────────────

VAULT = Application(
    "Vault", "bulk", None, Match(servers=("192.0.2.9",)), "https://192.0.2.9", on_backup=Treatment.BLOCK
)
PORTAL = replace(VAULT, name="Portal", on_backup=Treatment.KEEP)


def test_an_application_is_treated_otherwise_than_its_class_on_the_backup_alone() -> None:
    world = settled(replace(three(), applications=(VAULT, PORTAL)))

    def lanes() -> list[tuple[str | None, Treatment]]:
        steering = world.engine.steering()
        told = [steering.lane_of(a, IPV4) for a in (VAULT, PORTAL)] + [steering.lane("bulk", IPV4)]
        return [(lane.uplink, lane.treatment) for lane in told]

    assert lanes() == [("cable", Treatment.KEEP)] * 3
    world.tell(ask("failover", "lte"))
    assert lanes() == [(None, Treatment.BLOCK), ("lte", Treatment.KEEP), ("lte", Treatment.LIMIT)]
    world.tell(UsageReading("lte", Stage.SQUEEZED))
    assert lanes()[1:] == [(None, Treatment.BLOCK)] * 2, "the allowance restrains whatever the office has said"
    assert LTE4 in world.engine.judges
