"""The only reader of clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from secondpath.model import Instant


def now() -> Instant:
    """Monotonic seconds that go on while the machine sleeps (CLOCK_BOOTTIME, clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall() -> datetime:
    """The wall-clock time, in UTC. It may be wrong: a gateway without a clock battery boots in 1970."""
    return datetime.now(UTC)
