"""The words of this room: what the kernel should hold or holds, as keyed entries; reconcile is a set difference.

Marks. A connection that we route carries a connection mark:

    31              16 15 14        8 7         0
    +-----------------+--+-----------+-----------+
    | epoch           |nt| class     | uplink    |
    +-----------------+--+-----------+-----------+

*Epoch* numbers one stretch of service of one line. The map `route_of` lists the epochs that may still be routed, so
taking one element out ends all flows of a dead line in the very transaction that moves the classes elsewhere, however
many they are. *nt* says "not TCP", so that such flows can be flushed by mark and mask alone on every kernel. A mark
whose epoch or uplink byte is 0 is not ours. Packet marks use the low byte only; the other bits stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from secondpath.model import Family, IPAddress, Line

TABLE = "secondpath"
"""Our nftables table, of family inet."""
FIRST = 7100
"""Our routing tables, and our rules' priorities, are FIRST..LAST and nobody else's."""
LAST = 7199
MAIN_RULE = FIRST
"""Table main without its default routes comes first: what main knows better (the office, tunnels) is not ours."""
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
UPLINK_MASK = 0xFF
EPOCH_MASK = 0xFFFF0000
ROUTE_MASK = 0xFFFF00FF
"""Epoch and uplink: what decides whether and where a flow is routed."""
POKE_MARK = 0xFE
"""Packet mark of our pokes: untracked, and no uplink's number."""


def lane_mark(epoch: int, uplink: int, class_ident: int = 0) -> int:
    """The connection mark of a new flow; class 0 is a flow that came in from outside."""
    return epoch << EPOCH_SHIFT | class_ident << CLASS_SHIFT | uplink


def epoch_of(mark: int) -> int:
    """The epoch in a mark."""
    return mark >> EPOCH_SHIFT


def uplink_of(mark: int) -> int:
    """The uplink's number in a mark; 0 when the mark is not ours."""
    return mark & UPLINK_MASK


def is_from_inside(mark: int) -> bool:
    """Whether a flow with this mark was begun inside the office."""
    return bool(mark >> CLASS_SHIFT & 0x7F)


Key: TypeAlias = int | str
"""Of an element: a mark, an interface's name, or a family ("ipv4", "ipv6")."""
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


@dataclass(frozen=True, slots=True)
class Ground:
    """What compile must know of the box besides the configuration.

    `numbers` is each uplink's number in marks, `epochs` each line's, `gateways` each usable line's next hop (None:
    point to point), `inside` the IPv6 prefixes on inside interfaces, `settings` the sysctls as they are.
    """

    numbers: Mapping[str, int]
    epochs: Mapping[Line, int]
    gateways: Mapping[Line, IPAddress | None] = field(default_factory=dict)
    inside: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


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


Change: TypeAlias = LoadRuleset | Flip | PutRoute | DropRoute | PutRule | DropRule | Set
