"""Our queues in the real kernel: read by netlink, changed by tc(8) and ip(8) in batches.

A change that cannot be made now (no such interface, a module that is not there) is no error: without it everything is
carried too. It is said, and the next reconcile tries again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from secondpath.act.tree import (
    CAKE,
    FIRST_PREFERENCE,
    FQ_CODEL,
    HANDLE,
    HTB,
    INTERMEDIATE,
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
    Rooted,
    Tree,
    Turn,
    retune_lines,
    tree_lines,
    turn_line,
)
from secondpath.netlink.links import Link
from secondpath.netlink.queueing import CLSACT_EGRESS, CLSACT_INGRESS, ROOT_PARENT, Filter, Qdisc, Queueing
from secondpath.netlink.route import Route as RouteSocket

LIMIT_S = 10.0
CLSACT = "clsact"
CLSACT_HANDLE = 0xFFFF
MEMORY = "clsact"
"""The file in the run directory that names the interfaces to which we gave a clsact."""
SCRATCH = "spdown0"
"""An ifb device of ours for a moment, on which is tried what the kernel can do."""
TRIED = (HTB, FQ_CODEL, CAKE)


def read_queues(links: Iterable[Link]) -> Queues:
    """What the kernel holds."""
    by_index = {link.index: link for link in links}
    with Queueing() as netlink:
        qdiscs = [q for q in netlink.qdiscs() if q.index in by_index]
        rooted = [q for q in qdiscs if q.parent == ROOT_PARENT]
        roots = {link.name: Rooted("noop", 0) for link in by_index.values()}  # of a device that is down nothing is told
        roots |= {by_index[q.index].name: Rooted(q.kind, q.handle) for q in rooted}
        ours = [q for q in rooted if q.handle == HANDLE]
        leaves = {(q.index, q.parent & 0xFFFF): _leaf(q) for q in qdiscs if q.parent >> 16 == HANDLE}
        trees = {by_index[q.index].name: _tree(netlink, q, leaves) for q in ours}
        turned = [q.index for q in qdiscs if q.handle == CLSACT_HANDLE and q.kind == CLSACT]
        turns = {
            turn
            for index in turned
            for found in netlink.filters(index, CLSACT_EGRESS)
            if (turn := _turn(found, by_index)) is not None
        }
    intermediates = frozenset(link.name for link in by_index.values() if is_ours(link) and link.up)
    return Queues(trees, frozenset(turns), intermediates, roots)


def is_ours(link: Link) -> bool:
    """Whether it is an ifb device that we have made."""
    return link.kind == "ifb" and link.name.removeprefix(INTERMEDIATE).isdigit()


def _tree(netlink: Queueing, qdisc: Qdisc, leaves: Mapping[tuple[int, int], Leaf]) -> Tree:
    if qdisc.kind == CAKE:
        return Tree(CAKE, rate_bps=qdisc.options.get("rate_bps", 0), ingress=bool(qdisc.options.get("ingress")))
    nodes = [
        Node(c.minor, c.parent, c.rate_bps, c.ceil_bps, c.priority if c.is_leaf else 0, leaves.get((c.index, c.minor)))
        for c in netlink.classes(qdisc.index)
    ]
    ordered = sorted(nodes, key=lambda node: -node.minor)
    return Tree(qdisc.kind, qdisc.options.get("default", 0), tuple(ordered))


def _leaf(qdisc: Qdisc) -> Leaf:
    """The kernel keeps a target in units of 1.024 µs."""
    return Leaf(qdisc.kind, qdisc.options.get("limit", 0), round(qdisc.options.get("target_us", 0) / 1000))


def _turn(found: Filter, by_index: Mapping[int, Link]) -> Turn | None:
    """A filter of ours; the first two of a preference, which are u32's own table, redirect nothing."""
    target = by_index.get(found.to)
    if target is None or not is_ours(target) or found.preference <= FIRST_PREFERENCE:
        return None
    return Turn(by_index[found.index].name, found.came_in, target.name, found.preference)


def change_queues(change: QueueChange, run_dir: Path) -> str:
    """Make one change; "" or what the tool said against it."""
    match change:
        case PutIntermediate(device):
            _batch("ip", [f"link add {device} type ifb"])
            said = _batch("ip", [f"link set dev {device} addrgenmode none", f"link set dev {device} up"])
        case DropIntermediate(device):
            said = _batch("ip", [f"link del {device}"])
        case PutTree(device, tree, over):
            said = _put_tree(device, tree, over=over)
        case Retune(device):
            said = _batch("tc", retune_lines(device, change))
        case DropTree(device):
            said = _batch("tc", [f"qdisc del dev {device} root handle {HANDLE:x}:"])
        case PutTurn(turn):
            said = _put_turn(turn, run_dir)
        case DropTurn(turn):
            said = _drop_turn(turn, run_dir)
    return said


