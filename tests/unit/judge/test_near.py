"""How far one still comes on a silent line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from tests.office import CABLE4, CABLE6, World, settled_office, site

from secondpath.model import Cause, Health, Outcome, ProbeResult, VerdictCode

MODEM = "192.168.100.1"


def office_with_modem() -> World:
    plain = site()
    first = replace(plain.uplinks[0], modem=ip_address(MODEM))
    return settled_office(replace(plain, uplinks=(first, *plain.uplinks[1:])))


@pytest.mark.parametrize(
    ("next_hop", "modem", "cause", "code"),
    [
        (True, True, Cause.SILENT, VerdictCode.UPSTREAM),
        (False, True, Cause.ACCESS, VerdictCode.ACCESS),
        (False, False, Cause.MODEM, VerdictCode.MODEM),
    ],
)
def test_a_silent_line_says_how_far_one_still_comes(
    next_hop: bool, modem: bool, cause: Cause, code: VerdictCode
) -> None:
    world = office_with_modem()
    world.near = {MODEM: modem, "198.51.1.1": next_hop, "2001:db8:1::1": next_hop}
    world.dead |= {CABLE4, CABLE6}
    world.run_until(lambda: world.state(CABLE4).health is Health.DOWN, 3.0)
    world.run_for(5.0)
    assert world.state(CABLE4).cause is cause
    assert world.engine.verdict.code is code


def test_without_a_modem_in_the_configuration_the_next_hop_is_named() -> None:
    world = settled_office()
    world.near = {"198.51.1.1": False}
    world.dead.add(CABLE4)
    world.run_for(10.0)
    assert world.state(CABLE4).cause is Cause.NEXT_HOP


def test_a_next_hop_that_never_answered_proves_nothing() -> None:
    world = settled_office()
    for judge in world.engine.judges.values():
        judge.near.worked.clear()
    world.near = {"198.51.1.1": False}
    world.dead.add(CABLE4)
    world.run_for(10.0)
    assert world.state(CABLE4).cause is Cause.SILENT


def test_a_next_hop_that_answers_does_not_make_a_line_alive() -> None:
    world = settled_office()
    world.near = {"198.51.1.1": True}
    world.dead.add(CABLE4)
    world.run_for(120.0)
    assert world.state(CABLE4).health is Health.DOWN
    assert world.uses() == "lte"


def test_a_next_hop_that_answers_late_revives_no_line() -> None:
    world = settled_office()
    world.near = {"198.51.1.1": False}
    world.dead.add(CABLE4)
    world.run_for(10.0)
    near = [p for _, p in world.sent[-60:] if p.line == CABLE4 and p.target.uri.startswith("next-hop")]
    assert len(near) > 3
    for probe in near:
        world.tell(ProbeResult(probe, Outcome.OK, 4.0))
        assert world.state(CABLE4).health is Health.DOWN
