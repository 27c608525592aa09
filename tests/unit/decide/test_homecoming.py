"""Going home gently: what is in progress finishes where it is, and not a moment longer."""

from __future__ import annotations

import json
import math
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from secondpath.decide.homecoming import OFFICE_S, WEAK_S, Homecoming, Over
from secondpath.model import (
    FINISHING,
    Cause,
    Failover,
    Family,
    FlowKind,
    FlowsReading,
    Health,
    Line,
    LineState,
)

CABLE, LTE = Line("cable", Family.IPV4), Line("lte", Family.IPV4)
RULES = Failover()
DESK, OTHER = ip_address("10.44.10.7"), ip_address("10.44.10.8")


def state(health: Health = Health.UP, cause: Cause = Cause.WELL) -> LineState:
    return LineState(LTE, health, cause, 0.0)


def gone_home(now: float = 0.0) -> Homecoming:
    homecoming = Homecoming()
    homecoming.move(now, state(), CABLE, goes_home=True, rules=RULES)
    return homecoming


def reading(unknown: int = 0, *calling: object, **counts: int) -> FlowsReading:
    return FlowsReading(LTE, {FlowKind(k): n for k, n in counts.items()}, tuple(calling), unknown)  # type: ignore[arg-type]


def test_nothing_is_over_before_anybody_has_looked() -> None:
    assert gone_home().over(RULES.drain_s - 1, state()) is None
    assert gone_home().over(RULES.drain_s, state()) is Over.TIME


def test_what_is_not_known_yet_may_be_a_call() -> None:
    homecoming = gone_home()
    homecoming.see(reading(unknown=1))
    assert homecoming.over(5.0, state()) is None
    homecoming.see(reading())
    assert homecoming.over(5.0, state()) is Over.FINISHED


@given(st.sampled_from(sorted(FINISHING)), st.floats(0.0, RULES.drain_s - 0.1))
def test_what_may_finish_holds_the_line_until_the_drain_is_over(kind: FlowKind, at: float) -> None:
    homecoming = gone_home()
    homecoming.see(FlowsReading(LTE, {kind: 1}))
    assert homecoming.over(at, state()) is None
    assert homecoming.over(RULES.drain_s, state()) is Over.TIME


def test_ordinary_connections_have_half_a_minute_to_find_a_pause() -> None:
    homecoming = gone_home(100.0)
    homecoming.see(reading(office=3))
    assert homecoming.over(100.0 + OFFICE_S - 0.1, state()) is None
    assert homecoming.deadline(101.0) == 100.0 + OFFICE_S
    assert homecoming.over(100.0 + OFFICE_S, state()) is Over.FINISHED


def test_signalling_and_bulk_hold_nothing() -> None:
    homecoming = gone_home()
    homecoming.see(reading(dialog=2, bulk=9))
    assert homecoming.over(1.0, state()) is Over.FINISHED


def test_a_line_that_weakens_is_given_up_and_one_that_was_weak_before_is_not() -> None:
    weak = state(Health.DEGRADED, Cause.LOSS)
    homecoming = gone_home()
    homecoming.see(reading(call=1))
    assert homecoming.over(1.0, weak) is None
    assert homecoming.over(20.0, state()) is None, "a tremble of a moment has cut nobody off"
    assert homecoming.over(30.0, weak) is None
    assert homecoming.deadline(30.0) == 30.0 + WEAK_S
    assert homecoming.over(30.0 + WEAK_S, weak) is Over.WEAKENED
    assert homecoming.over(1.0, state(Health.DEGRADED, Cause.DNS)) is None, "a call asks for no names"
    before = Homecoming()
    before.move(0.0, weak, CABLE, goes_home=True, rules=RULES)
    before.see(reading(call=1))
    assert before.over(1.0, weak) is None


def test_a_line_that_was_left_for_a_brown_out_keeps_what_it_has() -> None:
    homecoming = Homecoming()
    homecoming.move(0.0, state(Health.DEGRADED, Cause.LOSS), CABLE, goes_home=False, rules=RULES)
    homecoming.see(reading(0, DESK, call=1))
    assert homecoming.over(1e9, state(Health.DEGRADED, Cause.JITTER)) is None
    assert homecoming.calling() == {DESK: LTE}
    assert homecoming.going_home() == {}


def test_a_dead_line_and_one_that_nobody_set_up_are_not_waited_for() -> None:
    homecoming = Homecoming()
    homecoming.move(0.0, state(Health.DOWN, Cause.SILENT), CABLE, goes_home=True, rules=RULES)
    homecoming.move(0.0, state(Health.UNKNOWN, Cause.NO_ADDRESS), CABLE, goes_home=True, rules=RULES)
    assert homecoming.lines == {}


def test_whoever_goes_back_stops_leaving() -> None:
    homecoming = gone_home()
    homecoming.move(5.0, None, LTE, goes_home=False, rules=RULES)
    assert homecoming.lines == {}


@given(
    st.lists(st.tuples(st.sampled_from([CABLE, LTE]), st.lists(st.sampled_from([DESK, OTHER]), unique=True))),
)
def test_a_phone_is_on_one_line_only_and_only_while_it_has_a_call_there(
    told: list[tuple[Line, list[object]]],
) -> None:
    homecoming = Homecoming()
    homecoming.move(0.0, state(), Line("fibre", Family.IPV4), goes_home=True, rules=RULES)
    homecoming.move(
        1.0, LineState(CABLE, Health.UP, Cause.WELL, 0.0), Line("fibre", Family.IPV4), goes_home=True, rules=RULES
    )
    last: dict[Line, list[object]] = {}
    for line, phones in told:
        homecoming.see(FlowsReading(line, {}, tuple(phones)))  # type: ignore[arg-type]
        last[line] = phones
        for phone, where in homecoming.calling().items():
            assert phone in last[where]
        assert set(homecoming.calling()) == {p for phones in last.values() for p in phones}


def test_a_restart_goes_on_where_it_was_and_has_no_more_time_for_it() -> None:
    homecoming = gone_home(100.0)
    homecoming.see(reading(0, DESK, call=1))
    memory = json.loads(json.dumps(homecoming.memory(160.0)))
    again = Homecoming()
    again.recall(1000.0, memory, 20.0, [LTE])
    assert again.calling() == {DESK: LTE}, "until the first look"
    assert math.isclose(again.going_home()[LTE], 1000.0 + RULES.drain_s - 80.0)
    assert again.over(1001.0, state()) is None
    late = Homecoming()
    late.recall(5000.0, memory, 9999.0, [LTE])
    assert late.over(5000.0, state()) is Over.TIME
