"""How long a line must have been good before traffic goes home to it.

The hold starts when the line is up and ends when it was up, without a break, for `hold_s`. A line that fails again
after it was trusted has relapsed: its hold doubles, up to `hold_max_s`. A line that stayed good for `hold_max_s`
has earned its first hold back. A line that never failed since we know it needs no hold.

Doubling alone lets a line that fails right after each homecoming move the office eleven times in the first hour. So
traffic goes home no sooner than QUIET_HOLDS first holds (an hour, as shipped; twice `hold_max` where that is shorter)
after the failure before the last one: then no such time has more than four switches, whatever the line does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from secondpath.model import Failover, Health, Instant

QUIET_HOLDS = 60


@dataclass(slots=True)
class Trust:
    """The trust in one line: seconds of hold, since when (an instant) it has been good, and whether it ever failed."""

    hold_s: float
    good_since: Instant | None = None
    failed: bool = False
    failures: list[Instant] = field(default_factory=list)
    """When it failed while it was trusted: the last two instants."""
    quiet_s: float = 0.0
    _first_s: float | None = None

    def see(self, now: Instant, health: Health, rules: Failover) -> None:
        """Take in the line's health at `now`."""
        self.quiet_s = min(QUIET_HOLDS * rules.hold_s, 2 * rules.hold_max_s)
        if self._first_s is not None and self._first_s != rules.hold_s:  # another rule counts at once
            self.hold_s = min(self.hold_s / self._first_s * rules.hold_s, rules.hold_max_s)
        self._first_s = rules.hold_s
        if health is Health.UP:
            if self.good_since is None:
                self.good_since = now
            if now - self.served_at() >= rules.hold_max_s:
                self.hold_s = rules.hold_s
        elif health in (Health.DOWN, Health.DEGRADED):
            if self.served_at() <= now:
                self.failures = [*self.failures, now][-2:]
                if self.failed:
                    self.hold_s = min(2 * self.hold_s, rules.hold_max_s)
            self.failed, self.good_since = True, None

    def served_at(self) -> Instant:
        """When the hold is or was served; infinity while the line is not good."""
        if self.good_since is None:
            return math.inf
        if not self.failed:
            return self.good_since
        quiet_until = self.failures[0] + self.quiet_s if len(self.failures) > 1 else -math.inf
        return max(self.good_since + self.hold_s, quiet_until)

    def begin_again(self, now: Instant) -> None:
        """We were away (asleep, stopped): what is good now has to serve its hold from here."""
        if self.good_since is not None and self.failed:
            self.good_since = now

    def excuse(self) -> None:
        """A person vouches for the line: its hold counts as served, and its failures as forgotten."""
        self.failed, self.failures = False, []

    def memory(self, now: Instant) -> list[Any]:
        """What has to outlive a restart, as JSON has it."""
        return [self.hold_s, self.failed, [now - at for at in self.failures]]

    def recall(self, then: Instant, memory: Sequence[Any], rules: Failover) -> None:
        """Take up what an earlier life remembered at the instant `then`."""
        hold_s, failed, *ages = memory or (self.hold_s, False)
        self.failures = [then - float(age) for age in (ages[0] if ages else [])][-2:]
        self.hold_s = max(self.hold_s, min(float(hold_s), rules.hold_max_s))
        self.failed = self.failed or bool(failed)