def _put_tree(device: str, tree: Tree, *, over: bool) -> str:
    """A tree that comes about by half would hold people up: then there is none."""
    said = _batch("tc", tree_lines(device, tree, over=over))
    if said:
        _batch("tc", [f"qdisc del dev {device} root handle {HANDLE:x}:"])
    return said


def _put_turn(turn: Turn, run_dir: Path) -> str:
    _batch("tc", [f"filter del dev {turn.inside} egress pref {turn.preference}"])
    if not _batch("tc", [f"qdisc add dev {turn.inside} {CLSACT}"]):
        _remember(run_dir, _given(run_dir) | {turn.inside})
    return _batch("tc", [turn_line(turn)])


def _drop_turn(turn: Turn, run_dir: Path) -> str:
    said = _batch("tc", [f"filter del dev {turn.inside} egress pref {turn.preference}"])
    if turn.inside in _given(run_dir) and not _filtered(turn.inside):
        _batch("tc", [f"qdisc del dev {turn.inside} {CLSACT}"])
        _remember(run_dir, _given(run_dir) - {turn.inside})
    return said


def _filtered(interface: str) -> bool:
    """Whether anybody has a filter in an interface's clsact."""
    with RouteSocket() as netlink:
        index = next((link.index for link in netlink.links() if link.name == interface), None)
    if index is None:
        return False
    with Queueing() as queueing:
        return any(queueing.filters(index, parent) for parent in (CLSACT_EGRESS, CLSACT_INGRESS))


def _given(run_dir: Path) -> set[str]:
    try:
        return set((run_dir / MEMORY).read_text().split())
    except OSError:
        return set()


def _remember(run_dir: Path, interfaces: set[str]) -> None:
    run_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    (run_dir / MEMORY).write_text("".join(f"{name}\n" for name in sorted(interfaces)))


def clear_queues(run_dir: Path) -> tuple[str, ...]:
    """Take away all of ours; the devices that were shaped."""
    with RouteSocket() as netlink:
        found = read_queues(netlink.links())
    for turn in found.turns:
        change_queues(DropTurn(turn), run_dir)
    for device in found.trees.keys() - found.intermediates:
        change_queues(DropTree(device), run_dir)
    for device in found.intermediates:
        change_queues(DropIntermediate(device), run_dir)
    (run_dir / MEMORY).unlink(missing_ok=True)
    return tuple(sorted(found.trees.keys() | found.intermediates))


def try_abilities() -> Abilities:
    """What the kernel has, tried on an ifb device of ours; on a kernel without ifb, on a veth pair of ours."""
    _batch("ip", [f"link del {SCRATCH}"])
    no_ifb = _batch("ip", [f"link add {SCRATCH} type ifb"])
    if no_ifb and (said := _batch("ip", [f"link add {SCRATCH} type veth peer name {SCRATCH}p"])):
        return Abilities(lacks=(f"nothing can be shaped: {said}",))
    try:
        return _tried(no_ifb)
    finally:
        _batch("ip", [f"link del {SCRATCH}"])


def _tried(no_ifb: str) -> Abilities:
    said = {kind: _batch("tc", [f"qdisc replace dev {SCRATCH} root {kind}"]) for kind in TRIED}
    turn = Turn(SCRATCH, SCRATCH, SCRATCH, FIRST_PREFERENCE)
    no_turn = no_ifb or _batch("tc", [f"qdisc add dev {SCRATCH} {CLSACT}", turn_line(turn)])
    lacks = []
    if said[HTB]:
        lacks.append(f"the kernel has no HTB ({said[HTB]})")
    if no_turn:
        lacks.append(f"what comes in cannot be shaped: the kernel lacks ifb, clsact, u32 or mirred ({no_turn})")
    return Abilities(not said[HTB], not said[FQ_CODEL], not said[CAKE], not no_turn, tuple(lacks))


def _batch(tool: str, lines: list[str]) -> str:
    """Run ip(8) or tc(8) over the lines up to the first that is refused; "" or the first of what it said."""
    try:
        done = subprocess.run(
            [tool, "-batch", "-"],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as why:
        return f"{tool}: {why}"
    said = [line for line in done.stderr.splitlines() if not line.startswith("Warning")]
    return (said[0] if said else f"{tool} ended with {done.returncode}") if done.returncode else ""
