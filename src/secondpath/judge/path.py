"""The way to the internet, hop by hop: how far one still comes on a line on which nothing outside answers.

Echoes with a growing TTL, as traceroute asks: a router at which it is used up says so. Silence of one that never spoke
says nothing, so the way is learned while all is well: once the line has come up, then seldom. When a line is silent
though its next hop is not, it is asked once more. The last that answers lies before the fault; the next one, if it
used to answer, lies at it or beyond.

This explains a line, and neither convicts nor acquits it: whatever comes back here is no answer from outside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from secondpath.model import (
    Cause,
    Health,
    Instant,
    IPAddress,
    LastHop,
    LineState,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Target,
)

MOST_HOPS = 16
ABREAST = 4
"""Hops asked at the same time."""
WAIT_S = 1.0
"""How long a hop may take to answer."""
OVERDUE_S = 1.5 * WAIT_S
"""What has not even ended by then is not waited for."""
LEARN_AFTER_S = 20.0
LEARN_S, LEARN_METERED_S = 3600.0, 86_400.0
"""The way is learned so long after a line has come up, and again so long after that."""
SILENT_AFTER_S = 1.5
"""When a silent line is asked: by then it is known whether its next hop answers (judge/near)."""
AGAIN_S, AGAIN_METERED_S = 600.0, 7200.0
"""A line that stays silent is asked again."""
LASTING = frozenset({Cause.SILENT, Cause.RECOVERING})
"""As long as a line is down for one of these, what was found out stays true."""


@dataclass(slots=True)
class Trace:
    """One walk along the way: how far it was known to go and was asked, who is being asked, and who has answered."""

    target: Target
    began: Instant
    silent: bool
    known_to: int
    asked_to: int = 0
    again: bool = False
    reached: int | None = None
    heard: dict[int, IPAddress] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    overdue_at: Instant = -math.inf

    def waits(self, now: Instant) -> bool:
        """Whether some hop may yet answer."""
        return bool(self.open) and now < self.overdue_at

    def next_hops(self) -> Iterable[int]:
        """Whom to ask next, by TTL; nobody when the end is reached, or all have been silent for a whole wave.

        Silence on a dead line is asked once more before it is believed: any packet may be lost.
        """
        if self.reached is not None:
            return ()
        last, farthest = max(self.heard, default=0), self.known_to or MOST_HOPS
        goes_on = bool(self.known_to) or last > self.asked_to - ABREAST
        if goes_on and self.asked_to < farthest and not self.again:
            return range(self.asked_to + 1, min(self.asked_to + ABREAST, farthest) + 1)
        if self.silent and not self.again and last < self.asked_to:
            self.again = True
            return range(last + 1, min(last + ABREAST, self.asked_to) + 1)
        return ()


@dataclass(slots=True)
class Path:
    """The way of one line: `usual` has who answered at each hop when all was well, `last_hop` what was found since."""

    usual: dict[int, IPAddress] = field(default_factory=dict)
    learned_from: str = ""
    learned_at: Instant = -math.inf
    traced_at: Instant = -math.inf
    trace: Trace | None = None
    last_hop: LastHop | None = None

    def due_at(self, state: LineState, metered: bool) -> Instant:
        """When the way is to be walked, or to be walked on."""
        if self.trace is not None:
            return self.trace.overdue_at if self.trace.open else -math.inf
        if state.health is Health.DOWN and state.cause is Cause.SILENT:
            first = self.traced_at < state.since
            return state.since + SILENT_AFTER_S if first else self.traced_at + (AGAIN_METERED_S if metered else AGAIN_S)
        if state.health is not Health.UP:
            return math.inf
        if metered:
            return max(state.since + LEARN_AFTER_S, self.learned_at + LEARN_METERED_S)
        return (self.learned_at + LEARN_S) if self.learned_at >= state.since else state.since + LEARN_AFTER_S

    def questions(self, now: Instant, state: LineState, target: Target) -> list[tuple[Target, int]]:
        """Whom to ask now, with which TTL; a walk that has come to its end is concluded."""
        trace = self._trace(now, state, target)
        if trace is None or trace.waits(now):
            return []
        trace.open.clear()
        hops = trace.next_hops()
        if not hops:
            self.trace = None
            self._conclude(now, trace)
        return [(trace.target, ttl) for ttl in hops]

    def asked(self, now: Instant, probe: Probe) -> None:
        """Note a question that leaves now."""
        if self.trace is not None and probe.ttl is not None:
            self.trace.open[probe.number] = probe.ttl
            self.trace.asked_to = max(self.trace.asked_to, probe.ttl)
            self.trace.overdue_at = now + OVERDUE_S

    def answered(self, result: ProbeResult) -> bool:
        """Note how a question ended; whether it was one of ours, however late."""
        ttl = result.probe.ttl
        if ttl is not None and self.trace is not None and self.trace.open.pop(result.probe.number, None) is not None:
            by = result.probe.target.address if result.outcome is Outcome.OK else result.by
            if by is not None:
                self.trace.heard[ttl] = by
            if result.outcome is Outcome.OK:
                self.trace.reached = min(ttl, self.trace.reached or ttl)
        return ttl is not None

    def learned(self) -> dict[str, str]:
        """Who answered at each hop when all was well, by TTL."""
        return {str(ttl): str(address) for ttl, address in sorted(self.usual.items())}

    def ends_at(self, state: LineState) -> LastHop | None:
        """How far one comes on a line that is silent, where that is known."""
        found = self.last_hop
        lasts = state.health is Health.DOWN and state.cause in LASTING
        return found if found is not None and lasts and found.at >= state.since else None

    def _trace(self, now: Instant, state: LineState, target: Target) -> Trace | None:
        """The walk under way, or a new one; one that the line's state has overtaken is given up."""
        silent = state.health is Health.DOWN and state.cause is Cause.SILENT
        well = state.health is Health.UP
        trace = self.trace
        if trace is not None and (trace.began < state.since or trace.silent is not silent or not (silent or well)):
            self.trace = trace = None
        if trace is None and (silent or well):
            if self.learned_from != str(target.address):
                self.usual, self.learned_from = {}, str(target.address)
            walked = Target(f"path://{target.address}", ProbeKind.ICMP, target.address)
            trace = self.trace = Trace(walked, now, silent, max(self.usual, default=0) if silent else 0)
            self.traced_at = now
        return trace

    def _conclude(self, now: Instant, trace: Trace) -> None:
        heard = {ttl: by for ttl, by in trace.heard.items() if ttl <= (trace.reached or MOST_HOPS)}
        if not trace.silent:
            self.usual, self.learned_at = heard or self.usual, now
        elif trace.reached is None and heard:
            last = max(heard)
            beyond = min((ttl for ttl in self.usual if ttl > last), default=None)
            self.last_hop = LastHop(now, last, heard[last], beyond, None if beyond is None else self.usual[beyond])


def end_of(targets: Iterable[Target]) -> Target | None:
    """Where to walk to: an address that is asked for its echo, if there is one."""
    named = list(targets)
    return next((t for t in named if t.kind is ProbeKind.ICMP), named[0] if named else None)
