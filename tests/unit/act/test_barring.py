"""A class that may not use a line has no way out by it, and what it has there ends: asked of the kernel of paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site
from tests.unit.act.offices import ground, interfaces, knowing, sites, with_applications
from tests.unit.act.test_planes import VOICE, leaves_by

from secondpath.act.compile import compile_elements, compile_plane
from secondpath.act.diff import diff
from secondpath.act.hand import Hand, Retired
from secondpath.act.paper import Paper
from secondpath.act.plane import DataPlane, Flip, LoadRuleset, uplink_of
from secondpath.act.recognition import lane_set
from secondpath.decide.policy import Choice, lanes_of
from secondpath.model import (
    CLASSES,
    DataPlan,
    Family,
    Lane,
    Line,
    Network,
    Policy,
    Site,
    Stage,
    Steering,
    Treatment,
    Uplink,
    Why,
)

LTE = Uplink("lte", "wwan0", metered=True, plan=DataPlan(data_bytes=20 * 10**9))
SITE = site(
    uplinks=(Uplink("cable", "wan0"), LTE),
    networks=(Network("staff", "lan0"), Network("sync", "bulk0", "bulk"), Network("guest", "guest0", "guest")),
)
LTE4, LTE6 = Line("lte", Family.IPV4), Line("lte", Family.IPV6)


def by(a_site: Site, uplink: str, stage: Stage = Stage.AMPLE) -> Steering:
    choices = {f: Choice(uplink, Why.ASKED) for f in Family}
    lines = {Line(u.name, f): 0 for u in a_site.uplinks for f in Family}
    return Steering(lanes_of(a_site, choices, {}, {uplink: stage}), lines)


def following(a_site: Site, steering: Steering) -> tuple[Hand, Paper]:
    paper = Paper()
    hand = Hand(paper)
    hand.number(a_site)
    hand.reconcile(a_site, steering, interfaces(a_site))
    return hand, paper


def classes_in(cut: tuple[Retired, ...]) -> set[tuple[str, Line]]:
    names = {c.ident: c.name for c in CLASSES.values()}
    return {(names.get(r.ident, str(r.ident)), r.line) for r in cut}


def test_a_class_that_becomes_blocked_while_its_line_stays_is_refused_and_cut_in_one_step() -> None:
    hand, paper = following(SITE, by(SITE, "lte"))
    assert leaves_by(paper, "bulk0") == leaves_by(paper, "lan0") == "wwan0"
    epochs = dict(hand.epochs)
    report = hand.follow(SITE, by(SITE, "lte", Stage.SQUEEZED), interfaces(SITE))
    assert [type(c) for c in report.changes] == [Flip], "one transaction"
    assert paper.new_flow("bulk0", Family.IPV4) is None
    assert leaves_by(paper, "lan0") == "wwan0"
    assert report.retired == (), "the line goes on"
    assert classes_in(report.cut) == {("bulk", LTE4), ("bulk", LTE6)}
    assert {(r.line, r.epoch) for r in report.cut} == {(line, epochs[line]) for line in (LTE4, LTE6)}
    assert hand.epochs == epochs
    assert hand.follow(SITE, by(SITE, "lte", Stage.SQUEEZED), interfaces(SITE)).cut == (), "once"


def test_it_may_again_when_the_restraint_is_lifted_and_is_cut_again_at_the_next() -> None:
    hand, paper = following(SITE, by(SITE, "lte", Stage.SQUEEZED))
    assert hand.follow(SITE, by(SITE, "lte"), interfaces(SITE)).cut == ()
    assert leaves_by(paper, "bulk0") == "wwan0"
    assert ("bulk", LTE4) in classes_in(hand.follow(SITE, by(SITE, "lte", Stage.CRITICAL), interfaces(SITE)).cut)


def test_a_reload_that_blocks_a_class_cuts_it_though_the_table_is_not_loaded_anew() -> None:
    hand, paper = following(SITE, by(SITE, "lte"))
    said = len(paper.applied)
    strict = replace(SITE, policies=(Policy("bulk", on_backup=Treatment.BLOCK),))
    report = hand.reconcile(strict, by(strict, "lte"), interfaces(strict))
    assert classes_in(report.cut) == {("bulk", LTE4), ("bulk", LTE6)}
    assert not any(isinstance(change, LoadRuleset) for change in paper.applied[said:])


def test_after_a_crash_between_the_transaction_and_the_cut_the_next_start_cuts() -> None:
    _, paper = following(SITE, by(SITE, "lte", Stage.SQUEEZED))
    later = Hand(paper)
    later.adopt(SITE)
    report = later.reconcile(SITE, by(SITE, "lte", Stage.SQUEEZED), interfaces(SITE))
    assert report.changes == ()
    assert ("bulk", LTE4) in classes_in(report.cut)


def test_flows_of_guests_on_a_first_line_that_lives_are_left_in_peace() -> None:
    """A person moves the office; the guests' connections over the cable harm nobody there."""
    hand, _ = following(SITE, by(SITE, "cable"))
    cut = hand.follow(SITE, by(SITE, "lte"), interfaces(SITE)).cut
    assert {line.uplink for _, line in classes_in(cut)} == {"lte"}


