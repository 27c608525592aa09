"""An application that works over one line and not over another travels alone; whatever else fails moves nobody."""

from __future__ import annotations

import itertools
from functools import cache, partial

import pytest
from tests.office import CABLE4, CABLE6, LTE4, LTE6, World, ask, office, site

from secondpath.judge.applications import COMPARE_S, TEST_S
from secondpath.judge.names import Method, parse_test
from secondpath.model import (
    Application,
    Failover,
    Family,
    Health,
    Line,
    Match,
    PortSpan,
    ProbeKind,
    TrafficSample,
    VerdictCode,
    Why,
)

TAX4, TAX6 = "192.0.2.11", "2001:db8:ff::11"
FILES6 = "2001:db8:ff::22"
TAX = Application(
    "Tax software", "line-of-business", None, Match(("tax.example.com",)), "https://tax.example.com/login"
)
SHIPPED = Failover()
MEGABIT = 125_000
PHONES = Application(
    "Phones", "voice", None, Match(servers=("192.0.2.10",), ports=(PortSpan("tcp", 5061, 5061),)), "sips://192.0.2.10"
)


@cache
def _with_applications(hum: bool, failover: Failover = SHIPPED) -> World:
    world = office(site(applications=(TAX, PHONES), failover=failover))
    world.names = {"tax.example.com": (TAX4, TAX6)}
    if hum:
        world.hum([CABLE4, CABLE6])
    world.run_for(120.0)
    return world


def an_office(hum: bool = True) -> World:
    return _with_applications(hum).another()


def by(world: World, name: str = "Tax software", family: Family = Family.IPV4) -> str | None:
    application = next(a for a in world.engine.site.applications if a.name == name)
    return world.engine.steering().lane_of(application, family).uplink


def travels(world: World, uplink: str) -> bool:
    return by(world) == uplink


def asked_by(world: World, line: Line, since: float) -> int:
    return sum(at >= since and p.line == line and p.target.uri == TAX.test for at, p in world.sent)


def test_its_addresses_are_learned_of_both_providers_and_all_is_well() -> None:
    world = an_office()
    assert {str(a) for a in world.engine.steering().destinations["Tax software"]} == {TAX4, TAX6}
    assert {str(a) for a in world.engine.steering().destinations["Phones"]} == {"192.0.2.10"}
    assert world.engine.verdict.code is VerdictCode.OK
    asked = {(p.line.uplink, p.target.path) for _, p in world.sent if p.target.kind is ProbeKind.NAME}
    assert asked == {(uplink, record) for uplink in ("cable", "lte") for record in ("A", "AAAA")}


def test_names_are_looked_up_as_soon_as_a_line_works_though_nothing_else_has_an_address() -> None:
    world = office(site(applications=(TAX,)))
    world.names = {"tax.example.com": (TAX4, TAX6)}
    world.run_until(lambda: len(world.engine.steering().destinations["Tax software"]) == 2, 5.0)


def test_dead_on_this_path_and_alive_on_the_other_it_alone_moves_within_thirty_seconds() -> None:
    for early in range(6):
        world = an_office()
        world.run_for(early * TEST_S / 6)
        world.dead_ways = {(CABLE4, TAX4)}
        world.run_until(partial(travels, world, "lte"), 30.0)
        assert by(world, "Phones") == "cable"
        assert by(world, family=Family.IPV6) == "cable"
        assert world.uses() == "cable"
        assert (world.engine.verdict.code, world.engine.verdict.what) == (VerdictCode.APPLICATION, "Tax software")
        assert world.engine.steering().application_generations == {("Tax software", CABLE4): 1}


