"""Means in closed form: how many hours a year, how often, what matters most, what stands alone.

Exact for independent alternating renewal causes: enumerate all 2^n states of the n causes. U and W need only the means
of the durations (renewal-reward), so lognormal repair is no obstacle; tails come from `simulate`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpath.plan.causes import HOURS_PER_YEAR, Cause, Structure

MOST_CAUSES = 16


@dataclass(frozen=True, slots=True)
class Availability:
    """Long-run behaviour of a structure under its causes; `importance` is dU/du per cause, in the order given."""

    down_ratio: float
    outages_per_year: float
    importance: tuple[float, ...]

    @property
    def down_h_per_year(self) -> float:
        """Expected hours offline in a year of 8766 hours."""
        return self.down_ratio * HOURS_PER_YEAR

    @property
    def mean_outage_h(self) -> float:
        """Mean duration of one outage of the whole; 0 when there are none."""
        return self.down_h_per_year / self.outages_per_year if self.outages_per_year else 0.0


def availability(causes: tuple[Cause, ...], structure: Structure) -> Availability:
    """Unavailability, outage frequency (Birnbaum/Vesely) and importance of each cause, by enumeration.

    Raises ValueError for more than 16 causes: fold causes with the same `hits` first.
    """
    if len(causes) > MOST_CAUSES:
        raise ValueError(f"{len(causes)} causes are too many to enumerate; {MOST_CAUSES} is the most")
    offline = _offline_by_state(causes, structure)
    down = np.array([cause.down_ratio for cause in causes], dtype=np.float64)
    chance = _chance_by_state(down)
    importance = [_importance(i, offline, down) for i in range(len(causes))]
    per_year = sum(w * cause.failures_per_year for w, cause in zip(importance, causes, strict=True))
    return Availability(float(chance[offline].sum()), float(per_year), tuple(importance))


def _offline_by_state(causes: tuple[Cause, ...], structure: Structure) -> npt.NDArray[np.bool_]:
    """Shape (2^n,): bit i of the index says that cause i is active."""
    states = np.arange(1 << len(causes))

    def hit(thing: str) -> npt.NDArray[np.bool_]:
        mask = sum(1 << i for i, cause in enumerate(causes) if thing in cause.hits)
        return np.asarray((states & mask) != 0)

    offline = np.zeros(states.shape, dtype=np.bool_)
    for thing in structure.local:
        offline |= hit(thing)
    every_uplink = np.ones(states.shape, dtype=np.bool_)
    for thing in structure.uplinks:
        every_uplink &= hit(thing)
    return offline | every_uplink


def _chance_by_state(down: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shape (2^n,): probability of each state of independent causes."""
    chance = np.ones(1)
    for u in down:
        chance = np.concatenate((chance * (1.0 - u), chance * u))
    return chance


def _importance(i: int, offline: npt.NDArray[np.bool_], down: npt.NDArray[np.float64]) -> float:
    """P(offline | cause i active) - P(offline | cause i quiet) = dU/du_i."""
    others = np.delete(down, i)
    chance = _chance_by_state(others)
    split = offline.reshape(-1, 2, 1 << i)
    with_cause, without = split[:, 1, :].ravel(), split[:, 0, :].ravel()
    return float(chance[with_cause].sum() - chance[without].sum())


def single_points(causes: tuple[Cause, ...], structure: Structure) -> tuple[Cause, ...]:
    """Causes that take the office offline on their own: the minimal cut sets of order one, worst first."""
    alone = [cause for cause in causes if cause.rate_per_year > 0 and structure.offline(cause.hits)]
    return tuple(sorted(alone, key=lambda cause: -cause.rate_per_year * cause.mean_h))


def fix_first(causes: tuple[Cause, ...], structure: Structure) -> tuple[tuple[Cause, float], ...]:
    """Causes with the hours a year that would be saved if each never happened again, largest first."""
    found = availability(causes, structure)
    saved = [(cause, w * cause.down_ratio * HOURS_PER_YEAR) for cause, w in zip(causes, found.importance, strict=True)]
    return tuple(sorted(saved, key=lambda pair: -pair[1]))
