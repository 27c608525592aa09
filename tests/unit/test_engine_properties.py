"""Whatever one address does, whenever a line dies, whatever clock is set: properties of the whole mind."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.office import CABLE4, CABLE6, World, settled_office, site, target

from secondpath.judge.window import MUTE_AFTER, Window
from secondpath.model import Family, Health, Outcome, Probe, ProbeKind, ProbeResult, Site
from secondpath.sense.stamp import Moment, round_trip_s

BOTH = (CABLE4, CABLE6)
KINDS = ((ProbeKind.ICMP, 0), (ProbeKind.TCP, 443), (ProbeKind.DNS, 53), (ProbeKind.HTTP, 80))
ADDRESSES = ("192.0.2.{}", "2001:db8:ff::{}")


@cache
def four_addresses() -> Site:
    """Four addresses of each family, each asked in a way of its own, as an office is configured."""
    return site(
        targets=tuple(
            target(f"{kind}://{address.format(n)}", kind, address.format(n), port)
            for n, (kind, port) in enumerate(KINDS, 1)
            for address in ADDRESSES
        )
    )


@cache
def learned() -> World:
    """An office with four addresses of which it is known what they answer."""
    world = settled_office(four_addresses())
    world.run_for(60.0)
    return world


def moved(world: World) -> list[str]:
    """What is told of lines and switches."""
    told = world.transitions[len(learned().transitions) :]
    return [f"{t.at:.1f} {t.subject} {t.after} {t.reason}" for t in told if t.subject.startswith(("line", "steering"))]


# ── One address ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("each_s", [3.0, 6.0, 20.0])
@pytest.mark.parametrize("order", [(1, 3, 2, 4), (2, 1, 3, 4), (3, 2, 1, 2)])
def test_addresses_that_are_silent_one_after_the_other_move_nobody(order: tuple[int, ...], each_s: float) -> None:
    """Each alone is no reason, so all of them in turn are none: neither poor for their sum, nor down for the last."""
    world = learned().another()
    for number in order:
        world.dead_addresses = {address.format(number) for address in ADDRESSES}
        world.run_for(each_s)
        world.dead_addresses = set()
        world.run_for(0.5)
    world.run_for(40.0)
    assert moved(world) == []


def misbehave(world: World, victims: set[str], whims: list[str]) -> None:
    """From now on these addresses do what the last of the whims says."""
    usual = world._answer

    def answer(probe: Probe) -> None:
        whim = whims[-1] if str(probe.target.address) in victims else "well"
        if whim == "well":
            usual(probe)
        elif whim == "slow":
            world._later(1.5, ProbeResult(probe, Outcome.OK, 1.5))
        elif whim == "silent":
            world._later(probe.timeout_s, ProbeResult(probe, Outcome.TIMEOUT))
        else:
            world._later(0.03, ProbeResult(probe, Outcome(whim), 0.03))

    world._answer = answer  # type: ignore[method-assign]


WHIMS = st.lists(
    st.tuples(
        st.sampled_from(["well", "slow", "silent", Outcome.REFUSED.value, Outcome.REDIRECTED.value]),
        st.one_of(st.floats(0.1, 20.0), st.floats(20.0, 900.0)),
    ),
    min_size=1,
    max_size=40,
)
HOUR_S = 3600.0


@pytest.mark.parametrize("phase", range(4))
def test_addresses_that_misbehave_in_turn_each_in_its_own_way_move_nobody(phase: int) -> None:
    """The third refuses before the first two are asked again, so for all that is known nobody answers."""
    world, whims, victims = learned().another(), ["well"], set[str]()
    misbehave(world, victims, whims)
    for whim, number in (("silent", 1), ("silent", 3), (Outcome.REFUSED.value, 2), ("slow", 3)):
        world.run_for(2.0 + 0.37 * phase)
        victims |= {address.format(number) for address in ADDRESSES}
        whims.append(whim)
        world.run_for(6.0)
        victims.clear()
    world.run_for(40.0)
    assert moved(world) == []


@pytest.mark.slow
@settings(max_examples=2)
@given(st.integers(1, 4), WHIMS, st.booleans())
def test_nothing_that_one_address_does_for_an_hour_moves_anybody(
    number: int, whims: list[tuple[str, float]], at_work: bool
) -> None:
    """Dead, slow, refusing, lying, and well in between; over both families at once, for it is one server's fault."""
    world, present = learned().another(), ["well"]
    if at_work:
        world.hum(BOTH)
    misbehave(world, {address.format(number) for address in ADDRESSES}, present)
    over = world.now + HOUR_S
    while world.now < over:
        for whim, seconds in whims:
            present.append(whim)
            world.run_for(min(seconds, max(0.0, over - world.now)))
    assert moved(world) == []


