"""An application that does not work over the line of its class, and works over another, travels there alone.

It goes home when it has worked there, without a break, for the hold; the hold doubles after each relapse, as for lines
(failback). It goes with its class again at once where its own line fails, or its class comes to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from secondpath.decide.failback import Trust
from secondpath.decide.treatment import class_name_of, fate_of
from secondpath.model import Application, Failover, Family, Health, Instant, Line, Site, Stage, Treatment


@dataclass(frozen=True, slots=True)
class Way:
    """What is known of one application over one uplink, in the order of preference.

    `works`: None while not known. `proven`: so surely that one may go there, and the line itself is well.
    """

    uplink: str
    works: bool | None
    proven: bool
    answers: bool
    """Whether the line itself is not down."""


@dataclass(slots=True)
class Detours:
    """Where applications travel that do not travel with their class, by name and family."""

    uplinks: dict[tuple[str, Family], str] = field(default_factory=dict)
    generations: dict[tuple[str, Line], int] = field(default_factory=dict)
    _trust: dict[tuple[str, Line], Trust] = field(default_factory=dict)

    def settle(self, site: Site) -> None:
        """Take a configuration over: applications and uplinks that are gone have no detour any more."""
        names, uplinks = {a.name for a in site.applications}, {u.name for u in site.uplinks}
        self.uplinks = {key: up for key, up in self.uplinks.items() if key[0] in names and up in uplinks}
        self.generations = {
            key: count for key, count in self.generations.items() if key[0] in names and key[1].uplink in uplinks
        }
        self._trust = {key: trust for key, trust in self._trust.items() if key[0] in names}

    def decide(
        self, now: Instant, name: str, used: Line, ways: tuple[Way, ...], rules: Failover, at_rest: bool
    ) -> tuple[str, str] | None:
        """Where it travels from now on: the uplink before and the one after, or None when nothing changes."""
        key = (name, used.family)
        before = self.uplinks.get(key, used.uplink)
        trust = self._trust.setdefault((name, used), Trust(rules.hold_s))
        home = next((way for way in ways if way.uplink == used.uplink), None)
        if home is not None and home.works is not None:
            trust.see(now, Health.UP if home.works else Health.DOWN, rules)
        after = self._after(now, before, home, ways, trust, at_rest)
        if after == before:
            if after == used.uplink:
                self.uplinks.pop(key, None)  # its class has come to it
            return None
        self.uplinks[key] = after
        if after == used.uplink:
            del self.uplinks[key]
        left = next((way for way in ways if way.uplink == before), None)
        if left is None or left.works is False or not left.answers:
            line = Line(before, used.family)
            self.generations[name, line] = self.generations.get((name, line), 0) + 1
        return before, after

    def _after(
        self, now: Instant, before: str, home: Way | None, ways: tuple[Way, ...], trust: Trust, at_rest: bool
    ) -> str:
        if home is None:
            return before
        there = next((way for way in ways if way.uplink == before), None)
        if before != home.uplink and there is not None and there.answers and there.works is not False:
            served = home.works is True and trust.served_at() <= now and not at_rest
            return home.uplink if served else before
        if home.works is False:
            return next((way.uplink for way in ways if way is not home and way.proven), home.uplink)
        return home.uplink

    def memory(self) -> list[list[str]]:
        """What has to outlive a restart, as JSON has it."""
        return [[name, family.value, uplink] for (name, family), uplink in self.uplinks.items()]

    def recall(self, memory: Iterable[Sequence[str]], site: Site) -> None:
        """Take up what an earlier life remembered, as far as the configuration still has it."""
        self.uplinks |= {(name, Family(family)): uplink for name, family, uplink in memory}
        self.settle(site)

    def deadline(self, now: Instant) -> Instant:
        """When a hold will have been served."""
        apart = self.uplinks.keys()
        times = (trust.served_at() for (name, line), trust in self._trust.items() if (name, line.family) in apart)
        return min((t for t in times if t > now), default=math.inf)


def may_use(application: Application, uplink: str, site: Site, stages: Mapping[str, Stage]) -> bool:
    """Whether it may travel there: what is blocked on a backup has no detour over one."""
    stage = stages.get(uplink, Stage.AMPLE)
    fate = fate_of(site, class_name_of(application), uplink, stage, application.on_backup)
    return fate.treatment is not Treatment.BLOCK
