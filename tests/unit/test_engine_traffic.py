"""Traffic as evidence, in the whole mind of a site: what it hastens, and what it never does."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import CABLE4, CABLE6, LTE4, World, settled_office, site
from tests.people import People, at_work, bursty, call, downloads, keep_alive, one_way, rtp_and_web, web, work

from secondpath.engine.mind import Engine
from secondpath.judge.traffic import Trigger
from secondpath.judge.window import RoundTrip
from secondpath.model import Failover, Health, Line, Observation, Profile, TrafficSample

Habit = Callable[[People], None]
HOSTILE: dict[str, tuple[Habit, dict[str, float], float]] = {
    "web 10 connections a second": (web, {}, 7),
    "bursty browsing": (bursty, {}, 13),
    "a call": (call, {}, 0.1),
    "downloads that end": (downloads, {}, 4),
    "keep-alives": (keep_alive, {}, 0.1),
    "one way, 1 packet a second": (partial(one_way, a_second=1.0), {}, 6),
    "one way, 50 packets a second": (partial(one_way, a_second=50.0), {}, 6),
    "web, 5 % loss each way": (web, {"loss": 0.05}, 7),
    "call and web, 300 ms +- 100": (rtp_and_web, {"rtt_s": 0.3, "spread_s": 0.1}, 7),
    "browsing, 300 ms +- 100": (bursty, {"rtt_s": 0.3, "spread_s": 0.1}, 13),
}


def cries(world: World, line: Line = CABLE4) -> list[tuple[float, Trigger]]:
    """Every suspicion that traffic raises on a line from now on."""
    found: list[tuple[float, Trigger]] = []
    traffic = world.engine.judges[line].traffic
    original = traffic.suspicion

    def recorded(now: float, trip: RoundTrip) -> Trigger | None:
        trigger = original(now, trip)
        if trigger is not None:
            found.append((now, trigger))
        return trigger

    traffic.suspicion = recorded  # type: ignore[method-assign]
    return found


def downs(world: World) -> list[str]:
    return [t.subject for t in world.transitions if t.subject.startswith("line:") and t.after == Health.DOWN.value]


def suffer(name: str, seconds: float) -> tuple[World, float]:
    """An office with one kind of traffic; how many suspicions there were in a minute."""
    habit, how, _ = HOSTILE[name]
    world = settled_office()
    people, found = at_work(world, CABLE4, habit, **how), cries(world)
    work(world, people, seconds)
    return world, len(found) / (seconds / 60)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if "loss" in n else n for n in HOSTILE])
def test_traffic_that_looks_odd_moves_nobody_and_asks_seldom(name: str) -> None:
    world, a_minute = suffer(name, 120.0)
    assert downs(world) == []
    assert a_minute <= HOSTILE[name][2] + 4, a_minute  # patience has to be learned first


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_traffic_that_looks_odd_for_a_quarter_of_an_hour_moves_nobody(name: str) -> None:
    world, a_minute = suffer(name, 900.0)
    print(f"{name}: {a_minute:.2f} suspicions a minute")
    assert downs(world) == []
    assert world.switches() == 0
    assert a_minute <= HOSTILE[name][2] + 2, a_minute  # patience has to be learned first


@pytest.mark.slow
def test_an_idle_office_is_never_suspicious() -> None:
    world = settled_office()
    found = [cries(world, line) for line in world.engine.judges]
    world.run_for(1200.0)
    assert not any(found)


def black_hole(seed: int, habit: Habit | None, profile: Profile = Profile.BALANCED) -> float:
    """Seconds until the office has left a line that became a black hole."""
    world = settled_office(site(failover=Failover(profile)), seed=seed)
    people = at_work(world, CABLE4, habit or (lambda _people: None))
    work(world, people, 20.0 + seed * 0.317)
    people.dead_out = people.dead_in = True
    world.dead |= {CABLE4, CABLE6}
    began = world.now
    work(world, people, 10.0, lambda: world.uses() == "lte")
    return next(t.at for t in world.transitions if t.subject == "steering:ipv4" and t.at >= began) - began


@pytest.mark.slow
@pytest.mark.parametrize("habit", [web, rtp_and_web])
def test_people_at_work_notice_a_black_hole_sooner_than_heartbeats(habit: Habit) -> None:
    seen = [black_hole(seed, habit, Profile.CAREFUL) for seed in range(15)]
    unseen = [black_hole(seed, None, Profile.CAREFUL) for seed in range(15)]
    assert statistics.median(seen) < 0.85 < statistics.median(unseen)
    assert max(seen) < 1.0
    quick = [black_hole(seed, habit) for seed in range(15)]
    assert statistics.median(quick) <= statistics.median([black_hole(seed, None) for seed in range(15)])


def test_a_download_that_nothing_answers_is_noticed() -> None:
    took = []
    for seed in range(10):
        world = settled_office(site(failover=Failover(Profile.CAREFUL)), seed=seed)
        people = at_work(world, CABLE4, lambda p: p.after(0.0, p.download))
        work(world, people, 3.0 + seed * 0.0317)
        people.dead_out = people.dead_in = True
        world.dead |= {CABLE4, CABLE6}
        took.append(work(world, people, 10.0, lambda w=world: w.uses() == "lte"))  # type: ignore[misc]
    assert statistics.median(took) < 1.1


def test_what_keeps_streaming_in_cannot_hide_a_line_that_is_dead_outwards() -> None:
    for seed in range(10):
        world = settled_office(seed=seed)
        people = at_work(world, CABLE4, rtp_and_web)
        work(world, people, 5.0 + seed * 0.317)
        people.dead_out = True  # the call goes on coming in, fifty packets a second
        world.dead.add(CABLE4)
        assert work(world, people, 10.0, lambda w=world: w.state(CABLE4).health is Health.DOWN) < 2.0  # type: ignore[misc]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 5))
def test_no_pattern_of_what_comes_in_hides_a_dead_line(pattern: list[int], seed: int) -> None:
    world = settled_office(seed=seed)
    world.dead.add(CABLE4)
    end, look = world.now + 4.0, 0
    while world.state(CABLE4).health is not Health.DOWN:
        assert world.now < end, world.recent()
        world.run_for(0.1)
        world.tell(TrafficSample(CABLE4, out=3, in_=pattern[look % len(pattern)]))
        look += 1


SAMPLES = st.builds(
    TrafficSample,
    st.sampled_from([CABLE4, CABLE6, LTE4]),
    *(st.integers(0, n) for n in (9, 3, 4, 1, 4, 1)),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(SAMPLES, st.floats(0.01, 2.0)), max_size=150), st.floats(0, 0.05), st.integers(0, 9))
def test_traffic_alone_never_convicts(told: list[tuple[TrafficSample, float]], loss: float, seed: int) -> None:
    world = settled_office(seed=seed)
    world.loss = dict.fromkeys((CABLE4, CABLE6, LTE4), loss)
    for sample, pause_s in told:
        world.tell(sample)
        world.run_for(pause_s)
    assert downs(world) == []
    assert world.switches() == 0


def test_what_comes_in_does_not_bring_a_line_back() -> None:
    world = settled_office()
    world.dead |= {CABLE4, CABLE6}
    world.run_until(lambda: world.state(CABLE4).health is Health.DOWN)
    for _ in range(600):
        world.run_for(0.1)
        world.tell(TrafficSample(CABLE4, out=5, in_=5, syn=1, synack=1))
    assert world.state(CABLE4).health is Health.DOWN


@pytest.mark.slow
def test_odd_traffic_costs_the_metered_standby_nothing() -> None:
    def asked(habit: Habit) -> int:
        world = settled_office()
        people = at_work(world, CABLE4, habit)
        world.sent.clear()
        work(world, people, 900.0)
        return sum(probe.line.uplink == "lte" for _, probe in world.sent)

    assert asked(partial(one_way, a_second=50.0)) == asked(lambda _people: None)


@pytest.mark.slow
def test_the_standby_is_proven_before_a_line_is_left_because_of_its_traffic() -> None:
    for seed in range(10):
        world = settled_office(seed=seed)
        people = at_work(world, CABLE4, web)
        work(world, people, 10.0 + seed * 0.317)
        world.dead |= {CABLE4, LTE4}
        people.dead_out = people.dead_in = True
        work(world, people, 10.0)
        assert world.switches() == 0, world.recent()


def test_the_book_is_told_what_traffic_made_us_ask() -> None:
    world = settled_office(site(failover=Failover(Profile.CAREFUL)))
    people = at_work(world, CABLE4, web)
    work(world, people, 10.0)
    world.dead |= {CABLE4, CABLE6}
    people.dead_out = people.dead_in = True
    work(world, people, 5.0)
    told = next(t for t in world.transitions if t.subject == f"line:{CABLE4}" and t.after == "down")
    assert told.detail["traffic"] == "unanswered"


def test_a_stall_of_our_own_is_not_the_lines_silence() -> None:
    world = settled_office()
    found = cries(world)
    world.tell(TrafficSample(CABLE4, out=5))
    world.now += 2.0
    world._step(None)
    world.run_for(5.0)
    assert found == []


@pytest.mark.slow
def test_a_day_with_traffic_replays() -> None:
    world = settled_office(seed=7)
    people = at_work(world, CABLE4, bursty)
    work(world, people, 60.0)
    world.dead |= {CABLE4, CABLE6}
    people.dead_out = people.dead_in = True
    work(world, people, 60.0)
    engine = Engine(site(), 0.0)
    log: list[tuple[float, Observation | None]] = world.log
    assert [t for at, seen in log for t in engine.step(at, seen).transitions] == world.transitions
