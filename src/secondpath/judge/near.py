"""What is near: the next hop of the provider, and the modem. When a line is silent they tell how far one still comes.

They are asked while all is well too, though seldom: silence of one that never answered says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice

from secondpath.judge.window import Window
from secondpath.model import (
    Cause,
    Health,
    Instant,
    InterfaceChange,
    IPAddress,
    Line,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Target,
    Uplink,
    family_of,
)

CALM_S = 60.0
CALM_METERED_S = 7200.0
SILENT_S = 1.0
"""Pace while the line is silent."""
LOST_AFTER = 2
"""Questions in a row without an answer, before somebody near is said to be silent."""
RECENT = 6
"""So many of the last questions tell whether silence begins on this very box."""
NEXT_HOP, MODEM = "next-hop", "modem"


@dataclass(slots=True)
class Near:
    """Who is near on one line, and whether they answer. Addresses are learned from the interface and the site."""

    line: Line
    asked_at: Instant = -math.inf
    worked: set[str] = field(default_factory=set)
    lost: dict[str, int] = field(default_factory=dict)

    def due_at(self, health: Health, since: Instant, metered: bool) -> Instant:
        """When they are to be asked next."""
        if health is Health.DOWN:
            return since if self.asked_at < since else self.asked_at + SILENT_S
        return self.asked_at + (CALM_METERED_S if metered else CALM_S)

    def targets(self, uplink: Uplink, interface: InterfaceChange | None) -> list[Target]:
        """Whom to ask, the farthest first."""
        found: list[tuple[str, IPAddress]] = []
        hop = interface.gateway(self.line.family) if interface is not None else None
        if hop is not None:
            found.append((NEXT_HOP, hop))
        if uplink.modem is not None and family_of(uplink.modem) is self.line.family:
            found.append((MODEM, uplink.modem))
        return [Target(f"{name}://{address}", ProbeKind.ICMP, address) for name, address in found]

    def asked(self, probe: Probe) -> None:
        """Note a question that leaves now."""
        name = _name(probe)
        self.lost[name] = self.lost.get(name, 0) + 1

    def answered(self, result: ProbeResult) -> bool:
        """Note how a question ended; whether it was one of ours, however late."""
        name = _name(result.probe)
        if name in (NEXT_HOP, MODEM) and result.outcome is Outcome.OK:
            self.lost[name] = 0
            self.worked.add(name)
        return name in (NEXT_HOP, MODEM)

    def silent(self, name: str) -> bool:
        """Whether one that used to answer does not any more."""
        return name in self.worked and self.lost.get(name, 0) >= LOST_AFTER

    def cause(self) -> Cause | None:
        """How far one still comes on a silent line; None where the next hop answers, or nothing is known."""
        if not self.silent(NEXT_HOP):
            return None
        if self.silent(MODEM):
            return Cause.MODEM
        return Cause.ACCESS if MODEM in self.worked else Cause.NEXT_HOP


def cause_of_silence(now: Instant, window: Window, near: Near, portal: bool) -> Cause:
    """Why nothing outside answers: what is nearest to us first."""
    ended = [a.outcome for a in islice(reversed(window.asked), RECENT) if a.settled(now)]
    if Outcome.FORBIDDEN in ended:
        return Cause.OWN_RULES
    known = Cause.CAPTIVE if portal else near.cause()
    if known is not None:
        return known
    return Cause.UNSENT if ended and all(outcome is Outcome.UNSENT for outcome in ended) else Cause.SILENT


def _name(probe: Probe) -> str:
    return probe.target.uri.partition(":")[0]
