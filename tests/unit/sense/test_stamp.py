"""Round trips, measured on two clocks of which one may be set at any time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sense.world import until_stamped

from secondpath.sense.prober import Prober
from secondpath.sense.stamp import Moment, round_trip_s

WALL = 1_800_000_000.0
SENT = Moment(100.0, WALL)


def test_the_kernel_s_stamp_is_the_round_trip() -> None:
    read = Moment(100.0305, WALL + 0.0305)
    assert round_trip_s(SENT, read, WALL + 0.030) == pytest.approx(0.030, abs=1e-6)


def test_without_a_kernel_stamp_our_own_counts() -> None:
    assert round_trip_s(SENT, Moment(100.0305, WALL + 0.0305), None) == pytest.approx(0.0305)


@pytest.mark.parametrize("step_s", [-1e9, -3600.0, -0.02, 0.02, 3600.0, 1e9])
def test_a_clock_that_was_set_meanwhile_is_not_believed(step_s: float) -> None:
    read = Moment(100.0305, WALL + 0.0305 + step_s)
    for stamped_after_the_step in (0.0, step_s):
        kernel = WALL + 0.030 + stamped_after_the_step
        assert round_trip_s(SENT, read, kernel) == pytest.approx(0.0305)


def test_a_clock_that_is_slewed_changes_little() -> None:
    """Adjtime moves a clock by up to 500 ppm: 0.5 ms in a second, which stays within the tolerance."""
    read = Moment(101.0, WALL + 1.0005)
    assert round_trip_s(SENT, read, WALL + 1.0004) == pytest.approx(1.0004)


@given(
    took_s=st.floats(1e-6, 60),
    step_s=st.floats(-1e9, 1e9),
    stamp_s=st.one_of(st.none(), st.floats(-1e9, 1e9)),
)
def test_no_clock_makes_a_round_trip_negative_or_longer_than_it_was(
    took_s: float, step_s: float, stamp_s: float | None
) -> None:
    kernel = None if stamp_s is None else WALL + stamp_s
    found = round_trip_s(SENT, Moment(100.0 + took_s, WALL + took_s + step_s), kernel)
    assert 0 < found <= took_s + 0.0011


def test_a_prober_has_the_kernel_stamp_what_arrives_even_on_a_socket_that_has_just_been_opened() -> None:
    prober = Prober(lambda result: None)
    try:
        until_stamped()
    finally:
        prober.close()
