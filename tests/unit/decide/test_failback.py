"""Trust in a line: taken away at once, given back only after the hold."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from secondpath.decide.failback import QUIET_HOLDS, Trust
from secondpath.model import Failover, Health

RULES = Failover()
SEEN = st.lists(st.tuples(st.floats(0.01, 4000.0), st.sampled_from(Health)), max_size=40)


def live_through(seen: list[tuple[float, Health]]) -> list[tuple[float, Health, Trust]]:
    """The trust in a line after each look at it."""
    now, trust, lived = 0.0, Trust(RULES.hold_s), []
    for pause_s, health in seen:
        now += pause_s
        trust.see(now, health, RULES)
        lived.append((now, health, Trust(trust.hold_s, trust.good_since, trust.failed)))
    return lived


@given(SEEN)
def test_trust_is_taken_away_at_once(seen: list[tuple[float, Health]]) -> None:
    for _, health, trust in live_through(seen):
        if health in (Health.DOWN, Health.DEGRADED):
            assert trust.served_at() == math.inf


@given(SEEN)
def test_trust_never_returns_before_the_first_hold_is_over(seen: list[tuple[float, Health]]) -> None:
    bad_at = -math.inf
    for now, health, trust in live_through(seen):
        if health in (Health.DOWN, Health.DEGRADED):
            bad_at = now
        if trust.failed:
            assert trust.served_at() >= bad_at + RULES.hold_s
            assert RULES.hold_s <= trust.hold_s <= RULES.hold_max_s


@given(SEEN)
def test_in_no_hour_is_a_line_trusted_and_left_more_than_twice(seen: list[tuple[float, Health]]) -> None:
    now, trust = 0.0, Trust(RULES.hold_s)
    left, home = list[float](), list[float]()
    for pause_s, health in seen:
        if trust.good_since is not None and trust.served_at() <= now + pause_s and len(home) < len(left):
            home.append(max(now, trust.served_at()))
        now += pause_s
        if health in (Health.DOWN, Health.DEGRADED) and trust.served_at() <= now:
            left.append(now)
        trust.see(now, health, RULES)
    moves = sorted([*left, *home])
    assert all(sum(at <= other < at + QUIET_HOLDS * RULES.hold_s for other in moves) <= 4 for at in moves)


@given(SEEN, st.floats(0.1, 10_000.0))
def test_after_we_were_away_the_whole_hold_runs_again(seen: list[tuple[float, Health]], away_s: float) -> None:
    for now, health, trust in live_through(seen):
        if health is Health.UP and trust.failed:
            trust.begin_again(now + away_s)
            assert trust.served_at() == now + away_s + trust.hold_s
