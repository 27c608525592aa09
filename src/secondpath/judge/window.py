"""What one line was asked and what it answered, and the arithmetic of loss and delay on that.

A probe is *settled* when it was answered, ended otherwise, or is overdue at `now`. Overdue is only a view:
an answer that comes later turns a loss into an answer at the next look.

An address that answers badly while the others answer well tells of itself, not of the line: every sum here is also
made with each witness left out, and the most favourable of them counts. So no single target can convict a line.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
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
ALONE_RATIO = 0.1
"""A witness was silent alone if the others, asked meanwhile, lost no more than this."""

OK = Outcome.OK
"""Looked up once: a member of an enum costs a search each time, and a window has hundreds of answers."""
LOST = frozenset({Outcome.TIMEOUT, Outcome.UNSENT, Outcome.FORBIDDEN})


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
    excused: bool = False
    """Its loss was the witness's own: it was silent alone."""

    def answered(self) -> bool:
        """Whether the target itself answered well."""
        return self.outcome is OK

    def lost(self, now: Instant) -> bool:
        """Whether it counts as lost at `now`: no answer in time, or it could not even leave."""
        if self.outcome is None:
            return now >= self.overdue_at
        return self.outcome in LOST

    def retransmitted(self) -> bool:
        """Whether the answer came only because the kernel asked again.

        A connect that takes TCP's initial retransmission timeout (1 s, RFC 6298) hides a lost packet.
        """
        if self.rtt_s is None or self.rtt_s < RETRANSMISSION_S:
            return False
        return self.rtt_s >= self.overdue_at - self.at and self.probe.target.kind in OVER_TCP

    def missed(self, now: Instant) -> bool:
        """Whether the line lost something of it, even if an answer came in the end."""
        if self.excused:
            return False
        if self.outcome is OK and (self.rtt_s is None or self.rtt_s < RETRANSMISSION_S):
            return False  # most are
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
    heard: dict[str, Instant] = field(default_factory=dict)
    """When the newest question was asked that a target has answered, by its URI."""
    answered_at: Instant | None = None
    late_at: Instant = -math.inf
    """When an answer last came that had been given up."""
    answered_ask_at: Instant | None = None
    deaf: frozenset[ProbeKind] = frozenset()
    """Kinds whose silence has a reason of its own (judge/ladder): it is no loss of the line's."""
    _open: dict[int, Asked] = field(default_factory=dict)
    """Those of them that have not been answered well, by the number of the probe."""

    def round_trip(self, target: Target) -> RoundTrip:
        """The round-trip estimate of one target."""
        return self.round_trips.setdefault(target.uri, RoundTrip())

    def nearest(self) -> RoundTrip:
        """The shortest estimate: that of the line itself, rather than of what lies behind it."""
        nearest, least_s = None, math.inf
        for trip in self.round_trips.values():
            if trip.srtt_s is not None and trip.srtt_s < least_s:
                nearest, least_s = trip, trip.srtt_s
        return nearest or RoundTrip()

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
            if entry.at > self.heard.get(uri, -math.inf):  # that it is given up now says nothing of what came since
                self.unanswered[uri] = self.unanswered.get(uri, 0) + 1
            if self.unanswered.get(uri, 0) >= MUTE_AFTER:
                self._excuse(now, entry.witness)
            return
        del self._open[result.probe.number]
        self._excuse(now, entry.witness, entry.at)
        self.unanswered[uri], self.heard[uri] = 0, max(entry.at, self.heard.get(uri, entry.at))
        self.answered_at = now
        if now > entry.overdue_at and not entry.retransmitted():  # else it was lost: the kernel asked again
            self.late_at = now
        self.answered_ask_at = max(entry.at, self.answered_ask_at or entry.at)
        if result.rtt_s is not None and not entry.retransmitted():  # Karn's algorithm: RFC 6298, section 3
            self.round_trip(result.probe.target).add(result.rtt_s)

    def _excuse(self, now: Instant, witness: str, before: Instant = math.inf) -> None:
        """A witness is or was silent while the others were not: that is its fault, and no loss of the line's.

        Else the silences of several, each alone and one after the other, add up to a line that loses.
        """
        silence, others = list[Asked](), list[Asked]()
        for entry in reversed(self.asked):
            if entry.at >= before or (entry.outcome is None and now < entry.overdue_at):
                continue
            if entry.witness != witness:
                others.append(entry)
            elif entry.excused or entry.missed(now):
                silence.append(entry)
            else:
                break
        if len(silence) < MUTE_AFTER:
            return
        beside = [entry for entry in others if silence[-1].at <= entry.at <= silence[0].at]
        if len(beside) >= MUTE_AFTER and sum(e.missed(now) for e in beside) <= ALONE_RATIO * len(beside):
            for entry in silence:
                entry.excused = True

    def _learn_round_trip(self, result: ProbeResult) -> None:
        """An answer to a question that is not counted here (judge/ladder) tells how long such answers take."""
        if result.outcome is Outcome.OK and result.rtt_s is not None and result.rtt_s < RETRANSMISSION_S:
            self.round_trip(result.probe.target).add(result.rtt_s)

    def mute(self, target: Target) -> bool:
        """Whether this target alone keeps silent (the line as a whole did answer)."""
        return self.unanswered.get(target.uri, 0) >= MUTE_AFTER and 0 in self.unanswered.values()

    def _troubled(self, now: Instant) -> bool:
        """Whether anything may have been lost: a question ended without a good answer, or one came late."""
        ended = any(entry.outcome is not None or now >= entry.overdue_at for entry in self._open.values())
        return ended or any(e.rtt_s is not None and e.rtt_s >= RETRANSMISSION_S for e in self.asked)

    def _mute(self) -> frozenset[str]:
        """Every target that is `mute`, by its URI."""
        if 0 not in self.unanswered.values():
            return frozenset()
        return frozenset(uri for uri, n in self.unanswered.items() if n >= MUTE_AFTER)

    def has_answered(self, since: Instant) -> bool:
        """Whether anything that was asked since then has been answered."""
        return self.answered_ask_at is not None and self.answered_ask_at >= since

    def since(self, start: Instant) -> list[Asked]:
        """The questions asked at or after an instant."""
        return [a for a in self.asked if a.at >= start]

    def first_overdue(self, now: Instant) -> Asked | None:
        """The oldest lost question that was asked after every answered one, of a target that is not mute."""
        answered_at = -math.inf if self.answered_ask_at is None else self.answered_ask_at
        for entry in self._open.values():
            if entry.at > answered_at and entry.lost(now):
                target = entry.probe.target
                if target.kind not in self.deaf and not self.mute(target):
                    return entry
        return None

    def next_overdue(self, now: Instant) -> Instant:
        """When the next open question becomes overdue; infinity when none is open."""
        next_at = math.inf
        for entry in self._open.values():
            if entry.outcome is None and now < entry.overdue_at < next_at:
                next_at = entry.overdue_at
        return next_at

    def grant(self, until: Instant) -> None:
        """Give every open question time until then: we were late ourselves and have not read the answers yet."""
        for entry in self._open.values():
            if entry.outcome is None:
                entry.overdue_at = max(entry.overdue_at, until)

    def tally(self, now: Instant, start: Instant, end: Instant = math.inf) -> tuple[int, int]:
        """Lost and settled questions asked from `start` to `end`, the worst witness (address) left out."""
        witnesses: dict[str, list[int]] = {}
        for entry in self.asked:
            counts = start <= entry.at <= end and not entry.excused and entry.probe.target.kind not in self.deaf
            if counts and entry.settled(now):
                count = witnesses.setdefault(entry.witness, [0, 0])
                count[0] += entry.missed(now)
                count[1] += 1
        if len(witnesses) > 1:
            del witnesses[max(witnesses, key=lambda w: (witnesses[w][0] / witnesses[w][1], witnesses[w][1]))]
        return sum(c[0] for c in witnesses.values()), sum(c[1] for c in witnesses.values())

    def doubt(self, now: Instant, start: Instant) -> float:
        """How strongly the questions since `start` speak for a brown-out: Page's cumulative sum (Page 1954).

        The sum forgets good times: it cannot fall below 0, so an hour without loss does not hide the next minute.
        One sum is kept for each witness left out; the smallest counts. How much is enough: judge/doubts.
        """
        return min(self.sums(now, start).values(), default=0.0)

    def sums(self, now: Instant, start: Instant, end: Instant = math.inf) -> dict[str, float]:
        """Page's sums of what was asked from `start` to `end`, one for each witness left out; empty if all is well.

        The smallest is doubt, the largest unease.
        """
        if not self._troubled(now):
            return {}
        mute, deaf = self._mute(), self.deaf
        evidence = [
            (e.witness, LLR_LOST if e.missed(now) else LLR_ANSWERED)
            for e in self.asked
            if not e.excused
            and start <= e.at <= end
            and (e.outcome is not None or now >= e.overdue_at)
            and not (deaf and e.probe.target.kind in deaf)
            and not (mute and e.probe.target.uri in mute)
        ]
        return {witness: _page(evidence, witness) for witness in dict(evidence)}

    def measurement(self, now: Instant, start: Instant) -> Measurement:
        """What the window shows of the line at `now`, counting from `start`."""
        lost, samples = self.tally(now, start)
        nearest = self.nearest()
        jitter_s = None if nearest.srtt_s is None else nearest.rttvar_s
        return Measurement(samples, lost / samples if samples else 0.0, nearest.srtt_s, jitter_s)


def _page(evidence: Iterable[tuple[str, float]], left_out: str) -> float:
    """Page's sum of what each witness said in turn, but for one."""
    total = 0.0
    for witness, says in evidence:
        if witness != left_out:
            total = total + says if total > -says else 0.0
    return total
