"""Arithmetic on a few round trips."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from secondpath.examine.results import Anchor

_GAIN = 16
"""RFC 3550 section 6.4.1: the divisor that gives a good noise reduction at a reasonable rate of convergence."""


def median_s(round_trips_s: Sequence[float]) -> float | None:
    """The median, in seconds; None of nothing."""
    ordered, middle = sorted(round_trips_s), len(round_trips_s) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else math.fsum(ordered[middle - 1 : middle + 1]) / 2


def jitter_s(round_trips_s: Sequence[float]) -> float | None:
    """Interarrival jitter (RFC 3550 section 6.4.1 and appendix A.8), in seconds; None of less than two.

    The RFC speaks of one way; an echo knows both, so this is the variation of both together.
    """
    if len(round_trips_s) < 2:
        return None
    jitter = 0.0
    for before, after in itertools.pairwise(round_trips_s):
        jitter += (abs(after - before) - jitter) / _GAIN
    return jitter


def loss_ratio(anchors: Iterable[Anchor]) -> float | None:
    """The share of echoes (0..1) that did not come back, of anchors that answer echoes at all; None without one."""
    living = [anchor for anchor in anchors if anchor.round_trips_s]
    sent = sum(anchor.sent for anchor in living)
    return 1 - sum(len(anchor.round_trips_s) for anchor in living) / sent if sent else None


def best_s(anchors: Iterable[Anchor]) -> float | None:
    """The median round trip to the nearest anchor, in seconds: what the line itself takes, at most."""
    return min((median for a in anchors if (median := median_s(a.round_trips_s)) is not None), default=None)
