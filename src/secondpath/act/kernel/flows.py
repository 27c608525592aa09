"""End the flows of a retired epoch, and only those: flush what may be forgotten, poke what must be reset, count.

All steps are idempotent. They come after the transaction that retired the epoch, never before: a flow that is flushed
first is recreated by its next packet on the line that is just being left.

A TCP segment that finds no entry any more is reset by our table as one of a retired epoch is, so an entry that is gone
costs its client nothing; one that stays keeps the client's port from being used again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from itertools import islice
from typing import TypeAlias

from secondpath.act.kernel.poke import CLOSED, OPEN, Poker, pokable
from secondpath.act.plane import (
    ARRIVED,
    CLASS_MASK,
    CLASS_SHIFT,
    EPOCH_SHIFT,
    FLOW_MASK,
    NOT_TCP,
    UPLINK_MASK,
    epoch_of,
    is_from_inside,
    lane_mark,
    uplink_of,
    urgency,
)
from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.flow import Flow

Tracked: TypeAlias = Flow
"""A connection of this box, for whoever may not know netlink."""
Part: TypeAlias = tuple[int, int, int]
"""Epoch, number of the uplink, number of a class or application: flows that are ended without the rest of the epoch."""
UPLINK_BITS = UPLINK_MASK & ~ARRIVED
A_BATCH = 200
"""Flows that are poked before the loop gets its turn again: about 7 ms."""

CUT_MOST = 1000
"""So many clients are poked at once; whoever is left is reset by his next packet."""


class Flows:
    """The connections of this box, by the marks that we gave them."""

    def __init__(self) -> None:
        self._conntrack = Conntrack()
        self._poker = Poker()

    def close(self) -> None:
        """Give the sockets back."""
        self._conntrack.close()
        self._poker.close()

    def forget(self, epoch: int, uplink: int) -> None:
        """Flush the flows that nothing has answered, and all that is not TCP: their next packet begins anew."""
        mark = epoch << EPOCH_SHIFT | uplink
        self._conntrack.flush(mark, FLOW_MASK, unreplied_only=True)
        self._conntrack.flush(mark | NOT_TCP, FLOW_MASK | NOT_TCP)

    def forget_closed(self, epochs: Iterable[tuple[int, int]]) -> None:
        """Delete the TCP flows that were reset, so that their ports are free for new connections.

        Kernels from 6.4 mark an entry as closed when our table resets its flow; on others there are few to find here.
        """
        self._conntrack.delete_all(list(self._of(epochs, CLOSED)))

    def to_reset(self, epochs: Iterable[tuple[int, int]]) -> list[Flow]:
        """The open TCP flows of epochs (with their uplinks) whose client can be poked, the most important first."""
        live = [flow for flow in self._of(epochs, OPEN) if pokable(flow)]
        return sorted(live, key=lambda f: urgency(f.mark))

    def _of(self, epochs: Iterable[tuple[int, int]], tcp_states: frozenset[int]) -> Iterator[Flow]:
        """The TCP flows of epochs in one of these states. A walk over the table costs 10 ms: one for each uplink."""
        wanted = set(epochs)
        for uplink in {uplink for _, uplink in wanted}:
            mine = [epoch for epoch, number in wanted if number == uplink]
            one = (mine[0] << EPOCH_SHIFT | uplink, FLOW_MASK)
            mark, mask = one if len(mine) == 1 else (uplink, UPLINK_BITS)
            for flow in self._conntrack.dump(mark, mask, tcp_states=tcp_states):
                if (epoch_of(flow.mark), uplink_of(flow.mark)) in wanted:
                    yield flow

    def reset(self, epochs: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        """List what is to be reset and poke it, a batch at each step; yields the epoch of each that was poked in it."""
        rest = iter(self.to_reset(epochs))
        while batch := list(islice(rest, A_BATCH)):
            yield [(epoch_of(flow.mark), uplink_of(flow.mark)) for flow in self._poker.poke(batch)]

    def end(self, epoch: int, uplink: int) -> None:
        """Flush whatever is left of an epoch."""
        self._conntrack.flush(epoch << EPOCH_SHIFT | uplink, FLOW_MASK)

    def count(self, epoch: int, uplink: int) -> int:
        """How many flows an epoch still has."""
        return self._conntrack.count(epoch << EPOCH_SHIFT | uplink, FLOW_MASK)

    def cut(self, parts: Iterable[Part]) -> tuple[Counter[Part], Counter[Part]]:
        """End the flows of some classes and applications in epochs that live on: how many ended; how many were poked.

        Deleted first: were they still known, the answer to a poke would be routed, and no reset come of it.
        """
        wanted = set(parts)
        there = [flow for flow in self._in({(uplink, ident) for _, uplink, ident in wanted}) if part_of(flow) in wanted]
        self._conntrack.delete_all(there)
        live = [flow for flow in there if flow.tcp_state in OPEN and pokable(flow)]
        return Counter(map(part_of, there)), Counter(map(part_of, self._poker.poke(live[:CUT_MOST])))

    def of_classes(self, uplink: int, idents: Iterable[int]) -> list[Flow]:
        """The flows from inside on an uplink that bear one of these classes."""
        return list(self._in({(uplink, ident) for ident in idents}))

    def _in(self, places: Set[tuple[int, int]]) -> Iterator[Flow]:
        """The flows on uplinks that bear these classes. A walk costs up to 10 ms: neighbouring numbers share one."""
        pairs = {(uplink, ident & ~1) for uplink, ident in places if (uplink, ident ^ 1) in places}
        alone = {(uplink, ident) for uplink, ident in places if (uplink, ident & ~1) not in pairs}
        walks = [(place, CLASS_MASK & ~(1 << CLASS_SHIFT)) for place in sorted(pairs)]
        walks += [(place, CLASS_MASK) for place in sorted(alone)]
        for (uplink, ident), mask in walks:
            yield from self._conntrack.dump(lane_mark(0, uplink, ident), mask | UPLINK_BITS)

    def send_home(self, flows: Iterable[Flow]) -> Iterator[int]:
        """End these very flows, though their epoch lives on, a batch at each step; yields how many were there in it.

        They are deleted first: then the client's answer to a poke meets no entry, and our table resets what opens
        nothing (see act/ruleset). What is not TCP begins anew with its next packet, on the line of its class.
        """
        rest = iter(sorted(flows, key=lambda f: urgency(f.mark)))
        while batch := list(islice(rest, A_BATCH)):
            gone = self._conntrack.delete_all(batch)
            self._poker.poke(flow for flow in batch if flow.tcp_state in OPEN and pokable(flow))
            yield gone

    def mark_class(self, flows: Iterable[Flow], ident: int) -> int:
        """Give flows the number of another class; how many there were. Epoch, uplink and the rest of the mark stay.

        The kernel changes the bits of an entry that it has, and makes none: a flow that was ended meanwhile stays so,
        and one of a retired epoch stays retired. If the same ends talk again already, it is the same people's flow.
        """
        return self._conntrack.set_mark(flows, ident << CLASS_SHIFT, CLASS_MASK)

    def forget_untranslated(self, uplinks: frozenset[int]) -> int:
        """Delete unanswered flows from inside that no translation was found for; how many there were.

        A flow that was sending before our table was there had its translation decided by nobody: the guard drops its
        packets, and every packet keeps the entry alive. Forgotten, its next packet begins anew.
        """
        forgotten = 0
        for uplink in uplinks:
            flows = self._conntrack.dump(uplink, UPLINK_BITS)
            bare = [f for f in flows if not f.answered and is_from_inside(f.mark) and f.reply_dest == f.source]
            forgotten += self._conntrack.delete_all(bare)
        return forgotten

    def orphans(self, live: frozenset[tuple[int, int]], uplinks: frozenset[int]) -> set[tuple[int, int]]:
        """Epochs (with their uplinks) of ours that still have flows but are not live: what a crash left behind."""
        found: set[tuple[int, int]] = set()
        for uplink in uplinks:
            for flow in self._conntrack.dump(uplink, UPLINK_BITS):
                place = (epoch_of(flow.mark), uplink_of(flow.mark))
                if place[0] and place not in live:
                    found.add(place)
        return found


def part_of(flow: Flow) -> Part:
    """The epoch, the uplink and the class or application of a flow."""
    return epoch_of(flow.mark), uplink_of(flow.mark), (flow.mark & CLASS_MASK) >> CLASS_SHIFT
