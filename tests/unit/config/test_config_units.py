from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.config.problem import WrongError
from secondpath.config.units import (
    parse_duration,
    parse_money,
    parse_price_per_gb,
    parse_rate,
    parse_size,
    say_duration,
    say_money,
    say_rate,
    say_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60.0),
        ("30min", 1800.0),
        ("1h", 3600.0),
        ("2d", 172800.0),
        ("500ms", 0.5),
        ("1.5 h", 5400.0),
        ("0s", 0.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "bps"),
    [("300 Mbit/s", 300_000_000), ("600kbit/s", 600_000), ("1 Gbit/s", 10**9), ("2.5 Gbit/s", 2_500_000_000)],
)
def test_rates(text: str, bps: int) -> None:
    assert parse_rate(text) == bps


@pytest.mark.parametrize(
    ("text", "size"), [("20 GB", 20 * 10**9), ("20 GiB", 20 * 2**30), ("512 kB", 512_000), ("1.5TB", 15 * 10**11)]
)
def test_sizes_are_decimal_unless_they_say_otherwise(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_money_may_have_cents_and_thousands() -> None:
    assert (parse_money("$119"), parse_money("$1,119.50"), parse_price_per_gb("$0.25/GB")) == (119.0, 1119.5, 0.25)


@pytest.mark.parametrize(
    ("seconds", "said"), [(60, "1min"), (90, "90s"), (0.25, "250ms"), (1800, "30min"), (86400, "1d"), (0, "0s")]
)
def test_durations_are_said_in_the_unit_with_the_fewest_digits(seconds: float, said: str) -> None:
    assert say_duration(seconds) == said


@pytest.mark.parametrize(
    ("bps", "said"),
    [(600_000, "600 kbit/s"), (12_500_000, "12.5 Mbit/s"), (10**9, "1 Gbit/s"), (1234567, "1234567 bit/s")],
)
def test_rates_are_said_as_contracts_say_them(bps: int, said: str) -> None:
    assert say_rate(bps) == said


@given(st.integers(0, 10**10))
def test_a_duration_survives_being_said(milliseconds: int) -> None:
    assert parse_duration(say_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(1, 10**12))
def test_a_rate_survives_being_said(bps: int) -> None:
    assert parse_rate(say_rate(bps)) == bps


@given(st.integers(1, 10**15))
def test_a_size_survives_being_said(size: int) -> None:
    assert parse_size(say_size(size)) == size


@given(st.integers(0, 10**8))
def test_money_survives_being_said(cents: int) -> None:
    assert parse_money(say_money(cents / 100)) == cents / 100


@given(st.text(), st.sampled_from([parse_duration, parse_rate, parse_size, parse_money, parse_price_per_gb]))
def test_any_text_is_an_amount_or_a_sentence(text: str, parse: Callable[[str], float]) -> None:
    try:
        assert parse(text) >= 0
    except WrongError as wrong:
        assert str(wrong)


@given(st.integers(0, 10**6), st.sampled_from([parse_duration, parse_rate, parse_size, parse_money]))
def test_a_bare_number_is_never_guessed_at(number: int, parse: Callable[[str], float]) -> None:
    with pytest.raises(WrongError):
        parse(str(number))
