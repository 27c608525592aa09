"""The rate of a line whose capacity varies, found by its delay. Pure: `now` comes in.

A cellular line carries now four, now one Mbit/s, and queues what is too much. So while it is loaded its delay is asked
for a few times a second (an echo of 28 bytes, in the queue for voice), and the rate follows: down at once when several
of the last answers come late, up while it is asked for and nothing waits, else slowly back to where it began.

Hunting for the edge means going over it now and then, which a call hears. So while calls are in progress nobody hunts:
the rate is the floor, what the line has carried nearly always, and moves down only. (Measured, 10 calls while the line
goes from 4 to 2, 1 and 3 Mbit/s: hunting, 14 % of the packets late; at the floor, 0.4 %.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from secondpath.model import Instant

DELAYED_S, CALM_S, WORST_S = 0.030, 0.010, 0.060
"""Above its baseline an answer is late from the first on, and in no queue below the second; beyond the third the rate
falls no quicker."""
WINDOW, LATE = 6, 3
"""So many of the last answers must be late before the rate falls."""
GENTLE_FALL, STEEP_FALL = 0.99, 0.75
RISE = 1.04
REST_S = 0.300
"""After a fall: until the answers that left before it have come."""
HOME_PER_S = 0.01
"""How quickly an idle line's rate goes back to its base."""
LOADED_RATIO, WATCHED_RATIO = 0.75, 0.25
"""Of its rate a line must carry so much before more is tried; and so much before it is worth asking at all."""
PERIOD_S = 0.2
"""How often it is asked, while it is worth it."""
SLOWER, QUICKER = 0.001, 0.9
"""How quickly the baseline follows a longer round trip, and a shorter one."""
PACKET_BITS = 1514 * 8
FLOOR_SHARE = 0.05


def floor_of(delivered_bps: Sequence[float]) -> float:
    """What a line carries nearly always: the 5th percentile of the rates (at least one) that it delivered well."""
    ordered = sorted(delivered_bps)
    return ordered[int(FLOOR_SHARE * len(ordered))]


@dataclass(slots=True)
class Pace:
    """The rate of one direction of one line, in bit/s, between `least_bps` and `most_bps`.

    `base_bps` is where it begins and goes back to, `floor_bps` what it is while calls are in progress.
    """

    least_bps: float
    base_bps: float
    most_bps: float
    floor_bps: float
    rate_bps: float = 0.0
    baseline_s: float | None = None
    _deltas: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _rests_until: Instant = 0.0
    _stepped_at: Instant | None = None

    def __post_init__(self) -> None:
        self.rate_bps = self.rate_bps or self.base_bps

    def step(self, now: Instant, rtt_s: float, load_bps: float, calls: bool) -> float:
        """Take in one answer, or how long one has been awaited by now; the rate from here on."""
        passed_s = now - self._stepped_at if self._stepped_at is not None else 0.0
        self._stepped_at = now
        delta_s = self._delta(rtt_s)
        self._deltas.append(delta_s)
        before = min(self.rate_bps, self.floor_bps) if calls else self.rate_bps
        after = self._moved(now, before, delta_s, load_bps, passed_s)
        if calls:
            after = min(after, before)
        self.rate_bps = min(self.most_bps, max(self.least_bps, after))
        return self.rate_bps

    def _delta(self, rtt_s: float) -> float:
        """How much later than usual; what is usual follows slowly upwards and at once downwards."""
        if self.baseline_s is None:
            self.baseline_s = rtt_s
        self.baseline_s += (SLOWER if rtt_s > self.baseline_s else QUICKER) * (rtt_s - self.baseline_s)
        return max(0.0, rtt_s - self.baseline_s)

    def _moved(self, now: Instant, rate_bps: float, delta_s: float, load_bps: float, passed_s: float) -> float:
        packet_s = PACKET_BITS / rate_bps
        late = [delta for delta in self._deltas if delta > DELAYED_S + packet_s]
        if len(late) >= LATE:
            if now < self._rests_until:
                return rate_bps
            self._rests_until = now + REST_S
            mean_s = sum(self._deltas) / len(self._deltas) - packet_s
            return rate_bps * between(mean_s, DELAYED_S, WORST_S, GENTLE_FALL, STEEP_FALL)
        if load_bps > LOADED_RATIO * rate_bps and delta_s <= DELAYED_S + packet_s:
            return rate_bps * between(delta_s, CALM_S, DELAYED_S, RISE, 1.0)
        home = min(1.0, HOME_PER_S * passed_s)
        return rate_bps + (self.base_bps - rate_bps) * home


def between(value: float, low: float, high: float, at_low: float, at_high: float) -> float:
    """The line from (low, at_low) to (high, at_high), level beyond both ends."""
    part = min(1.0, max(0.0, (value - low) / (high - low)))
    return at_low + part * (at_high - at_low)
