"""How many calls are heard, from a counter that is looked at once a second."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.calls import STAY_S, Ear, calls_of


def after(ear: Ear, counts: Iterator[tuple[float, int]]) -> list[int]:
    """The number of calls after each look."""
    found = []
    for now_s, packets in counts:
        ear.hear(now_s, packets)
        found.append(ear.calls)
    return found


def steady(calls: int, seconds: int, start_s: int = 0, sofar: int = 0) -> Iterator[tuple[float, int]]:
    return ((float(start_s + n), sofar + 50 * calls * n) for n in range(seconds))


def test_fifty_packets_a_second_are_a_call_and_a_keep_alive_is_none() -> None:
    assert [calls_of(rate) for rate in (0.0, 1.0, 24.0, 50.0, 49.0, 1000.0)] == [0, 0, 0, 1, 1, 20]


def test_a_call_is_heard_with_the_second_look_and_what_was_counted_before_is_not() -> None:
    assert after(Ear(), steady(3, 4, sofar=1_000_000)) == [0, 3, 3, 3]


def test_a_pause_is_no_hanging_up_but_silence_is() -> None:
    ear = Ear()
    after(ear, steady(2, 5))
    silent = [(5.0 + n, 400) for n in range(int(STAY_S) + 3)]
    calls = after(ear, iter(silent))
    assert calls[0] == 2
    assert calls[-1] == 0


def test_a_counter_that_begins_anew_is_no_call() -> None:
    ear = Ear()
    after(ear, steady(2, 3))
    assert not ear.hear(3.0, 0)
    assert ear.calls == 2


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=60))
def test_a_change_is_told_whenever_the_number_changes_and_only_then(moves: list[int]) -> None:
    ear, packets, before = Ear(), 0, 0
    for second, moved in enumerate(moves):
        packets += moved
        told = ear.hear(float(second), packets)
        assert told is (ear.calls != before)
        before = ear.calls
        assert ear.calls >= 0
