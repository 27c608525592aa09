"""The hand itself: holds a kernel, and makes it follow the steering.

    hand = Hand(Box(run_dir), now)
    steering = hand.adopt(site)                 # what the kernel already does, or None
    report = hand.follow(site, steering, interfaces)   # a switch: one transaction, then the own routes
    hand.reconcile(site, steering, interfaces)  # everything, drift included
    for retired in report.retired: ...          # the flows to end; see `Retired`

Epochs are the hand's own affair: the engine only says that a line's flows are given up (its generation grew); the hand
retires the epoch that carried them and gives the line a new one, both in the transaction that moves the classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from secondpath.act.compile import compile_elements, compile_plane, own_routes
from secondpath.act.diff import diff, flip
from secondpath.act.plane import (
    MAX_UPLINKS,
    Change,
    DataPlane,
    Ground,
    LoadRuleset,
    PutRoute,
    epoch_of,
    uplink_of,
)
from secondpath.act.ruleset import lane_set
from secondpath.model import CLASSES, Family, InterfaceChange, Lane, Line, Site, Steering, Why

EPOCHS = 0xFFFF


class Kernel(Protocol):
    """What the hand needs of a kernel; there is the real one (kernel/box) and the one of paper (paper)."""

    def read(self) -> DataPlane:
        """What it holds of ours."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order."""

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        """The IPv6 prefixes on the office's own interfaces."""


@dataclass(frozen=True, slots=True)
class Retired:
    """An epoch whose flows have to end, of which line, under which uplink's number."""

    line: Line
    epoch: int
    uplink: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was done: the changes made, and the epochs that were retired with them."""

    changes: tuple[Change, ...] = ()
    retired: tuple[Retired, ...] = ()

    @property
    def loaded(self) -> bool:
        """Whether the whole table was put in place."""
        return any(isinstance(change, LoadRuleset) for change in self.changes)


@dataclass(slots=True)
class Hand:
    """Makes one kernel follow."""

    kernel: Kernel
    numbers: dict[str, int] = field(default_factory=dict)
    epochs: dict[Line, int] = field(default_factory=dict)
    _interfaces_of: dict[str, str] = field(default_factory=dict)
    _generations: dict[Line, int] = field(default_factory=dict)
    _last_epoch: int = 0
    _abandoned: list[Retired] = field(default_factory=list)
    _held: DataPlane = field(default_factory=DataPlane)

    def adopt(self, site: Site) -> Steering | None:
        """Take over what the kernel holds from an earlier life of ours: uplink numbers, epochs and lanes.

        None when it holds nothing; then everything begins afresh.
        """
        self._held = self.kernel.read()
        elements = self._held.elements
        found = {
            str(key): int(str(chain).removeprefix("from_"))
            for (name, key), chain in elements.items()
            if name == "ways" and str(chain) != "from_inside"
        }
        for uplink in site.uplinks:
            if uplink.interface in found:
                self.numbers[uplink.name] = found[uplink.interface]
        for (name, key), mark in elements.items():
            for uplink_name, number in self.numbers.items():
                if name == f"arrive_{number}":
                    self.epochs[Line(uplink_name, Family(str(key)))] = epoch_of(int(mark))
        self._last_epoch = max((epoch_of(int(k)) for n, k in elements if n == "route_of"), default=0)
        self.number(site)
        return Steering(self._adopted_lanes(), {}) if found else None

    def _adopted_lanes(self) -> dict[tuple[str, Family], Lane]:
        names = {number: name for name, number in self.numbers.items()}
        lanes = {}
        for traffic_class in CLASSES.values():
            for family in Family:
                mark = self._held.elements.get((lane_set(traffic_class), family.value))
                uplink = names.get(uplink_of(int(mark))) if mark is not None else None
                lanes[traffic_class.name, family] = Lane(uplink, Why.STAYS)
        return lanes

    def number(self, site: Site) -> None:
        """Numbers stay with an uplink as long as its interface does; flows carry them.

        Flows of an uplink that goes are given up with the next reconcile: nobody else would end them, and a dropped
        packet keeps its entry alive.
        """
        stays = {u.name for u in site.uplinks if self._interfaces_of.get(u.name, u.interface) == u.interface}
        for name in self.numbers.keys() - stays:
            number = self.numbers.pop(name)
            lines = (Line(name, family) for family in Family)
            self._abandoned += [Retired(line, self.epochs.pop(line), number) for line in lines if line in self.epochs]
        self._interfaces_of = {u.name: u.interface for u in site.uplinks}
        free = (n for n in range(1, MAX_UPLINKS + 1) if n not in set(self.numbers.values()))
        for uplink in site.uplinks:
            if uplink.name not in self.numbers:
                self.numbers[uplink.name] = next(free)
            for family in Family:
                if Line(uplink.name, family) not in self.epochs:
                    self.epochs[Line(uplink.name, family)] = self._new_epoch()

    def _new_epoch(self) -> int:
        """The next number that no line uses; the numbers go round, and by then old flows are long gone."""
        used = set(self.epochs.values())
        while True:
            self._last_epoch = self._last_epoch % EPOCHS + 1
            if self._last_epoch not in used:
                return self._last_epoch

    def follow(self, site: Site, steering: Steering, interfaces: Mapping[str, InterfaceChange]) -> Report:
        """The switch: one transaction that moves the classes and retires the epochs, then the own default routes."""
        if self._held.ruleset is None:
            return self.reconcile(site, steering, interfaces)
        retired = tuple(self._retire(steering))
        ground = self._ground(interfaces)
        elements = compile_elements(site, steering, ground)
        change = flip(self._held.elements, elements)
        changes: list[Change] = [change] if change else []
        own = own_routes(steering, site, ground)
        changes += [PutRoute(r) for r in own if r not in self._held.routes]
        self.kernel.apply(changes)
        replaced = {(r.family, r.table) for r in own}
        kept = {r for r in self._held.routes if (r.family, r.table) not in replaced}
        self._held = DataPlane(
            self._held.ruleset, elements, self._held.rules, frozenset(kept | set(own)), self._held.settings
        )
        return Report(tuple(changes), retired)

    def reconcile(self, site: Site, steering: Steering, interfaces: Mapping[str, InterfaceChange]) -> Report:
        """Read the kernel and make what differs from what it should hold: at the start, after a reload, on drift."""
        self.number(site)
        self._held = self.kernel.read()
        retired = (*self._abandoned, *self._retire(steering))
        inside = self.kernel.inside_prefixes(frozenset(n.interface for n in site.networks))
        ground = self._ground(interfaces, inside)
        desired = compile_plane(site, steering, ground)
        changes = diff(self._held, desired)
        self.kernel.apply(changes)
        self._held = desired
        self._abandoned.clear()
        return Report(changes, retired)

    def _retire(self, steering: Steering) -> Iterator[Retired]:
        for line, generation in steering.generations.items():
            if generation > self._generations.get(line, generation) and line in self.epochs:
                yield Retired(line, self.epochs[line], self.numbers[line.uplink])
                self.epochs[line] = self._new_epoch()
        self._generations = dict(steering.generations)

    def _ground(self, interfaces: Mapping[str, InterfaceChange], inside: tuple[str, ...] = ()) -> Ground:
        gateways = {}
        for name, interface in interfaces.items():
            for family in Family:
                gateway = interface.gateway(family)
                if interface.admin_up and (gateway is not None or interface.point_to_point):
                    gateways[Line(name, family)] = gateway
        return Ground(self.numbers, self.epochs, gateways, inside, self._held.settings)
