"""How long a line must have been good before traffic goes home to it.

The hold starts when the line is up and ends when it was up, without a break, for `hold_s`. A line that fails again
after it was trusted has relapsed: its hold doubles, up to `hold_max_s`. A line that stayed good for `hold_max_s`
has earned its first hold back. A line that never failed since we know it needs no hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from secondpath.model import Failover, Health, Instant


@dataclass(slots=True)
class Trust:
    """The trust in one line: seconds of hold, since when (an instant) it has been good, and whether it ever failed."""

    hold_s: float
    good_since: Instant | None = None
    failed: bool = False

    def see(self, now: Instant, health: Health, rules: Failover) -> None:
        """Take in the line's health at `now`."""
        if health is Health.UP:
            if self.good_since is None:
                self.good_since = now
            if now - self.served_at() >= rules.hold_max_s:
                self.hold_s = rules.hold_s
        elif health in (Health.DOWN, Health.DEGRADED):
            if self.failed and self.served_at() <= now:
                self.hold_s = min(2 * self.hold_s, rules.hold_max_s)
            self.failed, self.good_since = True, None

    def served_at(self) -> Instant:
        """When the hold is or was served; infinity while the line is not good."""
        if self.good_since is None:
            return math.inf
        return self.good_since + self.hold_s if self.failed else self.good_since

    def begin_again(self, now: Instant) -> None:
        """We were away (asleep, stopped): what is good now has to serve its hold from here."""
        if self.good_since is not None and self.failed:
            self.good_since = now

    def excuse(self) -> None:
        """A person vouches for the line: its hold counts as served."""
        self.failed = False
