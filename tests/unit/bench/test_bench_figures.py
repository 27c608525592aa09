"""The bench's arithmetic: what it says of a handful of values can be checked by eye."""

from __future__ import annotations

import math

import pytest
from bench.bounds import BOUNDS, Bound, lines, verdicts
from bench.felt import FAULTS, GATEWAYS, Run, answer, measure
from bench.figures import WIDTH, Distribution, ratios, seconds, table, wrapped

from secondpath.lab.gaps import Sample


def test_a_distribution_has_a_middle_and_ends() -> None:
    found = Distribution.of([3.0, 1.0, 2.0, 10.0])
    assert (found.n, found.median, found.p95, found.worst) == (4, 2.5, 10.0, 10.0)
    assert math.isnan(Distribution.of([]).median)


def test_what_never_happened_is_the_worst_and_null_in_the_file() -> None:
    found = Distribution.of([0.5, math.inf, math.inf])
    assert found.median == math.inf
    assert found.json()["median"] is None
    assert found.json()["min"] == 0.5


def test_the_median_of_many_is_known_better_than_that_of_few() -> None:
    assert all(math.isnan(value) for value in Distribution.of([]).median_range())
    assert Distribution.of([1.0, 2.0, 3.0]).median_range() == (1.0, 3.0)
    low, high = Distribution.of([float(n) for n in range(1, 101)]).median_range()
    assert (low, high) == (41.0, 60.0)


def test_ratios_are_taken_pair_by_pair() -> None:
    assert ratios([2.0, 30.0], [1.0, 10.0]).values == (2.0, 3.0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.00002, "20 us"), (0.0012, "1.2 ms"), (0.012, "12 ms"), (0.5, "0.50 s"), (12.34, "12.3 s"), (math.inf, "never")],
)
def test_seconds_are_shown_in_six_characters(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_a_table_fits_a_terminal_whatever_the_names() -> None:
    found = table(["", "one", "another"], [["x" * 200, "1.5", "2"], ["short", "10.25", "3"]])
    assert all(len(line) <= WIDTH for line in found)
    assert len({len(line) for line in found}) == 1


def test_the_table_of_all_bounds_fits_a_terminal() -> None:
    assert all(len(line) <= WIDTH for line in wrapped(lines({bound.key: 0.123 for bound in BOUNDS})))


def test_a_bound_that_was_not_measured_is_never_met() -> None:
    assert not Bound("", "", at_most=1.0).met(math.nan)
    assert not Bound("", "", at_most=1.0).met(math.inf)
    assert Bound("", "", at_least=0.95).met(0.95)
    assert verdicts({}) == []


def _stream(name: str, begin_s: float, end_s: float, every_s: float, dead: tuple[float, float]) -> list[Sample]:
    """Questions on a grid, unanswered in between."""
    count = round((end_s - begin_s) / every_s)
    sent = (begin_s + every_s * n for n in range(count))
    return [Sample(name, at, None if dead[0] <= at < dead[1] else at + 0.03, "") for at in sent]


def test_one_run_tells_noticing_from_switching_and_what_comes_after() -> None:
    run = Run("secondpath", "blackhole", at_s=10.0, mended_s=14.0, home_s=15.0, end_s=16.0)
    run.moved_s = {"ipv4": 10.6, "ipv6": 10.6}
    samples = [
        sample
        for family in ("ipv4", "ipv6")
        for kind, every_s, back_s in (
            ("new-udp", 0.005, 10.61),
            ("new-udp", 0.05, 10.61),
            ("new-tcp", 0.005, 10.61),
            ("new-tcp", 0.05, 10.61),
            ("lasting-udp", 0.01, 10.65),
            ("lasting-tcp", 0.02, 10.8),
            ("download", 0.05, 10.8),
        )
        for sample in _stream(f"{kind}.{family}.{round(every_s * 1000)}ms", 9.0, 16.0, every_s, (10.0, back_s))
    ]
    seen = measure(run, samples, 0.005)
    assert seen["outage/new-udp/ipv4/fine"] == pytest.approx(0.61, abs=0.006)
    assert seen["noticed/ipv6"] == pytest.approx(0.6)
    assert seen["carried out/ipv6"] == pytest.approx(0.01, abs=0.006)
    assert seen["after/lasting-udp/ipv4"] == pytest.approx(0.05, abs=0.011)
    assert seen["home/new-tcp/ipv6"] == 0.0
    assert seen["stumbles/ipv4"] == 0

    run.seen = seen
    said = answer([run])
    assert said.measured["gaps/blackhole/new/median"] == pytest.approx(0.61, abs=0.006)
    assert all(len(line) <= WIDTH for line in wrapped(said.lines))
    assert len([line for line in said.lines if line.startswith("new UDP flows")]) == len(FAULTS) + 1
    assert GATEWAYS[0] in said.data["distributions"]
