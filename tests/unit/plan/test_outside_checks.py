"""Numbers that we did not compute.

Published tables, a published standard, a published worked example, another library.
"""

from dataclasses import replace

import pytest

from secondpath.plan.availability import availability
from secondpath.plan.causes import Cause, Structure
from secondpath.plan.erlang import blocking_ratio, load_carried
from secondpath.plan.form.workplace import CODECS
from secondpath.plan.special import beta_quantile, binomial_quantile, gamma_quantile, normal_quantile
from secondpath.plan.voice import R0, ethernet_rate_bps, mean_opinion


def test_erlang_com_manual_says_15_lines_at_1_percent_carry_8_108_erlangs() -> None:
    """erlang.com, calculator manual, 'How much traffic can a trunk group handle?': 8.108."""
    assert round(load_carried(15, 0.01), 3) == 8.108


@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (1, "0.020"), (3, "0.602"), (5, "1.657"), (7, "2.935"), (9, "4.345"), (11, "5.842"), (13, "7.402"),
        (15, "9.010"), (17, "10.656"), (19, "12.333"), (21, "14.036"), (23, "15.761"), (25, "17.505"), (27, "19.265"),
        (29, "21.039"), (31, "22.827"), (35, "26.435"), (37, "28.254"), (39, "30.081"), (43, "33.758"), (47, "37.462"),
        (49, "39.323"), (51, "41.189"), (53, "43.060"), (57, "46.816"), (59, "48.700"),
    ],
)  # fmt: skip
def test_erlang_b_capacity_at_2_percent_as_lucent_printed_it(lines: int, printed: str) -> None:
    """ "Erlang-B capacity table: voice channels needed to serve offered traffic load for 2% blocking".

    Lucent Technologies, WirelessU traffic engineering course, page "Read an Erlang Table", as kept at
    garywagoner.tripod.com/traffic/ERLANG.HTML (read 2026-11-22). All its rows up to 59 lines, but four that break off
    the third decimal or have a slip of the pen (33: 24.628 for 24.626, 41: 31.915 for 31.9158, 45: 35.507 for 35.607,
    55: 44.938 for 44.936); its rows from 61 on carry several such slips and no office needs them.
    """
    assert f"{load_carried(lines, 0.02):.3f}" == printed


def test_wolfram_demonstrates_25_erlangs_on_30_lines() -> None:
    """Wolfram Demonstrations, "Compute Loss Probabilities for a Queue": 30 lines, 25 erlangs, "approximately 0.05"."""
    assert round(blocking_ratio(25.0, 30), 2) == 0.05


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
    """All parameters of G.107 at their defaults give R = 93.2; its conversion makes MOS 4.41 of that.

    The Recommendation itself could not be read here (its stored copies end in the preface); 93.2 stands in
    docs.rs/crate/sipmon 0.1.5, src/analyze/mos.rs, "R = 93.2 - Id(delay) - Ie-eff(codec, loss)" after ITU-T G.107, and
    the conversion there is the one that Mitel prints.
    """
    assert (R0, round(mean_opinion(R0), 2)) == (93.2, 4.41)


def test_codec_impairments_as_published() -> None:
    """Nortel NN43001-563 (2007), page 149, table 29: G.711 0, G.729A/AB 11 at 20 ms. Loss robustness as in sipmon."""
    assert [CODECS[c].impairment for c in ("g711", "g729")] == [0.0, 11.0]
    assert [CODECS[c].bpl for c in ("g711", "g729")] == [25.1, 19.0]


@pytest.mark.parametrize(
    ("packet_ms", "g711", "g729"), [(10, 110.4, 54.4), (20, 87.2, 31.2), (30, 79.5, 23.5), (60, 71.7, 15.7)]
)
def test_avaya_bandwidth_table(packet_ms: int, g711: float, g729: float) -> None:
    """Avaya 555-245-600, page 220, table 42: kbit/s of one direction, 464 bits of headers a packet (58 bytes)."""
    for name, bps, printed in (("g711", 64_000, g711), ("g729", 8_000, g729)):
        codec = replace(CODECS[name], payload_bytes=bps * packet_ms // 8000, packet_s=packet_ms / 1000)
        assert ethernet_rate_bps(codec) / 1000 == pytest.approx(printed, abs=0.051)


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
