"""Compile, diff and the kernel of paper: where traffic goes, and that no step on the way cuts anybody off."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site
from tests.unit.act.offices import ground, interfaces, knowing, sites, steering, steerings, with_applications

from secondpath.act.compile import compile_elements, compile_plane
from secondpath.act.diff import diff, flip
from secondpath.act.hand import Hand
from secondpath.act.paper import Paper
from secondpath.act.plane import (
    EPOCH_MASK,
    FIRST,
    LAST,
    MAX_UPLINKS,
    NOT_TCP,
    UPLINK_MASK,
    DataPlane,
    Flip,
    LoadRuleset,
    epoch_of,
    is_from_inside,
    lane_mark,
    uplink_of,
    urgency,
)
from secondpath.act.recognition import lane_set
from secondpath.model import CLASSES, Family, Line, Site, Uplink

SITE = site()
VOICE = replace(SITE.networks[0], name="phones", interface="voip0", traffic_class="voice")


def held(a_site: Site, *uplinks: str | None) -> Paper:
    """A kernel that follows a steering."""
    paper = Paper()
    ipv4, ipv6 = (*uplinks, *uplinks)[:2]
    paper.apply(diff(paper.plane, compile_plane(a_site, steering(a_site, ipv4, ipv6), ground(a_site))))
    return paper


def leaves_by(paper: Paper, came_in: str, family: Family = Family.IPV4) -> str | None:
    return paper.egress(paper.new_flow(came_in, family), family)


# ── Where traffic goes ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", Family)
def test_staff_and_the_gateway_leave_by_the_uplink_of_the_steering(family: Family) -> None:
    for uplink, interface in (("cable", "wan0"), ("lte", "wwan0")):
        paper = held(SITE, uplink)
        assert leaves_by(paper, "lan0", family) == paper.own_egress(family) == interface


def test_each_family_has_its_own_way() -> None:
    paper = held(SITE, "cable", "lte")
    assert (leaves_by(paper, "lan0"), leaves_by(paper, "lan0", Family.IPV6)) == ("wan0", "wwan0")


@pytest.mark.parametrize("family", Family)
def test_a_guest_on_a_metered_backup_has_no_mark(family: Family) -> None:
    assert leaves_by(held(SITE, "cable"), "guest0", family) == "wan0"
    assert held(SITE, "lte").new_flow("guest0", family) is None


def test_a_dead_interface_is_nobodys_way_out_not_even_anothers() -> None:
    paper = held(SITE, "cable")
    paper.dead.add("wan0")
    assert leaves_by(paper, "lan0") is None


def test_a_flow_of_a_retired_epoch_leaves_nowhere() -> None:
    hand, paper = Hand(Paper()), Paper()
    hand.kernel = paper
    hand.reconcile(SITE, steering(SITE, "cable", "cable"), interfaces(SITE))
    old = paper.new_flow("lan0", Family.IPV4)
    report = hand.follow(SITE, steering(SITE, "lte", "lte", cable_ipv4=1, cable_ipv6=1), interfaces(SITE))
    assert {retired.line for retired in report.retired} == {Line("cable", f) for f in Family}
    assert paper.egress(old, Family.IPV4) is None
    assert leaves_by(paper, "lan0") == "wwan0"


def test_going_home_leaves_flows_of_the_backup_where_they_are() -> None:
    paper = Paper()
    hand = Hand(paper)
    hand.reconcile(SITE, steering(SITE, "lte", "lte"), interfaces(SITE))
    call = paper.new_flow("lan0", Family.IPV4)
    report = hand.follow(SITE, steering(SITE, "cable", "cable"), interfaces(SITE))
    assert report.retired == ()
    assert paper.egress(call, Family.IPV4) == "wwan0"
    assert leaves_by(paper, "lan0") == "wan0"


def test_a_restart_adopts_numbers_epochs_and_lanes_and_changes_nothing() -> None:
    paper = Paper()
    Hand(paper).reconcile(SITE, steering(SITE, "lte", "cable"), interfaces(SITE))
    paper.applied.clear()
    later = Hand(paper)
    adopted = later.adopt(SITE)
    assert adopted is not None
    assert {f: adopted.lane("office", f).uplink for f in Family} == {Family.IPV4: "lte", Family.IPV6: "cable"}
    later.reconcile(SITE, steering(SITE, "lte", "cable"), interfaces(SITE))
    assert paper.applied == []


def test_a_switch_is_one_transaction_and_then_the_gateways_own_routes() -> None:
    paper = Paper()
    hand = Hand(paper)
    hand.reconcile(SITE, steering(SITE, "cable", "cable"), interfaces(SITE))
    report = hand.follow(SITE, steering(SITE, "lte", "lte", cable_ipv4=1), interfaces(SITE))
    assert [type(c).__name__ for c in report.changes] == ["Flip", "PutRoute", "PutRoute"]


def test_uplinks_that_swap_interfaces_get_new_numbers_and_epochs() -> None:
    """A flow carries its uplink's number: under the same number it would be sent by the other provider."""
    paper = Paper()
    hand = Hand(paper)
    hand.reconcile(SITE, steering(SITE, "cable", "cable"), interfaces(SITE))
    old = paper.new_flow("lan0", Family.IPV4)
    swapped = site(uplinks=(Uplink("cable", "wwan0"), Uplink("lte", "wan0", metered=True)))
    hand.reconcile(swapped, steering(swapped, "cable", "cable"), interfaces(swapped))
    assert paper.egress(old, Family.IPV4) is None
    assert leaves_by(paper, "lan0") == "wwan0"


