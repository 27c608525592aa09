"""A rate that follows the delay, on a line of pure arithmetic: a queue that drains as fast as the line carries."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.decide.pacing import PERIOD_S, Pace, floor_of

MEGABIT = 1_000_000.0
SCHEDULE = ((26.0, 3 * MEGABIT), (18.0, MEGABIT), (12.0, 2 * MEGABIT), (0.0, 4 * MEGABIT))
TICK_S, LASTS_S, RTT_S = 0.01, 34.0, 0.050
BUFFER_S, LATE_S = 1.0, 0.060


def capacity(at_s: float) -> float:
    """4, 2, 1, 3 Mbit/s from 0, 12, 18 and 26 s on."""
    return next(bps for since_s, bps in SCHEDULE if at_s >= since_s)


@dataclass(frozen=True)
class Felt:
    """The part of the time in which a packet came later than a phone waits, and what was carried, in bit/s."""

    late_ratio: float
    carried_bps: float


def drive(rate: Callable[[float, float, float], float]) -> Felt:
    """Greedy senders fill whatever the shaper lets through. `rate` gets the instant, the round trip and the load."""
    queued_bits, carried_bits, late, shaped_bps, asked_s = 0.0, 0.0, 0, rate(0.0, RTT_S, 0.0), 0.0
    ticks = int(LASTS_S / TICK_S)
    for tick in range(ticks):
        now_s = tick * TICK_S
        carries = capacity(now_s)
        queued_bits = min(queued_bits + (shaped_bps - carries) * TICK_S, BUFFER_S * carries)
        carried_bits += min(shaped_bps, carries) * TICK_S
        queued_bits = max(0.0, queued_bits)
        wait_s = queued_bits / carries
        late += wait_s > LATE_S
        if now_s - asked_s >= PERIOD_S:
            asked_s = now_s
            shaped_bps = rate(now_s, RTT_S + wait_s, min(shaped_bps, carries))
    return Felt(late / ticks, carried_bits / LASTS_S)


def hunting(calls: bool, floor_bps: float = 0.85 * MEGABIT) -> Felt:
    pace = Pace(0.6 * MEGABIT, 1.5 * MEGABIT, 3.6 * MEGABIT, floor_bps)
    return drive(lambda now_s, rtt_s, load_bps: pace.step(now_s, rtt_s, load_bps, calls))


def test_a_line_that_goes_from_four_to_one_and_three_megabits_is_followed_and_calls_keep_to_its_floor() -> None:
    """The schedule and the order of what was measured: nominal rate, hunting, floor."""
    static = drive(lambda *_: 3.4 * MEGABIT)
    followed, pinned = hunting(calls=False), hunting(calls=True)
    assert static.late_ratio > 0.55
    assert followed.late_ratio < static.late_ratio / 2
    assert pinned.late_ratio <= 0.004
    assert followed.carried_bps > 1.5 * pinned.carried_bps, "who hunts, carries more: that is why others do"


def test_a_rate_falls_only_after_several_late_answers_and_then_rests() -> None:
    pace = Pace(0.5 * MEGABIT, 2 * MEGABIT, 4 * MEGABIT, MEGABIT)
    answers = [0.05] * 4 + [0.2] * 4
    rates = [pace.step(n * 0.1, rtt_s, 0.0, calls=False) for n, rtt_s in enumerate(answers)]
    assert rates[:6] == [2 * MEGABIT] * 6
    assert rates[6] == pytest.approx(1.5 * MEGABIT), "the third of them: by a quarter"
    assert rates[7] == rates[6], "what left before that comes late as well"


def test_more_is_tried_only_where_it_is_asked_for_and_an_idle_rate_goes_home() -> None:
    pace = Pace(0.5 * MEGABIT, 2 * MEGABIT, 4 * MEGABIT, MEGABIT)
    loaded = [pace.step(n * PERIOD_S, 0.05, pace.rate_bps, calls=False) for n in range(50)]
    assert loaded[-1] == 4 * MEGABIT
    idle = [pace.step(10 + n * PERIOD_S, 0.05, 0.0, calls=False) for n in range(500)]
    assert all(later <= sooner for sooner, later in itertools.pairwise(idle))
    assert 2 * MEGABIT < idle[-1] < 3 * MEGABIT


def test_the_floor_is_what_the_line_has_nearly_always_carried() -> None:
    assert floor_of([3 * MEGABIT]) == 3 * MEGABIT
    assert floor_of([n * MEGABIT for n in range(1, 101)]) == 6 * MEGABIT


@given(st.lists(st.tuples(st.floats(0.001, 3.0), st.floats(0, 1e8), st.booleans()), min_size=1, max_size=80))
def test_it_stays_in_its_bounds_and_while_calls_last_it_never_rises(steps: list[tuple[float, float, bool]]) -> None:
    pace = Pace(0.5 * MEGABIT, 2 * MEGABIT, 4 * MEGABIT, MEGABIT)
    for number, (rtt_s, load_bps, calls) in enumerate(steps):
        before = pace.rate_bps
        after = pace.step(number * PERIOD_S, rtt_s, load_bps, calls)
        assert 0.5 * MEGABIT <= after <= 4 * MEGABIT
        if calls:
            assert after <= min(before, MEGABIT)
