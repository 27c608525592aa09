"""What one line was asked and what it answered, and the arithmetic of loss and delay on that.

A probe is *settled* when it was answered, ended otherwise, or is overdue at `now`. Overdue is only a view:
an answer that comes later turns a loss into an answer at the next look.

An address that answers badly while the others answer well tells of itself, not of the line: every sum here is also
made with each witness left out, and the most favourable of them counts. So no single target can convict a line.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from secondpath.model import Instant, Measurement, Outcome, Probe, ProbeKind, ProbeResult, Target

SPAN_S = 60.0
"""How far back a window reaches."""
FIRST_PATIENCE_S = 1.0
"""Patience with a target never heard before: the initial retransmission timeout of RFC 6298, section 2."""
RETRANSMISSION_S = 1.0
OVER_TCP = frozenset({ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.HTTPS})
MUTE_AFTER = 3
"""A target that left this many questions in a row unanswered, while the line answered others, is mute."""


@dataclass(slots=True)
class Asked:
    """One question: when it was asked, when its answer is overdue (both instants), and how it ended.

    The witness is the address that was asked: two kinds of question to one address are one witness.
    """

    probe: Probe
    at: Instant
    overdue_at: Instant
    witness: str
    outcome: Outcome | None = None
    rtt_s: float | None = None

    def answered(self) -> bool:
        """Whether the target itself answered well."""
        return self.outcome is Outcome.OK

    def lost(self, now: Instant) -> bool:
        """Whether it counts as lost at `now`: no answer in time, or it could not even leave."""
        if self.outcome is None:
            return now >= self.overdue_at
        return self.outcome in (Outcome.TIMEOUT, Outcome.UNSENT)

    def retransmitted(self) -> bool:
        """Whether the answer came only because the kernel asked again.

        A connect that takes TCP's initial retransmission timeout (1 s, RFC 6298) hides a lost packet.
        """
        late = self.rtt_s is not None and self.rtt_s >= max(RETRANSMISSION_S, self.overdue_at - self.at)
        return late and self.probe.target.kind in OVER_TCP

    def missed(self, now: Instant) -> bool:
        """Whether the line lost something of it, even if an answer came in the end."""
        return self.lost(now) or self.retransmitted()

    def settled(self, now: Instant) -> bool:
        """Whether it need not be waited for any longer."""
        return self.outcome is not None or now >= self.overdue_at


@dataclass(slots=True)
class RoundTrip:
    """Smoothed round trip and its variation in seconds (RFC 6298, section 2: alpha 1/8, beta 1/4)."""

    srtt_s: float | None = None
    rttvar_s: float = 0.0

    def add(self, rtt_s: float) -> None:
        """Take one measurement in."""
        if self.srtt_s is None:
            self.srtt_s, self.rttvar_s = rtt_s, rtt_s / 2
        else:
            self.rttvar_s += (abs(self.srtt_s - rtt_s) - self.rttvar_s) / 4
            self.srtt_s += (rtt_s - self.srtt_s) / 8

    def patience_s(self, factor: float, floor_s: float, margin_s: float) -> float:
        """How long an answer may take before its absence means something."""
        if self.srtt_s is None:
            return FIRST_PATIENCE_S
        return max(floor_s, factor * self.srtt_s + 4 * self.rttvar_s + margin_s)


LLR_LOST = math.log(0.18 / 0.07)
LLR_ANSWERED = math.log((1 - 0.18) / (1 - 0.07))
"""What one lost or answered question says for a loss of 18 % against one of 7 % (log likelihood ratio)."""


@dataclass(slots=True)
class Window:
    """The questions of one line within SPAN_S, oldest first."""

    asked: deque[Asked] = field(default_factory=deque)
    round_trips: dict[str, RoundTrip] = field(default_factory=dict)
    unanswered: dict[str, int] = field(default_factory=dict)
    answered_at: Instant | None = None
    late_at: Instant = -math.inf
    """When an answer last came that had been given up."""
    answered_ask_at: Instant | None = None
    deaf: frozenset[ProbeKind] = frozenset()
    """Kinds whose silence has a reason of its own (judge/ladder): it is no loss of the line's."""
    _open: dict[int, Asked] = field(default_factory=dict)

    def round_trip(self, target: Target) -> RoundTrip:
        """The round-trip estimate of one target."""
        return self.round_trips.setdefault(target.uri, RoundTrip())

    def nearest(self) -> RoundTrip:
        """The shortest estimate: that of the line itself, rather than of what lies behind it."""
        known = (r for r in self.round_trips.values() if r.srtt_s is not None)
        return min(known, key=lambda r: r.srtt_s or 0.0, default=RoundTrip())

    def ask(self, now: Instant, probe: Probe, patience_s: float) -> None:
        """Note a question that leaves now."""
        entry = Asked(probe, now, now + min(patience_s, probe.timeout_s), str(probe.target.address))
        self.asked.append(entry)
        self._open[probe.number] = entry
        while self.asked and now - self.asked[0].at > SPAN_S:
            self._open.pop(self.asked.popleft().probe.number, None)

    def answer(self, now: Instant, result: ProbeResult) -> None:
        """Note how a question ended; an answer after a timeout still counts as an answer."""
        entry = self._open.get(result.probe.number)
        if entry is None:
            self._learn_round_trip(result)
            return
        entry.outcome, entry.rtt_s = result.outcome, result.rtt_s
        uri = result.probe.target.uri
        if not entry.answered():
            self.unanswered[uri] = self.unanswered.get(uri, 0) + 1
            return
        del self._open[result.probe.number]
        self.unanswered[uri] = 0
        self.answered_at = now
        if now > entry.overdue_at and not entry.retransmitted():  # else it was lost: the kernel asked again
            self.late_at = now
        self.answered_ask_at = max(entry.at, self.answered_ask_at or entry.at)
        if result.rtt_s is not None and not entry.retransmitted():  # Karn's algorithm: RFC 6298, section 3
            self.round_trip(result.probe.target).add(result.rtt_s)

    def _learn_round_trip(self, result: ProbeResult) -> None:
        """An answer to a question that is not counted here (judge/ladder) tells how long such answers take."""
        if result.outcome is Outcome.OK and result.rtt_s is not None and result.rtt_s < RETRANSMISSION_S:
            self.round_trip(result.probe.target).add(result.rtt_s)

    def mute(self, target: Target) -> bool:
        """Whether this target alone keeps silent (the line as a whole did answer)."""
        return self.unanswered.get(target.uri, 0) >= MUTE_AFTER and any(
            n == 0 for uri, n in self.unanswered.items() if uri != target.uri
        )

    def since(self, start: Instant) -> list[Asked]:
        """The questions asked at or after an instant."""
        return [a for a in self.asked if a.at >= start]

    def first_overdue(self, now: Instant) -> Asked | None:
        """The oldest lost question that was asked after every answered one, of a target that is not mute."""
        found = None
        for entry in reversed(self.asked):
            if self.answered_ask_at is not None and entry.at <= self.answered_ask_at:
                break
            if entry.lost(now) and not self.mute(entry.probe.target) and entry.probe.target.kind not in self.deaf:
                found = entry
        return found

    def next_overdue(self, now: Instant) -> Instant:
        """When the next open question becomes overdue; infinity when none is open."""
        waiting = (a.overdue_at for a in self._open.values() if a.outcome is None and a.overdue_at > now)
        return min(waiting, default=math.inf)

    def grant(self, until: Instant) -> None:
        """Give every open question time until then: we were late ourselves and have not read the answers yet."""
        for entry in self._open.values():
            if entry.outcome is None:
                entry.overdue_at = max(entry.overdue_at, until)

    def tally(self, now: Instant, start: Instant) -> tuple[int, int]:
        """Lost and settled questions since `start`, the worst witness (address) left out."""
        witnesses: dict[str, list[int]] = {}
        for entry in self.asked:
            if entry.at >= start and entry.settled(now) and entry.probe.target.kind not in self.deaf:
                count = witnesses.setdefault(entry.witness, [0, 0])
                count[0] += entry.missed(now)
                count[1] += 1
        if len(witnesses) > 1:
            del witnesses[max(witnesses, key=lambda w: (witnesses[w][0] / witnesses[w][1], witnesses[w][1]))]
        return sum(c[0] for c in witnesses.values()), sum(c[1] for c in witnesses.values())

    def doubt(self, now: Instant, start: Instant) -> float:
        """How strongly the questions since `start` speak for a brown-out: Page's cumulative sum (Page 1954).

        The sum forgets good times: it cannot fall below 0, so an hour without loss does not hide the next minute.
        One sum is kept for each witness left out; the smallest counts. 12 is a chance of about one in a million.
        """
        return min(self.sums(now, start).values(), default=0.0)

    def sums(self, now: Instant, start: Instant, end: Instant = math.inf) -> dict[str, float]:
        """Page's sums of what was asked from `start` to `end`, one for each witness left out; empty if all is well.

        The smallest is doubt, the largest unease.
        """
        if all(entry.outcome is Outcome.OK and not entry.retransmitted() for entry in self.asked):
            return {}
        entries = [
            e
            for e in self.asked
            if start <= e.at <= end
            and e.settled(now)
            and e.probe.target.kind not in self.deaf
            and not self.mute(e.probe.target)
        ]
        sums = {e.witness: 0.0 for e in entries}
        for entry in entries:
            evidence = LLR_LOST if entry.missed(now) else LLR_ANSWERED
            for left_out, total in sums.items():
                if left_out != entry.witness:
                    sums[left_out] = max(0.0, total + evidence)
        return sums

    def measurement(self, now: Instant, start: Instant) -> Measurement:
        """What the window shows of the line at `now`, counting from `start`."""
        lost, samples = self.tally(now, start)
        nearest = self.nearest()
        jitter_s = None if nearest.srtt_s is None else nearest.rttvar_s
        return Measurement(samples, lost / samples if samples else 0.0, nearest.srtt_s, jitter_s)
