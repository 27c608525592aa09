"""The kernel of paper: takes the same changes as the real one, and answers where a flow would leave.

It follows the table's own logic by its maps, the rules by their priority and the routes by their table, so a unit test
asks where a call goes instead of what the text of a rule was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from secondpath.act.plane import (
    ROUTE_MASK,
    UPLINK_MASK,
    Change,
    DataPlane,
    DropRoute,
    DropRule,
    Flip,
    LoadRuleset,
    PutRoute,
    PutRule,
    Route,
    Set,
)
from secondpath.act.ruleset import class_chain, lane_set
from secondpath.model import CLASSES, Family


def _kind(route: Route) -> tuple[Family, int, bool]:
    """What a new route replaces: the default, or the backstop, of its table and family."""
    return route.family, route.table, route.interface is None


@dataclass(slots=True)
class Paper:
    """A kernel that only remembers. `inside` are the IPv6 prefixes of the office, `dead` interfaces that are not up."""

    plane: DataPlane = field(default_factory=DataPlane)
    inside: tuple[str, ...] = ()
    dead: set[str] = field(default_factory=set)
    applied: list[Change] = field(default_factory=list)

    def read(self) -> DataPlane:
        """What it holds of ours."""
        return self.plane

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        """The IPv6 prefixes on the office's own interfaces."""
        return self.inside

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order."""
        for change in changes:
            self.applied.append(change)
            self.plane = self._changed(change)

    def _changed(self, change: Change) -> DataPlane:
        match change:
            case Flip() | LoadRuleset():
                return self._reloaded(change)
            case PutRoute() | DropRoute():
                return replace(self.plane, routes=self._routed(change))
            case PutRule(rule):
                return replace(self.plane, rules=self.plane.rules | {rule})
            case DropRule(rule):
                return replace(self.plane, rules=self.plane.rules - {rule})
            case Set(path, value):
                return replace(self.plane, settings={**self.plane.settings, path: value})

    def _reloaded(self, change: Flip | LoadRuleset) -> DataPlane:
        if isinstance(change, LoadRuleset):
            return replace(self.plane, ruleset=change.ruleset, elements=dict(change.elements))
        merged = {**self.plane.elements, **change.elements}
        return replace(self.plane, elements={k: v for k, v in merged.items() if v is not None})

    def _routed(self, change: PutRoute | DropRoute) -> frozenset[Route]:
        if isinstance(change, DropRoute):
            return self.plane.routes - {change.route}
        kind = _kind(change.route)
        return frozenset(r for r in self.plane.routes if _kind(r) != kind) | {change.route}

    def new_flow(self, came_in: str, family: Family) -> int | None:
        """The mark that a new flow from an inside interface gets; None when its class has no lane."""
        chain = self.plane.elements.get(("class_of", came_in))
        for traffic_class in CLASSES.values():
            if chain == class_chain(traffic_class):
                mark = self.plane.elements.get((lane_set(traffic_class), family.value))
                return int(mark) if mark is not None else None
        return None

    def egress(self, mark: int | None, family: Family) -> str | None:
        """The interface by which a flow with that mark leaves; None when it leaves nowhere."""
        if mark is None or ("route_of", mark & ROUTE_MASK) not in self.plane.elements:
            return None
        for rule in sorted(self.plane.rules, key=lambda r: r.priority):
            if rule.family is family and rule.mark == mark & UPLINK_MASK:
                return self._way_out(rule.table, family)
        return None

    def own_egress(self, family: Family) -> str | None:
        """The interface by which the gateway's own unbound traffic leaves; None when it is main's affair."""
        tables = [r.table for r in self.plane.rules if r.own and r.family is family]
        return self._way_out(tables[0], family) if tables else None

    def _way_out(self, table: int, family: Family) -> str | None:
        for route in self.plane.routes:
            if (route.table, route.family) == (table, family) and route.interface not in (None, *self.dead):
                return route.interface
        return None
