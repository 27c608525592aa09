"""What can take the office offline: causes, each with a rate, a duration and the set of things it takes down at once.

An explicit shared cause replaces the guessed common-cause factor: a pole line is a cause that hits two uplinks.
"""

from dataclasses import dataclass

from secondpath.plan.duration import Duration

HOURS_PER_YEAR = 8766.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed about a class of equipment before the office has a record of its own.

    Rate per year ~ Gamma(`shape`, `years`); median duration ~ LogNormal(`median_h`, `median_log_sd`); `sigma` is fixed
    per class; durations are cut at `cap_h`. `source` names an entry of the source list.
    """

    key: str
    title: str
    shape: float
    years: float
    median_h: float
    median_log_sd: float
    sigma: float
    cap_h: float
    grade: str
    source: str

    @property
    def rate_per_year(self) -> float:
        """Mean number of outages a year."""
        return self.shape / self.years

    @property
    def duration(self) -> Duration:
        """The duration law with the uncertainty of its median folded in."""
        return Duration(self.median_h, self.sigma, self.cap_h).predictive(self.median_log_sd)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that fails `rate_per_year` times a year (while it is up) and takes down every thing in `hits`."""

    key: str
    rate_per_year: float
    mean_h: float
    hits: frozenset[str]

    def __post_init__(self) -> None:
        if self.rate_per_year < 0 or self.mean_h < 0:
            raise ValueError(f"a cause needs a rate and a duration of at least 0, got {self}")

    @property
    def down_ratio(self) -> float:
        """Long-run share of time down: renewal-reward, so only the mean of the duration matters."""
        work_h = self.rate_per_year * self.mean_h
        return work_h / (HOURS_PER_YEAR + work_h)

    @property
    def failures_per_year(self) -> float:
        """Failures a year counted over all time: the rate times the share of time up."""
        return self.rate_per_year * (1.0 - self.down_ratio)


@dataclass(frozen=True, slots=True)
class Structure:
    """When the office is online: every thing in `local` up and at least one thing in `uplinks` up."""

    local: frozenset[str]
    uplinks: frozenset[str]

    def offline(self, down: frozenset[str]) -> bool:
        """True if the office is offline with exactly the things in `down` down."""
        return bool(self.local & down) or self.uplinks <= down
