"""The 24 reference cases of the planner's specification, to four significant digits."""

import math

import numpy as np
import pytest

from secondpath.plan.availability import availability
from secondpath.plan.causes import Cause, Structure
from secondpath.plan.data_use import outage_gb
from secondpath.plan.deadlines import Deadline, misses_per_year
from secondpath.plan.duration import Duration, chance_of_any_longer
from secondpath.plan.erlang import blocking_ratio, lines_needed, load_carried, offered_erlang
from secondpath.plan.estimate import exactly
from secondpath.plan.failover import (
    Coverage,
    Latent,
    clean_trials_needed,
    common_cause_dead_ratio,
    pair_dead_ratio,
    single_dead_ratio,
    unnoticed_dead_ratio,
)
from secondpath.plan.form.workplace import CODECS
from secondpath.plan.impact import aside_h, loss_of, recapture_ratio
from secondpath.plan.learn import Median, Rate
from secondpath.plan.markov import covered_pair_down_h
from secondpath.plan.money import payback_years, present_value_usd, recovery_factor
from secondpath.plan.people import LOADED_FACTOR, Calls, CatchUp, Role, Sales, Upset, Workplace, draw_workplace
from secondpath.plan.power import Battery, runtime_h, usable_wh
from secondpath.plan.simulate import offline_spans, outages_at, yearly_max
from secondpath.plan.special import binomial_quantile
from secondpath.plan.voice import (
    ethernet_rate_bps,
    ip_rate_bps,
    mean_opinion,
    megabytes_per_h,
    rating,
    srtp_rate_bps,
    tunnel_rate_bps,
)

BOTH = Structure(frozenset(), frozenset({"P", "B"}))


def digits(value: float) -> object:
    """Equal to four significant digits of the value as printed."""
    return pytest.approx(value, rel=5e-4, abs=5e-7)


def cause(key: str, rate: float, mean_h: float, *hits: str) -> Cause:
    return Cause(key, rate, mean_h, frozenset(hits))


@pytest.mark.parametrize(
    ("load", "lines", "blocked"), [(1, 1, 0.5), (2, 5, 0.03670), (5, 10, 0.01838), (10, 15, 0.03650)]
)
def test_case_1_erlang_b(load: float, lines: int, blocked: float) -> None:
    assert blocking_ratio(load, lines) == digits(blocked)


@pytest.mark.parametrize(
    ("lines", "target", "load"),
    [(5, 0.01, 1.3608), (10, 0.01, 4.4612), (15, 0.01, 8.1080), (20, 0.01, 12.0306), (10, 0.02, 5.0840)],
)
def test_case_2_load_that_lines_carry(lines: int, target: float, load: float) -> None:
    assert load_carried(lines, target) == digits(load)


@pytest.mark.parametrize(
    ("calls", "handling_s", "load", "lines", "blocked"),
    [(60, 240, 4.0, 10, 0.00531), (14, 240, 0.9333, 5, 0.00232), (30, 180, 1.5, 6, 0.00353)],
)
def test_case_3_lines_for_an_office(calls: float, handling_s: float, load: float, lines: int, blocked: float) -> None:
    offered = offered_erlang(calls, handling_s)
    assert offered == digits(load)
    assert lines_needed(offered) == lines
    assert blocking_ratio(offered, lines) == pytest.approx(blocked, abs=5e-6)


@pytest.mark.parametrize(
    ("per_year", "every_years", "dead", "simple"),
    [
        (1, 1, 0.36788, 0.5),
        (1, 0.25, 0.11520, 0.125),
        (1, 1 / 12, 0.04053, 0.04167),
        (1, 7 / 365, 0.00953, 0.00959),
        (2, 0.25, 0.21306, 0.25),
    ],
)
def test_case_4_dead_unnoticed(per_year: float, every_years: float, dead: float, simple: float) -> None:
    assert unnoticed_dead_ratio(per_year, every_years) == pytest.approx(dead, abs=5e-6)
    assert single_dead_ratio(per_year, every_years) == pytest.approx(simple, abs=5e-6)


def test_case_5_small_rate_forms() -> None:
    assert single_dead_ratio(0.01, 1.0) == digits(0.005)
    assert pair_dead_ratio(0.01, 1.0) == digits(3.333e-5)
    assert common_cause_dead_ratio(0.05, 0.01, 1.0) == digits(2.5e-4)


def test_case_6_parallel_pair() -> None:
    causes = (cause("a", 8766 / 1000, 4.0, "P"), cause("b", 8766 / 500, 2.0, "B"))
    found = availability(causes, BOTH)
    assert [c.down_ratio for c in causes] == [digits(0.0039841), digits(0.0039841)]
    assert found.down_ratio == digits(1.5873e-5)
    assert found.down_h_per_year == digits(0.13914)
    assert found.outages_per_year == digits(0.104355)
    assert found.mean_outage_h == digits(1.3333)


