"""Distributions, and tables of at most 80 columns. Pure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from secondpath.lab.gaps import percentile

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values in ascending order; an infinite one is something that never happened while we looked."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Distribution:
        return cls(tuple(sorted(values)))

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two middle ones."""
        if not self.values:
            return math.nan
        half = len(self.values) // 2
        if len(self.values) % 2:
            return self.values[half]
        low, high = self.values[half - 1], self.values[half]
        return high if math.isinf(high) else (low + high) / 2

    @property
    def p95(self) -> float:
        return self.at(0.95)

    @property
    def p99(self) -> float:
        return self.at(0.99)

    @property
    def worst(self) -> float:
        return self.values[-1] if self.values else math.nan

    def at(self, share: float) -> float:
        """The nearest-rank percentile."""
        return percentile(self.values, share)

    def median_range(self) -> tuple[float, float]:
        """Where the true median lies, 19 times of 20, by the ranks of a binomial; all values when there are few."""
        if not self.values:
            return math.nan, math.nan
        place = max(0, math.floor(self.n / 2 - 0.98 * math.sqrt(self.n)))
        return self.values[place], self.values[self.n - 1 - place]

    def scaled(self, factor: float) -> Distribution:
        return Distribution(tuple(v * factor for v in self.values))

    def json(self) -> dict[str, Any]:
        """For the file: null is what never happened."""
        low = self.values[0] if self.values else math.nan
        named = {"min": low, "median": self.median, "p95": self.p95, "p99": self.p99, "max": self.worst}
        return {"n": self.n, **{name: finite(value) for name, value in named.items()}}


def finite(value: float) -> float | None:
    """JSON knows neither infinity nor not-a-number."""
    return round(value, 7) if math.isfinite(value) else None


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Distribution:
    """Pair by pair: what changed between two moments of the machine is in both."""
    return Distribution.of(a / b for a, b in zip(ours, theirs, strict=True))


def seconds(value: float) -> str:
    """At most six characters: `0.66`, `12.3`, `4 ms`, `never`, `–`."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never"
    if abs(value) < 0.0005:
        return f"{value * 1e6:.0f} us"
    if abs(value) < 0.0995:
        return f"{value * 1e3:.0f} ms" if abs(value) >= 0.00995 else f"{value * 1e3:.1f} ms"
    return f"{value:.2f} s" if abs(value) < 9.995 else f"{value:.1f} s"


def three(found: Distribution) -> tuple[str, str, str]:
    """Median, p95, worst."""
    return seconds(found.median), seconds(found.p95), seconds(found.worst)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of at most 80 columns: the first column to the left and as wide as is left, the others to the right."""
    columns = len(head)
    widths = [max(len(str(row[i])) for row in (head, *rows)) for i in range(1, columns)]
    room = WIDTH - sum(widths) - 2 * len(widths)
    first = min(room, max(len(row[0]) for row in (head, *rows)))
    lines = []
    for row in (head, *rows):
        name = row[0] if len(row[0]) <= first else row[0][: first - 1] + "…"
        cells = "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths, strict=True))
        lines.append(f"{name:<{first}}{cells}".rstrip())
    return lines


def wrapped(lines: Iterable[str]) -> list[str]:
    """The same in at most 80 columns; tables have them already."""
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]]
