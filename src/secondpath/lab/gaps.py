"""What an outage amounts to: pure functions from samples to seconds.

An *outage* begins with the first question that got no good answer after the fault and ends with the first good one
that lasts: followed by nothing but good ones for `lasting_s`. Both are taken at the time of asking, so the
result is exact to one sampling interval. An answer later than `late_s` is as bad as none.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

LATE_S = 1.0
LATE_LASTING_TCP_S = 0.25
"""On a lasting TCP connection nothing is lost, only late: a longer wait than this is an outage."""
LASTING_S = 1.0
BREAKS = frozenset({"reset", "refused", "closed"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: when it was asked, when it was answered (or not), and a note."""

    stream: str
    sent_s: float
    answered_s: float | None
    note: str

    def row(self) -> list[Any]:
        """As written to a file."""
        return [
            self.stream,
            round(self.sent_s, 5),
            None if self.answered_s is None else round(self.answered_s, 5),
            self.note,
        ]

    def good(self, late_s: float = LATE_S) -> bool:
        """Answered in time to be of use."""
        return self.answered_s is not None and self.answered_s - self.sent_s <= late_s


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first bad question to the first lasting good one; `end_s` None: never again while we looked."""

    begin_s: float
    end_s: float | None

    @property
    def length_s(self) -> float:
        """How long it lasted; infinite when it never ended."""
        return math.inf if self.end_s is None else self.end_s - self.begin_s


def read_samples(path: Path) -> list[Sample]:
    """The samples in a file people.py wrote, in order of asking. A last line cut short is left out."""
    samples = []
    for line in path.read_text().splitlines():
        try:
            samples.append(Sample(*json.loads(line)))
        except (ValueError, TypeError):
            continue
    return sorted(samples, key=lambda s: s.sent_s)


def of_stream(
    samples: Iterable[Sample], kind: str, family: str | None = None, every_s: float | None = None
) -> list[Sample]:
    """The samples of one stream: by kind, and by family and interval when given."""
    interval = None if every_s is None else f"{round(every_s * 1000)}ms"
    chosen = []
    for sample in samples:
        its_kind, its_family, its_interval = sample.stream.split(".")
        if its_kind == kind and family in (None, its_family) and interval in (None, its_interval):
            chosen.append(sample)
    return sorted(chosen, key=lambda s: s.sent_s)


def between(samples: Iterable[Sample], from_s: float, to_s: float) -> list[Sample]:
    """The samples asked in a span of time."""
    return [s for s in samples if from_s <= s.sent_s < to_s]


def outage(
    samples: Sequence[Sample], fault_s: float, *, late_s: float | None = None, lasting_s: float = LASTING_S
) -> Outage | None:
    """The outage of one stream that a fault caused, or None when it felt nothing.

    A question asked shortly before the fault may already be lost to it: then the outage begins with the fault.
    Questions on one lasting TCP connection are all answered at once when it flows again; there the end is the
    moment of that answer, not of a question.
    """
    if late_s is None:
        late_s = LATE_LASTING_TCP_S if samples and _answers_late(samples) else LATE_S
    mine = [s for s in samples if s.sent_s >= fault_s - late_s]
    bad = [number for number, s in enumerate(mine) if not s.good(late_s)]
    while bad:
        first = last = bad.pop(0)
        while bad and mine[bad[0]].sent_s - mine[last].sent_s <= lasting_s + _grid_s(mine):
            last = bad.pop(0)
        end_s = next((s.sent_s for s in mine[last + 1 :]), None)
        if end_s is not None and _answers_late(mine):
            end_s = max([end_s, *(s.answered_s for s in mine[first : last + 1] if s.answered_s is not None)])
        if end_s is None or end_s > fault_s:
            return Outage(max(mine[first].sent_s, fault_s), end_s)
    return None


def _answers_late(samples: Sequence[Sample]) -> bool:
    """Whether the stream is one where TCP delivers late rather than never."""
    return samples[0].stream.startswith("lasting-tcp.")


def _grid_s(samples: Sequence[Sample]) -> float:
    """The usual interval between samples."""
    steps = sorted(later.sent_s - earlier.sent_s for earlier, later in pairwise(samples))
    return steps[len(steps) // 2] if steps else 0.0


def worst_gap_s(samples: Sequence[Sample], *, late_s: float = LATE_S) -> float:
    """The longest time without service, less the step that is usual; 0 when every question was answered well.

    Counted between good questions; on a lasting TCP connection between answers, late ones too. The ends of looking
    count as good.
    """
    step_s = _grid_s(samples)
    if samples and _answers_late(samples):
        good = sorted(s.answered_s for s in samples if s.answered_s is not None)
    elif all(s.good(late_s) for s in samples):
        return 0.0
    else:
        good = [s.sent_s for s in samples if s.good(late_s)]
    ends = [samples[0].sent_s - step_s, *good, samples[-1].sent_s + step_s]
    worst_s = max(later - earlier for earlier, later in pairwise(ends)) - step_s
    return max(0.0, worst_s)


def resets(samples: Iterable[Sample]) -> int:
    """How often a lasting connection broke: several lost requests of one break count once."""
    count, breaking = 0, False
    for sample in samples:
        broken = sample.answered_s is None and sample.note in BREAKS
        count += broken and not breaking
        if sample.note != "no connection":
            breaking = broken
    return count


def lost(samples: Iterable[Sample]) -> int:
    """How many questions were never answered."""
    return sum(s.answered_s is None for s in samples)


def loss_ratio(samples: Sequence[Sample]) -> float:
    """The part that was never answered; 0 of nothing is 0."""
    return lost(samples) / len(samples) if samples else 0.0


def paths(samples: Iterable[Sample]) -> list[str]:
    """The addresses the internet saw, in order, each change once: more than one is a move."""
    seen: list[str] = []
    for sample in samples:
        if sample.answered_s is not None and sample.note and (not seen or seen[-1] != sample.note):
            seen.append(sample.note)
    return seen


def jitter_s(samples: Iterable[Sample]) -> float:
    """Interarrival jitter at the end (RFC 3550 section 6.4.1), of a mirrored call: both ways together."""
    jitter, before = 0.0, None
    for sample in samples:
        if sample.answered_s is None:
            continue
        transit_s = sample.answered_s - sample.sent_s
        if before is not None:
            jitter += (abs(transit_s - before) - jitter) / 16
        before = transit_s
    return jitter


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least that share of all values does not exceed (nearest rank); nan of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
