"""The words of this room: what the kernel should hold or holds, as keyed entries; reconcile is a set difference.

Marks. A connection that we route carries a connection mark:

    31              16 15 14        8 7         0
    +-----------------+--+-----------+-----------+
    | epoch           |nt| class     | uplink    |
    +-----------------+--+-----------+-----------+

The uplink's highest bit, ARRIVED, says that the flow came in from outside: its answers must leave by this very uplink,
even where main knows a nearer way (a sender in another uplink's own subnet).

*Epoch* numbers one stretch of service of one line. The map `route_of` lists the epochs that may still be routed, so
taking one element out ends all flows of a dead line in the very transaction that moves the classes elsewhere, however
many they are. *nt* says "not TCP", so that such flows can be flushed by mark and mask alone on every kernel. A mark
whose epoch or uplink byte is 0 is not ours. Packet marks use the low byte only; the other bits stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from secondpath.act.tree import Abilities, QueueChange, Queues
from secondpath.model import Family, IPAddress, Line, Site

TABLE = "secondpath"
"""Our nftables table, of family inet."""
FIRST = 7100
"""Our routing tables, and our rules' priorities, are FIRST..LAST and nobody else's."""
LAST = 7199
MAIN_RULE = FIRST + 40
"""Table main without its default routes comes first: what main knows better (the office, tunnels) is not ours. Only
answers to what came in by an uplink are not main's affair: their rules, FIRST + the uplink's number, come before."""
OWN_TABLE = OWN_RULE = LAST
"""The default route of the gateway's own, unbound traffic."""
PROTOCOL = 83
"""The rtm_protocol of our routes and rules."""
BACKSTOP_METRIC = 4294967295
"""Metric of the unreachable default that ends each uplink's table: a marked packet never falls through to another."""
MAX_UPLINKS = 31

EPOCH_SHIFT = 16
NOT_TCP = 0x8000
CLASS_SHIFT = 8
CLASS_MASK = 0x7F00
UPLINK_MASK = 0xFF
ARRIVED = 0x80
EPOCH_MASK = 0xFFFF0000
ROUTE_MASK = 0xFFFF00FF
"""Epoch and uplink: what decides whether and where a flow is routed."""
FLOW_MASK = ROUTE_MASK & ~ARRIVED
"""The same, whichever side began the flow."""
POKE_MARK = 0xFE
"""Packet mark of our pokes: untracked, and no uplink's number."""


def lane_mark(epoch: int, uplink: int, class_ident: int = 0) -> int:
    """The connection mark of a new flow; of one that came in from outside the class is 0, and the uplink ARRIVED."""
    return epoch << EPOCH_SHIFT | class_ident << CLASS_SHIFT | uplink


def epoch_of(mark: int) -> int:
    """The epoch in a mark."""
    return mark >> EPOCH_SHIFT


def uplink_of(mark: int) -> int:
    """The uplink's number in a mark; 0 when the mark is not ours."""
    return mark & UPLINK_MASK & ~ARRIVED


def is_from_inside(mark: int) -> bool:
    """Whether a flow with this mark was begun inside the office."""
    return bool(mark & CLASS_MASK)


FIRST_APPLICATION, LAST_APPLICATION = 16, 127
"""An application that is told apart has a number of its own in the place of its class's."""


def urgency(mark: int) -> tuple[bool, int]:
    """Whose flows come first where many are ended: what the office has named, then by class."""
    ident = (mark & CLASS_MASK) >> CLASS_SHIFT
    return ident < FIRST_APPLICATION, ident


def identify(site: Site, known: Mapping[str, int]) -> dict[str, int]:
    """The number of each application that is tested or treated for itself; those that have one keep it."""
    named = [a.name for a in site.applications if a.test or a.on_backup]
    numbers = {name: known[name] for name in named if name in known}
    free = (n for n in range(FIRST_APPLICATION, LAST_APPLICATION + 1) if n not in set(numbers.values()))
    for name, number in zip((n for n in named if n not in numbers), free, strict=False):
        numbers[name] = number
    return numbers


Key: TypeAlias = int | str
"""Of an element: a mark, an interface's name, an address, or a family ("ipv4", "ipv6")."""
Elements: TypeAlias = Mapping[tuple[str, Key], int | str]
"""(set, key) -> a mark, or the chain that a verdict map goes to."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of our policy rules: packets with `mark` (None: any), or from ourselves if `own`, look up `table`."""

    family: Family
    priority: int
    table: int
    mark: int | None = None
    own: bool = False
    no_default: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One of our default routes; without an interface it is the unreachable backstop.

    `gateway` None: the interface is point to point.
    """

    family: Family
    table: int
    interface: str | None = None
    gateway: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Table inet secondpath but for its moving elements.

    The fingerprint is the name of a chain in it and `rules` the number of its rules, so the kernel can tell which table
    it has, and whether somebody has emptied a chain of it.
    """

    text: str
    fingerprint: str
    rules: int = 0


@dataclass(frozen=True, slots=True)
class DataPlane:
    """Everything of ours in the kernel; `settings` maps sysctl paths to values."""

    ruleset: Ruleset | None = None
    elements: Elements = field(default_factory=dict)
    rules: frozenset[Rule] = frozenset()
    routes: frozenset[Route] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)
    queues: Queues = field(default_factory=Queues)


@dataclass(frozen=True, slots=True)
class Ground:
    """What compile must know of the box besides the configuration.

    `numbers` is each uplink's number in marks, `epochs` each line's, `gateways` each usable line's next hop (None:
    point to point), `inside` the IPv6 prefixes on inside interfaces, `settings` the sysctls as they are, `idents` each
    tested application's number in marks, `reads` whether DNS answers are to be handed to our reader; `queues` are those
    found, and `can` what the kernel has for shaping.
    """

    numbers: Mapping[str, int]
    epochs: Mapping[Line, int]
    gateways: Mapping[Line, IPAddress | None] = field(default_factory=dict)
    inside: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    idents: Mapping[str, int] = field(default_factory=dict)
    reads: bool = False
    queues: Queues = field(default_factory=Queues)
    can: Abilities = field(default_factory=Abilities)


@dataclass(frozen=True, slots=True)
class LoadRuleset:
    """Replace our whole table, elements and all, in one transaction."""

    ruleset: Ruleset
    elements: Elements


@dataclass(frozen=True, slots=True)
class Flip:
    """Change elements in one transaction; a value of None takes the element out."""

    elements: Mapping[tuple[str, Key], int | str | None]


@dataclass(frozen=True, slots=True)
class PutRoute:
    """Add a route, or replace the default of that table."""

    route: Route


@dataclass(frozen=True, slots=True)
class DropRoute:
    """Take a route away."""

    route: Route


@dataclass(frozen=True, slots=True)
class PutRule:
    """Add a rule."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class DropRule:
    """Take a rule away."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Set:
    """Write a sysctl."""

    path: str
    value: str


Change: TypeAlias = LoadRuleset | Flip | PutRoute | DropRoute | PutRule | DropRule | Set | QueueChange
