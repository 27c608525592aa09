"""The kernel of paper: takes the same changes as the real one, and answers where a flow would leave.

It follows the table's own logic by its maps, the rules by their priority and the routes by their table, so a unit test
asks where a call goes instead of what the text of a rule was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from secondpath.act.calling import CALLING, may_be_voice
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
from secondpath.act.recognition import APPLICATION_OF, RECOGNISE, application_lanes, class_chain, lane_set
from secondpath.act.tree import (
    HANDLE,
    Abilities,
    DropIntermediate,
    DropTree,
    DropTurn,
    PutIntermediate,
    PutTree,
    PutTurn,
    QueueChange,
    Queues,
    Retune,
    Rooted,
)
from secondpath.model import CLASSES, OFFICE, Family

GUEST = CLASSES["guest"]


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
    can: Abilities = field(default_factory=Abilities)

    def read(self) -> DataPlane:
        """What it holds of ours."""
        return self.plane

    def abilities(self) -> Abilities:
        """What it has for shaping."""
        return self.can

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
            case _:
                return replace(self.plane, queues=requeued(self.plane.queues, change))

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

    def new_flow(
        self, came_in: str, family: Family, to: str = "", source: str = "", port: tuple[str, int] = ("tcp", 443)
    ) -> int | None:
        """The mark that a new flow from an inside interface gets; None when its class has no lane.

        `to` is the address that it goes to, for applications that are told apart whatever the port; `source` and `port`
        are a phone's address, and the protocol and port that it goes to.
        """
        chain = self.plane.elements.get(("class_of", came_in))
        calling = self.plane.elements.get((CALLING[family], source))
        if calling is not None and chain not in (None, class_chain(GUEST)) and may_be_voice(*port):
            return int(calling)
        if chain == RECOGNISE:
            chain = self.plane.elements.get((APPLICATION_OF[family], to), class_chain(OFFICE))
            number = str(chain).removeprefix("application_")
            if number.isdigit():
                mark = self.plane.elements.get((application_lanes(int(number)), family.value))
                return int(mark) if mark is not None else None
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


def requeued(queues: Queues, change: QueueChange) -> Queues:
    """The queues after a change. What is not there cannot be changed, and a device that is not up carries nothing."""
    trees, roots = dict(queues.trees), dict(queues.roots)
    intermediates, turns = queues.intermediates, queues.turns
    match change:
        case PutIntermediate(device):
            intermediates, roots[device] = intermediates | {device}, Rooted("noqueue", 0)
        case DropIntermediate(device):
            intermediates -= {device}
            trees.pop(device, None)
            del roots[device]
        case PutTree(device, tree):
            trees[device], roots[device] = tree, Rooted(tree.kind, HANDLE)
        case Retune(device, nodes, cake):
            changed = {node.minor: node for node in nodes}
            tuned = tuple(changed.get(node.minor, node) for node in trees[device].nodes)
            trees[device] = cake or replace(trees[device], nodes=tuned)
        case DropTree(device):
            del trees[device]
            roots[device] = Rooted("noqueue", 0)
        case PutTurn(turn):
            assert turn.to in intermediates, "it would lose all that it sends there"
            turns |= {turn}
        case DropTurn(turn):
            turns -= {turn}
    return Queues(trees, turns, intermediates, roots)
