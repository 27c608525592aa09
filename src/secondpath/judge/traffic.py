"""Suspicion by the traffic itself: what went out should be answered, what flowed in should not stop. Pure.

Four triggers watch one line. None of them says anything of its health: they only ask for questions, sooner than the
next heartbeat would. All times are of the look at which packets were counted, so an interval seems shorter than it was
by up to one look (sense/traffic), never longer.

S1 unanswered    two packets or more went out, nothing has come in since, and the first of them is older than a round
                 trip explains: srtt + 4 * rttvar, the patience of RFC 6298 (section 2.3), and a margin.
S2 stopped       something came in steadily (a download) and then no more.
S3 no-handshake  three TCP connections were begun and none answered, while other traffic does come in.
S4 no-names      the same for DNS.

*Backoff.* Traffic that wants no answer (a one-way stream, a download that ends, pure acknowledgements) looks like a
fault each time. So every suspicion makes its trigger more patient; normal traffic brings it back with time, and a line
that was really dead at once. A lone packet without an answer is nothing: it is forgotten.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from secondpath.judge.ladder import Rung
from secondpath.judge.window import RoundTrip
from secondpath.model import Instant, TrafficSample


class Trigger(StrEnum):
    """What made a line suspicious."""

    UNANSWERED = "unanswered"
    STOPPED = "stopped"
    NO_HANDSHAKE = "no-handshake"
    NO_NAMES = "no-names"


ABOUT: Mapping[Trigger, Rung] = {Trigger.NO_HANDSHAKE: Rung.TCP, Trigger.NO_NAMES: Rung.DNS}
"""Triggers that accuse a rung of a line which does carry other traffic; the others accuse the line."""

UNANSWERED_PACKETS = 2
UNANSWERED_S = 0.2
MARGIN_S = 0.1
BEGUN = 3
BEGUN_S = 0.8
LONE_S = 3.0
"""Too few packets for a suspicion are forgotten after this: whoever wants an answer asks again after 1 s (RFC 6298)."""
STEADY_PER_S = 5
"""Packets in a second, in as many different looks: one burst is no stream."""
STOPPED_S = 0.3
STOPPED_PACKETS = 4.0
"""How many packets of a stream must be missing."""

BUSY_S = 10.0
"""People are at work by a line on which something has moved within so long."""

GROWTH, CAP = 2.0, 64.0
STOPPED_GROWTH, STOPPED_CAP = 1.5, 8.0
DECAY_S = 10.0
"""Normal traffic for so long takes one step of the backoff back."""


@dataclass(slots=True)
class Backoff:
    """How much more patient than at first a trigger is."""

    growth: float
    cap: float
    factor: float = 1.0
    changed_at: Instant = -math.inf

    def grow(self, now: Instant) -> None:
        """It has cried."""
        self.factor, self.changed_at = min(self.cap, self.factor * self.growth), now

    def decay(self, now: Instant) -> None:
        """Traffic is normal at `now`."""
        if self.factor > 1.0 and now - self.changed_at >= DECAY_S:
            self.factor, self.changed_at = max(1.0, self.factor / self.growth), now


@dataclass(slots=True)
class Unanswered:
    """S1, S3, S4: so many packets out, none in, for too long. `needs_other`: and something else did come in."""

    at_least: int
    floor_s: float
    needs_other: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(GROWTH, CAP))
    packets: int = 0
    since: Instant = math.inf
    other_came: bool = False

    def see(self, now: Instant, asked: int, answered: int, other: int) -> None:
        """So many packets went out and came in since the last look; what came in is the later of both."""
        if answered:
            self.forget()
            self.backoff.decay(now)
            return
        if asked:
            if self.packets < self.at_least and now - self.since > LONE_S:
                self.forget()
            self.packets += asked
            self.since = min(self.since, now)
        self.other_came = self.other_came or (other > 0 and self.packets > 0)

    def due_at(self, patience_s: float) -> Instant:
        """When silence becomes suspicious, as things stand."""
        if self.packets < self.at_least or (self.needs_other and not self.other_came):
            return math.inf
        return self.since + max(self.floor_s, patience_s) * self.backoff.factor

    def forget(self) -> None:
        """Begin anew."""
        self.packets, self.since, self.other_came = 0, math.inf, False


@dataclass(slots=True)
class Stopped:
    """S2: a steady stream came in, and stopped."""

    backoff: Backoff = field(default_factory=lambda: Backoff(STOPPED_GROWTH, STOPPED_CAP))
    looks: deque[tuple[Instant, int]] = field(default_factory=deque)
    gap_s: float = math.inf

    def see(self, now: Instant, came: int) -> None:
        """So many packets came in since the last look."""
        if not came:
            return
        self.looks.append((now, came))
        while now - self.looks[0][0] >= 1.0:
            self.looks.popleft()
        self.gap_s = STOPPED_PACKETS / sum(packets for _, packets in self.looks)
        if len(self.looks) >= STEADY_PER_S:
            self.backoff.decay(now)

    def due_at(self, patience_s: float) -> Instant:
        """When silence becomes suspicious, as things stand."""
        if len(self.looks) < STEADY_PER_S:
            return math.inf
        return self.looks[-1][0] + max(STOPPED_S, self.gap_s, patience_s) * self.backoff.factor

    def forget(self) -> None:
        """Begin anew."""
        self.looks.clear()


class Traffic:
    """Watches the traffic of one line. `suspicion` says, once, that silence has lasted too long."""

    def __init__(self) -> None:
        self._moved_at: Instant = -math.inf
        self._unanswered = {
            Trigger.UNANSWERED: Unanswered(UNANSWERED_PACKETS, UNANSWERED_S),
            Trigger.NO_HANDSHAKE: Unanswered(BEGUN, BEGUN_S, needs_other=True),
            Trigger.NO_NAMES: Unanswered(BEGUN, BEGUN_S, needs_other=True),
        }
        self._stopped = Stopped()

    def see(self, now: Instant, sample: TrafficSample) -> None:
        """Take in what was counted since the last look."""
        self._moved_at = now
        every = self._unanswered
        every[Trigger.UNANSWERED].see(now, sample.out, sample.in_, 0)
        every[Trigger.NO_HANDSHAKE].see(now, sample.syn, sample.synack, sample.in_)
        every[Trigger.NO_NAMES].see(now, sample.dnsq, sample.dnsr, sample.in_)
        self._stopped.see(now, sample.in_)

    def busy(self, now: Instant) -> bool:
        """Whether anything has moved of late: people are at work by this line."""
        return now - self._moved_at < BUSY_S

    def armed(self) -> bool:
        """Whether enough has been counted for anything to become suspicious."""
        lines, syn, dns = self._unanswered.values()
        unanswered = lines.packets >= lines.at_least or syn.packets >= syn.at_least or dns.packets >= dns.at_least
        return unanswered or len(self._stopped.looks) >= STEADY_PER_S

    def deadline(self, trip: RoundTrip) -> Instant:
        """When `suspicion` may have something to say although nothing is counted."""
        return min(due_at for _, due_at in self._due(trip))

    def suspicion(self, now: Instant, trip: RoundTrip) -> Trigger | None:
        """The trigger that cries at `now`; it begins anew, and is more patient from now on."""
        for trigger, due_at in self._due(trip):
            if now >= due_at:
                watch = self._unanswered.get(trigger)
                (watch.backoff if watch else self._stopped.backoff).grow(now)
                self.forget()
                return trigger
        return None

    def forget(self) -> None:
        """What was counted so far explains nothing: there are questions under way, or we were late ourselves."""
        for watch in self._unanswered.values():
            watch.forget()
        self._stopped.forget()

    def trust(self) -> None:
        """The line was really dead: whoever cried was right."""
        for backoff in (*(watch.backoff for watch in self._unanswered.values()), self._stopped.backoff):
            backoff.factor = 1.0

    def _due(self, trip: RoundTrip) -> Iterator[tuple[Trigger, Instant]]:
        once_s, twice_s = (trip.patience_s(trips, 0.0, MARGIN_S) for trips in (1.0, 2.0))
        yield Trigger.UNANSWERED, self._unanswered[Trigger.UNANSWERED].due_at(once_s)
        yield Trigger.STOPPED, self._stopped.due_at(twice_s)
        yield Trigger.NO_HANDSHAKE, self._unanswered[Trigger.NO_HANDSHAKE].due_at(once_s)
        yield Trigger.NO_NAMES, self._unanswered[Trigger.NO_NAMES].due_at(once_s)
