"""End the flows of retired epochs, step by step, and say what was left.

The transaction that retired the epoch has already stopped them; what follows lets their owners know:

    at once    forget what was never answered and all that is not TCP; poke TCP clients, most important class first
    +50 ms     forget again: an entry confirmed by a packet that was under way in the moment of the transaction
    +1 s       forget again, poke again who has not been reset
    +15 s      end whatever is left, and count: the count is the evidence, and it should be 0

Every step is idempotent, so a crash between any two is mended by the next start, which retires what it finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from secondpath.act.hand import Retired
from secondpath.act.kernel.flows import Flows

AGAIN_S = (0.05, 1.0)
POKE_AGAIN_S = 1.0
END_S = 15.0
LOADED_S = (0.05, 0.2, 1.0, 5.0, 20.0, 60.0)
"""After a table was put in place: again for those that send seldom."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ending:
    """What was done for one epoch: flows reset at first, and left at the end."""

    retired: Retired
    reset: int = 0
    left: int | None = None


class Retiring:
    """Runs the steps on the event loop; `told` gets each Ending when it is complete."""

    def __init__(self, flows: Flows, told: Callable[[Ending], None]) -> None:
        self._flows = flows
        self._told = told
        self._timers: set[asyncio.TimerHandle] = set()

    def retire(self, retired: Retired) -> None:
        """Begin to end the flows of an epoch. The transaction that retired it must have been committed."""
        ending = Ending(retired)
        self._forget(retired)
        self._poke(ending)
        for delay_s in AGAIN_S:
            self._later(delay_s, self._forget, retired)
        self._later(POKE_AGAIN_S, self._poke, ending)
        self._later(END_S, self._end, ending)

    def begin_anew(self, uplinks: frozenset[int]) -> None:
        """A table was put in place under running flows: let those begin anew whose translation nobody decided."""
        self._forget_untranslated(uplinks)
        for delay_s in LOADED_S:
            self._later(delay_s, self._forget_untranslated, uplinks)

    def close(self) -> None:
        """Stop; what is not finished is found by the next start."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _later(self, delay_s: float, step: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            self._timers.discard(timer)
            step(*arguments)

        timer = asyncio.get_running_loop().call_later(delay_s, run)
        self._timers.add(timer)

    def _forget(self, retired: Retired) -> None:
        with _told_if_refused("forget"):
            self._flows.forget(retired.epoch, retired.uplink)

    def _forget_untranslated(self, uplinks: frozenset[int]) -> None:
        with _told_if_refused("translate"):
            self._flows.forget_untranslated(uplinks)

    def _poke(self, ending: Ending) -> None:
        with _told_if_refused("list"):
            flows = self._flows.to_reset(ending.retired.epoch, ending.retired.uplink)
            self._poke_on(ending, self._flows.reset(flows))

    def _poke_on(self, ending: Ending, batches: Iterator[int]) -> None:
        """One batch now, the next when the loop has had its turn: a thousand resets never hold up a decision."""
        poked = next(batches, None)
        if poked is not None:
            ending.reset += poked
            asyncio.get_running_loop().call_soon(self._poke_on, ending, batches)

    def _end(self, ending: Ending) -> None:
        with _told_if_refused("end"):
            self._flows.end(ending.retired.epoch, ending.retired.uplink)
            ending.left = self._flows.count(ending.retired.epoch, ending.retired.uplink)
        self._told(ending)


@contextmanager
def _told_if_refused(verb: str) -> Iterator[None]:
    """A flush that the kernel refuses is told and never ends the daemon: the stale chain still holds."""
    try:
        yield
    except OSError as error:
        log.warning("could not %s the flows of a retired epoch: %s", verb, error, extra={"event": "flows"})