def test_the_flows_of_an_uplink_that_is_configured_away_are_given_up_to_be_ended() -> None:
    """Stale UDP keeps its entry alive with every packet that is dropped: somebody has to flush it."""
    hand = Hand(Paper())
    hand.reconcile(SITE, steering(SITE, "lte", "lte"), interfaces(SITE))
    epochs, number = dict(hand.epochs), hand.numbers["lte"]
    alone = site(uplinks=SITE.uplinks[:1])
    hand.number(alone)  # the shell does so before it binds the probes
    report = hand.reconcile(alone, steering(alone, "cable", "cable"), interfaces(alone))
    gone = {Line("lte", f) for f in Family}
    assert {(r.line, r.epoch, r.uplink) for r in report.retired} == {(line, epochs[line], number) for line in gone}
    assert hand.reconcile(alone, steering(alone, "cable", "cable"), interfaces(alone)).retired == ()


# ── Marks ────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 0xFFFF), st.integers(1, MAX_UPLINKS), st.integers(0, 127))
def test_a_mark_says_epoch_uplink_and_class_and_is_ours(epoch: int, uplink: int, ident: int) -> None:
    mark = lane_mark(epoch, uplink, ident)
    for seen in (mark, mark | NOT_TCP):
        assert (epoch_of(seen), uplink_of(seen), is_from_inside(seen)) == (epoch, uplink, ident > 0)
        assert seen & EPOCH_MASK
        assert seen & UPLINK_MASK
        assert seen < 1 << 32


# ── Properties ───────────────────────────────────────────────────────────────────────


@st.composite
def planes(draw: st.DrawFn, a_site: Site | None = None) -> DataPlane:
    chosen = a_site or draw(sites())
    return compile_plane(chosen, draw(steerings(chosen)), ground(chosen))


@given(planes() | st.just(DataPlane()), planes())
def test_the_changes_lead_there_and_then_there_is_rest(one: DataPlane, other: DataPlane) -> None:
    paper = Paper(one)
    paper.apply(diff(one, other))
    assert paper.plane == replace(other, settings={**one.settings, **other.settings})
    assert diff(paper.plane, other) == ()


@given(st.data())
def test_no_prefix_of_the_changes_leaves_voice_without_a_way_out_that_has_one_before_and_after(
    data: st.DataObject,
) -> None:
    a_site = replace(data.draw(sites()), networks=(VOICE,))
    one, other = data.draw(planes(a_site)), data.draw(planes(a_site))
    before, after = Paper(one), Paper(other)
    paper = Paper(one)
    for change in diff(one, other):
        paper.apply([change])
        for family in Family:
            if leaves_by(before, "voip0", family) and leaves_by(after, "voip0", family):
                assert leaves_by(paper, "voip0", family), change


