"""Rungs: what fails on a line that answers, and who may say so."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import CABLE4, CABLE6, LTE4, TARGETS, settled_office, site, working_office

from secondpath.judge.ladder import RUNG, Rung, questions_for
from secondpath.judge.trials import Trials
from secondpath.model import Cause, Family, Health, Line, LineState, Outcome, Probe, ProbeKind, ProbeResult, VerdictCode

LTE6 = Line("lte", Family.IPV6)
OVER_TCP = {ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.HTTPS, ProbeKind.TLS}
FAULTS = {
    "dns": ({ProbeKind.DNS}, Cause.DNS, 3.0),
    "tcp": (OVER_TCP, Cause.TCP, 8.0),
    "tls": ({ProbeKind.TLS, ProbeKind.HTTPS}, Cause.TLS, 8.0),
    "size": ({ProbeKind.SIZE}, Cause.PATH_MTU, 8.0),
}


@pytest.mark.slow
def test_a_line_by_which_nobody_works_is_asked_less() -> None:
    asked = {}
    for name in ("at work", "empty"):
        world = working_office() if name == "at work" else settled_office()
        world.run_for(180.0)
        start = len(world.sent)
        world.run_for(300.0)
        deep = (ProbeKind.TLS, ProbeKind.SIZE)
        asked[name] = sum(probe.line == CABLE4 and probe.target.kind in deep for _, probe in world.sent[start:])
    assert asked["empty"] < asked["at work"] / 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_rung_that_fails_here_and_works_elsewhere_moves_the_family(name: str) -> None:
    kinds, cause, within_s = FAULTS[name]
    took = []
    for seed in range(5):
        world = working_office(seed)
        world.run_for(seed * 0.37)
        world.dead_kinds = {CABLE4: set(kinds)}
        took.append(world.run_until_used("lte", 30.0))
        world.run_for(5.0)
        state = world.state(CABLE4)
        assert (state.health, state.cause) == (Health.DEGRADED, cause)
        assert world.uses(Family.IPV6) == "cable", "the other family is well and stays"
    assert statistics.median(took) <= within_s, took


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_what_fails_over_every_line_moves_nobody(name: str) -> None:
    kinds, _, _ = FAULTS[name]
    world = working_office()
    world.dead_kinds = {line: set(kinds) for line in (CABLE4, CABLE6, LTE4, LTE6)}
    world.run_for(60.0)
    assert (world.engine.verdict.code, world.engine.verdict.what) == (VerdictCode.EVERYWHERE, name), "and it is told"
    world.run_for(60.0)
    assert world.engine.verdict.code is VerdictCode.EVERYWHERE, "as long as it lasts"
    world.dead_kinds = {}
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OK, 60.0)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()


@pytest.mark.parametrize("doubted", [True, False])
def test_a_line_that_is_being_doubted_is_heard_where_another_is_tried(doubted: bool) -> None:
    """What fails over every line doubts them all; if none could be compared with, the first would be left for it."""
    trials, now, up = Trials(), 10.0, {line: LineState(line, Health.UP, Cause.WELL, 0.0) for line in (CABLE4, LTE4)}
    targets = tuple(t for t in TARGETS if t.address.version == 4)
    trials.settle(dict.fromkeys(up, targets))
    for ladder in trials.ladders.values():
        ladder.worked = {question.uri: 1 for question in ladder.questions}
    trials.accuse(CABLE4, Rung.DNS)
    asked, numbers = set[Line](), itertools.count()
    for _ in range(100):
        trials.look(now, up, frozenset({LTE4}) if doubted else frozenset())
        for line, target, _ in trials.wanted(now):
            probe = Probe(next(numbers), line, target, 3.0)
            asked.add(line)
            trials.asked(now, probe, now + 0.2)
            trials.took(probe)
            dead = RUNG[target.kind] is Rung.DNS
            trials.answered(now, ProbeResult(probe, Outcome.TIMEOUT if dead else Outcome.OK, None if dead else 0.03))
        now += 0.1
    assert asked == {CABLE4, LTE4}
    assert (CABLE4, Rung.DNS) in trials.everywhere
    assert not trials.ladders[CABLE4].failing


@pytest.mark.parametrize("address", sorted({str(t.address) for t in TARGETS}))
def test_one_address_dead_in_every_way_moves_nobody(address: str) -> None:
    world = working_office()
    world.dead_addresses.add(address)
    world.run_for(120.0)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()
    assert world.engine.verdict.code is VerdictCode.OK


def test_a_line_whose_rung_is_well_again_serves_its_hold() -> None:
    world = working_office()
    world.dead_kinds = {CABLE4: {ProbeKind.TLS, ProbeKind.HTTPS}}
    world.run_until(lambda: world.uses() == "lte", 30.0)
    world.run_for(120.0)
    assert world.uses() == "lte", "nobody goes home to a line that fails"
    world.dead_kinds = {}
    back_s = world.run_until(lambda: world.uses() == "cable", 200.0)
    assert back_s >= site().failover.hold_s


def test_a_portal_is_called_by_its_name() -> None:
    world = working_office()
    world.redirected.add(CABLE4)
    world.dead_kinds = {CABLE4: {ProbeKind.TLS, ProbeKind.HTTPS}}
    world.run_until(lambda: world.uses() == "lte", 30.0)
    world.run_until(lambda: world.state(CABLE4).cause is Cause.CAPTIVE, 10.0)


def test_a_dead_line_with_a_portal_on_it_is_called_captive() -> None:
    world = working_office()
    world.redirected.add(CABLE4)
    world.dead_kinds = {CABLE4: set(ProbeKind) - {ProbeKind.HTTP}}
    world.run_until(lambda: world.uses() == "lte", 5.0)
    world.run_until(lambda: world.state(CABLE4).cause is Cause.CAPTIVE, 1.0)


def test_one_site_that_redirects_moves_nobody() -> None:
    world = working_office()
    world.redirected |= {CABLE4, CABLE6}
    world.run_for(300.0)
    assert world.switches() + world.switches(Family.IPV6) == 0, world.recent()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.08))
def test_random_loss_convicts_no_rung(seed: int, loss: float) -> None:
    world = working_office(seed)
    world.loss = dict.fromkeys((CABLE4, CABLE6), loss)
    world.run_for(300.0)
    causes = {t.reason for t in world.transitions if t.subject.startswith("line:")}
    assert causes <= {Cause.WELL, Cause.STARTING, Cause.LOSS}


def test_every_address_is_asked_on_every_rung() -> None:
    named = site().targets_of(Family.IPV4)
    asked = questions_for(named)
    for address in {t.address for t in named}:
        rungs = {RUNG[t.kind] for t in asked if t.address == address}
        assert len(rungs) >= 4, f"{address}: {rungs}"
    assert len({t.uri for t in asked}) == len(asked)


@pytest.mark.parametrize("early_s", [0.0, 5.0, 15.0])
def test_a_standby_that_is_seldom_asked_is_found_dead_and_not_called_useless(early_s: float) -> None:
    """While it is learned what it can do, a question on a rung is the first that it leaves unanswered."""
    world = settled_office()
    world.run_for(10.0 + early_s)
    world.dead |= {LTE4, Line("lte", Family.IPV6)}
    world.run_for(30.0)
    told = [t.reason for t in world.transitions if t.subject.startswith("line:lte") and t.after == "degraded"]
    assert told == []
    assert world.state(LTE4).health is Health.DOWN
