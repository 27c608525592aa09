"""The business clock: how many business hours lie between two moments of a simulated year, and which are in season.

Simulated years have 8766 hours and begin on a Monday at midnight; one year follows the other on one long time line.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from secondpath.plan.causes import HOURS_PER_YEAR
from secondpath.plan.estimate import Floats

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Week = tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True, slots=True)
class Season:
    """A deadline season.

    Days of the year from `first_day` to `last_day` (0-based, may wrap), with its own week or not.
    """

    name: str
    first_day: int
    last_day: int
    week: Week | None = None

    def holds(self, day: int) -> bool:
        """True if the day of the year lies in the season."""
        if self.first_day <= self.last_day:
            return self.first_day <= day <= self.last_day
        return day >= self.first_day or day <= self.last_day


@dataclass(frozen=True, slots=True, eq=False)
class BusinessClock:
    """Known by identity, so that it can key what is kept (see `business_clock`).

    Opening times of a year as a rising curve: `knots_h` of the year against `open_h` so far; `in_season` by day.
    """

    knots_h: Floats
    open_h: Floats
    in_season: Floats

    @property
    def year_h(self) -> float:
        """Business hours of a year."""
        return float(self.open_h[-1])

    @property
    def share(self) -> float:
        """Business hours as a share of all hours."""
        return self.year_h / HOURS_PER_YEAR

    def elapsed_h(self, at_h: Floats) -> Floats:
        """Business hours from the start of the time line to `at_h`."""
        year = np.floor(at_h / HOURS_PER_YEAR)
        return np.asarray(year * self.year_h + np.interp(at_h - year * HOURS_PER_YEAR, self.knots_h, self.open_h))

    def moment_h(self, elapsed_h: Floats) -> Floats:
        """The first moment at which so many business hours have passed: `elapsed_h` turned round."""
        year = np.floor(elapsed_h / self.year_h)
        return np.asarray(year * HOURS_PER_YEAR + np.interp(elapsed_h - year * self.year_h, self.open_h, self.knots_h))

    def season_at(self, at_h: Floats) -> Floats:
        """1.0 where `at_h` lies in a season, else 0.0."""
        day = ((at_h % HOURS_PER_YEAR) // 24.0).astype(np.intp)
        return self.in_season[np.minimum(day, len(self.in_season) - 1)]

    @property
    def season_share(self) -> float:
        """Share of the year's business hours that lie in a season."""
        starts = np.arange(len(self.in_season)) * 24.0
        open_h = np.diff(np.append(np.interp(starts, self.knots_h, self.open_h), self.year_h))
        return float((open_h * self.in_season).sum() / self.year_h) if self.year_h else 0.0


@lru_cache(maxsize=16)
def business_clock(week: Week, seasons: tuple[Season, ...] = ()) -> BusinessClock:
    """The clock of an office open at `week` (seven (from, to) hours or None, Monday first), with its seasons.

    Raises ValueError if no day is open or a day does not fit into 0..24 hours.
    """
    days = int(HOURS_PER_YEAR // 24) + 1
    knots, gained = [0.0], [0.0]
    in_season = np.zeros(days)
    for day in range(days):
        season = next((s for s in seasons if s.holds(day)), None)
        in_season[day] = 1.0 if season else 0.0
        span = (season.week if season and season.week else week)[day % 7]
        if span is None:
            continue
        if not 0 <= span[0] < span[1] <= 24:
            raise ValueError(f"a day opens and closes between 0 and 24 h, got {span}")
        knots += [day * 24.0 + span[0], day * 24.0 + span[1]]
        gained += [0.0, span[1] - span[0]]
    if len(knots) == 1:
        raise ValueError("an office is open on at least one day")
    return _curve(np.array([*knots, HOURS_PER_YEAR]), np.cumsum([*gained, 0.0]), in_season)


def _curve(knots_h: Floats, open_h: Floats, in_season: Floats) -> BusinessClock:
    """The last day may reach past the year's end (8766 h is 365 days and 6 h): cut it there."""
    inside = knots_h <= HOURS_PER_YEAR
    at_end = np.interp(HOURS_PER_YEAR, knots_h[:-1], open_h[:-1])
    knots = np.append(knots_h[inside][:-1], HOURS_PER_YEAR)
    return BusinessClock(knots, np.append(open_h[inside][:-1], at_end), in_season)
