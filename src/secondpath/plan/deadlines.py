"""Deadlines by probability: a chance in so many per year, never a multiplier on dollars."""

from dataclasses import dataclass

from secondpath.plan.causes import HOURS_PER_YEAR
from secondpath.plan.duration import Duration


@dataclass(frozen=True, slots=True)
class Deadline:
    """A hard deadline.

    `per_year` of them, filing possible only in the last `window_h`, work of `needed_h` before it.
    """

    name: str
    per_year: float
    window_h: float
    needed_h: float = 0.0
    consequence: str = ""
    consequence_usd: float | None = None


def chance_of_missing(duration: Duration, to_deadline_h: float, needed_h: float) -> float:
    """P(this outage outlasts the slack), given that it has just begun `to_deadline_h` before the deadline."""
    return duration.survival(max(to_deadline_h - needed_h, 0.0))


def misses_per_year(deadline: Deadline, streams: tuple[tuple[float, Duration], ...]) -> float:
    """Expected deadlines a year whose whole window lies inside an outage: n (lambda / 8766) E[(D - w)+], summed."""
    covered_h = sum(rate * duration.stop_loss_h(deadline.window_h) for rate, duration in streams)
    return deadline.per_year * covered_h / HOURS_PER_YEAR


def one_in(misses: float) -> str:
    """'about 1 chance in 53 per year', or that it is rarer than can be told."""
    if misses <= 1e-5:
        return "less than 1 chance in 100,000 per year"
    if misses >= 0.5:
        return f"about {misses:.1f} a year"
    years = 1.0 / misses
    shown = round(years) if years < 100 else int(float(f"{years:.2g}"))
    return f"about 1 chance in {shown:,} per year"
