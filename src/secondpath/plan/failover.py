"""Will the backup take over, and is it alive when needed: coverage and latent failures.

Forms of the latent part: NOROG guideline 070 Appendix D (single, one-out-of-two, common cause).
"""

import math
from dataclasses import dataclass

from secondpath.plan.causes import HOURS_PER_YEAR
from secondpath.plan.special import beta_quantile


@dataclass(frozen=True, slots=True)
class Coverage:
    """Belief that a failover works when needed: Beta(`good`, `bad`). Configured, never drilled: Beta(9, 1)."""

    good: float = 9.0
    bad: float = 1.0

    def after(self, passed: int, failed: int) -> "Coverage":
        """The belief after full drills or real failovers; partial tests do not count here."""
        if passed < 0 or failed < 0:
            raise ValueError(f"drill counts are at least 0, got {passed} and {failed}")
        return Coverage(self.good + passed, self.bad + failed)

    @property
    def mean(self) -> float:
        """Expected chance that the next failover works."""
        return self.good / (self.good + self.bad)

    def bound(self, p: float = 0.05) -> float:
        """The chance exceeded with probability 1 - p."""
        return beta_quantile(p, self.good, self.bad)


def clean_trials_needed(claim: float, confidence: float = 0.95) -> int:
    """Trials without one failure that are needed to claim a success rate at a confidence: 59 for 95 %, 299 for 99 %."""
    if not (0 < claim < 1 and 0 < confidence < 1):
        raise ValueError(f"claim and confidence lie strictly between 0 and 1, got {claim} and {confidence}")
    return math.ceil(math.log1p(-confidence) / math.log(claim))


def unnoticed_dead_ratio(failures_per_year: float, test_every_years: float) -> float:
    """Share of time a thing tested only so often lies dead unnoticed.

    1 - (1 - e^-x) / x with x = rate times interval.
    """
    x = failures_per_year * test_every_years
    return 0.0 if x == 0 else 1.0 + math.expm1(-x) / x


def single_dead_ratio(failures_per_h: float, interval_h: float) -> float:
    """Small-rate form for one channel: lambda tau / 2."""
    return failures_per_h * interval_h / 2.0


def pair_dead_ratio(failures_per_h: float, interval_h: float) -> float:
    """Small-rate form for one out of two: (lambda tau)^2 / 3."""
    return (failures_per_h * interval_h) ** 2 / 3.0


def common_cause_dead_ratio(beta: float, failures_per_h: float, interval_h: float) -> float:
    """Small-rate form of the common-cause part: beta lambda tau / 2."""
    return beta * failures_per_h * interval_h / 2.0


@dataclass(frozen=True, slots=True)
class Latent:
    """Hidden failures of a backup: suspended SIM, dead antenna, drifted rule.

    `seen_ratio` of them show in continuous tests within `notice_h`; the rest wait for a drill every `drill_every_h`.
    Each takes `repair_h` once noticed.
    """

    per_year: float
    seen_ratio: float
    drill_every_h: float
    notice_h: float
    repair_h: float

    @property
    def dead_ratio(self) -> float:
        """Lambda [DC (t + R) + (1 - DC)(T/2 + R)], as a share of time; never more than 1."""
        seen_h = self.seen_ratio * (self.notice_h + self.repair_h)
        hidden_h = (1.0 - self.seen_ratio) * (self.drill_every_h / 2.0 + self.repair_h)
        return min(1.0, self.per_year / HOURS_PER_YEAR * (seen_h + hidden_h))

    @property
    def mean_dead_h(self) -> float:
        """Mean hours dead per hidden failure."""
        return self.dead_ratio * HOURS_PER_YEAR / self.per_year if self.per_year else 0.0