def test_case_7_common_cause() -> None:
    shared = (cause("p", 7.2, 2.5, "P"), cause("b", 12, 1.0, "B"), cause("s", 0.8, 2.5, "P", "B"))
    found = availability(shared, BOTH)
    assert found.down_ratio == digits(2.30903e-4)
    assert found.down_h_per_year == digits(2.0241)
    assert found.outages_per_year == digits(0.83419)
    assert found.mean_outage_h == digits(2.4264)
    apart = (cause("p", 8, 2.5, "P"), cause("b", 12, 1.0, "B"))
    assert availability(apart, BOTH).down_h_per_year == digits(0.02728)
    assert availability(apart[:1], Structure(frozenset(), frozenset({"P"}))).down_h_per_year == digits(19.9545)


def test_case_8_coverage_chain() -> None:
    assert covered_pair_down_h((8, 2.5), (12, 1.0), 0.95, 0.75) == digits(0.25703)
    assert covered_pair_down_h((8, 2.5), (12, 1.0), 1.0, 0.75) == digits(0.02728)
    assert digits(0.23077) == 8 * 0.05 / (1 / 2.5 + 1 / 0.75)


@pytest.mark.parametrize(
    ("seen", "days", "dead"), [(0, 90, 0.12594), (0.8, 90, 0.02739), (0.8, 30, 0.01096), (0.95, 30, 0.00480)]
)
def test_case_9_latent_backup(seen: float, days: float, dead: float) -> None:
    assert Latent(1.0, seen, days * 24.0, 5 / 60, 24.0).dead_ratio == pytest.approx(dead, abs=5e-6)


SIX = (
    ("cable", 7.2, Duration(1.0, 1.3, 336), ("P",)),
    ("shared", 0.8, Duration(2.0, 1.3, 336), ("P", "B")),
    ("lte", 15.0, Duration(0.4, 1.4, 336), ("B",)),
    ("power", 0.45, Duration(1.0, 1.0, 336), ("L",)),
    ("gateway", 1.5, Duration(0.5, 1.2, 336), ("L",)),
    ("region", 0.1, Duration(12.0, 1.2, 336), ("P", "B", "L")),
)


@pytest.mark.parametrize(
    ("uplinks", "hours", "outages", "over_4h"), [("PB", 8.4441, 2.8889, 0.34), ("P", 25.1238, 10.0212, 0.77)]
)
def test_case_10_six_cause_tree(uplinks: str, hours: float, outages: float, over_4h: float) -> None:
    structure = Structure(frozenset({"L"}), frozenset(uplinks))
    causes = tuple(cause(key, rate, duration.mean_h, *hits) for key, rate, duration, hits in SIX)
    found = availability(causes, structure)
    assert found.down_h_per_year == digits(hours)
    assert found.outages_per_year == digits(outages)
    years = 20_000
    drawn = tuple(
        (c, outages_at(rate, duration, 5, key, years).spans)
        for c, (key, rate, duration, _) in zip(causes, SIX, strict=True)
    )
    offline = offline_spans(drawn, structure)
    longest = yearly_max(offline.start_h, offline.length_h, years)
    assert float(np.mean(longest > 4.0)) == pytest.approx(
        over_4h, abs=0.005 + 3 * math.sqrt(over_4h * (1 - over_4h) / years)
    )


def test_case_11_lognormal_tails() -> None:
    law = Duration(1.0, 1.3)
    assert law.mean_h == digits(2.3280)
    assert law.survival(4.0) == digits(0.14313)
    assert chance_of_any_longer([(8.0, law)], 4.0) == digits(0.68178)
    assert law.survival(3.0) == digits(0.1990)


def test_case_12_deadlines() -> None:
    law = Duration(0.75, 1.3)
    assert law.mean_h == digits(1.7460)
    assert law.survival(4.0) == digits(0.09893)
    assert chance_of_any_longer([(7.0, law)], 4.0) == digits(0.4997)
    assert Duration(0.75, 1.3, 168).mean_h == digits(1.7450)
    assert law.stop_loss_h(2.0) == digits(0.78438)
    assert misses_per_year(Deadline("filing", 30, 2.0), ((7.0, law),)) == digits(0.01879)


def test_case_13_stop_loss() -> None:
    ordinary, major = Duration(1.2, 1.0), Duration(4.3, 1.3)
    assert [ordinary.stop_loss_h(r) for r in (0, 1, 2, 4)] == [digits(v) for v in (1.9785, 1.1716, 0.7510, 0.3721)]
    assert [major.stop_loss_h(r) for r in (0, 1, 2, 4)] == [digits(v) for v in (10.0103, 9.0640, 8.2714, 7.0446)]


def test_case_14_rate_from_a_record() -> None:
    rate = Rate(2, 0.25).after(3, 0.5)
    assert (rate.shape, rate.years) == (5, 0.75)
    assert rate.mean == digits(6.6667)
    assert rate.interval() == (digits(2.6269), digits(12.2047))
    assert rate.chance_of_none() == digits(0.01446)


def test_case_15_duration_from_a_record() -> None:
    median = Median(0.0, 2.0, 1.3).after((0.5, 3.0, 1.2))
    assert (median.mu, median.median_h, median.plain.mean_h) == (digits(0.11756), digits(1.1247), digits(2.6184))


