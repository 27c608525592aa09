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
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Protocol

from secondpath.act.calling import CALLING
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
    identify,
    uplink_of,
)
from secondpath.act.recognition import lane_set
from secondpath.act.shaping import Prioritised, compile_shaping, diff_queues
from secondpath.act.tree import HTB, INTERMEDIATE, Abilities
from secondpath.model import CLASSES, Family, InterfaceChange, IPAddress, Lane, Line, Shaped, Site, Steering, Why

EPOCHS = 0xFFFF


class Kernel(Protocol):
    """What the hand needs of a kernel; there is the real one (kernel/box) and the one of paper (paper)."""

    def read(self) -> DataPlane:
        """What it holds of ours."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order."""

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        """The IPv6 prefixes on the office's own interfaces."""

    def abilities(self) -> Abilities:
        """What it has for shaping."""


@dataclass(frozen=True, slots=True)
class Retired:
    """An epoch whose flows have to end, of which line, under which uplink's number.

    With an application's or a class's number, only the flows of that: the epoch itself lives on.
    """

    line: Line
    epoch: int
    uplink: int
    ident: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What was done: the changes made, the epochs that were retired with them, and whose flows end in a living one."""

    changes: tuple[Change, ...] = ()
    retired: tuple[Retired, ...] = ()
    cut: tuple[Retired, ...] = ()

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
    idents: dict[str, int] = field(default_factory=dict)
    reads: bool = False
    """Whether DNS answers are to be handed to our reader."""
    _interfaces_of: dict[str, str] = field(default_factory=dict)
    _generations: dict[Line, int] = field(default_factory=dict)
    _application_generations: dict[tuple[str, Line], int] = field(default_factory=dict)
    _class_generations: dict[tuple[str, Line], int] = field(default_factory=dict)
    _barred: set[tuple[int, Line]] = field(default_factory=set)
    """The classes and applications, by number, that may not use a line which they would use."""
    _last_epoch: int = 0
    _abandoned: list[Retired] = field(default_factory=list)
    _held: DataPlane = field(default_factory=DataPlane)
    shaped: tuple[Shaped, ...] = ()
    _prioritised: Prioritised = field(default_factory=dict)

    @property
    def queues_in(self) -> dict[str, str]:
        """The device with a queue for each class of what comes in by an uplink, for each that has one."""
        return {s.uplink: f"{INTERMEDIATE}{self.numbers[s.uplink]}" for s in self.shaped if s.down.startswith(HTB)}

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
        calling = self._adopted_calling()
        return Steering(self._adopted_lanes(), {}, left=frozenset(calling.values()), calling=calling) if found else None

    def _adopted_calling(self) -> dict[IPAddress, Line]:
        """The phones that an earlier life of ours kept on a line which the office had left."""
        by_mark = {
            (e, self.numbers[line.uplink]): line for line, e in self.epochs.items() if line.uplink in self.numbers
        }
        told = ((key, int(mark)) for (name, key), mark in self._held.elements.items() if name in CALLING.values())
        found = {ip_address(key): by_mark.get((epoch_of(mark), uplink_of(mark))) for key, mark in told}
        return {phone: line for phone, line in found.items() if line is not None}

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
        self.idents = identify(site, self.idents)
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
        ground = self._ground(interfaces, steering)
        shaping = compile_shaping(site, steering.shapes, self.numbers, ground.can, ground.queues)
        if self._held.ruleset is None or shaping.maps != self._prioritised:
            return self.reconcile(site, steering, interfaces)
        cut = (*self._bar(site, steering), *self._retire_classes(steering))
        retired = tuple(self._retire(steering))
        elements = compile_elements(site, steering, ground)
        change = flip(self._held.elements, elements)
        changes: list[Change] = [change] if change else []
        own = own_routes(steering, site, ground)
        changes += [PutRoute(r) for r in own if r not in self._held.routes]
        changes += diff_queues(self._held.queues, shaping.queues)
        self.kernel.apply(changes)
        self.shaped = shaping.shaped
        replaced = {(r.family, r.table) for r in own}
        kept = {r for r in self._held.routes if (r.family, r.table) not in replaced}
        routes = frozenset(kept | set(own))
        self._held = replace(self._held, elements=elements, routes=routes, queues=shaping.queues)
        return Report(tuple(changes), retired, cut)

    def reconcile(self, site: Site, steering: Steering, interfaces: Mapping[str, InterfaceChange]) -> Report:
        """Read the kernel and make what differs from what it should hold: at the start, after a reload, on drift."""
        self.number(site)
        self._held = self.kernel.read()
        cut = (*self._bar(site, steering), *self._retire_classes(steering))
        retired = (*self._abandoned, *self._retire(steering))
        inside = self.kernel.inside_prefixes(frozenset(n.interface for n in site.networks))
        ground = self._ground(interfaces, steering, inside)
        shaping = compile_shaping(site, steering.shapes, self.numbers, ground.can, ground.queues)
        desired = compile_plane(site, steering, ground)
        changes = diff(self._held, desired)
        self.kernel.apply(changes)
        self._held, self.shaped, self._prioritised = desired, shaping.shaped, shaping.maps
        self._abandoned.clear()
        return Report(changes, retired, cut)

    def _retire(self, steering: Steering) -> Iterator[Retired]:
        yield from self._retire_applications(steering)
        for line, generation in steering.generations.items():
            if generation > self._generations.get(line, generation) and line in self.epochs:
                yield Retired(line, self.epochs[line], self.numbers[line.uplink])
                self.epochs[line] = self._new_epoch()
        self._generations = dict(steering.generations)

    def _retire_applications(self, steering: Steering) -> Iterator[Retired]:
        """Flows of an application on a line that it has left, because it does not work there."""
        for (name, line), generation in steering.application_generations.items():
            before = self._application_generations.get((name, line), 0)
            if generation > before and line in self.epochs and name in self.idents:
                yield Retired(line, self.epochs[line], self.numbers[line.uplink], self.idents[name])
        self._application_generations = dict(steering.application_generations)

    def _retire_classes(self, steering: Steering) -> Iterator[Retired]:
        """Flows that a class left behind on a line, which others go on using."""
        for (name, line), generation in steering.class_generations.items():
            before = self._class_generations.get((name, line), 0)
            if generation > before and line in self.epochs:
                yield Retired(line, self.epochs[line], self.numbers[line.uplink], CLASSES[name].ident)
        self._class_generations = dict(steering.class_generations)

    def _bar(self, site: Site, steering: Steering) -> Iterator[Retired]:
        """Whoever may not use a line any more, from this transaction on, loses what runs there. At a start: for sure.

        Nothing is asked of what went before: a crash between the transaction and this is mended by the next start.
        """
        barred = set(self._barred_in(site, steering))
        for ident, line in sorted(barred - self._barred):
            if line in self.epochs:
                yield Retired(line, self.epochs[line], self.numbers[line.uplink], ident)
        self._barred = barred

    def _barred_in(self, site: Site, steering: Steering) -> Iterator[tuple[int, Line]]:
        for (name, family), lane in steering.lanes.items():
            if lane.barred_from is not None:
                yield CLASSES[name].ident, Line(lane.barred_from, family)
        for application in site.applications:
            for family in Family if application.name in self.idents else ():
                lane = steering.lane_of(application, family)
                if lane.barred_from is not None:
                    yield self.idents[application.name], Line(lane.barred_from, family)

    def _ground(
        self, interfaces: Mapping[str, InterfaceChange], steering: Steering, inside: tuple[str, ...] = ()
    ) -> Ground:
        gateways = {}
        for name, interface in interfaces.items():
            for family in Family:
                gateway = interface.gateway(family)
                if interface.admin_up and (gateway is not None or interface.point_to_point):
                    gateways[Line(name, family)] = gateway
        can = self.kernel.abilities() if steering.shapes else Abilities()
        held = self._held
        return Ground(
            self.numbers, self.epochs, gateways, inside, held.settings, self.idents, self.reads, held.queues, can
        )
