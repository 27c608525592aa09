"""Shapes -> the trees, devices and filters that the kernel should hold; and what differs. Pure.

Where the kernel has cake, a large line of which no class is limited gets cake; every other one an HTB tree, for cake
knows no ceilings of classes, and takes its priority from a voice tin that has filled a quarter of the line (adr/0018).
The leaves of HTB are fq_codel where the kernel has it, else pfifo of so many packets that bursts wait instead of being
lost and nothing waits for long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT
from secondpath.act.recognition import class_of
from secondpath.act.tree import (
    CAKE,
    FIRST_PREFERENCE,
    FQ_CODEL,
    HANDLE,
    HTB,
    INTERMEDIATE,
    OTHERS,
    OWN_MINOR,
    PFIFO,
    QUANTUM_BYTES,
    ROOT,
    Abilities,
    DropIntermediate,
    DropTree,
    DropTurn,
    Leaf,
    Node,
    PutIntermediate,
    PutTree,
    PutTurn,
    QueueChange,
    Queues,
    Retune,
    Tree,
    Turn,
)
from secondpath.model import CLASSES, OFFICE, OWN, Pipe, Shape, Shaped, Site

VOICE = "voice"
CAKE_LEAST_BPS = 20_000_000
VOICE_PACKETS = 100
PACKETS, LEAST_PACKETS, PACKETS_AT_BPS = 50, 20, 2_000_000
"""Of the other leaves: more makes bursts, fewer makes holes; fewer on a line below that rate, or they would wait."""
TARGET_MS, TARGET_PACKETS = 5, 1.5
"""Of fq_codel: no less than one and a half packets take at the rate that the class is sure of (RFC 8290, 5.2.1)."""
MOST_TARGET_MS = 100
LAST_PRIORITY = 7
TINS: Mapping[str, int] = {VOICE: 4, "payments": 3, "line-of-business": 3, "remote-access": 3, "office": 2,
                           "personal": 2, "bulk": 1, "streaming": 1, "guest": 1}  # fmt: skip
"""The tins of cake's diffserv4 by number: bulk, best effort, video, voice (tc-cake(8))."""
SHARE_OF, TIN_OF = "share_of", "tin_of"
"""The maps from the class in a connection mark to a packet's priority: for HTB, and for cake."""
Prioritised: TypeAlias = Mapping[tuple[int, bool], str]
"""The map by which packets get their priority, by the uplink's number and whether they came in by it."""
UNSHAPED: Prioritised = {}


@dataclass(frozen=True, slots=True)
class Shaping:
    """What shapes ask of the kernel: its queues, the maps for priorities of packets, and what became of each shape."""

    queues: Queues = field(default_factory=Queues)
    maps: Prioritised = field(default_factory=dict)
    shaped: tuple[Shaped, ...] = ()


def compile_shaping(
    site: Site, shapes: tuple[Shape, ...], numbers: Mapping[str, int], can: Abilities, found: Queues
) -> Shaping:
    """What the kernel should hold. `found` is what it holds: a queue that somebody else has put there stays."""
    trees: dict[str, Tree] = {}
    turns: set[Turn] = set()
    intermediates: set[str] = set()
    maps: dict[tuple[int, bool], str] = {}
    said: list[Shaped] = []
    inside = sorted({n.interface for n in site.networks if n.interface in found.roots})
    for shape in shapes:
        number, interface = numbers[shape.uplink], site.uplink(shape.uplink).interface
        up, down, why = _ways(shape, interface, can, found)
        if up:
            trees[interface], maps[number, False] = up, _map(up)
        if down:
            device = f"{INTERMEDIATE}{number}"
            trees[device], maps[number, True] = down, _map(down)
            intermediates.add(device)
            turns |= {Turn(i, interface, device, FIRST_PREFERENCE + number) for i in inside}
        said.append(
            Shaped(
                shape.uplink,
                down.means if down else "",
                up.means if up else "",
                shape.down.rate_bps if down and shape.down else 0,
                shape.up.rate_bps if up and shape.up else 0,
                why,
            )
        )
    return Shaping(Queues(trees, frozenset(turns), frozenset(intermediates), found.roots), maps, tuple(said))


def _ways(
    shape: Shape, interface: str, can: Abilities, found: Queues
) -> tuple[Tree | None, Tree | None, tuple[str, ...]]:
    """The trees upwards and downwards, and why one of them is missing."""
    root = found.roots.get(interface)
    if root is None:
        return None, None, (f"{interface} is not there",)
    why = [*can.lacks]
    up = down = None
    if can.htb:
        if root.is_foreign:
            why.append(f"somebody else's {root.kind} {root.handle:x}: is on {interface}, and stays")
        elif shape.up:
            up = _tree(shape.up, can, down=False)
        if shape.down and can.turning:
            down = _tree(shape.down, can, down=True)
    return up, down, tuple(why)


def _map(tree: Tree) -> str:
    return TIN_OF if tree.kind == CAKE else SHARE_OF


def _tree(pipe: Pipe, can: Abilities, *, down: bool) -> Tree:
    limited = any(share.ceil_bps < pipe.others_bps for share in pipe.shares if share.traffic_class != OWN)
    if can.cake and pipe.rate_bps >= CAKE_LEAST_BPS and not limited:
        return Tree(CAKE, rate_bps=pipe.rate_bps, ingress=down)
    nodes = sorted(_nodes(pipe, can), key=lambda node: -node.minor)
    return Tree(HTB, OFFICE.ident if down else OWN_MINOR, tuple(nodes))