def test_only_the_host_of_the_test_is_asked_however_many_names_the_application_has() -> None:
    """Its other servers answer well on this path, and would hide that the service itself is dead."""
    suite = Application(
        "Suite", "office", None, Match(("tax.example.com", "login.example.com", "files.example.com")), TAX.test
    )
    world = office(site(applications=(suite,)))
    world.names = {"tax.example.com": (TAX4,), "login.example.com": ("192.0.2.21",), "files.example.com": (FILES6,)}
    world.hum([CABLE4, CABLE6])
    world.run_for(120.0)
    assert len(world.engine.steering().destinations["Suite"]) == 3
    assert {str(p.target.address) for _, p in world.sent if p.target.uri == TAX.test} == {TAX4}
    world.dead_ways = {(CABLE4, TAX4)}
    assert world.run_until(lambda: by(world, "Suite") == "lte", 30.0) < 30.0


def test_it_goes_home_when_it_has_worked_there_for_the_hold_and_its_flows_may_finish() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    world.run_for(300.0)
    assert by(world) == "lte"
    world.dead_ways = set()
    mended = world.now
    world.run_until(lambda: by(world) == "cable", 120.0)
    assert 60.0 <= world.now - mended < 60.0 + 2 * TEST_S
    assert world.engine.steering().application_generations == {("Tax software", CABLE4): 1}
    assert world.engine.verdict.code is VerdictCode.OK


@pytest.mark.slow
def test_a_relapse_makes_it_wait_twice_as_long() -> None:
    """And no hour has more than four moves: it comes home no sooner than an hour after the failure before the last."""
    world, left, waited = _with_applications(True, Failover(hold_s=12.0, hold_max_s=360.0)), [], []
    for _ in range(3):
        world.dead_ways = {(CABLE4, TAX4)}
        world.run_until(lambda: by(world) == "lte", 60.0)
        left.append(world.now)
        world.dead_ways = set()
        waited.append(world.run_until(lambda: by(world) == "cable", 1000.0))
    assert waited[0] < 12.0 + 2 * TEST_S
    assert 720.0 <= left[1] + waited[1] - left[0] < 720.0 + 2 * TEST_S
    assert 48.0 <= waited[2] < 48.0 + 2 * TEST_S


@pytest.mark.slow
def test_an_application_that_is_dead_everywhere_moves_nobody_is_told_and_costs_little() -> None:
    world = an_office()
    world.dead_addresses = {TAX4}
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.EVERYWHERE, 60.0)
    assert world.engine.verdict.what == "Tax software"
    began = world.now
    world.run_for(1800.0)
    assert by(world) == "cable"
    assert asked_by(world, LTE4, began) < 30, "a metered line is asked seldom, and ever more seldom"
    world.dead_addresses = set()
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.OK, 60.0)


def test_back_on_another_path_first_it_goes_there() -> None:
    """It was dead everywhere; then it works by the other line alone."""
    world = an_office()
    world.dead_addresses = {TAX4}
    world.run_until(lambda: world.engine.verdict.code is VerdictCode.EVERYWHERE, 60.0)
    world.dead_addresses = set()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 2 * COMPARE_S + 30.0)


@pytest.mark.parametrize("family", [Family.IPV4, Family.IPV6])
@pytest.mark.slow
def test_a_line_that_dies_takes_all_along_and_no_application_is_blamed(family: Family) -> None:
    world = an_office()
    before = len(world.transitions)
    world.dead = {CABLE4, CABLE6}
    world.run_until(lambda: world.uses(family) == "lte", 5.0)
    world.run_for(120.0)
    assert by(world, family=family) == "lte"
    assert not [t for t in world.transitions[before:] if t.subject.startswith("application")]


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "seconds"), [(0.05, 900.0), (0.3, 120.0)])
def test_a_line_that_loses_does_not_make_applications_wander(loss: float, seconds: float) -> None:
    world = an_office()
    world.tcp_again = True
    world.loss = {CABLE4: loss, CABLE6: loss, LTE4: loss / 10}
    world.run_for(seconds)
    assert not [t for t in world.transitions if t.subject.startswith("application")]


