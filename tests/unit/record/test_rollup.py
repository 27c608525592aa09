"""Looks at lines become minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from secondpath.model import Cause, Family, Health, Line, LineState, Measurement
from secondpath.record.rollup import Minute, Minutes, add_looks, take_finished, with_look

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINE = Line("cable", Family.IPV4)
LOOKS = st.builds(
    lambda health, loss, rtt: LineState(LINE, health, Cause.WELL, 0.0, Measurement(10, loss, rtt, rtt)),
    st.sampled_from(Health),
    st.floats(0, 1),
    st.none() | st.floats(0.0001, 3),
)


@given(st.lists(LOOKS, min_size=1, max_size=60))
def test_a_minute_tells_the_shares_the_mean_and_the_worst(looks: list[LineState]) -> None:
    minute = Minute(LINE, 0)
    for look in looks:
        minute = with_look(minute, look)
    losses = [look.measurement.loss_ratio for look in looks]
    rtts = [rtt for look in looks if (rtt := look.measurement.rtt_s) is not None]
    assert minute.looks == len(looks)
    assert minute.down == sum(look.health is Health.DOWN for look in looks)
    assert minute.loss_worst_ratio == max(losses)
    assert abs(minute.loss_ratio - sum(losses) / len(losses)) < 1e-9
    assert minute.rtt_worst_s == max(rtts, default=None)
    assert (minute.rtt_s is None) is (not rtts)


@given(st.lists(st.tuples(st.integers(0, 600), LOOKS), max_size=100))
def test_every_look_is_counted_once(looks: list[tuple[int, LineState]]) -> None:
    minutes: Minutes = {}
    taken: list[Minute] = []
    for second, look in sorted(looks, key=lambda pair: pair[0]):
        add_looks(minutes, NOON + timedelta(seconds=second), [look])
        taken += take_finished(minutes, NOON + timedelta(seconds=second))
    taken += take_finished(minutes, NOON + timedelta(days=1))
    assert sum(minute.looks for minute in taken) == len(looks)
    assert len({minute.minute for minute in taken}) == len(taken)
    assert minutes == {}


def test_a_family_that_nobody_set_up_is_not_looked_at() -> None:
    minutes: Minutes = {}
    add_looks(minutes, NOON, [LineState(LINE, Health.UNKNOWN, Cause.NO_ADDRESS, 0.0)])
    assert minutes == {}
