"""Three-point estimates: what people can say (low, likely, high), drawn as a PERT distribution."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Tag(StrEnum):
    """Where a number comes from, printed beside it."""

    ESTIMATE = "E"
    MEASURED = "M"
    PUBLISHED = "P"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity known as `low` <= `likely` <= `high`, in whatever unit its place names."""

    low: float
    likely: float
    high: float
    tag: Tag = Tag.PUBLISHED

    def __post_init__(self) -> None:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"an estimate needs low <= likely <= high, got {self.low}, {self.likely}, {self.high}")

    @property
    def mean(self) -> float:
        """Mean of the PERT distribution: (low + 4 likely + high) / 6."""
        return (self.low + 4.0 * self.likely + self.high) / 6.0

    @property
    def certain(self) -> bool:
        """True if the three points are one."""
        return self.low == self.high

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` draws of the PERT distribution (a Beta scaled to low..high, shape 4)."""
        if self.certain:
            return np.full(count, self.likely)
        width = self.high - self.low
        a = 1.0 + 4.0 * (self.likely - self.low) / width
        return self.low + width * rng.beta(a, 6.0 - a, size=count)


def exactly(value: float, tag: Tag = Tag.PUBLISHED) -> Estimate:
    """An estimate without doubt."""
    return Estimate(value, value, value, tag)


def stream(seed: int, key: str) -> np.random.Generator:
    """An own random stream for each named quantity.

    Adding an input or an option leaves all other draws as they were, so two options differ only by what differs
    between them (common random numbers).
    """
    return np.random.default_rng(np.random.SeedSequence([seed, *key.encode()]))


@dataclass(frozen=True, slots=True)
class Band:
    """The middle of a set of draws: tenth, fiftieth and ninetieth percentile."""

    p10: float
    p50: float
    p90: float

    def scaled(self, factor: float) -> "Band":
        """The band in another unit; `factor` > 0."""
        return Band(self.p10 * factor, self.p50 * factor, self.p90 * factor)


def band(values: Floats) -> Band:
    """P10, P50 and P90 of draws of any shape."""
    low, mid, high = np.percentile(values, (10.0, 50.0, 90.0))
    return Band(float(low), float(mid), float(high))
