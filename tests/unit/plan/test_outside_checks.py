"""Numbers that we did not compute.

Published tables, a published standard, a published worked example, another library.
"""

import pytest

from secondpath.plan.availability import availability
from secondpath.plan.causes import Cause, Structure
from secondpath.plan.erlang import load_carried
from secondpath.plan.form.workplace import CODECS
from secondpath.plan.special import beta_quantile, binomial_quantile, gamma_quantile, normal_quantile
from secondpath.plan.voice import R0, ethernet_rate_bps, mean_opinion


def test_erlang_com_manual_says_15_lines_at_1_percent_carry_8_108_erlangs() -> None:
    """erlang.com, calculator manual, 'How much traffic can a trunk group handle?': 8.108."""
    assert round(load_carried(15, 0.01), 3) == 8.108


@pytest.mark.parametrize(
    ("lines", "percent_1", "percent_2", "percent_5"),
    [
        (1, 0.0101, 0.0204, 0.0526),
        (2, 0.153, 0.223, 0.381),
        (5, 1.36, 1.66, 2.22),
        (10, 4.46, 5.08, 6.22),
        (20, 12.0, 13.2, 15.2),
    ],
)
def test_erlang_b_tables_as_printed_in_teletraffic_handbooks(
    lines: int, percent_1: float, percent_2: float, percent_5: float
) -> None:
    for blocked, printed in ((0.01, percent_1), (0.02, percent_2), (0.05, percent_5)):
        assert float(f"{load_carried(lines, blocked):.3g}") == printed


@pytest.mark.parametrize(
    ("r", "printed"),
    [(90, "4.34"), (89, "4.31"), (80, "4.0"), (70, "3.6"), (69, "3.55"), (60, "3.1"), (59, "3.05"), (50, "2.6")],
)
def test_g107_conversion_as_printed_by_a_manufacturer(r: float, printed: str) -> None:
    """Mitel MX-ONE 8.0, 'Speech Quality Measurement', table 2: R-factor ranges and MOS, from ITU-T G.107 Annex B.

    Left out: its 3.96 for R 79, which its own printed equation contradicts (3.99).
    """
    places = len(printed.split(".")[1])
    assert mean_opinion(r) == pytest.approx(float(printed), abs=0.51 * 10**-places)


def test_g107_default_rating() -> None:
    """ITU-T G.107: all parameters at their defaults give R = 93.2, MOS 4.41."""
    assert (R0, round(mean_opinion(R0), 2)) == (93.2, 4.41)


def test_cisco_7934_ethernet_rates() -> None:
    """Cisco document 7934: G.711 87.2 kbit/s and G.729 31.2 kbit/s with Ethernet at 20 ms."""
    assert [ethernet_rate_bps(CODECS[c]) / 1000 for c in ("g711", "g729")] == [pytest.approx(87.2), pytest.approx(31.2)]


def test_published_series_availability_example() -> None:
    """pixelbeat.org, reliability calculator, two parts in series.

    A board of MTBF 50,000 h mended in 5 h and a disk of 20,000 h replaced in 2 h: MTBF 14,286 h, availability 99.98 %,
    about 1 h 45 min a year.
    """
    board = Cause("board", 8766 / 50_000, 5.0, frozenset({"L"}))
    disk = Cause("disk", 8766 / 20_000, 2.0, frozenset({"L"}))
    found = availability((board, disk), Structure(frozenset({"L"}), frozenset({"P"})))
    assert round(8766 * (1 - found.down_ratio) / found.outages_per_year) == 14_286
    assert round(100 * (1 - found.down_ratio), 2) == 99.98
    assert found.down_h_per_year == pytest.approx(1.75, abs=0.01)


# scipy 1.17.1, computed once with: stats.gamma.ppf(q, a, scale=1/b), stats.beta.ppf(q, a, b), stats.norm.ppf(q),
# stats.binom.ppf(q, n, p). Written down here so that the check needs no further library.
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (gamma_quantile(0.05, 2, 0.2857), 1.2438274788),
        (gamma_quantile(0.95, 2, 0.2857), 16.6043560322),
        (beta_quantile(0.05, 21, 1), 0.8670540891),
        (beta_quantile(0.5, 3, 7), 0.2862366680),
        (normal_quantile(0.975), 1.959963985),
        (float(binomial_quantile(0.95, 50, 0.1)), 9.0),
    ],
)
def test_quantiles_match_scipy(ours: float, theirs: float) -> None:
    assert ours == pytest.approx(theirs, rel=1e-6)
