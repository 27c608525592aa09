"""Whether the kernel would take a configuration: asked before anything is touched.

A reload that is refused half-way has already put rules, routes and sysctls in place; a first start would leave the box
forwarding without a filter. So the table is compiled and checked first, where it is not the one in force (`nft -c` has
the kernel look at all of it and commit nothing).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace

from secondpath.act.hand import Hand, Kernel
from secondpath.act.kernel.nft import check
from secondpath.act.plane import Change, DataPlane, LoadRuleset
from secondpath.act.ruleset import ruleset_text
from secondpath.act.tree import Abilities
from secondpath.decide.shaping import shapes_of
from secondpath.model import CLASSES, Family, InterfaceChange, Lane, Site, Steering, Why

NOWHERE = Steering({(name, family): Lane(None, Why.NO_UPLINK) for name in CLASSES for family in Family}, {})


class Rehearsal:
    """A kernel that is read, and only asked whether it would take a table."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def read(self) -> DataPlane:
        """What the kernel holds."""
        return self._kernel.read()

    def abilities(self) -> Abilities:
        """As the kernel says."""
        return self._kernel.abilities()

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        """As the kernel says."""
        return self._kernel.inside_prefixes(interfaces)

    def apply(self, changes: Iterable[Change]) -> None:
        """Have a table checked; RulesetError when it is refused."""
        for change in changes:
            if isinstance(change, LoadRuleset):
                check(ruleset_text(change.ruleset, change.elements))


def rehearse(hand: Hand, site: Site, interfaces: Mapping[str, InterfaceChange]) -> None:
    """Go through a start or a reload without making it. Raises RulesetError or OSError where the kernel says no."""
    understudy = copy.deepcopy(hand, {id(hand.kernel): Rehearsal(hand.kernel)})
    understudy.reconcile(site, replace(NOWHERE, shapes=shapes_of(site, NOWHERE.lanes, {})), interfaces)
