"""End the flows of retired epochs, step by step, and say what was left.

The transaction that retired the epochs has already stopped them; what follows lets their owners know. Both families of
an uplink are retired together, and each step is taken for all of them before the next begins:

    at once    forget what was never answered and all that is not TCP; poke TCP clients, most important class first
    +50 ms     forget again: an entry confirmed by a packet that was under way in the moment of the transaction
    +1 s       forget again, poke again who has not been reset
    +1.5 s     end whatever is left: its owner may use the same port again, and the old entry would be in the way
    +15 s      end again, and count: the count is the evidence, and it should be 0

The two steps between also forget what has been reset, for the sake of its ports.
An application that left a line alone, or a class that may not use it any more, has its flows there ended and poked at
once, and looked for again after each of these times until nothing is found: their epoch still routes, so it is the next
packet of such a flow, unknown by then, that is reset or begins anew elsewhere.
Every step is idempotent, so a crash between any two is mended by the next start, which retires what it finds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from secondpath.act.hand import Retired
from secondpath.act.kernel.flows import Flows, Part

AGAIN_S = (0.05, 1.0)
POKE_AGAIN_S = 1.0
END_S = 1.5
COUNT_S = 15.0
LOADED_S = (0.05, 0.2, 1.0, 5.0, 20.0, 60.0)
"""After a table was put in place: again for those that send seldom."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ending:
    """What was done for one epoch: clients poked so that they are reset, and flows left at the end."""

    retired: Retired
    reset: int = 0
    left: int | None = None


Endings: TypeAlias = dict[tuple[int, int], Ending]
"""By epoch and the number of its uplink."""


class Retiring:
    """Runs the steps on the event loop; `told` gets each Ending when it is complete."""

    def __init__(self, flows: Flows, told: Callable[[Ending], None]) -> None:
        self._flows = flows
        self._told = told
        self._timers: set[asyncio.TimerHandle] = set()

    def retire(self, retired: Iterable[Retired]) -> None:
        """Begin to end the flows of epochs. The transaction that retired them must have been committed."""
        retired = list(retired)
        endings = {(r.epoch, r.uplink): Ending(r) for r in retired if not r.ident}
        if endings:
            self._begin(endings)
        if parts := {(r.epoch, r.uplink, r.ident): Ending(r) for r in retired if r.ident}:
            self._cut(parts)

    def _begin(self, endings: Endings) -> None:
        self._forget(endings)
        self._poke(endings)
        for delay_s in AGAIN_S:
            self._later(delay_s, self._forget_closed, endings)
        self._later(POKE_AGAIN_S, self._poke, endings)
        self._later(END_S, self._end, endings)
        self._later(COUNT_S, self._count, endings)

    def _cut(self, parts: Mapping[Part, Ending], steps: Sequence[float] = (*AGAIN_S, END_S, COUNT_S)) -> None:
        """End them now and at each step; it is over early when a step after the first finds nothing any more."""
        found: Counter[Part] | None = None
        with _told_if_refused("cut"):
            found, poked = self._flows.cut(parts)
            for part, clients in poked.items():
                parts[part].reset += clients
        if steps and (found is None or found or steps[0] == AGAIN_S[0]):
            self._later(steps[0], self._cut, parts, steps[1:])
            return
        for part, ending in parts.items():
            ending.left = found[part] if found is not None else None
            self._told(ending)

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

    def _forget(self, endings: Endings) -> None:
        for epoch in endings:
            with _told_if_refused("forget"):
                self._flows.forget(*epoch)

    def _forget_closed(self, endings: Endings) -> None:
        self._forget(endings)
        with _told_if_refused("forget"):
            self._flows.forget_closed(endings)

    def _forget_untranslated(self, uplinks: frozenset[int]) -> None:
        with _told_if_refused("translate"):
            self._flows.forget_untranslated(uplinks)

    def _poke(self, endings: Endings) -> None:
        with _told_if_refused("list"):
            self._poke_on(endings, self._flows.reset(endings))

    def _poke_on(self, endings: Endings, batches: Iterator[list[tuple[int, int]]]) -> None:
        """One batch now, the next when the loop has had its turn: a thousand resets never hold up a decision."""
        poked = next(batches, None)
        if poked is not None:
            for epoch in poked:
                endings[epoch].reset += 1
            asyncio.get_running_loop().call_soon(self._poke_on, endings, batches)

    def _end(self, endings: Endings) -> None:
        for epoch in endings:
            with _told_if_refused("end"):
                self._flows.end(*epoch)

    def _count(self, endings: Endings) -> None:
        self._end(endings)
        for epoch, ending in endings.items():
            with _told_if_refused("count"):
                ending.left = self._flows.count(*epoch)
            self._told(ending)


@contextmanager
def _told_if_refused(verb: str) -> Iterator[None]:
    """A flush that the kernel refuses is told and never ends the daemon: the stale chain still holds."""
    try:
        yield
    except OSError as error:
        log.warning("could not %s the flows of a retired epoch: %s", verb, error, extra={"event": "flows"})