# ── Distrust at once ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@settings(max_examples=20)
@given(st.floats(0.0, 130.0), st.floats(0.005, 0.2), st.integers(0, 20))
def test_a_dead_line_is_left_at_once_whenever_it_dies_and_however_far_the_world_is(
    phase_s: float, rtt_s: float, seed: int
) -> None:
    world = settled_office(seed=seed)
    world.rtt_s = dict.fromkeys(world.engine.judges, rtt_s)
    world.run_for(60.0 + phase_s)
    before = world.switches()
    world.dead |= set(BOTH)
    took_s = world.run_until(lambda: {world.uses(f) for f in Family} == {"lte"}, 10.0)
    assert before == 0
    assert took_s < 1.3 + 8 * rtt_s, world.recent()


# ── A clock that is set ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.sampled_from([-3600.0, -1.0, -0.04, 0.04, 1.0, 3600.0])), max_size=30)
)
def test_a_wall_clock_that_is_set_while_questions_are_open_moves_nobody(steps: list[tuple[float, float]]) -> None:
    """The kernel's stamps are of the wall clock. This machine's must not be set and a time namespace has none of its
    own, so every round trip is taken here as sense/icmp takes it, from moments on a clock that jumps.
    """
    world, at_s = learned().another(), learned().now
    jumps: list[tuple[float, float]] = []
    for pause_s, jump_s in steps:
        at_s += pause_s
        jumps.append((at_s, jump_s))

    def moment(now: float) -> Moment:
        return Moment(now, 1.8e9 + now + sum(jump_s for jumped_at, jump_s in jumps if jumped_at <= now))

    def answer(probe: Probe) -> None:
        sent, stamp, read = moment(world.now), moment(world.now + 0.03), moment(world.now + 0.0302)
        rtt_s = round_trip_s(sent, read, stamp.wall_s)
        world._later(0.0302, ProbeResult(probe, Outcome.OK, rtt_s))

    world._answer = answer  # type: ignore[method-assign]
    world.run_for(160.0)
    assert moved(world) == []
    assert {world.state(line).health for line in BOTH} == {Health.UP}


# ── More evidence of health ──────────────────────────────────────────────────────────────────────────────────

HISTORIES = st.lists(st.tuples(st.sampled_from([0.02, 0.04, 0.2, 0.5]), st.booleans()), min_size=2, max_size=60)


def doubt(history: list[tuple[float, bool]], witnesses: int) -> float | None:
    """How much a history of questions that went round speaks for a brown-out; None where somebody was silent alone."""
    asked, now = [], 0.0
    for number, (pause_s, lost) in enumerate(history):
        now += pause_s
        asked.append((now, number, lost))
    told = sorted(
        [(at, 0, n, lost) for at, n, lost in asked] + [(at + (3.0 if x else 0.03), 1, n, x) for at, n, x in asked]
    )
    window = Window()
    for at, is_answer, number, lost in told:
        probe = Probe(number, CABLE4, four_addresses().targets[2 * (number % witnesses)], 3.0)
        if is_answer:
            window.answer(at, ProbeResult(probe, Outcome.TIMEOUT if lost else Outcome.OK, None if lost else 0.03))
        else:
            window.ask(at, probe, 0.2)
    fates = [[lost for _, number, lost in asked if number % witnesses == witness] for witness in range(witnesses)]
    if any(all(run) for fate in fates for run in zip(*(fate[n:] for n in range(MUTE_AFTER)), strict=False)):
        return None
    return window.doubt(now + 3.5, 0.0)


@settings(max_examples=300)
@given(HISTORIES, st.integers(2, 4), st.data())
def test_an_answer_more_never_makes_a_line_more_doubtful(
    history: list[tuple[float, bool]], witnesses: int, data: st.DataObject
) -> None:
    """Where nobody was silent three times in a row: an answer in the midst of that is what tells a line that loses
    from an address that was away, and may well speak against the line."""
    lost = [place for place, (_, is_lost) in enumerate(history) if is_lost]
    assume(lost)
    place = data.draw(st.sampled_from(lost))
    better = [*history[:place], (history[place][0], False), *history[place + 1 :]]
    before, after = doubt(history, witnesses), doubt(better, witnesses)
    assume(before is not None and after is not None)
    assert before is not None
    assert after is not None
    assert after <= before + 1e-9