@given(st.data())
def test_no_prefix_of_a_change_of_uplinks_leaves_voice_without_a_way_out(data: st.DataObject) -> None:
    """Another configuration, the same hand: numbers stay, uplinks come and go."""
    first, second = (replace(data.draw(sites()), networks=(VOICE,)) for _ in range(2))
    paper = Paper()
    hand = Hand(paper)
    hand.reconcile(first, steering(first, first.uplinks[0].name, first.uplinks[0].name), interfaces(first))
    start, said = paper.plane, len(paper.applied)
    hand.reconcile(second, steering(second, second.uplinks[0].name, second.uplinks[0].name), interfaces(second))
    again = Paper(start)
    for change in paper.applied[said:]:
        again.apply([change])
        assert leaves_by(again, "voip0"), change
    assert leaves_by(paper, "voip0") == second.uplinks[0].interface


@given(st.data())
def test_every_class_has_a_lane_in_the_kernel_or_is_told_a_refusal(data: st.DataObject) -> None:
    a_site = data.draw(sites())
    decided = data.draw(steerings(a_site))
    elements = compile_elements(a_site, decided, ground(a_site))
    plane = compile_plane(a_site, decided, ground(a_site))
    assert plane.ruleset is not None
    for name, traffic_class in CLASSES.items():
        for family in Family:
            mark = elements.get((lane_set(traffic_class), family.value))
            uplink = decided.lane(name, family).uplink
            assert (mark is None) == (uplink is None)
            if mark is not None:
                assert ("route_of", int(mark) & 0xFFFF00FF) in elements
        chain = plane.ruleset.text.partition(f"chain class_{name.replace('-', '_')} {{")[2].partition("}")[0]
        assert "goto no_lane" in chain


@given(st.data())
def test_a_guest_on_a_metered_backup_never_has_a_mark(data: st.DataObject) -> None:
    a_site = data.draw(sites())
    decided = data.draw(steerings(a_site))
    elements = compile_elements(a_site, decided, ground(a_site))
    for family in Family:
        uplink = decided.lane("office", family).uplink
        if uplink and uplink != a_site.uplinks[0].name and a_site.uplink(uplink).metered:
            assert (lane_set(CLASSES["guest"]), family.value) not in elements


@given(st.lists(sites(), min_size=1, max_size=5))
def test_two_uplinks_never_share_a_number_and_two_lines_never_an_epoch(history: list[Site]) -> None:
    hand = Hand(Paper())
    for a_site in history:
        before = {u: hand.numbers.get(u) for u in hand.numbers}
        cables = dict(hand._interfaces_of)
        hand.number(a_site)
        numbers = [hand.numbers[u.name] for u in a_site.uplinks]
        assert len(set(numbers)) == len(numbers)
        assert all(1 <= n <= MAX_UPLINKS and FIRST < FIRST + n < LAST for n in numbers)
        epochs = [hand.epochs[Line(u.name, f)] for u in a_site.uplinks for f in Family]
        assert len(set(epochs)) == len(epochs)
        for uplink in a_site.uplinks:
            if uplink.name in before and cables[uplink.name] == uplink.interface:
                assert hand.numbers[uplink.name] == before[uplink.name], "who stays keeps the number that flows carry"


@given(st.data(), st.integers(2, 12))
def test_a_retired_epoch_never_comes_back_soon_and_its_flows_never_leave(data: st.DataObject, turns: int) -> None:
    a_site = data.draw(sites())
    paper = Paper()
    hand = Hand(paper)
    used: set[int] = set()
    hand.reconcile(a_site, steering(a_site, a_site.uplinks[0].name, None), interfaces(a_site))
    for turn in range(1, turns):
        generation = {f"{u.name}_{f}": turn for u in a_site.uplinks for f in Family}
        uplink = a_site.uplinks[turn % len(a_site.uplinks)].name
        report = hand.follow(a_site, steering(a_site, uplink, uplink, **generation), interfaces(a_site))
        for retired in report.retired:
            assert retired.epoch not in used
            used.add(retired.epoch)
            assert paper.egress(lane_mark(retired.epoch, retired.uplink), retired.line.family) is None
        assert not used & set(hand.epochs.values())


