"""How a call sounded, from when its packets arrived. Pure.

Jitter is RFC 3550's (6.4.1): J += (|D| - J) / 16, with D the difference of two packets' transits. The opinion score is
the E-model's (ITU-T G.107) for G.711 with packet loss concealment (G.113, appendix I), behind a fixed playout buffer:
a packet later than that after the quickest one is as good as lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from secondpath.plan.voice import mean_opinion, rating

PLAYOUT_S = 0.060
PACKING_S = 0.025
"""Packetisation of 20 ms, and 5 ms in the codecs."""
G711_BPL = 25.1


@dataclass(frozen=True, slots=True)
class Sound:
    """One direction of one call."""

    packets: int
    loss_ratio: float
    late_ratio: float
    jitter_p95_s: float
    delay_s: float
    """Of the quickest packet."""
    delay_p99_s: float
    opinion: float


def sound_of(transits: Sequence[float | None]) -> Sound:
    """What the transits of a call's packets, in the order of sending, amount to. Of none nothing was heard: MOS 1."""
    came = [transit for transit in transits if transit is not None]
    if not came:
        return Sound(len(transits), 1.0, 0.0, float("inf"), float("inf"), float("inf"), 1.0)
    quickest_s = min(came)
    late = sum(transit > quickest_s + PLAYOUT_S for transit in came)
    missing = (len(transits) - len(came) + late) / len(transits)
    told = rating(quickest_s + PLAYOUT_S + PACKING_S, missing, 0.0, G711_BPL)
    return Sound(
        len(transits),
        1.0 - len(came) / len(transits),
        late / len(transits),
        part(jitters(came), 0.95),
        quickest_s,
        part(came, 0.99),
        max(1.0, mean_opinion(told)),  # the formula dips a hair below at a rating of 3
    )


def jitters(transits: Sequence[float]) -> list[float]:
    """The running jitter after each packet."""
    jitter_s, found = 0.0, []
    for one_s, next_s in pairwise(transits):
        jitter_s += (abs(next_s - one_s) - jitter_s) / 16
        found.append(jitter_s)
    return found


def part(values: Sequence[float], share: float) -> float:
    """The value below which that share of all lies; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def read_calls(path: Path) -> list[list[float | None]]:
    """The transits of every call in a file of `calls`."""
    return [json.loads(line)["transits"] for line in path.read_text().splitlines()]