def test_a_class_whose_time_on_a_line_is_over_is_cut_alone() -> None:
    hand, _ = following(SITE, by(SITE, "cable"))
    over = replace(by(SITE, "cable"), class_generations={("voice", LTE4): 1})
    report = hand.follow(SITE, over, interfaces(SITE))
    assert classes_in(report.cut) == {("voice", LTE4)}
    assert hand.follow(SITE, over, interfaces(SITE)).cut == ()


def test_an_application_of_a_blocked_class_is_cut_by_its_own_number() -> None:
    apps = with_applications()
    hand, paper = following(apps, knowing(apps, by(apps, "lte")))
    barred = Lane(None, Why.BLOCKED, Treatment.BLOCK, "lte")
    decided = replace(knowing(apps, by(apps, "lte")), treated={("Newsletter", Family.IPV4): barred})
    report = hand.follow(apps, decided, interfaces(apps))
    assert [(r.line, r.ident) for r in report.cut] == [(LTE4, hand.idents["Newsletter"])]
    assert paper.new_flow("lan0", Family.IPV4, "192.0.2.12") is None
    assert paper.egress(paper.new_flow("lan0", Family.IPV4, "192.0.2.11"), Family.IPV4) == "wwan0"


# ── Properties ───────────────────────────────────────────────────────────────────────


@st.composite
def policies(draw: st.DrawFn, a_site: Site) -> Steering:
    """Every class and family somewhere, allowances anywhere."""
    names = st.sampled_from([u.name for u in a_site.uplinks])
    choices = {f: Choice(draw(names), Why.BETTER) for f in Family}
    stages = draw(st.dictionaries(names, st.sampled_from(Stage)))
    own = draw(st.dictionaries(st.tuples(st.sampled_from([*CLASSES]), st.sampled_from(Family)), names))
    lanes = lanes_of(a_site, choices, {key: Choice(name, Why.BETTER) for key, name in own.items()}, stages)
    return Steering(lanes, {Line(u.name, f): 0 for u in a_site.uplinks for f in Family})


@st.composite
def decided(draw: st.DrawFn, networks: tuple[Network, ...] | None = None) -> tuple[Site, Steering]:
    a_site = draw(sites())
    a_site = replace(a_site, networks=networks or a_site.networks)
    return a_site, draw(policies(a_site))


def plane_of(a_site: Site, steering: Steering) -> DataPlane:
    return compile_plane(a_site, steering, ground(a_site))


@given(decided())
def test_every_class_leaves_by_the_line_of_its_lane_or_has_no_mark(found: tuple[Site, Steering]) -> None:
    a_site, steering = found
    elements, numbers = compile_elements(a_site, steering, ground(a_site)), ground(a_site).numbers
    for (name, family), lane in steering.lanes.items():
        mark = elements.get((lane_set(CLASSES[name]), family.value))
        assert (mark is None) == (lane.uplink is None)
        assert mark is None or uplink_of(int(mark)) == numbers[lane.uplink or ""]
        metered_backup = lane.uplink not in (None, a_site.uplinks[0].name) and a_site.uplink(str(lane.uplink)).metered
        assert not (name == "guest" and metered_backup)


@given(st.data())
def test_no_prefix_of_a_switch_of_single_classes_leaves_voice_without_a_way_out(data: st.DataObject) -> None:
    a_site = replace(data.draw(sites()), networks=(VOICE,))
    one, other = (plane_of(a_site, data.draw(policies(a_site))) for _ in range(2))
    before, after, paper = Paper(one), Paper(other), Paper(one)
    for change in diff(one, other):
        paper.apply([change])
        for family in Family:
            if leaves_by(before, "voip0", family) and leaves_by(after, "voip0", family):
                assert leaves_by(paper, "voip0", family), change


@pytest.mark.slow
@given(st.data())
def test_who_is_barred_has_no_mark_and_is_cut_exactly_once(data: st.DataObject) -> None:
    a_site = data.draw(sites())
    hand, paper = following(a_site, data.draw(policies(a_site)))
    for _ in range(3):
        before = set(hand._barred)
        steering = data.draw(policies(a_site))
        report = hand.follow(a_site, steering, interfaces(a_site))
        barred = {
            (CLASSES[name].ident, Line(lane.barred_from, family))
            for (name, family), lane in steering.lanes.items()
            if lane.barred_from is not None
        }
        assert {(r.ident, r.line) for r in report.cut} == barred - before
        for name, family in ((n, f) for n, f in steering.lanes if steering.lanes[n, f].uplink is None):
            assert (lane_set(CLASSES[name]), family.value) not in paper.plane.elements


@pytest.mark.parametrize("family", Family)
def test_the_same_line_of_the_other_family_is_another(family: Family) -> None:
    hand, _ = following(SITE, by(SITE, "cable"))
    lanes = {**by(SITE, "cable").lanes, ("bulk", family): Lane(None, Why.SAVING, Treatment.BLOCK, "cable")}
    report = hand.follow(SITE, replace(by(SITE, "cable"), lanes=lanes), interfaces(SITE))
    assert classes_in(report.cut) == {("bulk", Line("cable", family))}
