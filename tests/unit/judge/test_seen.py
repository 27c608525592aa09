"""Addresses that people were answered: kept an hour at least and a day at most, renewed by every answer, remembered."""

from __future__ import annotations

import json
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import World, office, site

from secondpath.judge.seen import ADDRESSES_MOST, KEPT_LEAST_S, KEPT_MOST_S, Seen
from secondpath.model import AnswerSeen, Application, IPAddress, Match

ONE, TWO = ip_address("192.0.2.11"), ip_address("2001:db8::11")
TAX = Application("Tax portal", "line-of-business", None, Match(("tax.example.com",)))
MAIL = Application("Mail", "office", None, Match(("mail.example.com",)))


def answer(*addresses: IPAddress, ttl_s: float = 60.0, name: str = "tax.example.com") -> AnswerSeen:
    return AnswerSeen(name, addresses, ttl_s)


def an_office() -> World:
    world = office(site(applications=(TAX, MAIL)))
    world.run_for(5.0)
    return world


def known(world: World, name: str = "Tax portal") -> frozenset[IPAddress]:
    return world.engine.steering().destinations[name]


def test_an_answer_makes_an_address_known_at_once_and_its_end_makes_it_unknown() -> None:
    world = an_office()
    world.tell(answer(ONE, ttl_s=7_200.0))
    assert known(world) == {ONE}
    assert known(world, "Mail") == frozenset()
    now = world.now
    assert world.engine.step(now + 7_199.0).steering.destinations["Tax portal"] == {ONE}
    assert world.engine.step(now + 7_201.0).steering.destinations["Tax portal"] == frozenset()


def test_a_short_life_is_an_hour_and_every_answer_renews_it() -> None:
    seen = Seen()
    seen.settle(["tax.example.com"])
    seen.see(0.0, answer(ONE, ttl_s=5.0))
    seen.see(KEPT_LEAST_S - 10.0, answer(ONE, ttl_s=5.0))
    seen.age(KEPT_LEAST_S + 1.0)
    assert seen.of(["tax.example.com"]) == {ONE}
    seen.age(2 * KEPT_LEAST_S)
    assert seen.of(["tax.example.com"]) == frozenset()


def test_a_renewal_is_no_news_and_touches_no_kernel() -> None:
    world = an_office()
    world.tell(answer(ONE))
    steering = world.engine.steering()
    world.tell(answer(ONE))
    assert world.engine.steering() is steering


def test_a_shorter_answer_does_not_shorten_what_a_longer_one_promised() -> None:
    seen = Seen()
    seen.settle(["tax.example.com"])
    seen.see(0.0, answer(ONE, ttl_s=80_000.0))
    seen.see(10.0, answer(ONE, ttl_s=1.0))
    seen.age(79_000.0)
    assert seen.of(["tax.example.com"]) == {ONE}


def test_it_is_remembered_over_a_restart_for_as_long_as_it_was_good() -> None:
    world = an_office()
    world.tell(answer(ONE, TWO, ttl_s=10_000.0))
    memory = json.loads(json.dumps(world.engine.memory(world.now)))
    for passed_s, left in ((5_000.0, {ONE, TWO}), (10_001.0, set())):
        other = an_office()
        other.engine.recall(other.now, memory, passed_s)
        assert known(other) == left


def test_a_reload_keeps_what_is_known_of_names_that_stay() -> None:
    seen = Seen()
    seen.settle(["tax.example.com", "gone.example"])
    seen.see(0.0, answer(ONE))
    seen.see(0.0, answer(TWO, name="gone.example"))
    seen.settle(["tax.example.com", "new.example"])
    assert seen.of(["tax.example.com", "gone.example", "new.example"]) == {ONE}


def test_answers_for_names_of_nobody_are_left() -> None:
    seen = Seen()
    seen.settle(["tax.example.com"])
    seen.see(0.0, answer(ONE, name="example.com"))
    assert seen.of(["example.com", "tax.example.com"]) == frozenset()


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 3_000), st.floats(0, 1e9), st.floats(0, 1e5)), max_size=8))
def test_however_many_answers_there_are_it_stays_bounded_and_nothing_outlives_a_day(
    told: list[tuple[int, float, float]],
) -> None:
    seen, now = Seen(), 0.0
    seen.settle(["tax.example.com"])
    for first, ttl_s, later_s in told:
        now += later_s
        many = tuple(ip_address("10.0.0.0") + first * 300 + n for n in range(300))
        seen.age(now)
        seen.see(now, answer(*many, ttl_s=ttl_s))
        assert len(seen.until["tax.example.com"]) <= ADDRESSES_MOST
        assert all(
            now + KEPT_LEAST_S <= until <= now + KEPT_MOST_S
            for a, until in seen.until["tax.example.com"].items()
            if a in many
        )
    seen.age(now + KEPT_MOST_S)
    assert seen.of(["tax.example.com"]) == frozenset()