def test_what_takes_several_long_round_trips_is_not_dead() -> None:
    """A satellite, or a line that was full before we came: over the other one all is answered at once."""
    world = office(site(applications=(TAX, PHONES)))
    world.names = {"tax.example.com": (TAX4, TAX6)}
    world.hum([CABLE4, CABLE6])
    world.rtt_s |= {CABLE4: 0.9, CABLE6: 0.9}
    world.run_for(120.0)
    assert not [t for t in world.transitions if t.subject.startswith("application")]
    assert world.engine.verdict.code is VerdictCode.OK
    assert world.engine.apart.applications.works(TAX.name, CABLE4)
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(partial(travels, world, "lte"), 30.0)


def test_a_question_that_met_our_own_queue_blames_no_application_though_the_queue_is_gone_when_it_ends() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}  # as far as it is asked: every question meets a second of queue on its way
    full_until = world.now
    for _ in range(600):
        asked = [at for at, p in world.sent if p.line == CABLE4 and p.target.uri == TAX.test]
        if world.now - asked[-1] < 0.15:
            full_until = world.now + 1.0
        world.rtt_s = {CABLE4: 0.5} if world.now < full_until else {}
        world.tell(TrafficSample(CABLE4, out=100, in_=400, out_bytes=MEGABIT // 20, in_bytes=MEGABIT))
        world.run_for(0.1)
    assert not [t for t in world.transitions if t.subject.startswith("application")], world.recent()


def test_apart_it_comes_back_to_its_class_when_its_own_line_dies() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    world.dead = {LTE4, LTE6}
    world.run_until(lambda: by(world) == "cable", 180.0)
    world.dead_ways = set()


def test_apart_it_stays_when_its_class_comes_to_it() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    world.dead = {CABLE4, CABLE6}
    world.run_until(lambda: world.uses() == "lte", 5.0)
    assert by(world) == "lte"
    assert not world.engine.steering().detours


def test_a_restart_keeps_it_where_it_works() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    memory = world.engine.memory(world.now)
    again = office(world.engine.site)
    again.engine.recall(again.now, memory, 1.0)
    assert by(again) == "lte"
    assert {str(a) for a in again.engine.steering().destinations["Tax software"]} == {TAX4, TAX6}
    again.names, again.dead_ways = world.names, world.dead_ways
    again.hum([CABLE4, CABLE6])
    again.run_for(120.0)
    assert by(again) == "lte"


@pytest.mark.slow
def test_a_person_who_asks_for_quiet_is_obeyed_on_the_way_home() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    world.tell(ask("hold", duration_s=600.0))
    world.dead_ways = set()
    world.run_for(590.0)
    assert by(world) == "lte"
    world.run_until(lambda: by(world) == "cable", 60.0)


@pytest.mark.slow
def test_nobody_at_work_costs_a_test_a_minute_and_the_standby_nothing() -> None:
    world = an_office(hum=False)
    since = world.now
    world.run_for(1800.0)
    assert asked_by(world, CABLE4, since) <= 32
    assert asked_by(world, LTE4, since) == 0
    assert all(s.health is Health.UP for s in world.engine.states(world.now).values())


def test_who_comes_to_work_is_served_as_soon_as_who_is_there_already() -> None:
    world = an_office(hum=False)
    world.hum([CABLE4, CABLE6])
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)


def test_what_is_told_of_a_move() -> None:
    world = an_office()
    world.dead_ways = {(CABLE4, TAX4)}
    world.run_until(lambda: by(world) == "lte", 30.0)
    told = next(t for t in reversed(world.transitions) if t.subject.startswith("application:"))
    assert (told.subject, told.before, told.after) == ("application:Tax software/ipv4", "cable", "lte")
    assert told.reason == Why.WORKS_THERE


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("https://tax.example.com/login", Method("https", "tax.example.com", None, "/login")),
        ("sips://[2001:db8::1]:5061", Method("sips", "2001:db8::1", 5061, "/")),
        ("tcp://192.0.2.1:8443", Method("tcp", "192.0.2.1", 8443, "/")),
    ],
)
def test_a_test_is_taken_apart(said: str, meant: Method) -> None:
    assert parse_test(said) == meant


def test_numbers_are_never_given_twice() -> None:
    world = an_office()
    numbers = [p.number for _, p in world.sent]
    assert all(a < b for a, b in itertools.pairwise(numbers))
