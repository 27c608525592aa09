"""What people asked for, and how long it is in force. Pure: `now` comes in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from secondpath.model import CARRIES, Family, Instant, Line, LineState, Override, OverrideKind, Site


@dataclass(slots=True)
class Word:
    """Uplinks that a person has pinned, by family, and until when nobody is to move without need."""

    pinned: dict[Family, str] = field(default_factory=dict)
    at_rest_until: Instant = -math.inf

    def refusal(self, override: Override, site: Site, states: Mapping[Line, LineState], is_home: bool) -> str | None:
        """Why it could not be followed now: an uplink's name and its state; None when it can."""
        if override.kind is OverrideKind.FAILOVER:
            if override.uplink not in {u.name for u in site.uplinks}:
                return f"there is no uplink named {override.uplink}"
            lines = [state for line, state in states.items() if line.uplink == override.uplink]
            if not any(s.health in CARRIES for s in lines):
                return f"{override.uplink} is not proven to work: it is {lines[0].health} ({lines[0].cause})"
        if override.kind is OverrideKind.FAILBACK and is_home:
            return "traffic already uses the most preferred uplink that works"
        return None

    def obey(self, now: Instant, override: Override, states: Mapping[Line, LineState]) -> None:
        """Do as was asked; `refusal` has said nothing against it."""
        if override.kind is OverrideKind.HOLD:
            self.at_rest_until = now + override.duration_s
        elif override.kind is OverrideKind.FAILOVER and override.uplink is not None:
            self.pinned |= {f: override.uplink for f in Family if states[Line(override.uplink, f)].health in CARRIES}
        else:
            self.pinned, self.at_rest_until = {}, -math.inf

    def standing(self, now: Instant) -> tuple[Override | None, float | None]:
        """What is in force, and for how many seconds yet (None: until it is taken back)."""
        if now < self.at_rest_until:
            left_s = self.at_rest_until - now
            return Override(OverrideKind.HOLD, None, left_s), left_s
        if self.pinned:
            return Override(OverrideKind.FAILOVER, next(iter(self.pinned.values()))), None
        return None, None

    def at_rest(self, now: Instant) -> bool:
        """Whether a person asked us not to move unless we must."""
        return now < self.at_rest_until

    def keep(self, lines: Iterable[Line]) -> None:
        """Forget the pins of uplinks that are gone."""
        there = set(lines)
        self.pinned = {f: name for f, name in self.pinned.items() if Line(name, f) in there}

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it."""
        pinned = {family.value: name for family, name in self.pinned.items()}
        return {"pinned": pinned, "at_rest_s": max(0.0, self.at_rest_until - now)}

    def recall(self, now: Instant, memory: Mapping[str, Any], passed_s: float, lines: Iterable[Line]) -> None:
        """Take up what an earlier life remembered, `passed_s` seconds ago."""
        there = set(lines)
        for family in Family:
            name = memory.get("pinned", {}).get(family.value)
            if name is not None and Line(name, family) in there:
                self.pinned[family] = name
        self.at_rest_until = max(self.at_rest_until, now + memory.get("at_rest_s", 0.0) - passed_s)
