"""Two planes -> the changes that lead from one to the other. Pure.

The order: settings, then routes and rules that are new, then the table or its elements, then forwarding, then what is
no longer wanted. So at every moment in between, each mark that the table may set still finds its rule and its route,
and nothing is forwarded that the table has not looked at. What is shaped comes last: without it all is carried, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from secondpath.act.plane import (
    Change,
    DataPlane,
    DropRoute,
    DropRule,
    Elements,
    Flip,
    Key,
    LoadRuleset,
    PutRoute,
    PutRule,
    Ruleset,
    Set,
)
from secondpath.act.settings import FORWARD4, FORWARD6
from secondpath.act.shaping import diff_queues


def flip(current: Elements, desired: Elements) -> Flip | None:
    """The elements to change, or None when there is nothing to do."""
    changed: dict[tuple[str, Key], int | str | None] = {
        place: value for place, value in desired.items() if current.get(place) != value
    }
    changed |= dict.fromkeys(current.keys() - desired.keys())
    return Flip(changed) if changed else None


def diff(current: DataPlane, desired: DataPlane) -> tuple[Change, ...]:
    """The changes, in an order of which no prefix leaves a class without a way out."""
    return tuple(_changes(current, desired))


def _changes(current: DataPlane, desired: DataPlane) -> Iterator[Change]:
    yield from _settings(current, desired, forwarding=False)
    replaced = {(r.family, r.table, r.interface is None) for r in desired.routes - current.routes}
    yield from (PutRoute(r) for r in sorted(desired.routes - current.routes, key=str))
    yield from (PutRule(r) for r in sorted(desired.rules - current.rules, key=str))
    yield from _table_changes(current, desired)
    yield from _settings(current, desired, forwarding=True)
    yield from (DropRule(r) for r in sorted(current.rules - desired.rules, key=str))
    for route in sorted(current.routes - desired.routes, key=str):
        if (route.family, route.table, route.interface is None) not in replaced:
            yield DropRoute(route)
    yield from diff_queues(current.queues, desired.queues)


def _settings(current: DataPlane, desired: DataPlane, *, forwarding: bool) -> Iterator[Change]:
    for path, value in desired.settings.items():
        if (path in (FORWARD4, FORWARD6)) is forwarding and current.settings.get(path) != value:
            yield Set(path, value)


def _identity(ruleset: Ruleset) -> tuple[str, int]:
    return ruleset.fingerprint, ruleset.rules


def _table_changes(current: DataPlane, desired: DataPlane) -> Iterator[Change]:
    if desired.ruleset is None:
        return
    if current.ruleset is None or _identity(current.ruleset) != _identity(desired.ruleset):
        yield LoadRuleset(desired.ruleset, desired.elements)
        return
    change = flip(current.elements, desired.elements)
    if change is not None:
        yield change
