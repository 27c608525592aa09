"""Which addresses people were told for the names of applications, read from the answers that they got.

An address is kept for as long as its answer was good, but at least an hour (connections and applications outlive a TTL
of a minute) and at most a day; every answer renews it. What is kept is counted by name, not by application: a name that
moves from one application to another in the configuration keeps what is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from secondpath.model import AnswerSeen, Instant, IPAddress

KEPT_LEAST_S, KEPT_MOST_S = 3_600.0, 86_400.0
ADDRESSES_MOST = 1024
"""Of one name with all below it; the one that would go first goes. A content network shows some hundreds in a day."""


def kept_s(ttl_s: float) -> float:
    """How long an address is kept after an answer."""
    return min(max(ttl_s, KEPT_LEAST_S), KEPT_MOST_S)


@dataclass(slots=True)
class Seen:
    """For every name its addresses, and until when each is kept."""

    until: dict[str, dict[IPAddress, Instant]] = field(default_factory=dict)
    learned: int = 0
    """Grows when an address is learned or let go."""
    told_at: dict[str, Instant] = field(default_factory=dict)
    """When an answer for a name was last told us; of the same addresses that is no more than every few minutes."""
    ages_at: Instant = math.inf
    """When the next one is let go."""

    def settle(self, names: Iterable[str]) -> None:
        """Take a configuration over; what is known of names that stay is kept."""
        self.until = {name: self.until.get(name, {}) for name in names}
        self.told_at = {name: at for name, at in self.told_at.items() if name in self.until}
        self.learned += 1
        self._look_ahead()

    def see(self, now: Instant, answer: AnswerSeen) -> None:
        """Note what somebody was answered. Answers for names that nobody asked about are left."""
        known = self.until.get(answer.name)
        if known is None:
            return
        self.told_at[answer.name] = now
        before = set(known)
        until = now + kept_s(answer.ttl_s)
        for address in answer.addresses[:ADDRESSES_MOST]:
            known[address] = max(until, known.get(address, until))
        for address in sorted(known, key=known.__getitem__)[: max(0, len(known) - ADDRESSES_MOST)]:
            del known[address]
        self.learned += before != set(known)
        self._look_ahead()

    def age(self, now: Instant) -> None:
        """Let go what nobody was told any more for too long."""
        if now < self.ages_at:
            return
        for known in self.until.values():
            for address in [a for a, until in known.items() if until <= now]:
                del known[address]
                self.learned += 1
        self._look_ahead()

    def _look_ahead(self) -> None:
        self.ages_at = min((until for known in self.until.values() for until in known.values()), default=math.inf)

    def of(self, names: Iterable[str]) -> frozenset[IPAddress]:
        """All addresses of some names."""
        return frozenset(address for name in names for address in self.until.get(name, ()))

    def memory(self, now: Instant) -> dict[str, dict[str, float]]:
        """What has to outlive a restart: by name each address, and for how many seconds it is still kept."""
        return {
            name: {str(address): round(until - now, 1) for address, until in known.items()}
            for name, known in self.until.items()
            if known
        }

    def recall(self, now: Instant, memory: Mapping[str, Mapping[str, float]], passed_s: float) -> None:
        """Take up what an earlier life remembered, `passed_s` seconds ago."""
        for name in self.until.keys() & memory.keys():
            left = {ip_address(said): min(float(s), KEPT_MOST_S) - passed_s for said, s in memory[name].items()}
            self.until[name] |= {address: now + s for address, s in left.items() if s > 0}
        self.learned += 1
        self._look_ahead()
