"""The office's own record against the prior: after a year of watching, the record usually weighs more.

Rates are Gamma-Poisson. Durations keep a fixed sigma per class and learn only the median: with an unknown variance the
predictive law has an infinite mean, and a plan would be ruled by it.
"""

import math
from dataclasses import dataclass

import numpy as np

from secondpath.plan.causes import Prior
from secondpath.plan.duration import Duration
from secondpath.plan.special import gamma_quantile

MANY_OUTAGES = 30  # from here on sigma may be looked at, never before


@dataclass(frozen=True, slots=True)
class Rate:
    """Belief about outages a year: Gamma(`shape`, `years`)."""

    shape: float
    years: float

    def after(self, outages: int, watched_years: float) -> "Rate":
        """The belief after `outages` in `watched_years` of real monitoring (gaps taken out)."""
        if outages < 0 or watched_years < 0:
            raise ValueError(f"a record has at least 0 outages and years, got {outages} and {watched_years}")
        return Rate(self.shape + outages, self.years + watched_years)

    @property
    def mean(self) -> float:
        """Expected outages a year."""
        return self.shape / self.years

    def interval(self, level: float = 0.90) -> tuple[float, float]:
        """Equal-tailed credible interval of the rate."""
        side = 0.5 * (1.0 - level)
        return gamma_quantile(side, self.shape, self.years), gamma_quantile(1.0 - side, self.shape, self.years)

    def chance_of_none(self, ahead_years: float = 1.0) -> float:
        """P(no outage in the years ahead): negative binomial at zero."""
        return math.pow(self.years / (self.years + ahead_years), self.shape)


@dataclass(frozen=True, slots=True)
class Median:
    """Belief about the log of the median duration: Normal(`mu`, sigma^2 / `weight`) with fixed `sigma`."""

    mu: float
    weight: float
    sigma: float

    @classmethod
    def of(cls, prior: Prior) -> "Median":
        """The belief a prior holds: weight (sigma / median_log_sd)^2 observations."""
        return cls(math.log(prior.median_h), (prior.sigma / prior.median_log_sd) ** 2, prior.sigma)

    def after(self, durations_h: tuple[float, ...]) -> "Median":
        """The belief after outages that lasted so long, each > 0 hours."""
        if any(d <= 0 for d in durations_h):
            raise ValueError(f"durations are longer than 0 hours, got {durations_h}")
        weight = self.weight + len(durations_h)
        mu = (self.weight * self.mu + sum(math.log(d) for d in durations_h)) / weight
        return Median(mu, weight, self.sigma)

    @property
    def median_h(self) -> float:
        """Expected-log median in hours."""
        return math.exp(self.mu)

    @property
    def predictive(self) -> Duration:
        """Law of the next duration: LogNormal with the median's own uncertainty folded in, without a cap."""
        return Duration(self.median_h, self.sigma * math.sqrt(1.0 + 1.0 / self.weight))

    @property
    def plain(self) -> Duration:
        """Law of a duration if the median were exactly the believed one."""
        return Duration(self.median_h, self.sigma)


@dataclass(frozen=True, slots=True)
class Record:
    """What was measured of one uplink: finished outages of at least two minutes, in hours, and years watched."""

    durations_h: tuple[float, ...]
    watched_years: float
    open_outages: int = 0
    monthly_counts: tuple[int, ...] = ()

    @property
    def outages(self) -> int:
        """Outages that count for the rate: one still open counts, its duration does not."""
        return len(self.durations_h) + self.open_outages


@dataclass(frozen=True, slots=True)
class Learned:
    """A prior updated by a record, and how much of it is the record's."""

    prior: Prior
    record_weight: float
    dispersion: float
    check_sigma: bool


def learned(prior: Prior, record: Record) -> Learned:
    """The prior for the next plan. Clustered months (dispersion above 2) count as less time watched.

    A storm month makes ten outages of one event; widening by the dispersion keeps one bad month from ruling the rate.
    """
    spread = dispersion(record.monthly_counts)
    shrink = spread if spread > 2.0 else 1.0
    years = record.watched_years / shrink
    shape = prior.shape + record.outages / shrink
    median = Median.of(prior).after(record.durations_h)
    posterior = Prior(
        key=prior.key,
        title=prior.title,
        shape=shape,
        years=prior.years + years,
        median_h=median.median_h,
        median_log_sd=prior.sigma / math.sqrt(median.weight),
        sigma=prior.sigma,
        cap_h=prior.cap_h,
        grade=prior.grade,
        source=prior.source,
    )
    return Learned(posterior, years / (prior.years + years), spread, record.outages >= MANY_OUTAGES)


def dispersion(monthly_counts: tuple[int, ...]) -> float:
    """Variance over mean of the monthly counts; 1 for a Poisson stream, 1 if there is too little to tell."""
    if len(monthly_counts) < 2 or sum(monthly_counts) == 0:
        return 1.0
    counts = np.array(monthly_counts, dtype=np.float64)
    return float(counts.var(ddof=1) / counts.mean())
