"""From what was felt to what must hold: each measure is a pure function of the evidence and one expectation."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from secondpath.lab import gaps
from secondpath.lab.errors import unknown
from secondpath.lab.gaps import Sample
from secondpath.lab.story import Expect
from secondpath.lab.topology import Topology

Value = float | str
SAME_MOMENT_S = 0.05
"""A step and the edge of a window within this of each other mean the same moment."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a story left behind."""

    topology: Topology
    start_s: float
    end_s: float
    instants: tuple[tuple[float, float], ...]  # (a step's second in the story, the instant it took effect)
    felt: Mapping[str, tuple[Sample, ...]]  # by host
    wrong_source: Mapping[str, int]  # packets, by ISP

    def instant(self, story_s: float) -> float:
        """A second of the story on the clock; a step's own instant when one happened then."""
        for at_s, effect_s in self.instants:
            if abs(at_s - story_s) < SAME_MOMENT_S:
                return effect_s
        return self.start_s + story_s

    def window(self, expect: Expect) -> list[Sample]:
        """The samples an expectation is about."""
        to_s = self.end_s if expect.to_s is None else self.instant(expect.to_s)
        mine = gaps.of_stream(self.felt.get(expect.host, ()), expect.kind, expect.family)
        return gaps.between(mine, self.instant(expect.from_s), to_s)

    def uplinks(self, samples: list[Sample]) -> list[str]:
        """The uplink of every answered sample, in order of asking."""
        seen = (self.topology.uplink_of(s.note) for s in samples if s.answered_s is not None and s.note[:1].isdigit())
        return [uplink for uplink in seen if uplink is not None]


def outage_s(evidence: Evidence, expect: Expect) -> Value:
    """How long the stream was out after the fault at `from_s`."""
    found = gaps.outage(evidence.window(expect), evidence.instant(expect.from_s))
    return found.length_s if found else 0.0


def worst_gap_s(evidence: Evidence, expect: Expect) -> Value:
    """The longest time without service, of the worse family."""
    return max(gaps.worst_gap_s(samples) for samples in _streams(evidence, expect))


def resets(evidence: Evidence, expect: Expect) -> Value:
    """How many connections broke."""
    return float(sum(gaps.resets(samples) for samples in _streams(evidence, expect)))


def lost(evidence: Evidence, expect: Expect) -> Value:
    """How many questions were never answered."""
    return float(gaps.lost(evidence.window(expect)))


def answered_ratio(evidence: Evidence, expect: Expect) -> Value:
    """The part of the questions that was answered; of nothing it is not a number, and no bound holds."""
    samples = evidence.window(expect)
    return 1.0 - gaps.loss_ratio(samples) if samples else math.nan


def leaves_by(evidence: Evidence, expect: Expect) -> Value:
    """The uplinks flows left by, told from the source the internet saw: `lte`, `cable+lte`, or `none`."""
    return "+".join(sorted(set(evidence.uplinks(evidence.window(expect))))) or "none"


def switches(evidence: Evidence, expect: Expect) -> Value:
    """How often new flows changed their uplink, in the family that changed more often."""
    moves = [evidence.uplinks(samples) for samples in _streams(evidence, expect)]
    return float(max(sum(a != b for a, b in pairwise(uplinks)) for uplinks in moves))


def wrong_source(evidence: Evidence, expect: Expect) -> Value:
    """How many packets reached an ISP with a source that was not its customer's."""
    return float(sum(evidence.wrong_source.values()))


def _streams(evidence: Evidence, expect: Expect) -> list[list[Sample]]:
    """The window, one list a stream: gaps and resets are counted within a stream."""
    samples = evidence.window(expect)
    return [[s for s in samples if s.stream == name] for name in sorted({s.stream for s in samples})] or [[]]


MEASURES: dict[str, Callable[[Evidence, Expect], Value]] = {
    f.__name__: f for f in (outage_s, worst_gap_s, resets, lost, answered_ratio, leaves_by, switches, wrong_source)
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation and what was measured."""

    expect: Expect
    value: Value
    held: bool

    def sentence(self) -> str:
        """For people: what was wanted, whether it held, the number."""
        mark = "holds" if self.held else "FAILS"
        value = self.value if isinstance(self.value, str) else f"{self.value:.3g}"
        return f"{mark}  {self.expect.words}: {value}{_bound(self.expect)}"


def _bound(expect: Expect) -> str:
    if expect.at_most is not None:
        return f" (at most {expect.at_most:g})"
    if expect.at_least is not None:
        return f" (at least {expect.at_least:g})"
    return f" (wanted {expect.equals})"


def judge(evidence: Evidence, expect: Expect) -> Finding:
    """Measure one expectation."""
    if expect.measure not in MEASURES:
        raise unknown("measure", expect.measure, MEASURES)
    value = MEASURES[expect.measure](evidence, expect)
    if expect.equals is not None:
        held = value == expect.equals
    elif expect.at_most is not None:
        held = isinstance(value, float) and value <= expect.at_most
    else:
        held = isinstance(value, float) and value >= (expect.at_least or 0.0)
    return Finding(expect, value, held)
