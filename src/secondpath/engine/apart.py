"""Applications that travel apart: what judge knows of each over each line, handed to decide, and what follows.

Lanes come in as they stand, by class and family; what comes out is part of the steering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from secondpath.decide.detours import Detours, Way, may_use
from secondpath.decide.treatment import class_name_of, lane_on
from secondpath.engine.ways import Ways
from secondpath.judge.applications import Applications
from secondpath.judge.line import LineJudge
from secondpath.model import (
    OFFICE,
    AnswerSeen,
    Application,
    Family,
    Health,
    Instant,
    Lane,
    Line,
    Site,
    Stage,
    Steering,
    Why,
)

Lanes: TypeAlias = Mapping[tuple[str, Family], Lane]
Judges: TypeAlias = Mapping[Line, LineJudge]


@dataclass(slots=True)
class Apart:
    """The applications of one site, and the detours that some of them make."""

    applications: Applications
    detours: Detours = field(default_factory=Detours)
    _learned: int = -1
    _made: dict[tuple[str, Family], str] = field(default_factory=dict)
    _treated: dict[tuple[str, Family], Lane] = field(default_factory=dict)

    def settle(self, now: Instant, site: Site) -> None:
        """Take a configuration over."""
        self.applications.settle(now, site)
        self.detours.settle(site)

    def steering(self, site: Site, ways: Ways) -> Steering:
        """The whole decision."""
        self._learned, self._made = self.applications.learned(), dict(self.detours.uplinks)
        lanes, by_name = ways.lanes(), {a.name: a for a in site.applications}
        detours = {
            (name, family): self._lane(by_name[name], uplink, Why.WORKS_THERE, site, ways)
            for (name, family), uplink in self.detours.uplinks.items()
        }
        self._treated = {
            (a.name, f): self._lane(a, there, lanes[class_name_of(a), f].why, site, ways)
            for a in site.applications
            if a.on_backup is not None
            for f in Family
            if (there := lanes[class_name_of(a), f].uplink or lanes[class_name_of(a), f].barred_from)
        }
        return Steering(
            lanes,
            dict(ways.generations),
            detours,
            dict(self.detours.generations),
            self.applications.destinations(),
            class_generations=dict(ways.class_generations),
            treated=self._treated,
            paces=dict(ways.paces),
        )

    def _lane(self, application: Application, uplink: str, why: Why, site: Site, ways: Ways) -> Lane:
        stage = ways.stages.get(uplink, Stage.AMPLE)
        return lane_on(site, class_name_of(application), uplink, why, stage, application.on_backup)

    def stale(self) -> bool:
        """Whether an address has been learned, or a detour begun or ended, since the steering was made."""
        return self._learned != self.applications.learned() or self._made != self.detours.uplinks

    def decide(
        self, now: Instant, site: Site, judges: Judges, where: Ways, lanes: Lanes, at_rest: bool
    ) -> Iterator[tuple[str, str, str, str]]:
        """Send applications where they work; yields the name and family, the uplinks before and after, and why."""
        self.applications.seen.age(now)
        for (name, family), used in self._homes(lanes).items():
            application = self.applications.known[name].application
            ways = tuple(
                self._way(now, name, judge)
                for line, judge in judges.items()
                if line.family is family and judge.state.offered
                if line.uplink == used or may_use(application, line.uplink, site, where.stages)
            )
            moved = self.detours.decide(now, name, Line(used, family), ways, site.failover, at_rest)
            if moved is not None:
                yield f"{name}/{family}", *moved, (Why.PREFERRED if moved[1] == used else Why.WORKS_THERE).value

    def _way(self, now: Instant, name: str, judge: LineJudge) -> Way:
        line, known = judge.line, self.applications
        proven = judge.state.health is Health.UP and not judge.suspected(now) and known.proven(name, line)
        return Way(line.uplink, known.works(name, line), proven, judge.state.health is not Health.DOWN)

    def _homes(self, lanes: Lanes) -> dict[tuple[str, Family], str]:
        """The uplink that each application's class uses."""
        classes = {name: k.application.traffic_class or OFFICE.name for name, k in self.applications.known.items()}
        used = {
            (name, f): self._treated.get((name, f), lanes[c, f]).uplink for name, c in classes.items() for f in Family
        }
        return {key: uplink for key, uplink in used.items() if uplink is not None}

    def travels(self, lanes: Lanes) -> dict[tuple[str, Family], frozenset[str]]:
        """The uplinks of each application: its class's, and its own."""
        return {key: frozenset({up, self.detours.uplinks.get(key, up)}) for key, up in self._homes(lanes).items()}

    def lines(self) -> frozenset[Line]:
        """The lines that carry an application apart from its class."""
        return frozenset(Line(uplink, family) for (_, family), uplink in self.detours.uplinks.items())

    def ailing(self, lanes: Lanes) -> tuple[dict[Line, str], dict[Line, str]]:
        """The first application that works elsewhere and not here, and the first that works nowhere, by line."""
        here: dict[Line, str] = {}
        nowhere: dict[Line, str] = {}
        for (name, family), used in self._homes(lanes).items():
            line = Line(used, family)
            if self.applications.everywhere(name, family):
                nowhere.setdefault(line, name)
            elif self.applications.works(name, line) is False and (name, family) in self.detours.uplinks:
                here.setdefault(line, name)
        return here, nowhere

    def see(self, now: Instant, answer: AnswerSeen) -> bool:
        """Somebody was answered; whether that tells an address that was not known."""
        self.applications.seen.see(now, answer)
        return self._learned != self.applications.learned()

    def deadline(self, now: Instant) -> Instant:
        """When something may change by itself: a detour, or an address that has become old."""
        return min(self.detours.deadline(now), self.applications.seen.ages_at)

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it."""
        known = self.applications
        return {"addresses": known.names.memory(), "seen": known.seen.memory(now), "detours": self.detours.memory()}

    def recall(self, now: Instant, memory: Mapping[str, Any], site: Site, passed_s: float) -> None:
        """Take up what an earlier life remembered, `passed_s` seconds ago."""
        self.applications.names.recall(now, memory.get("addresses", {}))
        self.applications.seen.recall(now, memory.get("seen", {}), passed_s)
        self.detours.recall(memory.get("detours", []), site)
