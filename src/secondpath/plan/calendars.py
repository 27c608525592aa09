"""Dated deadlines of a profession.

Rules with a month and day, moved to the next business day where the rule says so.
"""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """A yearly date. `moves`: a weekend or holiday moves it to the next business day."""

    title: str
    month: int
    day: int
    moves: bool
    source: str
    checked_on: str

    def on(self, year: int) -> date:
        """The date in a year."""
        fixed = date(year, self.month, self.day)
        return next_business_day(fixed) if self.moves else fixed


def next_business_day(day: date) -> date:
    """That day, or the next one that is no weekend and no holiday in the District of Columbia."""
    while day.weekday() >= 5 or day in holidays(day.year) or day in holidays(day.year + 1):
        day += timedelta(days=1)
    return day


def holidays(year: int) -> frozenset[date]:
    """Legal holidays in the District of Columbia as observed, which are what IRC 7503 looks at."""
    fixed = ((1, 1), (4, 16), (6, 19), (7, 4), (11, 11), (12, 25))
    floating = (
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _last_monday_of_may(year),
        _nth(year, 9, 0, 1),
        _nth(year, 10, 0, 2),
        _nth(year, 11, 3, 4),
    )
    return frozenset({*(_observed(date(year, month, day)) for month, day in fixed), *floating})


def _observed(day: date) -> date:
    """Saturday's holiday is kept on Friday, Sunday's on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def coming(rules: tuple[Rule, ...], today: date, months: int = 12) -> tuple[tuple[date, Rule], ...]:
    """The dates of the next months, in order."""
    end = today + timedelta(days=round(months * 30.44))
    found = [(rule.on(year), rule) for rule in rules for year in (today.year, today.year + 1)]
    return tuple(
        sorted(((day, rule) for day, rule in found if today <= day <= end), key=lambda pair: (pair[0], pair[1].title))
    )
