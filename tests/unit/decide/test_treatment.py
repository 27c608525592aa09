"""What becomes of a class where: the table, the office's word, the allowance, and what no word may change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site

from secondpath.decide.policy import Choice, lanes_of
from secondpath.decide.treatment import SEVERITY, fate_of, manner_of
from secondpath.model import (
    CLASSES,
    CRITICAL,
    DataPlan,
    Family,
    Line,
    Policy,
    Site,
    Stage,
    Treatment,
    Uplink,
    Why,
)

KEEP, LIMIT, BLOCK = Treatment.KEEP, Treatment.LIMIT, Treatment.BLOCK
MBIT = 1_000_000


def with_backup(*policies: Policy, **facts: object) -> Site:
    backup = Uplink("backup", "wwan0", **facts)  # type: ignore[arg-type]
    return site(uplinks=(Uplink("cable", "wan0"), backup), policies=policies)


def row(a_site: Site, stage: Stage = Stage.AMPLE) -> dict[Treatment, set[str]]:
    fates = {name: fate_of(a_site, name, "backup", stage).treatment for name in CLASSES}
    return {t: {name for name, fate in fates.items() if fate is t} for t in Treatment}


@pytest.mark.parametrize(
    ("facts", "blocked", "limited"),
    [
        ({"down_bps": 2 * MBIT}, {"guest", "bulk", "streaming"}, {"personal"}),
        ({"down_bps": 8 * MBIT}, {"guest"}, {"bulk", "streaming", "personal"}),
        ({"down_bps": 50 * MBIT}, set(), {"guest", "bulk", "streaming"}),
        ({}, set(), {"guest", "bulk", "streaming"}),
        ({"metered": True}, {"guest", "streaming"}, {"bulk", "personal"}),
        ({"metered": True, "down_bps": 2 * MBIT}, {"guest", "bulk", "streaming"}, {"personal"}),
        ({"metered": True, "down_bps": 50 * MBIT}, {"guest", "streaming"}, {"bulk", "personal"}),
    ],
)
def test_by_default_the_rate_of_the_backup_decides(
    facts: dict[str, object], blocked: set[str], limited: set[str]
) -> None:
    found = row(with_backup(**facts))
    assert (found[BLOCK], found[LIMIT]) == (blocked, limited)


def test_at_home_everybody_may() -> None:
    assert {fate_of(with_backup(metered=True), name, "cable").treatment for name in CLASSES} == {KEEP}


def test_the_offices_word_takes_the_place_of_the_default_and_a_single_uplinks_comes_first() -> None:
    bulk = Policy("bulk", on_backup=KEEP, on={"backup": BLOCK})
    assert fate_of(with_backup(bulk, down_bps=8 * MBIT), "bulk", "backup").treatment is BLOCK
    only = replace(bulk, on={})
    assert fate_of(with_backup(only, down_bps=2 * MBIT), "bulk", "backup").treatment is KEEP


def test_an_application_may_be_treated_otherwise_than_its_class() -> None:
    a_site = with_backup(down_bps=8 * MBIT)
    assert fate_of(a_site, "bulk", "backup", own=BLOCK).treatment is BLOCK
    assert fate_of(a_site, "guest", "backup", own=KEEP).treatment is KEEP
    metered = with_backup(metered=True)
    assert fate_of(metered, "guest", "backup", own=KEEP).treatment is BLOCK, "a guest never, on a metered backup"


def test_who_prefers_a_line_that_costs_nothing_is_not_restrained_there() -> None:
    phones = Policy("bulk", uplinks=("backup",))
    assert fate_of(with_backup(phones, down_bps=2 * MBIT), "bulk", "backup").treatment is KEEP
    assert fate_of(with_backup(phones, down_bps=2 * MBIT, metered=True), "bulk", "backup").treatment is BLOCK


@pytest.mark.parametrize(
    ("stage", "beyond", "blocked", "limited"),
    [
        (Stage.WARNED, DataPlan(), {"guest", "streaming"}, {"bulk", "personal"}),
        (Stage.SQUEEZED, DataPlan(), {"guest", "streaming", "bulk"}, {"personal", "office"}),
        (Stage.CRITICAL, DataPlan(), set(CLASSES) - CRITICAL, set()),
        (Stage.USED_UP, DataPlan(beyond_stop=True), set(CLASSES) - CRITICAL, set()),
        (Stage.USED_UP, DataPlan(beyond_usd_per_gb=15.0), set(CLASSES) - CRITICAL, set()),
        (Stage.USED_UP, DataPlan(beyond_bps=600_000), {"guest", "streaming", "bulk", "personal"}, {"office"}),
    ],
)
def test_the_allowance_restrains_by_stages(
    stage: Stage, beyond: DataPlan, blocked: set[str], limited: set[str]
) -> None:
    found = row(with_backup(metered=True, plan=beyond), stage)
    assert (found[BLOCK], found[LIMIT]) == (blocked, limited)
    assert found[KEEP] == set(CLASSES) - blocked - limited >= CRITICAL


def test_an_ordinary_first_line_is_only_told_of_its_allowance_and_a_metered_one_keeps_it() -> None:
    first = Uplink("cable", "wan0", plan=DataPlan(data_bytes=10**12))
    ordinary = site(uplinks=(first, Uplink("lte", "wwan0", metered=True)))
    assert fate_of(ordinary, "guest", "cable", Stage.CRITICAL).treatment is KEEP
    metered = site(uplinks=(replace(first, metered=True), Uplink("dsl", "wan1")))
    assert fate_of(metered, "guest", "cable", Stage.CRITICAL).treatment is BLOCK


def test_an_order_of_its_own_is_filled_up_with_the_offices() -> None:
    a_site = site(
        uplinks=(Uplink("cable", "wan0"), Uplink("dsl", "wan1"), Uplink("lte", "wwan0", metered=True)),
        policies=(Policy("voice", uplinks=("dsl",)),),
    )
    assert manner_of(a_site, "voice").order == ("dsl", "cable", "lte")
    assert manner_of(a_site, "office").order == ("cable", "dsl", "lte")


# ── Properties ───────────────────────────────────────────────────────────────────────

RATES = st.none() | st.integers(1, 100 * MBIT)
TREATMENTS = st.sampled_from(Treatment)


@st.composite
def offices(draw: st.DrawFn) -> Site:
    """Two to four uplinks of any rate, and a policy for some classes, as the configuration admits them."""
    names = draw(st.permutations(["cable", "dsl", "lte", "sky"]))[: draw(st.integers(2, 4))]
    uplinks = tuple(
        Uplink(n, f"wan{i}", down_bps=draw(RATES), metered=draw(st.booleans()), plan=DataPlan(data_bytes=10**9))
        for i, n in enumerate(names)
    )
    policies = tuple(
        Policy(
            name,
            tuple(draw(st.lists(st.sampled_from(names), unique=True))),
            draw(st.none() | TREATMENTS),
            draw(st.dictionaries(st.sampled_from(names[1:]), TREATMENTS)),
            draw(st.booleans()),
        )
        for name in draw(st.lists(st.sampled_from([*CLASSES]), unique=True))
    )
    return site(uplinks=uplinks, policies=policies)


@pytest.mark.slow
@given(offices(), st.data())
def test_every_class_has_a_lane_or_is_blocked_by_name_and_what_is_blocked_is_nowhere(
    a_site: Site, data: st.DataObject
) -> None:
    names = [u.name for u in a_site.uplinks]
    stages = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(Stage)))
    choices = {f: Choice(data.draw(st.none() | st.sampled_from(names)), Why.BETTER) for f in Family}
    chosen = st.tuples(st.sampled_from([*CLASSES]), st.sampled_from(Family))
    own = data.draw(st.dictionaries(chosen, st.sampled_from(names).map(lambda n: Choice(n, Why.PREFERRED))))
    lanes = lanes_of(a_site, choices, own, stages)
    assert set(lanes) == {(name, family) for name in CLASSES for family in Family}
    for (name, family), lane in lanes.items():
        wanted = own.get((name, family), choices[family]).uplink
        if lane.uplink is None:
            assert wanted is None or (lane.treatment is BLOCK and lane.why in (Why.BLOCKED, Why.SAVING))
            assert lane.barred_from == wanted
        else:
            assert lane.uplink == wanted
            assert lane.treatment is not BLOCK
            backup = lane.uplink != names[0]
            assert not (backup and a_site.uplink(lane.uplink).metered and name == "guest")


@pytest.mark.slow
@given(offices(), st.sampled_from([*CLASSES]), st.data())
def test_a_later_stage_never_restrains_less(a_site: Site, name: str, data: st.DataObject) -> None:
    """Until the data is used up: what is throttled then costs nothing more."""
    uplink = data.draw(st.sampled_from([u.name for u in a_site.uplinks]))
    stages = [stage for stage in Stage if stage is not Stage.USED_UP]
    severities = [SEVERITY[fate_of(a_site, name, uplink, stage).treatment] for stage in stages]
    assert severities == sorted(severities)


@pytest.mark.slow
@given(offices())
def test_a_line_of_the_site_is_known_in_every_manner(a_site: Site) -> None:
    for name in CLASSES:
        assert sorted(manner_of(a_site, name).order) == sorted(u.name for u in a_site.uplinks)
        assert all(Line(uplink, f).uplink == uplink for uplink in manner_of(a_site, name).order for f in Family)
