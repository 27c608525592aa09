"""What the kernel is given to shape with: golden text for three kinds of kernel, and what holds for all of them.

`SECONDPATH_GOLDEN=write pytest tests/unit/act` writes it anew; read what it wrote before you keep it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.act.offices import FULL, MEGABIT, PLAIN, devices, ground, interfaces, knowing, rated, shaping, steering

from secondpath.act.compile import compile_plane
from secondpath.act.diff import diff
from secondpath.act.hand import Hand
from secondpath.act.paper import Paper
from secondpath.act.plane import DataPlane, Flip, Ground, LoadRuleset, Set
from secondpath.act.ruleset import ruleset_text
from secondpath.act.settings import PRIORITY4
from secondpath.act.shaping import compile_shaping
from secondpath.act.tree import (
    Abilities,
    DropIntermediate,
    DropTree,
    DropTurn,
    PutIntermediate,
    PutTree,
    PutTurn,
    Queues,
    Retune,
    Tree,
    tree_lines,
    turn_line,
)
from secondpath.model import RateReading, Shaped, Site

GOLDEN = Path(__file__).parents[2] / "golden" / "act"
OFFICE = rated()
KERNELS = {
    "htb_pfifo": PLAIN,
    "htb_fq_codel": Abilities(htb=True, fq_codel=True, turning=True),
    "cake": FULL,
}
ABILITIES = st.builds(
    Abilities, htb=st.booleans(), fq_codel=st.booleans(), cake=st.booleans(), turning=st.booleans()
)  # fmt: skip
READINGS = st.builds(
    RateReading,
    uplink=st.just("lte"),
    down_bps=st.none() | st.integers(1, 10**9),
    up_bps=st.none() | st.integers(1, 10**9),
    calls=st.none() | st.integers(0, 60),
)


def on_ground(can: Abilities = PLAIN, a_site: Site = OFFICE, found: Queues | None = None) -> Ground:
    return replace(ground(a_site), can=can, queues=found or devices(a_site))


def plane(
    can: Abilities = PLAIN, a_site: Site = OFFICE, found: Queues | None = None, **rates: RateReading
) -> DataPlane:
    wanted = shaping(a_site, knowing(a_site, steering(a_site, "cable", "cable")), **rates)
    return compile_plane(a_site, wanted, on_ground(can, a_site, found))


def bare(a_site: Site = OFFICE) -> Paper:
    """A kernel that holds nothing of ours, on a box with all interfaces."""
    return Paper(DataPlane(queues=devices(a_site)), can=PLAIN)


def tree_of(wanted: DataPlane, device: str) -> Tree:
    return wanted.queues.trees[device]


# ── The text ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", KERNELS)
def test_the_queues_read_like_this(name: str) -> None:
    queues = plane(KERNELS[name]).queues
    lines = [line for device, tree in queues.trees.items() for line in tree_lines(device, tree)]
    lines += [turn_line(turn) for turn in sorted(queues.turns, key=str)]
    text, beside = "".join(f"{line}\n" for line in lines), GOLDEN / f"{name}.tc"
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        beside.write_text(text, encoding="utf-8")
    assert text == beside.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["htb_pfifo", "cake"])
def test_the_table_that_names_the_queue_of_a_packet_reads_like_this(name: str) -> None:
    wanted = plane(KERNELS[name])
    assert wanted.ruleset is not None
    text, beside = ruleset_text(wanted.ruleset, wanted.elements), GOLDEN / f"shaped_{name}.nft"
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        beside.write_text(text, encoding="utf-8")
    assert text == beside.read_text(encoding="utf-8")


def test_where_nothing_is_to_be_shaped_the_table_is_what_it_was_without_shaping() -> None:
    unrated = replace(OFFICE, uplinks=tuple(replace(u, down_bps=None, up_bps=None) for u in OFFICE.uplinks))
    for can in (FULL, PLAIN):
        wanted = plane(can, unrated)
        assert wanted == compile_plane(
            unrated, knowing(unrated, steering(unrated, "cable", "cable")), on_ground(can, unrated)
        )
        assert wanted.queues == devices(unrated)
        assert wanted.ruleset is not None
        assert "priority set" not in wanted.ruleset.text
    unable = plane(Abilities())
    assert unable.ruleset is not None
    assert "priority set" not in unable.ruleset.text


# ── What is chosen ───────────────────────────────────────────────────────────────────


def test_cake_is_for_fast_lines_on_which_no_class_is_limited() -> None:
    means = {device: tree.means for device, tree in plane(FULL).queues.trees.items()}
    assert means == {"wan0": "htb+fq_codel", "spdown1": "cake", "wwan0": "htb+fq_codel", "spdown2": "htb+fq_codel"}
    assert plane().queues.trees["wan0"].means == "htb+pfifo"


def test_a_qdisc_of_somebody_elses_stays_and_is_told() -> None:
    found = devices(OFFICE, wwan0="fq")
    asked = shaping(OFFICE, steering(OFFICE, "cable", "cable"))
    made = compile_shaping(OFFICE, asked.shapes, {"cable": 1, "lte": 2}, PLAIN, found)
    assert set(made.queues.trees) == {"wan0", "spdown1", "spdown2"}
    assert made.maps.keys() == {(1, False), (1, True), (2, True)}
    told = next(shaped for shaped in made.shaped if shaped.uplink == "lte")
    assert (told.up, told.up_bps, told.down) == ("", 0, "htb+pfifo")
    assert told.why == ("somebody else's fq 10: is on wwan0, and stays",)


def test_an_interface_that_is_not_there_is_not_shaped_until_it_is() -> None:
    there = devices(OFFICE)
    gone = replace(there, roots={name: root for name, root in there.roots.items() if name != "wwan0"})
    assert set(plane(found=gone).queues.trees) == {"wan0", "spdown1"}
    asked = shaping(OFFICE, steering(OFFICE, "cable", "cable")).shapes
    said = compile_shaping(OFFICE, asked, {"cable": 1, "lte": 2}, PLAIN, gone).shaped
    assert Shaped("lte", why=("wwan0 is not there",)) in said


@pytest.mark.parametrize("device", ["wwan0", "spdown2"])
def test_all_classes_and_the_gateways_own_traffic_have_a_leaf(device: str) -> None:
    tree = tree_of(plane(), device)
    leaves = {node.minor: node for node in tree.nodes if node.leaf}
    assert set(leaves) == {*range(1, 10), 0xF0}
    assert tree.default in leaves, "what names no class is queued too"
    assert leaves[1].priority < min(node.priority for minor, node in leaves.items() if minor != 1)
    assert leaves[2].priority < leaves[5].priority < leaves[7].priority <= leaves[9].priority


@given(st.integers(200_000, 10**9), st.integers(0, 60), ABILITIES)
def test_no_class_is_promised_more_than_its_parent_has(rate_bps: int, calls: int, can: Abilities) -> None:
    for tree in plane(can, lte=RateReading("lte", rate_bps, rate_bps, calls)).queues.trees.values():
        by_minor = {node.minor: node for node in tree.nodes}
        for parent in (node for node in tree.nodes if not node.leaf):
            children = [node for node in tree.nodes if node.parent == parent.minor]
            assert sum(child.rate_bps for child in children) <= parent.rate_bps
        for node in tree.nodes:
            assert node.rate_bps <= node.ceil_bps
            assert not node.parent or node.ceil_bps <= by_minor[node.parent].ceil_bps


# ── What is changed, and in which order ──────────────────────────────────────────────


@given(ABILITIES, READINGS, ABILITIES, READINGS)
def test_the_changes_lead_there_and_then_there_is_rest(
    can: Abilities, rates: RateReading, could: Abilities, rated_: RateReading
) -> None:
    """The kernel of paper refuses to send anything through a device that is not up."""
    paper = bare()
    for wanted in (plane(can, lte=rates), plane(could, lte=rated_)):
        paper.apply(diff(paper.plane, wanted))
        assert diff(paper.plane, wanted) == ()
        assert (paper.plane.queues.trees, paper.plane.queues.turns) == (wanted.queues.trees, wanted.queues.turns)
    nothing = replace(OFFICE, uplinks=tuple(replace(u, down_bps=None, up_bps=None) for u in OFFICE.uplinks))
    paper.apply(diff(paper.plane, plane(a_site=nothing)))
    assert (paper.plane.queues.trees, paper.plane.queues.turns) == ({}, frozenset())
    assert paper.plane.queues.intermediates == frozenset()


@given(st.integers(400_000, 19_000_000), st.integers(400_000, 19_000_000), st.integers(0, 30), st.integers(0, 30))
def test_a_new_rate_is_one_batch_of_class_changes_in_which_the_sums_always_hold(
    before_bps: int, after_bps: int, calls: int, later: int
) -> None:
    one = plane(lte=RateReading("lte", before_bps, None, calls))
    other = plane(lte=RateReading("lte", after_bps, None, later))
    changes = [c for c in diff(one, other) if not isinstance(c, (Flip, LoadRuleset, Set))]
    assert len(changes) <= 1
    for change in changes:
        assert isinstance(change, Retune)
        nodes = {node.minor: node for node in tree_of(one, "spdown2").nodes}
        for node in change.nodes:
            nodes[node.minor] = node
            rate_bps = max(tree_of(one, "spdown2").nodes[0].rate_bps, tree_of(other, "spdown2").nodes[0].rate_bps)
            assert sum(n.rate_bps for n in nodes.values() if n.leaf) <= rate_bps
        assert tuple(nodes[n.minor] for n in tree_of(other, "spdown2").nodes) == tree_of(other, "spdown2").nodes


def test_devices_come_before_what_is_sent_through_them_and_go_after_it() -> None:
    paper = bare()
    changes = diff(paper.plane, plane())
    made = [type(c) for c in changes if isinstance(c, (PutIntermediate, PutTree, PutTurn))]
    assert made == [*[PutIntermediate] * 2, *[PutTree] * 4, *[PutTurn] * 4]
    assert [type(c) for c in diff(plane(), replace(plane(), queues=Queues()))] == [
        *[DropTurn] * 4, *[DropTree] * 2, *[DropIntermediate] * 2,
    ]  # fmt: skip


def test_packets_keep_the_priority_that_the_table_gave_them_only_where_something_is_shaped() -> None:
    known = replace(on_ground(), settings={PRIORITY4: "1"})
    asked = shaping(OFFICE, steering(OFFICE, "cable", "cable"))
    assert compile_plane(OFFICE, asked, known).settings[PRIORITY4] == "0"
    assert PRIORITY4 not in compile_plane(OFFICE, steering(OFFICE, "cable", "cable"), known).settings


# ── The hand ─────────────────────────────────────────────────────────────────────────


def follows(paper: Paper, hand: Hand, **rates: RateReading) -> list[str]:
    """The kinds of change that a steering with these rates makes."""
    report = hand.follow(OFFICE, shaping(OFFICE, steering(OFFICE, "cable", "cable"), **rates), interfaces(OFFICE))
    return [type(change).__name__ for change in report.changes]


def test_a_measured_rate_is_followed_without_building_anything_anew() -> None:
    paper = bare()
    hand = Hand(paper)
    hand.reconcile(OFFICE, shaping(OFFICE, steering(OFFICE, "cable", "cable")), interfaces(OFFICE))
    assert follows(paper, hand) == []
    assert follows(paper, hand, lte=RateReading("lte", 3 * MEGABIT)) == ["Retune"]
    assert [s.down_bps for s in hand.shaped] == [255_000_000, 2_550_000]
    assert follows(paper, hand, lte=RateReading("lte", 3 * MEGABIT, calls=5)) == ["Retune"]


def test_a_restart_adopts_the_queues_and_changes_nothing_and_what_somebody_took_away_is_put_back() -> None:
    paper = bare()
    wanted = shaping(OFFICE, steering(OFFICE, "cable", "cable"))
    Hand(paper).reconcile(OFFICE, wanted, interfaces(OFFICE))
    paper.applied.clear()
    later = Hand(paper)
    later.adopt(OFFICE)
    later.reconcile(OFFICE, wanted, interfaces(OFFICE))
    assert paper.applied == []
    paper.apply([DropTree("wwan0")])
    paper.applied.clear()
    later.reconcile(OFFICE, wanted, interfaces(OFFICE))
    assert [type(c).__name__ for c in paper.applied] == ["PutTree"]


def test_a_first_rate_loads_the_table_that_names_queues() -> None:
    unrated = replace(OFFICE, uplinks=tuple(replace(u, down_bps=None, up_bps=None) for u in OFFICE.uplinks))
    paper = bare()
    hand = Hand(paper)
    hand.reconcile(unrated, steering(unrated, "cable", "cable"), interfaces(unrated))
    asked = shaping(unrated, steering(unrated, "cable", "cable"), lte=RateReading("lte", 3 * MEGABIT))
    kinds = {type(c).__name__ for c in hand.follow(unrated, asked, interfaces(unrated)).changes}
    assert kinds == {"LoadRuleset", "PutIntermediate", "PutTree", "PutTurn"}
