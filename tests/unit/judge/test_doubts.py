"""What the families of one uplink say together of its loss."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secondpath.judge.doubts import PART_OF_IT, POOR, TOGETHER, WAKES, Doubts
from secondpath.model import Family

FOUR, SIX = Family.IPV4, Family.IPV6
DOUBT = st.floats(0.0, 2 * TOGETHER)


def of(four: float, six: float) -> Doubts:
    doubts = Doubts()
    doubts.take(FOUR, four)
    doubts.take(SIX, six)
    return doubts


def test_each_is_poor_by_itself_or_with_the_other_never_by_the_other_alone() -> None:
    assert of(POOR + 0.1, 0.0).poor(FOUR)
    assert not of(POOR, 0.0).poor(FOUR)
    assert of(7.0, 7.0).poor(FOUR)
    assert not of(PART_OF_IT, 2 * TOGETHER).poor(FOUR)


@given(DOUBT, DOUBT, st.floats(0.0, TOGETHER))
def test_more_doubt_never_makes_a_line_better(four: float, six: float, more: float) -> None:
    if of(four, six).poor(FOUR):
        assert of(four + more, six).poor(FOUR)
        assert of(four, six + more).poor(FOUR)


def test_a_family_that_is_poor_for_its_loss_goes_on_lending_and_wakes_nobody() -> None:
    doubts = of(WAKES + 0.1, 0.0)
    assert doubts.woken(SIX) == WAKES + 0.1
    assert doubts.woken(FOUR) == 0.0
    doubts.lend(FOUR, lossy=True)
    doubts.take(SIX, PART_OF_IT + 0.1)
    assert doubts.poor(SIX)
    assert doubts.woken(SIX) == 0.0
    doubts.lend(FOUR, lossy=False)
    assert not doubts.poor(SIX)
