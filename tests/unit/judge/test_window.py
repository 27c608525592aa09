"""What a line answered, and what that says about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import CABLE4, TARGETS

from secondpath.judge.window import FIRST_PATIENCE_S, RoundTrip, Window
from secondpath.model import Outcome, Probe, ProbeResult, Target

ICMP, TCP, DNS = TARGETS[0], TARGETS[1], TARGETS[2]


def asked(window: Window, at: float, target: Target, number: int, patience_s: float = 0.2) -> Probe:
    probe = Probe(number, CABLE4, target, 3.0)
    window.ask(at, probe, patience_s)
    return probe


def answered(window: Window, at: float, probe: Probe, rtt_s: float) -> None:
    window.answer(at, ProbeResult(probe, Outcome.OK, rtt_s))


def test_an_answer_that_comes_late_corrects_the_next_look() -> None:
    window = Window()
    probe = asked(window, 0.0, ICMP, 1)
    assert window.first_overdue(0.3) is not None
    window.answer(3.0, ProbeResult(probe, Outcome.TIMEOUT))
    answered(window, 3.1, probe, 3.1)
    assert window.first_overdue(3.2) is None
    assert window.tally(3.2, 0.0) == (0, 1)


def test_a_connect_that_was_retransmitted_acquits_the_line_but_counts_as_loss() -> None:
    window = Window()
    answered(window, 0.03, asked(window, 0.0, TCP, 1), 0.03)
    answered(window, 2.03, asked(window, 1.0, TCP, 2), 1.03)
    assert window.first_overdue(2.1) is None
    assert window.tally(2.1, 0.0) == (1, 2)


def test_a_retransmitted_connect_does_not_lengthen_our_patience() -> None:
    window = Window()
    for number in range(10):
        answered(window, number + 0.03, asked(window, number, TCP, number), 0.03)
    before = window.round_trip(TCP).patience_s(1.0, 0.2, 0.1)
    for number in range(10, 20):
        answered(window, number + 1.03, asked(window, number, TCP, number), 1.03)
    assert window.round_trip(TCP).patience_s(1.0, 0.2, 0.1) == before


def test_a_refusal_is_neither_an_answer_nor_a_loss() -> None:
    window = Window()
    probe = asked(window, 0.0, TCP, 1)
    window.answer(0.1, ProbeResult(probe, Outcome.REFUSED, 0.03))
    assert window.answered_at is None
    assert window.tally(5.0, 0.0) == (0, 1)


def test_the_first_patience_is_the_initial_timeout_of_rfc_6298() -> None:
    assert RoundTrip().patience_s(2.0, 0.1, 0.0) == FIRST_PATIENCE_S


@pytest.mark.parametrize("bad", [ICMP, TCP, DNS])
def test_no_witness_alone_raises_doubt(bad: Target) -> None:
    window = Window()
    number = 0
    for second in range(50):
        for target in (ICMP, TCP, DNS):
            number += 1
            probe = asked(window, second, target, number)
            if target is not bad:
                answered(window, second + 0.03, probe, 0.03)
    assert window.doubt(51.0, 0.0) == 0.0


@given(st.lists(st.tuples(st.sampled_from([ICMP, TCP, DNS]), st.booleans()), min_size=1, max_size=120))
def test_one_more_answer_never_raises_doubt(history: list[tuple[Target, bool]]) -> None:
    window = Window()
    for number, (target, good) in enumerate(history):
        probe = asked(window, number * 0.4, target, number)
        if good:
            answered(window, number * 0.4 + 0.03, probe, 0.03)
    now = len(history) * 0.4 + 1
    before = window.doubt(now, 0.0)
    last = asked(window, now, history[-1][0], len(history))
    answered(window, now + 0.03, last, 0.03)
    assert window.doubt(now + 0.1, 0.0) <= before + 1e-9
