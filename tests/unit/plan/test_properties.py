"""What must hold for every office, not only for the worked one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpath.plan.availability import availability
from secondpath.plan.causes import Cause, Structure
from secondpath.plan.duration import Duration
from secondpath.plan.estimate import Estimate, exactly
from secondpath.plan.failover import Coverage
from secondpath.plan.form.read import read_text
from secondpath.plan.form.shelf import PROFILES, shelf, text_of
from secondpath.plan.impact import columns, loss_of
from secondpath.plan.markov import covered_pair_down_h
from secondpath.plan.options import Option
from secondpath.plan.people import draw_workplace
from secondpath.plan.simulate import offline_spans, outages_at, yearly
from secondpath.plan.spans import Spans, merged, overlap, union, without
from secondpath.plan.study import Study, study_of
from secondpath.plan.years import draw_people, live

THINGS = ("P", "B", "C", "L")
rates = st.floats(0.05, 30.0)
laws = st.builds(Duration, st.floats(0.1, 5.0), st.floats(0.3, 1.2), st.just(100.0))
cause_sets = st.lists(st.tuples(rates, laws, st.sets(st.sampled_from(THINGS), min_size=1)), min_size=2, max_size=7)


def tree_of(rows: list[tuple[float, Duration, set[str]]]) -> tuple[Cause, ...]:
    return tuple(Cause(f"c{i}", rate, law.mean_h, frozenset(hits)) for i, (rate, law, hits) in enumerate(rows))


OFFICE = Structure(frozenset({"L"}), frozenset({"P", "B", "C"}))


@given(cause_sets, st.data())
def test_unavailability_falls_when_a_cause_hits_less(
    rows: list[tuple[float, Duration, set[str]]], data: st.DataObject
) -> None:
    causes = tree_of(rows)
    i = data.draw(st.integers(0, len(causes) - 1))
    fewer = frozenset(data.draw(st.sets(st.sampled_from(sorted(causes[i].hits)))))
    smaller = (*causes[:i], replace(causes[i], hits=fewer), *causes[i + 1 :])
    assert availability(smaller, OFFICE).down_ratio <= availability(causes, OFFICE).down_ratio + 1e-15


@given(rates, st.floats(0.1, 50.0), rates, st.floats(0.1, 50.0))
def test_everything_shared_is_a_single_uplink(rate: float, mean_h: float, other: float, other_h: float) -> None:
    pair = Structure(frozenset(), frozenset({"P", "B"}))
    shared = (Cause("s", rate, mean_h, frozenset({"P", "B"})), Cause("b", other, other_h, frozenset({"B"})))
    alone = availability((Cause("p", rate, mean_h, frozenset({"P"})),), Structure(frozenset(), frozenset({"P"})))
    assert availability(shared, pair).down_ratio == pytest.approx(alone.down_ratio, rel=1e-9)


def test_no_coverage_and_nobody_to_switch_is_a_single_uplink() -> None:
    single = 8 / 8766 * 2.5 / (1 + 8 / 8766 * 2.5) * 8766
    assert covered_pair_down_h((8, 2.5), (1e-6, 1.0), 0.0, 1e9) == pytest.approx(single, rel=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_cost_curve_never_falls(profile: str) -> None:
    plan = read_text(text_of("profiles", f"{profile}.toml"), shelf()).plan
    assert plan
    at = np.linspace(0.0, 30.0, 400)
    draws = columns(draw_workplace(plan.workplace, 3, 64))
    for season in (0.0, 1.0):
        curve = loss_of(plan.workplace, at, np.full(at.size, season), draws).total
        assert np.all(np.diff(curve, axis=1) >= -1e-9)


def random_tree(seed: int) -> tuple[tuple[Cause, ...], list[Duration]]:
    rng = np.random.default_rng(seed)
    laws = [Duration(float(rng.uniform(0.2, 3)), float(rng.uniform(0.3, 1.1)), 200.0) for _ in range(5)]
    hits = [frozenset(rng.choice(THINGS, size=int(rng.integers(1, 4)), replace=False).tolist()) for _ in range(5)]
    return tuple(Cause(f"c{i}", float(rng.uniform(0.5, 25)), laws[i].mean_h, hits[i]) for i in range(5)), laws


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(n, marks=pytest.mark.slow) for n in range(5, 50))])
def test_simulation_agrees_with_the_closed_form(seed: int) -> None:
    years = 4000
    causes, laws = random_tree(seed)
    drawn = tuple(
        (c, outages_at(c.rate_per_year, law, seed, c.key, years).spans) for c, law in zip(causes, laws, strict=True)
    )
    offline = offline_spans(drawn, OFFICE)
    hours = yearly(offline.start_h, offline.length_h, years)
    counts = yearly(offline.start_h, np.ones(offline.start_h.size), years)
    exact = availability(causes, OFFICE)
    for values, mean in ((hours, exact.down_h_per_year), (counts, exact.outages_per_year)):
        error = float(values.std(ddof=1)) / math.sqrt(years)
        assert abs(float(values.mean()) - mean) <= 3.0 * error + 1e-9


def test_wages_of_billable_people_change_nothing() -> None:
    plan = read_text(text_of("profiles", "law.toml"), shelf()).plan
    assert plan
    work = plan.workplace
    raised = replace(
        work,
        roles=tuple(
            replace(r, loaded_usd_per_h=exactly(999.0)) if r.billing and not r.overtime_ratio else r for r in work.roles
        ),
    )
    at = np.linspace(0.1, 9.0, 20)
    draws, other = columns(draw_workplace(work, 1, 32)), columns(draw_workplace(raised, 1, 32))
    assert np.array_equal(loss_of(work, at, np.zeros(20), draws).total, loss_of(raised, at, np.zeros(20), other).total)


@pytest.fixture(scope="module")
def study() -> Study:
    plan = read_text(text_of("profiles", "cpa.toml"), shelf()).plan
    assert plan
    return study_of(plan, shelf(), years=2000)


def better_than(option: Option) -> list[Option]:
    care, backup = option.care, option.backups[0]
    return [
        replace(option, care=replace(care, monitored=True)),
        replace(option, care=replace(care, drills_per_year=max(1.0, care.drills_per_year) * 2)),
        replace(option, care=replace(care, coverage=Coverage(care.coverage.good + 20, care.coverage.bad))),
        replace(option, care=replace(care, hidden_per_year=0.0)),
        replace(option, backups=(replace(backup, shared=frozenset(), shared_ratio=0.02),)),
        replace(option, backups=(replace(backup, quality=exactly(1.0)),)),
    ]


@pytest.mark.parametrize("key", ["cellular", "shared-pole", "same-provider"])
def test_a_strictly_better_option_is_never_worse(study: Study, key: str) -> None:
    site, workplace = study.site, study.plan.workplace
    people = draw_people(workplace, site)
    before = next(one for one in study.lived if one.option.key == key)
    for option in better_than(before.option):
        after = live(site, workplace, people, option)
        assert after.down_h.sum() <= before.down_h.sum() + 1e-6
        assert after.mean_loss_usd <= before.mean_loss_usd * 1.0001


pairs = st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 20)), max_size=12)


@given(pairs, pairs)
@settings(max_examples=200)
def test_spans_obey_set_algebra(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> None:
    a, b = (merged(np.array([s for s, _ in p]), np.array([s + d for s, d in p])) for p in (first, second))
    both, either, only = overlap(a, b), union(a, b), without(a, b)
    assert _hours(either) == pytest.approx(_hours(a) + _hours(b) - _hours(both), abs=1e-6)
    assert _hours(only) == pytest.approx(_hours(a) - _hours(both), abs=1e-6)
    assert np.all(either.start_h[1:] > either.end_h[:-1])


def _hours(spans: Spans) -> float:
    return float(spans.length_h.sum())


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_draws_stay_inside_their_range(x: float, y: float, z: float) -> None:
    low, likely, high = sorted((x, y, z))
    drawn = Estimate(low, likely, high).draw(np.random.default_rng(1), 200)
    assert np.all((drawn >= low - 1e-9) & (drawn <= high + 1e-9))