def test_case_16_coverage_from_drills() -> None:
    assert (Coverage(9, 1).after(12, 0).mean, Coverage(9, 1).after(12, 0).bound()) == (digits(0.9545), digits(0.8671))
    assert (Coverage(1, 1).after(12, 0).mean, Coverage(1, 1).after(12, 0).bound()) == (digits(0.9286), digits(0.7942))
    assert (clean_trials_needed(0.95), clean_trials_needed(0.99)) == (59, 299)


@pytest.mark.parametrize(
    ("delay_s", "loss", "impairment", "bpl", "r", "mos"),
    [
        (0, 0, 0, 25.1, 93.2, 4.4093),
        (0.150, 0.01, 0, 25.1, 85.9602, 4.2279),
        (0.100, 0.0, 11, 19, 79.8, 4.0164),
        (0.200, 0.02, 11, 19, 66.9030, 3.4486),
    ],
)
def test_case_17_voice(delay_s: float, loss: float, impairment: float, bpl: float, r: float, mos: float) -> None:
    found = rating(delay_s, loss, impairment, bpl)
    assert (found, mean_opinion(found)) == (digits(r), digits(mos))


@pytest.mark.parametrize(
    ("codec", "rates_kbps", "megabytes"),
    [
        ("g711", (80.0, 87.2, 84.0, 107.2), 72.0),
        ("g729", (24.0, 31.2, 28.0, 49.6), 21.6),
        ("opus", (40.0, 47.2, 44.0, 68.8), 36.0),
    ],
)
def test_case_18_codec_rates(codec: str, rates_kbps: tuple[float, ...], megabytes: float) -> None:
    found = [rate(CODECS[codec]) / 1000 for rate in (ip_rate_bps, ethernet_rate_bps, srtp_rate_bps, tunnel_rate_bps)]
    assert found == [digits(rate) for rate in rates_kbps]
    assert megabytes_per_h(CODECS[codec]) == digits(megabytes)


def test_case_19_active_users_and_data() -> None:
    assert [binomial_quantile(p, 20, 0.2) for p in (0.90, 0.95, 0.99)] == [6, 7, 8]
    assert outage_gb(1e6, 1.0) == digits(0.45)


def test_case_20_money() -> None:
    assert (recovery_factor(0.08, 3), recovery_factor(0.08, 5)) == (digits(0.388034), digits(0.250456))
    assert 900 * recovery_factor(0.08, 3) == digits(349.23)
    assert present_value_usd(-900, 2261, 0.08, 3) == digits(4926.82)
    assert payback_years(900, 2261) == pytest.approx(0.398, abs=5e-4)


def test_case_21_ups() -> None:
    new, old = Battery(216, age_ratio=1.0), Battery(216, age_ratio=0.8)
    assert usable_wh(new, 0.75) == digits(123.93)
    assert (runtime_h(new, 45), runtime_h(old, 45)) == (digits(2.7540), digits(2.2032))


def ten_staff(restart_h: float, at_once: float) -> Workplace:
    nil = exactly(0.0)
    loaded, always, kappa, first, later, fade = (exactly(v) for v in (50.0, 1.0, 0.9, 0.6, 0.1, 1.0))
    role = Role("staff", "Staff", 10, loaded, always, kappa, first, later, fade)
    return Workplace(
        (role,),
        Calls(nil, nil, nil, nil, exactly(1.0)),
        Sales(nil, nil, nil, nil, nil, exactly(1.0)),
        CatchUp(exactly(at_once), exactly(at_once), exactly(8.0)),
        Upset(exactly(restart_h), nil, nil, nil, nil),
    )


def loss_usd(workplace: Workplace, hours: float) -> float:
    draws = draw_workplace(workplace, 1, 1)
    return float(loss_of(workplace, np.array([hours]), np.zeros(1), draws).total[0])


def test_case_22_other_work_that_runs_out() -> None:
    at = np.array([0.5, 2.0, 4.0, 8.0])
    idle = at - aside_h(at, np.array(0.6), np.array(0.1), np.array(1.0))
    assert list(idle) == [digits(v) for v in (0.253265, 1.367668, 3.109158, 6.700168)]
    quiet = ten_staff(0.0, 0.0)
    assert [loss_usd(quiet, h) for h in at] == [digits(v) for v in (113.97, 615.45, 1399.12, 3015.08)]
    assert loss_usd(ten_staff(10 / 60, 0.0), 2.0) - loss_usd(quiet, 2.0) == digits(75.0)


def test_case_23_work_made_up_later() -> None:
    assert float(recapture_ratio(np.array(2.0), np.array(0.5), np.array(8.0))) == digits(0.38940)
    assert loss_usd(ten_staff(0.0, 0.5), 2.0) == digits(375.79)
    at = np.linspace(0, 8, 8001)
    draws = {path: values[:, None] for path, values in draw_workplace(ten_staff(0.0, 0.0), 1, 1).items()}
    curve = loss_of(ten_staff(0.0, 0.0), at, np.zeros(at.size), draws).total[0]
    assert float(np.interp(1000.0, curve, at)) == digits(2.9969)


def test_case_24_loaded_factor() -> None:
    assert pytest.approx(1.4245, abs=5e-5) == LOADED_FACTOR
