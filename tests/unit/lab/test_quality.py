"""How a call sounded: figures by hand, and bounds that hold for any call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.lab.quality import jitters, sound_of

WELL = [0.025] * 500
transits = st.lists(st.none() | st.floats(0.001, 2.0), max_size=200)


def test_a_call_over_a_quiet_line_is_as_good_as_g711_can_be() -> None:
    sound = sound_of(WELL)
    assert (sound.loss_ratio, sound.late_ratio, sound.jitter_p95_s) == (0.0, 0.0, 0.0)
    assert sound.opinion == pytest.approx(4.35, abs=0.01)


def test_one_percent_of_loss_costs_what_the_recommendation_says() -> None:
    """G.711 with concealment at 100 ms: 1 % is 4.26, 5 % is 3.82."""
    quick: list[float | None] = [0.015] * 100  # with playout and packing: 100 ms
    assert sound_of([None, *quick[1:]]).opinion == pytest.approx(4.26, abs=0.02)
    assert sound_of([*[None] * 5, *quick[5:]]).opinion == pytest.approx(3.82, abs=0.02)


def test_what_comes_later_than_the_buffer_waits_is_lost_too() -> None:
    sound = sound_of([0.025, 0.086] * 100)
    assert (sound.loss_ratio, sound.late_ratio) == (0.0, 0.5)
    assert sound.opinion < 2.0


def test_the_jitter_of_transits_that_alternate_runs_towards_their_difference() -> None:
    """RFC 3550, 6.4.1: J += (|D| - J) / 16."""
    running = jitters([0.020, 0.030] * 200)
    assert running[0] == pytest.approx(0.010 / 16)
    assert running[-1] == pytest.approx(0.010, rel=1e-6)


def test_a_call_of_which_nothing_was_heard_is_the_worst_there_is() -> None:
    assert sound_of([None] * 10).opinion == sound_of([]).opinion == 1.0


@given(transits)
def test_an_opinion_lies_between_one_and_what_a_quiet_line_gives(call: list[float | None]) -> None:
    assert 1.0 <= sound_of(call).opinion <= 4.5
    assert 0.0 <= sound_of(call).loss_ratio <= 1.0
