"""End the flows of a retired epoch, and only those: flush what may be forgotten, poke what must be reset, count.

All steps are idempotent. They come after the transaction that retired the epoch, never before: a flow that is flushed
first is recreated by its next packet on the line that is just being left.

A TCP segment that finds no entry any more is reset by our table as one of a retired epoch is, so an entry that is gone
costs its client nothing; one that stays keeps the client's port from being used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from secondpath.act.kernel.poke import CLOSED, OPEN, Poker, pokable
from secondpath.act.plane import EPOCH_SHIFT, NOT_TCP, ROUTE_MASK, UPLINK_MASK, epoch_of, is_from_inside, uplink_of
from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.flow import Flow

A_BATCH = 200
"""Flows that are poked before the loop gets its turn again: about 7 ms."""


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
        self._conntrack.flush(mark, ROUTE_MASK, unreplied_only=True)
        self._conntrack.flush(mark | NOT_TCP, ROUTE_MASK | NOT_TCP)

    def forget_closed(self, epochs: Iterable[tuple[int, int]]) -> None:
        """Delete the TCP flows that were reset, so that their ports are free for new connections.

        Kernels from 6.4 mark an entry as closed when our table resets its flow; on others there are few to find here.
        """
        self._conntrack.delete_all(list(self._of(epochs, CLOSED)))

    def to_reset(self, epochs: Iterable[tuple[int, int]]) -> list[Flow]:
        """The open TCP flows of epochs (with their uplinks) whose client can be poked, most important class first."""
        live = [flow for flow in self._of(epochs, OPEN) if pokable(flow)]
        return sorted(live, key=lambda f: f.mark & 0x7F00)

    def _of(self, epochs: Iterable[tuple[int, int]], tcp_states: frozenset[int]) -> Iterator[Flow]:
        """The TCP flows of epochs in one of these states. A walk over the table costs 10 ms: one for each uplink."""
        wanted = set(epochs)
        for uplink in {uplink for _, uplink in wanted}:
            mine = [epoch for epoch, number in wanted if number == uplink]
            one = (mine[0] << EPOCH_SHIFT | uplink, ROUTE_MASK)
            mark, mask = one if len(mine) == 1 else (uplink, UPLINK_MASK)
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
        self._conntrack.flush(epoch << EPOCH_SHIFT | uplink, ROUTE_MASK)

    def count(self, epoch: int, uplink: int) -> int:
        """How many flows an epoch still has."""
        return self._conntrack.count(epoch << EPOCH_SHIFT | uplink, ROUTE_MASK)

    def forget_untranslated(self, uplinks: frozenset[int]) -> int:
        """Delete unanswered flows from inside that no translation was found for; how many there were.

        A flow that was sending before our table was there had its translation decided by nobody: the guard drops its
        packets, and every packet keeps the entry alive. Forgotten, its next packet begins anew.
        """
        forgotten = 0
        for uplink in uplinks:
            flows = self._conntrack.dump(uplink, UPLINK_MASK)
            bare = [f for f in flows if not f.answered and is_from_inside(f.mark) and f.reply_dest == f.source]
            forgotten += self._conntrack.delete_all(bare)
        return forgotten

    def orphans(self, live: frozenset[tuple[int, int]], uplinks: frozenset[int]) -> set[tuple[int, int]]:
        """Epochs (with their uplinks) of ours that still have flows but are not live: what a crash left behind."""
        found: set[tuple[int, int]] = set()
        for uplink in uplinks:
            for flow in self._conntrack.dump(uplink, UPLINK_MASK):
                place = (epoch_of(flow.mark), uplink_of(flow.mark))
                if place[0] and place not in live:
                    found.add(place)
        return found
