"""Arithmetic on round trips."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.examine.echoes import best_s, jitter_s, loss_ratio, median_s
from secondpath.examine.results import Anchor

ROUND_TRIPS = st.lists(st.floats(0, 10), max_size=9)


def anchor(sent: int, *round_trips_s: float) -> Anchor:
    return Anchor(ip_address("192.0.2.1"), sent, round_trips_s)


@given(ROUND_TRIPS)
def test_the_median_lies_in_the_middle(seen: list[float]) -> None:
    median = median_s(seen)
    assert (median is None) == (not seen)
    if median is not None:
        assert 2 * sum(value <= median for value in seen) >= len(seen)
        assert 2 * sum(value >= median for value in seen) >= len(seen)


@given(ROUND_TRIPS)
def test_jitter_is_no_more_than_the_largest_step(seen: list[float]) -> None:
    jitter = jitter_s(seen)
    assert (jitter is None) == (len(seen) < 2)
    if jitter is not None:
        assert 0 <= jitter <= max(seen) - min(seen)


def test_jitter_is_that_of_the_rfc() -> None:
    assert jitter_s([0.030, 0.030, 0.030]) == 0
    assert jitter_s([0.030, 0.046, 0.030]) == pytest.approx(0.001 + (0.016 - 0.001) / 16)


def test_an_anchor_that_never_answers_is_no_loss() -> None:
    assert loss_ratio([anchor(5, 0.03, 0.03, 0.03, 0.03), anchor(5)]) == pytest.approx(0.2)
    assert loss_ratio([anchor(5)]) is None
    assert best_s([anchor(5), anchor(3, 0.05, 0.06, 0.07), anchor(1, 0.04)]) == 0.04
    assert best_s([anchor(5)]) is None
