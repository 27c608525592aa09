"""What is wrong at the site, beside what single lines tell: one cause for all, the office's gear, how sure it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.office import CABLE4, CABLE6, LTE4, LTE6, World, interface, settled_office, site

from secondpath.judge.blame import SURE, Beside, verdict_of
from secondpath.model import Cause, Confidence, Health, InsideChange, LineState, Reload, VerdictCode
from secondpath.tell.words import advice, verdict_text

EVERYTHING = {CABLE4, CABLE6, LTE4, LTE6}
SHARED = "power: suite 4"


def said(world: World) -> VerdictCode:
    return world.engine.verdict.code


def test_all_that_fail_in_the_same_moment_have_one_cause_and_what_they_share_is_named() -> None:
    cable, lte = site().uplinks
    cable, lte = replace(cable, shares=("pole-line: Elm Street", SHARED)), replace(lte, shares=(SHARED,))
    world = settled_office(site(uplinks=(cable, lte)))
    world.dead |= EVERYTHING
    world.run_for(30.0)
    verdict = world.engine.verdict
    assert (verdict.code, verdict.confidence) == (VerdictCode.COMMON_CAUSE, Confidence.LIKELY)
    text = verdict_text(verdict, world.engine.site)
    assert text.endswith("so one cause is likely (they share power: suite 4).")
    assert "power" in advice(verdict, world.engine.site)


def test_two_that_fail_one_after_the_other_are_two_failures() -> None:
    world = settled_office()
    world.dead |= {CABLE4, CABLE6}
    world.run_for(60.0)
    world.dead |= {LTE4, LTE6}
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.ALL_DOWN, 60.0)
    assert world.engine.verdict.confidence is Confidence.PROVEN


def test_a_switch_inside_that_loses_its_power_is_told_and_moves_nobody() -> None:
    world = settled_office()
    world.tell(InsideChange("staff", True))
    world.tell(InsideChange("guest", False))
    assert world.engine.verdict.code is VerdictCode.OK, "what never was connected is not missed"
    world.tell(InsideChange("staff", False))
    verdict = world.engine.verdict
    assert (verdict.code, verdict.what, verdict.confidence) == (VerdictCode.INSIDE, "staff", Confidence.FACT)
    assert "lan0 (staff)" in verdict_text(verdict, world.engine.site)
    assert world.switches() == 0
    world.tell(InsideChange("staff", True))
    assert world.engine.verdict.code is VerdictCode.OK


def test_a_network_that_is_no_longer_configured_is_not_missed() -> None:
    world = settled_office()
    world.tell(InsideChange("guest", True))
    world.tell(InsideChange("guest", False))
    assert said(world) is VerdictCode.INSIDE
    world.tell(Reload(site(networks=site().networks[:1])))
    assert said(world) is VerdictCode.OK


def test_a_line_that_is_down_is_told_before_the_office_s_own_gear() -> None:
    world = settled_office()
    world.tell(InsideChange("staff", True))
    world.tell(InsideChange("staff", False))
    world.tell(interface("cable", carrier=False))
    assert (world.engine.verdict.code, world.engine.verdict.confidence) == (VerdictCode.CABLE, Confidence.FACT)


@pytest.mark.parametrize("cause", [Cause.MODEM, Cause.ACCESS, Cause.NEXT_HOP])
def test_who_is_only_silent_is_likely_to_blame_and_no_more(cause: Cause) -> None:
    states = {line: LineState(line, Health.DOWN, cause, 0.0) for line in (CABLE4, CABLE6)}
    states |= {line: LineState(line, Health.UP, Cause.WELL, 0.0) for line in (LTE4, LTE6)}
    assert verdict_of(states).confidence is Confidence.LIKELY


def test_power_has_its_place_and_is_told_by_nobody_yet() -> None:
    """No state of lines is mistaken for it: the UPS alone will tell."""
    assert SURE[VerdictCode.POWER] is Confidence.FACT
    dead = {line: LineState(line, Health.DOWN, Cause.CARRIER, 0.0) for line in EVERYTHING}
    assert verdict_of(dead, Beside(inside=("staff",))).code is VerdictCode.COMMON_CAUSE