def test_the_epochs_go_round_and_never_take_one_that_is_in_use() -> None:
    hand = Hand(Paper())
    hand.number(SITE)
    hand._last_epoch = 0xFFFF
    in_use = set(hand.epochs.values())
    assert hand._new_epoch() not in in_use | {0}


def test_nothing_to_do_is_no_transaction() -> None:
    elements = compile_elements(SITE, steering(SITE, "cable", "cable"), ground(SITE))
    assert flip(elements, elements) is None


def test_another_configuration_is_one_load_with_all_its_elements() -> None:
    one = compile_plane(SITE, steering(SITE, "cable", "cable"), ground(SITE))
    other_site = site(networks=SITE.networks[:1])
    other = compile_plane(other_site, steering(other_site, "cable", "cable"), ground(other_site))
    assert [type(c) for c in diff(one, other)] == [LoadRuleset]


APPS = with_applications()


def wearing(**detours: str) -> tuple[Hand, Paper]:
    """A kernel that follows a steering of the office whose applications are told apart."""
    paper = Paper()
    hand = Hand(paper)
    hand.number(APPS)
    hand.reconcile(APPS, knowing(APPS, steering(APPS, "cable", "cable"), **detours), interfaces(APPS))
    return hand, paper


def out_of(paper: Paper, address: str, family: Family = Family.IPV4, came_in: str = "lan0") -> str | None:
    return paper.egress(paper.new_flow(came_in, family, address), family)


def test_an_application_that_makes_a_detour_leaves_by_it_and_nobody_else_does() -> None:
    hand, paper = wearing()
    before = Counter(t for t in map(type, paper.applied))
    assert out_of(paper, "192.0.2.11") == out_of(paper, "192.0.2.99") == "wan0"
    apart = replace(
        knowing(APPS, steering(APPS, "cable", "cable"), tax="lte"),
        application_generations={("Tax portal", Line("cable", Family.IPV4)): 1},
    )
    report = hand.follow(APPS, apart, interfaces(APPS))
    assert out_of(paper, "192.0.2.11") == "wwan0"
    assert out_of(paper, "192.0.2.10") == out_of(paper, "192.0.2.12") == out_of(paper, "192.0.2.99") == "wan0"
    assert out_of(paper, "2001:db8:ff::11", Family.IPV6) == "wan0", "the other family is at home"
    assert Counter(t for t in map(type, paper.applied)) - before == {Flip: 1}, "one transaction"
    (retired,) = report.retired
    assert (retired.line, retired.uplink, retired.ident) == (Line("cable", Family.IPV4), 1, hand.idents["Tax portal"])
    assert retired.epoch == hand.epochs[retired.line], "the epoch of everybody else lives on"


def test_what_the_office_has_named_is_reset_before_the_rest_and_classes_by_their_order() -> None:
    hand, _ = wearing()
    marks = [
        lane_mark(7, 1, ident) for ident in (CLASSES["office"].ident, CLASSES["voice"].ident, hand.idents["Phones"])
    ]
    assert sorted(marks, key=urgency) == marks[::-1]


def test_guests_have_no_applications() -> None:
    _, paper = wearing(tax="lte")
    assert out_of(paper, "192.0.2.11", came_in="guest0") == "wan0"


def test_of_two_that_share_an_address_the_more_important_has_it() -> None:
    hand, paper = wearing()
    chain = paper.plane.elements["application_of4", "192.0.2.11"]
    assert chain == f"application_{hand.idents['Tax portal']}"
    assert "Nobody tests it" not in hand.idents


def test_a_number_stays_with_its_application() -> None:
    hand, _ = wearing()
    before = dict(hand.idents)
    hand.number(replace(APPS, applications=APPS.applications[1:]))
    hand.number(APPS)
    assert {n: hand.idents[n] for n in ("Phones", "Newsletter")} == {n: before[n] for n in ("Phones", "Newsletter")}
    assert len(set(hand.idents.values())) == 3
