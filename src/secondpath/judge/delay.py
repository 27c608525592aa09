"""Whether a line has become late: its round trips far above what they were, or trembling.

The measure is people's calls. ITU-T G.114 wants at most 150 ms from mouth to ear one way; a playout buffer of 60 ms
loses what trembles more. A line that was always slow (a satellite) is no fault: what counts is that it became worse
than it was, and bad. Every address that answers must agree, so no single one, nor all but one, can convict.

Where our own traffic fills the line, lateness is its queue (bufferbloat) and no fault of the provider: then moving
would only carry the queue along. `Load` knows how full it is.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Mapping
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
JITTER_AS_DELAY = 3.0
"""A playout buffer turns jitter into delay: twice the jitter of a way (Cole and Rosenbluth, Voice over IP performance
monitoring, 2001), so of both ways, whose jitters add as squares do, about three times that of the round trip."""
QUEUE_OF_TREMBLE = 1.5
"""Round trips that are spread evenly over a width differ by a third of it in the mean, and are half of it longer than
the shortest, which is what they are compared with: a line that always trembled is always so much later."""
TREMBLE_MOST = 3.0
"""No one answer trembles more than so much: a jump of the delay is none."""
STRAINED, STRAIN_MOST = 1.1, 2.0
"""Both together have to be a tenth too much, jitter being known only roughly; and no one answer strains more than so
much, however late it is."""
SPAN_S = 2.0
"""The look is over so long,"""
LATE_SAMPLES, JITTER_SAMPLES = 2, 6
"""with so many answers of each address at least, ..."""
FEWEST = 8
STALL_S, STILL, SHAKES, FAR_LATE = 0.5, 0.5, 0.7, 2.0
"""and half of it whichever part of so long is left out: when a line stalls for a moment (a change of cell, of
satellite), all that was asked meanwhile comes late and together. People hear that once; moving does not help them.
What is late is called trembling where so much of a tremble is left, too, unless it is so many times too late."""
WITNESSES = 2
"""from so many addresses."""
KNOWN_S, KNOWN_SAMPLES = 10.0, 10
"""What is usual is known after so long, and so many answers."""
RISES = 0.0002
"""What is usual follows downwards at once, upwards by so much a second: 300 ms become usual after 25 minutes."""
TREMBLE_S = 1200.0
MOST_GAIN = 0.005
"""Time constant of what tremble is usual, and how much one step of the delay may teach."""
QUEUE_GROWS_S = 0.02
"""A queue stands where round trips have grown by so much."""
FULL = 0.3
"""Our traffic explains a queue from this share of what the line carries: queues build in bursts shorter than a look,"""
FULL_FROM_BPS = 200_000.0
"""and from this rate."""
ROSE, ROSE_FROM, BEFORE_S = 3.0, 0.1, 8.0
"""So does traffic that has become so many times what it was over BEFORE_S, from this share on: a line may carry less
than it did, and less than its contract says."""
AT_ONCE_S = 0.5
"""A queue of half a second is there before the look over SPAN_S has seen much of what fills it."""
LASTS, SETTLES_S = 0.5, 4.0
"""It explains the queue until it falls below this part of what it was, its first seconds not counted: what is sent into
a full queue is more than what passes,"""
CARRIED_S = 3.0
"""or has been carried for so long without one, all the time: a queue that overflows is empty for a moment, too."""


Series = list[tuple[Instant, float]]


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

    def take(self, now: Instant, rtt_s: float) -> tuple[float, float, float, float] | None:
        """How many times too late, too trembling, and too much of both an answer is; how many seconds it is late.

        None as long as what is usual is not known.
        """
        known = self.samples >= KNOWN_SAMPLES and now - self.since >= KNOWN_S
        differs_s = abs(rtt_s - self.last_s) if self.samples else 0.0
        queued_s = rtt_s - self.rtt_s
        unusual_s = queued_s - QUEUE_OF_TREMBLE * self.tremble_s
        late = min(unusual_s / LATE_S, rtt_s / BAD_S)
        trembles = min(differs_s / max(TREMBLES_S, WORSE * self.tremble_s), TREMBLE_MOST)
        as_delay_s, more_s = JITTER_AS_DELAY * differs_s, JITTER_AS_DELAY * (differs_s - self.tremble_s)
        strains = min((unusual_s + more_s) / LATE_S, (rtt_s + as_delay_s) / BAD_S, STRAIN_MOST)
        passed_s = now - self.at
        self.rtt_s = min(rtt_s, self.rtt_s + RISES * passed_s) if known else self.rtt_s + (rtt_s - self.rtt_s) / 4
        gain = min(MOST_GAIN, passed_s / TREMBLE_S) if known else 1 / (self.samples or 1)
        self.tremble_s += gain * (differs_s - self.tremble_s)
        self.at, self.last_s, self.samples = now, rtt_s, self.samples + 1
        return (late, trembles, strains, queued_s) if known else None


@dataclass(slots=True)
class Delay:
    """The round trips of one line. Of an answer is remembered when and from whom it came, and what `take` said."""

    usual: dict[str, Usual] = field(default_factory=dict)
    newest_s: float | None = None
    queued_s: float | None = None
    """How much longer than usual the newest answer took, until somebody has taken note of it."""
    _recent: deque[tuple[Instant, str, float, float, float, float]] = field(default_factory=deque)

    def take(self, now: Instant, question: str, witness: str, rtt_s: float) -> None:
        """An answer has come: to which question (URI), from which address, after how many seconds."""
        found = self.usual.setdefault(question, Usual(now, now, rtt_s)).take(now, rtt_s)
        self.newest_s = rtt_s
        if found is not None:
            self._recent.append((now, witness, *found))
            self.queued_s = found[3]

    def forget(self) -> None:
        """We were late ourselves: what was measured in that time tells of us."""
        self._recent.clear()

    def uneasy(self) -> bool:
        """Whether the newest answer is odd enough to ask more often."""
        return bool(self._recent) and max(self._recent[-1][2:5]) >= 1.0

    def queue_s(self, quantile: float = 0.5) -> float:
        """How much longer than usual answers took of late: what stands in the queue. 0 of nothing."""
        grown = sorted(queued_s for *_, queued_s in self._recent)
        return grown[int(quantile * len(grown))] if grown else 0.0

    def queued(self, now: Instant) -> bool | None:
        """Whether answers of late came later than usual; None where there were too few."""
        heard = len(self._recent) >= LATE_SAMPLES and now - self._recent[-1][0] <= SPAN_S
        return self.queue_s() >= QUEUE_GROWS_S if heard else None

    def look(self, now: Instant) -> Lateness:
        """What all addresses say together of the last SPAN_S, or of the last answers where they come seldom."""
        while len(self._recent) > FEWEST and now - self._recent[0][0] > SPAN_S:
            self._recent.popleft()
        if not self._recent or self._recent[-1][0] - self._recent[0][0] < SPAN_S / 2:
            return Lateness.NONE
        late: dict[str, Series] = {}
        trembles: dict[str, Series] = {}
        strains: dict[str, Series] = {}
        for at, witness, lateness, tremble, strain, _ in self._recent:
            late.setdefault(witness, []).append((at, lateness))
            trembles.setdefault(witness, []).append((at, tremble))
            strains.setdefault(witness, []).append((at, strain / STRAINED))
        trembling = _agree(trembles, JITTER_SAMPLES, _mean)
        if not (trembling or _agree(strains, JITTER_SAMPLES, _mean) or _agree(late, LATE_SAMPLES, _median)):
            return Lateness.NONE
        shaken = trembling or all(_lasts(s, LATE_SAMPLES, _mean, SHAKES) for s in _heard(trembles, LATE_SAMPLES))
        late_by = min((_median([v for _, v in s]) for s in _heard(late, LATE_SAMPLES)), default=0.0)
        return Lateness.LATE if late_by >= (FAR_LATE if shaken else 1.0) else Lateness.TREMBLING


def _agree(said: Mapping[str, Series], fewest: int, measure: Callable[[list[float]], float]) -> bool:
    """Whether all witnesses say so, and not for a moment only."""
    heard = _heard(said, fewest)
    return (
        len(heard) >= WITNESSES
        and all(measure([value for _, value in series]) >= 1.0 for series in heard)
        and all(_lasts(series, fewest, measure, STILL) for series in heard)
    )


def _heard(said: Mapping[str, Series], fewest: int) -> list[Series]:
    return [series for series in said.values() if len(series) >= fewest]


def _lasts(series: Series, fewest: int, measure: Callable[[list[float]], float], least: float) -> bool:
    """Whether there is still so much of it without any one STALL_S."""
    for first, (began, _) in enumerate(series):
        rest = [value for _, value in series[:first]] + [value for at, value in series[first:] if at > began + STALL_S]
        if 2 * len(rest) < fewest or measure(rest) < least:
            return False
    return True


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@dataclass(slots=True)
class Flow:
    """Bytes one way: of the last SPAN_S, and of BEFORE_S before that."""

    contract_bps: float | None = None
    most_bps: float = 0.0
    rose_at: Instant | None = None
    """Since when a rise of our own traffic would explain a queue."""
    _rose_bps: float = 0.0
    _fits_since: Instant | None = None
    _recent: deque[tuple[Instant, int]] = field(default_factory=deque)
    _before: deque[tuple[Instant, int]] = field(default_factory=deque)
    _recent_bytes: int = 0
    _before_bytes: int = 0

    def take(self, now: Instant, moved_bytes: int) -> None:
        """So many bytes have moved since the last look."""
        self._recent.append((now, moved_bytes))
        self._recent_bytes += moved_bytes
        rate = self.rate_bps(now)
        self.most_bps = max(self.most_bps, rate)
        before = self._before_bytes * 8 / BEFORE_S
        if rate >= max(FULL_FROM_BPS, ROSE * before) and self.rose_at is None:
            self.rose_at, self._rose_bps = now, 0.0
        if self.rose_at is not None and now - self.rose_at >= SETTLES_S:
            self._rose_bps = max(self._rose_bps, rate)

    def rate_bps(self, now: Instant) -> float:
        """Bits a second over the last SPAN_S."""
        while self._recent and now - self._recent[0][0] > SPAN_S:
            entry = self._recent.popleft()
            self._recent_bytes -= entry[1]
            self._before.append(entry)
            self._before_bytes += entry[1]
        while self._before and now - self._before[0][0] > SPAN_S + BEFORE_S:
            self._before_bytes -= self._before.popleft()[1]
        return self._recent_bytes * 8 / SPAN_S

    def fills(self, now: Instant, share: float) -> bool:
        """Whether it is this share of what the line carries, or has just risen to a good part of it."""
        rate, carries_bps = self.rate_bps(now), self.contract_bps or self.most_bps
        if self.rose_at is not None and rate < LASTS * self._rose_bps:
            self.rose_at, self._rose_bps = None, 0.0
        risen = self.rose_at is not None and max(rate, self._at_once_bps(now)) >= ROSE_FROM * carries_bps
        return rate >= FULL_FROM_BPS and (rate >= share * carries_bps or risen)

    def _at_once_bps(self, now: Instant) -> float:
        """Bits a second over the last AT_ONCE_S."""
        newest = itertools.takewhile(lambda entry: now - entry[0] <= AT_ONCE_S, reversed(self._recent))
        return sum(moved_bytes for _, moved_bytes in newest) * 8 / AT_ONCE_S

    def carried(self, now: Instant, queued: bool | None) -> None:
        """Whether a queue was met, if that is known: if none is for a while, what rose is known to fit."""
        if queued is None:
            return
        if queued or self.rose_at is None:
            self._fits_since = None
        elif self._fits_since is None:
            self._fits_since = now
        elif now - self._fits_since >= CARRIED_S:
            self.rose_at, self._rose_bps, self._fits_since = None, 0.0, None


@dataclass(slots=True)
class Load:
    """How full our own traffic makes one uplink. Both families share it, as they share the line and its queue.

    What a line carries is its contract's rate; where that is not known, the most that was ever seen.
    """

    down: Flow = field(default_factory=Flow)
    up: Flow = field(default_factory=Flow)
    came_at: Instant = -math.inf
    """When a packet last came in."""

    def take(self, now: Instant, in_bytes: int, out_bytes: int) -> None:
        """So many bytes have moved since the last look."""
        self.down.take(now, in_bytes)
        self.up.take(now, out_bytes)
        self.came_at = now if in_bytes else self.came_at

    def fills(self, now: Instant, share: float = FULL) -> bool:
        """Whether our own traffic is so much of what the line carries that it may be what queues."""
        return self.down.fills(now, share) or self.up.fills(now, share)

    def is_loaded(self, now: Instant, share: float) -> bool:
        """Whether our own traffic is this share of the contract, one way or the other."""
        ways = (self.down, self.up)
        return any(w.contract_bps is not None and w.rate_bps(now) >= share * w.contract_bps for w in ways)

    def carried(self, now: Instant, queued: bool | None) -> None:
        """Whether round trips are longer than usual; if they are not, what we send fits."""
        self.down.carried(now, queued)
        self.up.carried(now, queued)
