"""Whether a line has become late: its round trips far above what they were, or trembling.

The measure is people's calls. ITU-T G.114 wants at most 150 ms from mouth to ear one way; a playout buffer of 60 ms
loses what trembles more. A line that was always slow (a satellite) is no fault: what counts is that it became worse
than it was, and bad. Every address that answers must agree, so no single one, nor all but one, can convict.

Where our own traffic fills the line, lateness is its queue (bufferbloat) and no fault of the provider: then moving
would only carry the queue along. `Load` knows how full it is.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from secondpath.model import Instant

LATE_S = 0.15
"""So much more round trip than usual makes a call worse by a class (G.107) ..."""
BAD_S = 0.3
"""... and so much in all is bad: 150 ms one way (G.114)."""
TREMBLES_S = 0.05
"""Mean difference of successive round trips (RFC 3550, section 6.4.1, unsmoothed) that costs a 60 ms playout buffer."""
WORSE = 3.0
"""... and so many times what is usual."""
SPAN_S = 2.0
"""The look is over so long,"""
LATE_SAMPLES, JITTER_SAMPLES = 2, 6
"""with so many answers of each address at least,"""
FEWEST = 8
WITNESSES = 2
"""from so many addresses."""
KNOWN_S, KNOWN_SAMPLES = 10.0, 10
"""What is usual is known after so long, and so many answers."""
RISES = 0.0002
"""What is usual follows downwards at once, upwards by so much a second: 300 ms become usual after 25 minutes."""
TREMBLE_S = 1200.0
MOST_GAIN = 0.005
"""Time constant of what tremble is usual, and how much one step of the delay may teach."""
FULL = 0.3
"""Our traffic explains a queue from this share of what the line carries: queues build in bursts shorter than a look,"""
FULL_FROM_BPS = 200_000.0
"""and from this rate."""


class Lateness(StrEnum):
    """What can be said of the round trips at one look."""

    NONE = "none"
    LATE = "late"
    TREMBLING = "trembling"


@dataclass(slots=True)
class Usual:
    """What is usual of one question: its round trip and the tremble of it, in seconds."""

    since: Instant
    at: Instant
    rtt_s: float
    tremble_s: float = 0.0
    samples: int = 0
    last_s: float = 0.0

    def take(self, now: Instant, rtt_s: float) -> tuple[float, float, float] | None:
        """How many times too late and too trembling an answer is, and how many seconds later than usual.

        None as long as what is usual is not known.
        """
        known = self.samples >= KNOWN_SAMPLES and now - self.since >= KNOWN_S
        differs_s = abs(rtt_s - self.last_s) if self.samples else 0.0
        queued_s = rtt_s - self.rtt_s
        late = min(queued_s / LATE_S, rtt_s / BAD_S)
        trembles = differs_s / max(TREMBLES_S, WORSE * self.tremble_s)
        passed_s = now - self.at
        self.rtt_s = min(rtt_s, self.rtt_s + RISES * passed_s) if known else self.rtt_s + (rtt_s - self.rtt_s) / 4
        gain = min(MOST_GAIN, passed_s / TREMBLE_S) if known else 1 / (self.samples or 1)
        self.tremble_s += gain * (differs_s - self.tremble_s)
        self.at, self.last_s, self.samples = now, rtt_s, self.samples + 1
        return (late, trembles, queued_s) if known else None


@dataclass(slots=True)
class Delay:
    """The round trips of one line. What is remembered of an answer: when, from whom, how late, trembling and queued."""

    usual: dict[str, Usual] = field(default_factory=dict)
    newest_s: float | None = None
    _recent: deque[tuple[Instant, str, float, float, float]] = field(default_factory=deque)

    def take(self, now: Instant, question: str, witness: str, rtt_s: float) -> None:
        """An answer has come: to which question (URI), from which address, after how many seconds."""
        found = self.usual.setdefault(question, Usual(now, now, rtt_s)).take(now, rtt_s)
        self.newest_s = rtt_s
        if found is not None:
            self._recent.append((now, witness, *found))

    def forget(self) -> None:
        """We were late ourselves: what was measured in that time tells of us."""
        self._recent.clear()

    def uneasy(self) -> bool:
        """Whether the newest answer is odd enough to ask more often."""
        return bool(self._recent) and max(self._recent[-1][2:4]) >= 1.0

    def queue_s(self) -> float:
        """How much longer than usual answers took of late: what stands in the queue. 0 of nothing."""
        grown = sorted(queued_s for *_, queued_s in self._recent)
        return grown[len(grown) // 2] if grown else 0.0

    def look(self, now: Instant) -> Lateness:
        """What all addresses say together of the last SPAN_S, or of the last answers where they come seldom."""
        while len(self._recent) > FEWEST and now - self._recent[0][0] > SPAN_S:
            self._recent.popleft()
        if not self._recent or self._recent[-1][0] - self._recent[0][0] < SPAN_S / 2:
            return Lateness.NONE
        late: dict[str, list[float]] = {}
        trembles: dict[str, list[float]] = {}
        for _, witness, lateness, tremble, _ in self._recent:
            late.setdefault(witness, []).append(lateness)
            trembles.setdefault(witness, []).append(tremble)
        if _agree([sorted(each)[len(each) // 2] for each in late.values() if len(each) >= LATE_SAMPLES]):
            return Lateness.LATE
        if _agree([sum(each) / len(each) for each in trembles.values() if len(each) >= JITTER_SAMPLES]):
            return Lateness.TREMBLING
        return Lateness.NONE


def _agree(said: list[float]) -> bool:
    return len(said) >= WITNESSES and min(said) >= 1.0


@dataclass(slots=True)
class Load:
    """How full our own traffic makes one uplink: bytes of the last SPAN_S, each way, against what it carries.

    Both families share it, as they share the line and its queue.

    `down_bps` and `up_bps` are the contract's; where it is not known, the most that was ever seen.
    """

    down_bps: float | None = None
    up_bps: float | None = None
    came_at: Instant = -math.inf
    """When a packet last came in."""
    _most: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _moved: deque[tuple[Instant, int, int]] = field(default_factory=deque)

    def take(self, now: Instant, in_bytes: int, out_bytes: int) -> None:
        """So many bytes have moved since the last look."""
        self._moved.append((now, in_bytes, out_bytes))
        self.came_at = now if in_bytes else self.came_at
        self._most = [max(most, rate) for most, rate in zip(self._most, self.rates_bps(now), strict=True)]

    def rates_bps(self, now: Instant) -> tuple[float, float]:
        """Down and up, in bits a second over the last SPAN_S."""
        while self._moved and now - self._moved[0][0] > SPAN_S:
            self._moved.popleft()
        return (
            sum(in_ for _, in_, _ in self._moved) * 8 / SPAN_S,
            sum(out for _, _, out in self._moved) * 8 / SPAN_S,
        )

    def fills(self, now: Instant, share: float = FULL) -> bool:
        """Whether our own traffic is this share of what the line carries, and so may be what queues."""
        for rate, contract, most in zip(self.rates_bps(now), (self.down_bps, self.up_bps), self._most, strict=True):
            if rate >= FULL_FROM_BPS and rate >= share * (contract or most):
                return True
        return False
