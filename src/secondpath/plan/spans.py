"""Sets of time spans as two sorted arrays, and what can be done with them: the simulation's only arithmetic on time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondpath.plan.estimate import Floats


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint spans in hours, `start_h` rising, each `end_h` > its start and at most the next start."""

    start_h: Floats
    end_h: Floats

    @property
    def length_h(self) -> Floats:
        """Length of each span."""
        return self.end_h - self.start_h

    def chosen(self, keep: npt.NDArray[np.bool_]) -> "Spans":
        """The spans where `keep` is true."""
        return Spans(self.start_h[keep], self.end_h[keep])

    def later(self, by_h: float) -> "Spans":
        """What is left of each span after its first `by_h` hours: an outage behind a battery."""
        start_h = self.start_h + by_h
        keep = start_h < self.end_h
        return Spans(start_h[keep], self.end_h[keep])


def no_spans() -> Spans:
    """The empty set."""
    return Spans(np.empty(0), np.empty(0))


def union(*sets: Spans) -> Spans:
    """Time in at least one of the sets."""
    filled = [s for s in sets if s.start_h.size]
    if len(filled) < 2:
        return filled[0] if filled else no_spans()
    return merged(np.concatenate([s.start_h for s in filled]), np.concatenate([s.end_h for s in filled]))


def merged(start_h: Floats, end_h: Floats) -> Spans:
    """Any spans, in any order and overlapping, as a set."""
    if not start_h.size:
        return no_spans()
    order = np.argsort(start_h, kind="stable")
    start_h = start_h[order]
    reach = np.maximum.accumulate(end_h[order])
    fresh = np.append(True, start_h[1:] > reach[:-1])
    last = np.append(np.flatnonzero(fresh)[1:] - 1, start_h.size - 1)
    return Spans(start_h[fresh], reach[last])


def overlap(first: Spans, second: Spans) -> Spans:
    """Time in both sets: walk the merged edges and keep where both are open."""
    if not (first.start_h.size and second.start_h.size):
        return no_spans()
    edges = np.concatenate((first.start_h, second.start_h, first.end_h, second.end_h))
    opened = first.start_h.size + second.start_h.size
    step = np.where(np.arange(edges.size) < opened, 1, -1)
    order = np.argsort(edges, kind="stable")
    edges, depth = edges[order], np.cumsum(step[order])
    both = np.flatnonzero(depth[:-1] == 2)
    kept = edges[both + 1] > edges[both]
    return Spans(edges[both][kept], edges[both + 1][kept])


def without(first: Spans, second: Spans) -> Spans:
    """Time in the first set and not in the second."""
    if not (first.start_h.size and second.start_h.size):
        return first
    gap_start = np.append(-np.inf, second.end_h)
    gap_end = np.append(second.start_h, np.inf)
    return overlap(first, Spans(gap_start, gap_end).chosen(gap_start < gap_end))


def arrivals(start_h: Floats, length_h: Floats) -> npt.NDArray[np.bool_]:
    """Which of the sorted starts count when nothing can fail while it is already down.

    Dropping them makes the stream exactly alternating renewal, which the closed form assumes. A start falls out if an
    earlier one that counts still lasts; runs are rare, so a few passes settle all of them.
    """
    end_h = start_h + length_h
    counts = np.ones(start_h.size, dtype=np.bool_)
    while True:
        reach = np.maximum.accumulate(np.where(counts, end_h, -np.inf))
        hidden = np.append(False, start_h[1:] < reach[:-1]) & counts
        if not hidden.any():
            return counts
        # Only the first of a run is surely hidden by one that counts; the rest are looked at again without it.
        counts[hidden & ~np.append(False, hidden[:-1])] = False
