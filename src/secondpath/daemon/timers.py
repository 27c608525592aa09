"""Calls that come later, each under a name: the same name again takes the place of the earlier call."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Timers:
    """The timers of one gateway, on the running loop."""

    def __init__(self) -> None:
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def at(self, delay_s: float, name: str, call: Callable[[], None]) -> None:
        """Call once, after so long; never, where that is infinite."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if delay_s < math.inf:
            self._timers[name] = asyncio.get_running_loop().call_later(max(0.0, delay_s), call)

    def every(self, period_s: float, name: str, call: Callable[[], None]) -> None:
        """Call again and again."""

        def again() -> None:
            call()
            self.at(period_s, name, again)

        self.at(period_s, name, again)

    def close(self) -> None:
        """Call no more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
