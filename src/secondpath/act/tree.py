"""The words of shaping: queueing disciplines as the kernel should hold or holds them, and their text for tc(8). Pure.

Ours is a root qdisc whose handle is HANDLE, on an uplink (upwards) or on an ifb device of ours (downwards), and in the
egress of each inside interface a filter of our preference, one for each uplink, which sends what came in by that uplink
through that uplink's ifb device. A root qdisc with handle 0 is the kernel's own default; any other is somebody else's.

An HTB tree, by the minor numbers of its classes:

    ROOT ┬ 1 voice                      leaf
         └ OTHERS ┬ 2..9 other classes  leaves
                  └ OWN_MINOR           leaf: what no class was found for, upwards (probes, ARP)

What the office's networks send each other never comes near: the filters match what came in by an uplink alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

HANDLE = 0x7100
"""The major number, in hexadecimal, of our root qdiscs and their classes."""
ROOT, OTHERS, OWN_MINOR = 0xFF, 0xFE, 0xF0
FIRST_PREFERENCE = 7100
"""The preference of a filter of ours is this and the uplink's number."""
INTERMEDIATE = "spdown"
"""An ifb device of ours is called so, with the uplink's number."""
BURST_BYTES, BURST_S = 1600, 0.001
"""How much a class may send at once: a packet, of a fast line what goes in a millisecond, or timers would rule it."""
QUANTUM_BYTES = 1514
HTB, CAKE, PFIFO, FQ_CODEL = "htb", "cake", "pfifo", "fq_codel"


@dataclass(frozen=True, slots=True)
class Leaf:
    """The queue of a class: a pfifo of `limit` packets, or fq_codel with this `target_ms`."""

    kind: str
    limit: int = 0
    target_ms: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A class of an HTB tree; `parent` 0 is the qdisc itself, `priority` 0..7 whose turn it is to borrow."""

    minor: int
    parent: int
    rate_bps: int
    ceil_bps: int
    priority: int = 0
    leaf: Leaf | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """The root qdisc of one device, and all below it. `default` is the minor of the class for what names none.

    `nodes` stand by falling minor numbers: so a parent comes before its children.
    """

    kind: str
    default: int = 0
    nodes: tuple[Node, ...] = ()
    rate_bps: int = 0
    """Of cake, which has no classes of ours: its bandwidth ..."""
    ingress: bool = False
    """... and whether what it drops has used the line already."""

    @property
    def means(self) -> str:
        """For people: by which means it shapes."""
        leaves = {node.leaf.kind for node in self.nodes if node.leaf}
        return "+".join([self.kind, *sorted(leaves)])


@dataclass(frozen=True, slots=True)
class Turn:
    """What came in by the interface `uplink` goes, where it would leave by `inside`, through the device `to`."""

    inside: str
    uplink: str
    to: str
    preference: int


@dataclass(frozen=True, slots=True)
class Rooted:
    """The root qdisc of a device; the kernel's own default has handle 0."""

    kind: str
    handle: int

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has put it there."""
        return self.handle not in (0, HANDLE)


@dataclass(frozen=True, slots=True)
class Queues:
    """All of ours that queues. `roots` has the root qdisc of every device there is, ours or not."""

    trees: Mapping[str, Tree] = field(default_factory=dict)
    turns: frozenset[Turn] = frozenset()
    intermediates: frozenset[str] = frozenset()
    roots: Mapping[str, Rooted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this kernel has of all that; `lacks` says the rest in words."""

    htb: bool = False
    fq_codel: bool = False
    cake: bool = False
    turning: bool = False
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PutIntermediate:
    """Make an ifb device, and set it up."""

    device: str


@dataclass(frozen=True, slots=True)
class DropIntermediate:
    """Take an ifb device of ours away."""

    device: str


@dataclass(frozen=True, slots=True)
class PutTree:
    """Give a device this tree, in the place of an older one of ours if `over`, else of the kernel's default."""

    device: str
    tree: Tree
    over: bool = False


@dataclass(frozen=True, slots=True)
class Retune:
    """Other rates for some classes of a tree that stands, or for cake; nothing that waits is lost."""

    device: str
    nodes: tuple[Node, ...] = ()
    cake: Tree | None = None


@dataclass(frozen=True, slots=True)
class DropTree:
    """Take our tree away; the kernel's default comes back."""

    device: str


@dataclass(frozen=True, slots=True)
class PutTurn:
    """Begin to send a device's egress through an ifb device."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class DropTurn:
    """End it."""

    turn: Turn


QueueChange: TypeAlias = PutIntermediate | DropIntermediate | PutTree | Retune | DropTree | PutTurn | DropTurn


def tree_lines(device: str, tree: Tree, *, over: bool = False) -> list[str]:
    """What `tc -batch` reads to put a tree on a device."""
    lines = [f"qdisc del dev {device} root handle {HANDLE:x}:"] if over else []
    root = f"qdisc add dev {device} root handle {HANDLE:x}:"
    if tree.kind == CAKE:
        return [*lines, f"{root} {_cake(tree)}"]
    lines.append(f"{root} htb default {tree.default:x} r2q 1")
    for node in tree.nodes:
        lines.append(_class("add", device, node))
        if node.leaf:
            lines.append(f"qdisc add dev {device} parent {HANDLE:x}:{node.minor:x} {_leaf(node.leaf)}")
    return lines


def retune_lines(device: str, change: Retune) -> list[str]:
    """What `tc -batch` reads to change rates."""
    if change.cake:
        return [f"qdisc change dev {device} root handle {HANDLE:x}: {_cake(change.cake)}"]
    lines = [_class("change", device, node) for node in change.nodes]
    leaves = ((node.minor, node.leaf) for node in change.nodes if node.leaf)
    return lines + [f"qdisc change dev {device} parent {HANDLE:x}:{minor:x} {_leaf(leaf)}" for minor, leaf in leaves]


def turn_line(turn: Turn) -> str:
    """What `tc -batch` reads to send what came in by an uplink through its ifb device."""
    where = f"dev {turn.inside} egress protocol all pref {turn.preference}"
    return f"filter add {where} u32 match u32 0 0 indev {turn.uplink} action mirred egress redirect dev {turn.to}"


def _class(verb: str, device: str, node: Node) -> str:
    burst, cburst = (max(BURST_BYTES, int(bps * BURST_S / 8)) for bps in (node.rate_bps, node.ceil_bps))
    rates = f"rate {node.rate_bps}bit ceil {node.ceil_bps}bit burst {burst} cburst {cburst}"
    leaf = f" quantum {QUANTUM_BYTES} prio {node.priority}" if node.leaf else ""
    parent = f"{HANDLE:x}:{node.parent:x}" if node.parent else f"{HANDLE:x}:"
    return f"class {verb} dev {device} parent {parent} classid {HANDLE:x}:{node.minor:x} htb {rates}{leaf}"


def _leaf(leaf: Leaf) -> str:
    if leaf.kind == PFIFO:
        return f"pfifo limit {leaf.limit}"
    return f"fq_codel limit {leaf.limit} target {leaf.target_ms}ms interval {max(100, 2 * leaf.target_ms)}ms ecn"


def _cake(tree: Tree) -> str:
    """Sources inside are told apart upwards, destinations inside downwards: no device has more than its share."""
    way = "dual-dsthost ingress" if tree.ingress else "dual-srchost"
    return f"cake bandwidth {tree.rate_bps}bit diffserv4 nat {way}"
