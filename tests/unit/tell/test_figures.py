"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.tell.figures import delay, duration, listed, local, megabytes, moment, share

NOW = datetime(2026, 11, 22, 18, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (18.9, "18 s"),
        (60, "1 min"),
        (1080, "18 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (86_400, "1 d"),
        (356_400, "4 d 3 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_said_in_its_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("octets", "said"),
    [(0, "0.0 MB"), (44_000, "0.0 MB"), (950_000, "0.9 MB"), (10e6, "10 MB"), (124e6, "124 MB"), (3.14e9, "3.1 GB")],
)
def test_bytes_are_said_as_contracts_count_them(octets: float, said: str) -> None:
    assert megabytes(octets) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0, "0 %"),
        (0.0001, "0.1 %"),
        (0.004, "0.4 %"),
        (0.15, "15 %"),
        (0.9951, "99.5 %"),
        (0.9999, "99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_said_in_percent(ratio: float, said: str) -> None:
    assert share(ratio) == said


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_little_is_never_nothing_and_nearly_all_is_never_all(ratio: float) -> None:
    assert share(ratio) not in {"0 %", "0.0 %", "100 %", "100.0 %"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.0004, "0.4 ms"), (0.00996, "10 ms"), (0.048, "48 ms"), (0.9996, "1.0 s"), (1.24, "1.2 s")],
)
def test_a_delay_has_few_digits(seconds: float | None, said: str) -> None:
    assert delay(seconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(minutes=5), "10:37"),
        (timedelta(hours=12), "Sat 22:42"),
        (timedelta(days=20), "2 Nov 10:42"),
        (timedelta(days=400), "18 Oct 2025"),
    ],
)
def test_a_moment_is_said_by_the_offices_clock(ago: timedelta, said: str) -> None:
    assert moment(NOW - ago, NOW, "America/Los_Angeles") == said


def test_an_unknown_timezone_means_the_clock_of_this_machine() -> None:
    assert local(NOW, "Nowhere/At_All") == local(NOW, "") == NOW


def test_lists_read_like_sentences() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
