"""The search for the largest packet that makes its way: a state machine without a socket.

Echoes of chosen sizes are sent with "don't fragment" set; one that comes back proves its size. One that does not is
too big or lost, so each size is asked twice (RFC 4821 section 7.6.3), and a size below a proven one counts as lost.
A router that names its own limit (RFC 1191, RFC 8201 section 4) shortens the search, and is not believed without proof
from below. First comes the interface's own size, for most lines carry it; then sizes that links are known to have;
then the gap that is left is divided evenly. On a line that loses packets the end is doubted: the least size that failed
is asked some more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from secondpath.model import Family

FLOORS = {Family.IPV4: 68, Family.IPV6: 1280}
"""What every link carries, in bytes: RFC 791 section 3.2, RFC 8200 section 5."""
KNOWN = (1492, 1480, 1420, 1400, 1280, 576)
"""PPPoE (RFC 2516), IPv4 in IPv4, WireGuard over IPv6, common tunnels, the least of IPv6, what IPv4 hosts take."""
KNOWN_FEW = (1492, 1420, 1280)
WIDTH, WIDTH_METERED = 7, 3
"""Sizes in one round: more are quicker, fewer are cheaper (a round of three costs 9 kB at most, and its answers)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is known in the middle of a search, in bytes of IP: `low` makes its way, `high` does not.

    `proven` says whether `low` was seen to; at first it is only what every link carries. `round` counts from 0.
    """

    low: int
    high: int
    width: int = WIDTH
    proven: bool = False
    round: int = 0
    told: int | None = None

    @property
    def done(self) -> bool:
        """Whether there is nothing left to ask."""
        return self.high - self.low <= 1

    @property
    def path_bytes(self) -> int | None:
        """The answer; None while the search is not done, or when not even one size came back."""
        return self.low if self.done and self.proven else None

    def sizes(self) -> tuple[int, ...]:
        """The sizes to ask in this round, largest first."""
        if self.done:
            return ()
        if self.round == 0:
            return (self.high - 1,)
        if self.told is not None and self.low < self.told == self.high - 1:
            return (self.told,)
        if self.round == 1:
            known = [size for size in (KNOWN if self.width >= WIDTH else KNOWN_FEW) if self.low < size < self.high]
            if known:
                return tuple(known[: self.width])
        gap = self.high - self.low
        steps = min(self.width, gap - 1)
        return tuple(sorted({self.low + gap * step // (steps + 1) for step in range(1, steps + 1)}, reverse=True))

    def after(self, passed: Collection[int], told: Iterable[int] = ()) -> Search:
        """The search after a round: which of its sizes came back, and the limits that routers named."""
        asked = self.sizes()
        low = max([self.low, *(size for size in passed if size in asked)])
        high = min([self.high, *(size for size in asked if size > low)])
        limits = [limit for limit in told if low <= limit < high]
        high = min([high, *(limit + 1 for limit in limits)])
        limit = min(limits, default=self.told if self.told is not None and low <= self.told < high else None)
        return replace(self, low=low, high=high, proven=self.proven or low > self.low, round=self.round + 1, told=limit)

    def reopened(self, interface_bytes: int) -> Search:
        """The search when a size that was thought not to pass has come back after all: above it all is open again."""
        return replace(self, low=self.high, high=interface_bytes + 1, proven=True, told=None)


def begin(family: Family, interface_bytes: int, *, metered: bool = False) -> Search:
    """A search on an interface that takes packets of that size."""
    width = WIDTH_METERED if metered else WIDTH
    return Search(min(FLOORS[family], interface_bytes) - 1, interface_bytes + 1, width)
