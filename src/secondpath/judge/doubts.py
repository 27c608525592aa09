"""How much the losses of an uplink's families speak for a brown-out, alone and together: a bad cable loses of both.

A doubt is the cumulative sum of judge/window (Page 1954), in nats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from secondpath.model import Family

POOR = 11.0
"""A line is poor when its doubt exceeds this, ..."""
TOGETHER, PART_OF_IT = 13.5, 4.0
"""or this together with that of the other family (while that is poor, it keeps the first), itself having so much."""
WAKES = 2.0
"""From so much on the other family is asked as often: what it says decides sooner for both."""


@dataclass(slots=True)
class Doubts:
    """The doubts of all families on one uplink, shared by the judges of its lines."""

    by_family: dict[Family, float] = field(default_factory=dict)

    def take(self, family: Family, doubt: float) -> None:
        """So much of its own it has now."""
        self.by_family[family] = doubt

    def lend(self, family: Family, lossy: bool) -> None:
        """It is poor: of loss, it lends all that made it so."""
        self.by_family[family] = POOR if lossy else 0.0

    def poor(self, family: Family) -> bool:
        """Whether it is to be left for its loss."""
        doubt = self.by_family[family]
        return doubt > POOR or (doubt > PART_OF_IT and doubt + self._beside(family) > TOGETHER)

    def woken(self, family: Family) -> float:
        """The doubt of the others for which it is asked as they are; one that is poor has been decided about."""
        beside = self._beside(family)
        return beside if WAKES < beside < POOR else 0.0

    def _beside(self, family: Family) -> float:
        return sum(doubt for other, doubt in self.by_family.items() if other is not family)
