"""What people at their desks feel, told from samples alone."""

from __future__ import annotations

import pytest

from secondpath.cli.demo_desks import DESKS, Feeling, Office, State, name_of, wishes_of
from secondpath.lab.gaps import Sample
from secondpath.lab.seat import Wish

CALL = name_of(Wish("call", "ipv4", 0.02))


def calls(from_s: float, to_s: float, wait_s: float | None = 0.03) -> list[Sample]:
    count = round((to_s - from_s) / 0.02)
    asked = [from_s + 0.02 * n for n in range(count)]
    return [Sample(CALL, at_s, None if wait_s is None else at_s + wait_s, "198.51.100.2") for at_s in asked]


def the_call(office: Office, now_s: float, paused: bool = False) -> Feeling:
    return next(f for f in office.feelings(now_s, paused) if f.name == "Phone call")


def after(*samples: list[Sample]) -> Office:
    office = Office(0.0)
    for some in samples:
        office.take("staff", some)
    return office


def test_every_stream_has_a_name_of_its_own() -> None:
    for host, wishes in wishes_of().items():
        assert len({name_of(wish) for wish in wishes}) == len(wishes), host


def test_who_has_just_sat_down_is_not_called_stalled() -> None:
    assert {f.state for f in Office(100.0).feelings(101.0, paused=False)} == {State.STARTING}


def test_a_call_that_is_answered_works() -> None:
    felt = the_call(after(calls(0, 10)), 10.5)
    assert (felt.state, felt.last) == (State.WORKING, None)
    assert felt.wait_s == pytest.approx(0.03)


def test_a_short_cut_is_an_interruption_of_its_length_and_no_patchiness() -> None:
    felt = the_call(after(calls(0, 5), calls(5, 5.4, None), calls(5.4, 8)), 8.2)
    assert felt.state is State.WORKING
    assert felt.last is not None
    assert felt.last.length_s == pytest.approx(0.4, abs=0.03)


def test_samples_may_come_late_and_out_of_order() -> None:
    felt = the_call(after(calls(0, 5), calls(5.4, 8), calls(5, 5.4, None)), 8.2)
    assert felt.last is not None
    assert felt.last.length_s == pytest.approx(0.4, abs=0.03)


def test_loss_that_goes_on_is_patchy() -> None:
    office = after(calls(0, 5))
    for n in range(50):
        office.take("staff", calls(5 + n * 0.1, 5.08 + n * 0.1) + calls(5.08 + n * 0.1, 5.1 + n * 0.1, None))
    felt = the_call(office, 10.1)
    assert felt.state is State.PATCHY
    assert felt.lost_ratio == pytest.approx(0.2, abs=0.03)


def test_silence_is_stalled_and_says_for_how_long() -> None:
    felt = the_call(after(calls(0, 5)), 12.0)
    assert felt.state is State.STALLED
    assert felt.stalled_s == pytest.approx(7.0, abs=0.1)


def test_guests_that_the_box_keeps_out_are_paused_and_staff_are_not() -> None:
    felt = {f.name: f.state for f in after(calls(0, 5)).feelings(12.0, paused=True)}
    assert felt["Guest Wi-Fi"] is State.PAUSED
    assert felt["Phone call"] is State.STALLED


def test_the_one_family_that_suffers_is_named() -> None:
    dns = {w.family: name_of(w) for desk in DESKS if desk.name == "DNS" for w in desk.wishes}
    office = Office(0.0)
    for family, until in (("ipv4", 50), ("ipv6", 20)):
        office.take("staff", [Sample(dns[family], n / 5, n / 5 + 0.03, "ok") for n in range(until)])
    felt = next(f for f in office.feelings(10.2, paused=False) if f.name == "DNS")
    assert (felt.state, felt.only) == (State.STALLED, "ipv6")


def test_seconds_without_any_answer_are_seen_in_the_line() -> None:
    waits = the_call(after(calls(0, 5), calls(7, 10)), 10.0).waits
    assert [wait is None for wait in waits] == [False] * 4 + [True] * 2 + [False] * 2


def test_little_is_kept_of_a_long_day() -> None:
    office = after(calls(0, 600))
    office.forget(600.0)
    assert max(len(flow.waits) for flow in office.flows.values()) <= 121
    assert max(len(flow.recent) for flow in office.flows.values()) <= 600
