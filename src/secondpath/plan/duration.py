"""How long an outage lasts: a lognormal law with a cap, and the integrals a planner needs of it.

Lognormal because repair times are: most are short, a few are terrible. The cap stops a fat tail from inventing outages
that no carrier would leave open; a duration beyond the cap counts as the cap (so the mean is E[min(D, cap)]).
"""

import math
from dataclasses import dataclass, replace
from functools import cache

from secondpath.plan.special import normal_cdf, normal_tail


@dataclass(frozen=True, slots=True)
class Duration:
    """LogNormal(median_h, sigma), cut at cap_h. `median_h` > 0, `sigma` > 0 (of the logarithm), hours throughout."""

    median_h: float
    sigma: float
    cap_h: float = math.inf

    def __post_init__(self) -> None:
        if not (self.median_h > 0 and self.sigma > 0 and self.cap_h > 0):
            raise ValueError(f"a duration needs positive median, sigma and cap, got {self}")

    @property
    def mean_h(self) -> float:
        """E[min(D, cap)] in hours."""
        return self.stop_loss_h(0.0)

    def survival(self, x_h: float) -> float:
        """P(D > x), between 0 and 1."""
        if x_h <= 0:
            return 1.0
        if x_h >= self.cap_h:
            return 0.0
        return normal_tail((math.log(x_h) - math.log(self.median_h)) / self.sigma)

    def stop_loss_h(self, retention_h: float) -> float:
        """E[(min(D, cap) - retention)+] in hours: what is left after a battery, a window or a waiting period."""
        if retention_h >= self.cap_h:
            return 0.0
        return self._uncapped_stop_loss_h(retention_h) - self._uncapped_stop_loss_h(self.cap_h)

    def _uncapped_stop_loss_h(self, retention_h: float) -> float:
        if math.isinf(retention_h):
            return 0.0
        mean_h = self.median_h * math.exp(0.5 * self.sigma**2)
        if retention_h <= 0:
            return mean_h - retention_h
        z = (math.log(self.median_h) - math.log(retention_h)) / self.sigma
        return mean_h * normal_cdf(z + self.sigma) - retention_h * normal_cdf(z)

    def limited_mean_h(self, limit_h: float) -> float:
        """E[min(D, limit)] in hours."""
        return self.mean_h - self.stop_loss_h(limit_h)

    def predictive(self, median_log_sd: float) -> "Duration":
        """The same law when the median itself is only known up to a lognormal factor with that log deviation."""
        return replace(self, sigma=math.hypot(self.sigma, median_log_sd))


def chance_of_any_longer(streams: list[tuple[float, Duration]], x_h: float) -> float:
    """P(at least one outage longer than `x_h` hours in a year) for (rate per year, duration) streams."""
    return -math.expm1(-sum(rate * duration.survival(x_h) for rate, duration in streams))


@cache
def mean_min_h(duration: Duration, other: Duration, steps: int = 2000) -> float:
    """E[min(D, T)] in hours of two independent durations: the integral of the product of their survivals.

    Midpoint rule on a logarithmic grid; the rest beyond the grid is below 1e-6 of the result for sigmas up to 2.
    """
    top_h = min(duration.cap_h, other.cap_h, min(duration.median_h, other.median_h) * 1e4)
    low, high = math.log(1e-6 * min(duration.median_h, other.median_h)), math.log(top_h)
    width = (high - low) / steps
    total = math.exp(low)
    for i in range(steps):
        x_h = math.exp(low + (i + 0.5) * width)
        total += duration.survival(x_h) * other.survival(x_h) * x_h * width
    return total
