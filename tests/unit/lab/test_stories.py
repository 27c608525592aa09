"""Stories are data that hang together, and measures say what evidence shows."""

import pytest

from secondpath.lab import faults
from secondpath.lab.errors import LabError
from secondpath.lab.gaps import Sample
from secondpath.lab.measures import MEASURES, Evidence, judge
from secondpath.lab.stories import STORIES, find_story
from secondpath.lab.story import HEAL, INJECT, Expect, Story
from secondpath.lab.streams import STREAMS
from secondpath.lab.topology import TOPOLOGIES

EVERY = pytest.mark.parametrize("story", STORIES.values(), ids=lambda s: s.name)


@EVERY
def test_every_step_names_a_fault_and_an_uplink_there_are(story: Story) -> None:
    for step in story.steps:
        faults.place(TOPOLOGIES[story.topology], step.fault, step.uplink)
        assert step.does in (INJECT, HEAL)
        assert step.words.endswith(".")
        assert 0 <= step.at_s < story.lasts_s


@EVERY
def test_every_fault_of_a_story_is_healed_in_it(story: Story) -> None:
    broken = [(s.fault, s.uplink) for s in story.steps if s.does == INJECT]
    healed = [(s.fault, s.uplink) for s in story.steps if s.does == HEAL]
    assert sorted(map(str, broken)) == sorted(map(str, healed))


@EVERY
def test_every_expectation_measures_a_stream_somebody_keeps_up_in_a_window_of_the_story(story: Story) -> None:
    desks = dict(story.desks)
    for expect in story.expects:
        assert expect.measure in MEASURES
        assert expect.from_s < (expect.to_s or story.lasts_s) <= story.lasts_s
        assert sum(b is not None for b in (expect.at_most, expect.at_least, expect.equals)) == 1
        assert any(w.kind == expect.kind and expect.family in (None, w.family) for w in desks[expect.host])


@EVERY
def test_everybody_in_a_story_does_what_people_can_do(story: Story) -> None:
    for _, wishes in story.desks:
        assert all(wish.kind in STREAMS for wish in wishes)


def test_the_stories_that_must_be_told_are_there() -> None:
    assert set(STORIES) == {
        "cable-cut",
        "black-hole",
        "next-hop-dead",
        "one-target-dead",
        "five-percent-loss",
        "both-die",
        "second-dies-during-failover",
        "ipv6-dies",
        "brown-out",
        "flapping",
    }
    with pytest.raises(LabError, match="Did you mean 'black-hole'"):
        find_story("blackhole")


CABLE, LTE = "198.51.100.2", "203.0.113.2"


def evidence(*answers: str | None, wrong: int = 0) -> Evidence:
    """A story of one sample a second; each sample is the address seen, or None."""
    samples = tuple(
        Sample("new-udp.ipv4.1000ms", float(n), None if a is None else n + 0.03, a or "") for n, a in enumerate(answers)
    )
    return Evidence(TOPOLOGIES["office"], 0.0, float(len(answers)), (), {"staff": samples}, {"isp-a": wrong})


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        (Expect("", "leaves_by", from_s=3, equals="lte"), True),
        (Expect("", "leaves_by", equals="cable+lte"), True),
        (Expect("", "leaves_by", from_s=3, equals="cable"), False),
        (Expect("", "switches", equals=1.0), True),
        (Expect("", "switches", equals=0.0), False),
        (Expect("", "lost", at_most=1), True),
        (Expect("", "answered_ratio", at_least=0.7), True),
        (Expect("", "answered_ratio", at_least=0.9), False),
        (Expect("", "wrong_source", equals=0.0), False),
        (Expect("", "outage_s", from_s=2, at_most=1.0), True),
        (Expect("", "worst_gap_s", at_most=0.5), False),
        (Expect("", "answered_ratio", host="guest", equals=0.0), False),  # nobody asked: nothing is proven
    ],
)
def test_an_expectation_holds_by_what_was_felt(expect: Expect, holds: bool) -> None:
    felt = evidence(CABLE, CABLE, None, LTE, LTE, LTE, wrong=1)
    finding = judge(felt, expect)
    assert finding.held is holds
    assert finding.sentence().startswith("holds" if holds else "FAILS")


def test_a_window_begins_with_the_instant_the_step_took_effect() -> None:
    felt = Evidence(TOPOLOGIES["office"], 100.0, 200.0, ((5.0, 105.04),), {}, {})
    assert felt.instant(5.0) == 105.04
    assert felt.instant(7.0) == 107.0
