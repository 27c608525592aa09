"""The path MTU of a line: `examine.mtu` says which sizes to ask, and here they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from secondpath.examine.mtu import begin
from secondpath.examine.results import PathMtu
from secondpath.model import Family, IPAddress
from secondpath.sense.examining.echoing import Back, Echoer

_PATIENCE_LEAST_S = 0.25
"""How long an echo is waited for: half as long again as a round trip took, and never less than this. Where that is too
slow for the time there is, nothing is claimed."""
_DOUBTS = 3
"""How often the end of a search is doubted."""


async def find_mtu(
    echoer: Echoer, anchors: Sequence[tuple[IPAddress, float]], family: Family, interface_bytes: int, *, metered: bool
) -> PathMtu:
    """The largest packet that reaches an anchor and comes back; anchors with their round trips in seconds."""
    search = begin(family, interface_bytes, metered=metered)
    patience_s = max(_PATIENCE_LEAST_S, 1.5 * max(rtt_s for _, rtt_s in anchors) + 0.1)
    targets = [target for target, _ in anchors][:2]
    told, doubts = PathMtu(interface_bytes), _DOUBTS
    while not search.done:
        sizes = search.sizes()
        backs = await asyncio.gather(*(_ask_twice(echoer, targets, size, patience_s) for size in sizes))
        if echoer.held_back:
            return told
        limits = [back for back in backs if back.limit_bytes is not None]
        for back in limits:
            told = PathMtu(interface_bytes, None, back.limit_bytes, back.limit_by)
        passed = [size for size, back in zip(sizes, backs, strict=True) if back.rtt_s is not None]
        if search.round == 0 and not passed and not await _lives(echoer, targets, patience_s):
            return told  # the anchors stopped answering: silence says nothing about sizes
        search = search.after(passed, [back.limit_bytes or 0 for back in limits])
        silent = search.done and told.told_by is None and search.high <= interface_bytes
        if silent and doubts > 0 and await _passes(echoer, targets, search.high, patience_s):
            search, doubts = search.reopened(interface_bytes), doubts - 1
    return PathMtu(interface_bytes, search.path_bytes, told.told_bytes, told.told_by)


async def _ask_twice(echoer: Echoer, targets: Sequence[IPAddress], size: int, patience_s: float) -> Back:
    """One size, asked again of another anchor where there is one: a lost packet is not a big one (RFC 4821)."""
    first = await echoer.ask(targets[0], patience_s, size)
    if first.rtt_s is not None or first.limit_bytes is not None:
        return first
    return await echoer.ask(targets[-1], patience_s, size)


async def _passes(echoer: Echoer, targets: Sequence[IPAddress], size: int, patience_s: float) -> bool:
    """Whether a size that failed twice passes after all, when asked twice more of every anchor."""
    backs = await asyncio.gather(*(echoer.ask(target, patience_s, size) for target in targets for _ in range(2)))
    return any(back.rtt_s is not None for back in backs)


async def _lives(echoer: Echoer, targets: Sequence[IPAddress], patience_s: float) -> bool:
    backs = await asyncio.gather(*(echoer.ask(target, patience_s) for target in targets))
    return any(back.rtt_s is not None for back in backs)
