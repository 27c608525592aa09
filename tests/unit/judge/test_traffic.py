"""When traffic makes a line suspicious: the four triggers, their patience, and what they never do."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
from tests.office import CABLE4

from secondpath.judge.traffic import CAP, DECAY_S, Backoff, Traffic, Trigger, Unanswered
from secondpath.judge.window import RoundTrip
from secondpath.model import TrafficSample

NEAR = RoundTrip(0.03, 0.005)
FAR = RoundTrip(0.3, 0.05)
LOOKS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=120)


def first_cry(traffic: Traffic, since: float, limit_s: float = 20.0, trip: RoundTrip = NEAR) -> tuple[float, Trigger]:
    at = traffic.deadline(trip)
    assert since <= at < since + limit_s, at
    trigger = traffic.suspicion(at, trip)
    assert trigger is not None
    return at - since, trigger


def sample(**counted: int) -> TrafficSample:
    return TrafficSample(CABLE4, **counted)


def test_two_packets_without_an_answer_are_suspicious_after_a_round_trip_with_a_margin() -> None:
    for trip, expected_s in ((NEAR, 0.2), (FAR, 0.3 + 4 * 0.05 + 0.1)):
        traffic = Traffic()
        traffic.see(10.0, sample(out=2))
        took_s, trigger = first_cry(traffic, 10.0, trip=trip)
        assert (math.isclose(took_s, expected_s), trigger) == (True, Trigger.UNANSWERED)


def test_a_lone_packet_is_nothing_and_is_forgotten() -> None:
    traffic = Traffic()
    for at in range(0, 3600, 25):
        traffic.see(float(at), sample(out=1))
        assert traffic.deadline(NEAR) == math.inf


def test_an_answer_in_the_same_look_or_later_ends_the_doubt() -> None:
    traffic = Traffic()
    traffic.see(10.0, sample(out=3, in_=1))
    assert traffic.deadline(NEAR) == math.inf
    traffic.see(10.1, sample(out=3))
    traffic.see(10.2, sample(in_=1))
    assert traffic.deadline(NEAR) == math.inf


def test_a_download_that_stops_is_suspicious_and_one_burst_is_no_download() -> None:
    traffic = Traffic()
    traffic.see(9.0, sample(in_=500))
    assert traffic.deadline(NEAR) == math.inf
    for number in range(11):
        traffic.see(10.0 + number / 10, sample(in_=1))
    took_s, trigger = first_cry(traffic, 11.0)
    assert (round(took_s, 2), trigger) == (0.4, Trigger.STOPPED)


def test_three_connections_without_a_handshake_are_suspicious_while_other_traffic_comes() -> None:
    for fields, trigger in (("syn", Trigger.NO_HANDSHAKE), ("dnsq", Trigger.NO_NAMES)):
        traffic = Traffic()
        for number in range(8):
            traffic.see(10.0 + number / 10, sample(out=2, in_=2, **{fields: 1}))
        assert first_cry(traffic, 10.0) == (0.8000000000000007, trigger)


def test_connections_that_nobody_answers_alone_are_a_matter_of_the_first_trigger() -> None:
    traffic = Traffic()
    traffic.see(10.0, sample(out=5, syn=5))
    assert first_cry(traffic, 10.0)[1] is Trigger.UNANSWERED


def test_a_stream_that_wants_no_answer_is_asked_about_ever_more_seldom() -> None:
    traffic, cries = Traffic(), []
    for look in range(6000):
        now = look / 10
        traffic.see(now, sample(out=5))
        if traffic.suspicion(now, NEAR):
            cries.append(now)
    assert len(cries) < 60  # in ten minutes
    gaps = [b - a for a, b in itertools.pairwise(cries)]
    assert max(gaps) < 0.2 * CAP + 0.3


def test_normal_traffic_takes_the_patience_back_and_a_conviction_at_once() -> None:
    backoff = Backoff(2.0, 64.0)
    for now in range(6):
        backoff.grow(float(now))
    assert backoff.factor == 64.0
    backoff.decay(6.0)
    assert backoff.factor == 64.0
    for step in range(1, 7):
        backoff.decay(6.0 + step * DECAY_S)
    assert backoff.factor == 1.0
    traffic = Traffic()
    for look in range(100):
        traffic.see(look / 10, sample(out=5))
        traffic.suspicion(look / 10, NEAR)
    traffic.trust()
    traffic.forget()
    traffic.see(20.0, sample(out=2))
    assert first_cry(traffic, 20.0)[0] < 0.21


@given(LOOKS)
def test_every_answer_that_comes_makes_the_first_doubt_come_no_sooner(looks: list[tuple[int, int]]) -> None:
    """More inbound traffic never makes suspicion likelier (S1); the looks are those of one run with more answers."""

    def cry(answers: bool) -> float:
        watch, first = Unanswered(2, 0.2), math.inf
        for number, (asked, answered) in enumerate(looks):
            watch.see(number / 10, asked, answered if answers else 0, 0)
            first = min(first, watch.due_at(0.1)) if watch.due_at(0.1) <= (number + 1) / 10 else first
        return first

    assert cry(answers=True) >= cry(answers=False)


@given(LOOKS, st.integers(0, 119))
def test_an_answer_more_makes_the_first_doubt_come_no_sooner(looks: list[tuple[int, int]], where: int) -> None:
    def cry(more: int | None) -> float:
        watch = Unanswered(2, 0.2)
        for number, (asked, answered) in enumerate(looks):
            watch.see(number / 10, asked, answered + (number == more), 0)
            if watch.due_at(0.1) <= (number + 1) / 10:
                return watch.due_at(0.1)
        return math.inf

    assert cry(where) >= cry(None)


@given(LOOKS)
def test_while_something_comes_in_at_every_look_nothing_is_unanswered_or_stopped(looks: list[tuple[int, int]]) -> None:
    traffic = Traffic()
    for number, (asked, answered) in enumerate(looks):
        traffic.see(number / 10, sample(out=asked, in_=answered + 1))
        assert traffic.suspicion(number / 10, NEAR) is None


@given(st.floats(0, 1e6))
def test_without_traffic_there_is_no_suspicion(now: float) -> None:
    traffic = Traffic()
    assert traffic.suspicion(now, NEAR) is None
    assert traffic.deadline(NEAR) == math.inf