def _nodes(pipe: Pipe, can: Abilities) -> Iterator[Node]:
    """The classes of a tree."""
    voice = pipe.share(VOICE)
    yield Node(ROOT, 0, pipe.rate_bps, pipe.rate_bps)
    yield Node(1, ROOT, voice.rate_bps, voice.ceil_bps, 0, _leaf(voice.rate_bps, VOICE_PACKETS, can))
    others_bps = min(pipe.rate_bps - voice.rate_bps, pipe.others_bps)
    yield Node(OTHERS, ROOT, others_bps, pipe.others_bps)
    packets = max(LEAST_PACKETS, min(PACKETS, PACKETS * pipe.rate_bps // PACKETS_AT_BPS))
    for share in pipe.shares:
        if share.traffic_class == VOICE:
            continue
        minor, turn = _place(share.traffic_class)
        yield Node(minor, OTHERS, share.rate_bps, share.ceil_bps, turn, _leaf(share.rate_bps, packets, can))


def _place(name: str) -> tuple[int, int]:
    """The minor number of a class, and its turn to borrow: the gateway's own goes early, for it asks little."""
    if name == OWN:
        return OWN_MINOR, 1
    return CLASSES[name].ident, min(CLASSES[name].priority, LAST_PRIORITY)


def _leaf(rate_bps: int, packets: int, can: Abilities) -> Leaf:
    if not can.fq_codel:
        return Leaf(PFIFO, packets)
    packet_ms = QUANTUM_BYTES * 8 * 1000 / rate_bps
    return Leaf(FQ_CODEL, 10 * packets, min(MOST_TARGET_MS, max(TARGET_MS, round(TARGET_PACKETS * packet_ms))))


# ── The table's part ─────────────────────────────────────────────────────────────────


def maps_of(site: Site, idents: Mapping[str, int], used: frozenset[str]) -> list[str]:
    """The maps in use: from the class bits of a connection mark to a packet's priority, which names its class.

    What came in from outside has no class and goes as the office's does.
    """
    classes = {0: OFFICE.name} | {c.ident: c.name for c in CLASSES.values()}
    classes |= {idents[a.name]: class_of(a).name for a in site.applications if a.name in idents}
    minors = {SHARE_OF: {name: _place(name)[0] for name in CLASSES}, TIN_OF: TINS}
    lines = []
    for name in (SHARE_OF, TIN_OF):
        if name in used:
            pairs = (f"{i << CLASS_SHIFT:#010x} : {HANDLE:x}:{minors[name][c]:x}" for i, c in sorted(classes.items()))
            lines.append(f"  map {name} {{ type mark : classid; size 128; elements = {{ {', '.join(pairs)} }}\n  }}\n")
    return lines


def prioritise(shaped: Prioritised, number: int, *, down: bool) -> str:
    """The rule by which a packet's priority names the class that queues it; one that no map knows keeps its own."""
    name = shaped.get((number, down))
    return f"meta priority set ct mark and {CLASS_MASK:#010x} map @{name}" if name else ""


# ── What differs ─────────────────────────────────────────────────────────────────────


def diff_queues(current: Queues, desired: Queues) -> Iterator[QueueChange]:
    """The changes, in an order in which nothing is sent through a device that is not ready for it."""
    stale = current.turns - desired.turns
    yield from (DropTurn(turn) for turn in sorted(stale, key=str))
    yield from (PutIntermediate(device) for device in sorted(desired.intermediates - current.intermediates))
    for device, tree in desired.trees.items():
        yield from _tree_changes(device, current.trees.get(device), tree)
    yield from (PutTurn(turn) for turn in sorted(desired.turns - current.turns, key=str))
    gone = current.intermediates - desired.intermediates
    yield from (DropTree(device) for device in current.trees.keys() - desired.trees.keys() - gone)
    yield from (DropIntermediate(device) for device in sorted(gone))


def _tree_changes(device: str, before: Tree | None, after: Tree) -> Iterator[QueueChange]:
    if before == after:
        return
    if before is None or _build(before) != _build(after):
        yield PutTree(device, after, over=before is not None)
    elif after.kind == CAKE:
        yield Retune(device, cake=after)
    else:
        known = {node.minor: node for node in before.nodes}
        yield Retune(device, tuple(node for node in _in_order(before, after) if known[node.minor] != node))


def _build(tree: Tree) -> object:
    """What cannot be changed in place."""
    nodes = {(n.minor, n.parent, n.leaf and n.leaf.kind) for n in tree.nodes}
    return tree.kind, tree.default, tree.ingress, frozenset(nodes)


def _in_order(before: Tree, after: Tree) -> list[Node]:
    """A rate that falls falls first in the leaves, one that rises rises first at the root: the sums always hold."""
    rises = after.nodes[0].rate_bps > before.nodes[0].rate_bps
    inner = [node for node in after.nodes if not node.leaf]
    leaves = [node for node in after.nodes if node.leaf]
    return [*inner, *leaves] if rises else [*leaves, *inner[::-1]]
