"""From what people felt to figures: one run, and the tables of all runs. Pure.

The *outage* of a stream is lab.gaps' (from the fault to the first question of a lasting series of good answers). What
is due to noticing and what to switching is told apart by the instant `moved`: the gateway's own decision, the oracle's
order, or, for the script, the first new flow that works.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Distribution, table, three
from bench.ground import FAMILIES, Answer
from secondpath.lab.gaps import Sample, between, of_stream, outage, worst_gap_s

FAULTS: dict[str, tuple[str, ...]] = {
    "cable-cut": ("cable-cut",),
    "next-hop-dead": ("next-hop-dead",),
    "blackhole": ("blackhole",),
    "one-way": ("blackhole-in", "blackhole-out"),  # by turns
}
GATEWAYS = ("secondpath", "oracle", "ping script")
FINE_S, COARSE_S = 0.005, 0.05
SCRIPT_AFTER_S = 3.0
NEW = ("new-udp", "new-tcp")
LASTING = {"lasting-udp": 0.01, "lasting-tcp": 0.02, "download": 0.05}


@dataclass(slots=True)
class Run:
    """One fault and the way home, as instants; what people felt comes later."""

    gateway: str
    fault: str
    at_s: float
    tracked: int = 0  # connections in the gateway's memory when it began
    moved_s: dict[str, float] = field(default_factory=dict)  # by family: when the gateway decided
    judged_s: dict[str, float] = field(default_factory=dict)
    told_s: float | None = None  # when the kernel announced the lost carrier
    mended_s: float = math.inf
    home_s: float = math.inf
    end_s: float = math.inf
    felt: Future[list[Sample]] | None = None
    seen: dict[str, float] = field(default_factory=dict)  # what it amounts to, see `measure`


def measure(run: Run, samples: Sequence[Sample], fine_s: float) -> dict[str, float]:
    """One run in numbers: `outage/KIND/FAMILY/INTERVAL`, and `after`, `reset`, `home` `/KIND/FAMILY`."""
    away, home = between(samples, run.at_s - 1.0, run.mended_s), between(samples, run.home_s - 0.1, run.end_s)
    seen: dict[str, float] = {}
    for family in FAMILIES:
        for kind in NEW:
            for name, every_s in (("fine", fine_s), ("50 ms", COARSE_S)):
                seen[f"outage/{kind}/{family}/{name}"] = _outage_s(of_stream(away, kind, family, every_s), run.at_s)
        works_s = run.at_s + seen[f"outage/new-udp/{family}/fine"]
        moved_s = run.moved_s.get(family, works_s)
        seen[f"noticed/{family}"] = moved_s - run.at_s
        seen[f"carried out/{family}"] = works_s - moved_s
        later = [s for s in of_stream(away, "new-tcp", family, fine_s) if s.sent_s > max(works_s, moved_s) + 0.05]
        seen[f"stumbles/{family}"] = sum(not s.good() for s in later)
        seen[f"begun/{family}"] = len(later)
        for kind in LASTING:
            mine = of_stream(away, kind, family)
            length_s = _outage_s(mine, run.at_s)
            seen[f"outage/{kind}/{family}"] = length_s
            seen[f"after/{kind}/{family}"] = run.at_s + length_s - moved_s
            if kind != "lasting-udp":
                seen[f"reset/{kind}/{family}"] = _reset_s(mine, run.at_s) - moved_s
        for kind in (*NEW, *LASTING):
            mine = of_stream(home, kind, family, fine_s if kind in NEW else None)
            seen[f"home/{kind}/{family}"] = worst_gap_s(mine) if mine else math.nan
    return seen


def _outage_s(samples: Sequence[Sample], at_s: float) -> float:
    if not samples:
        return math.inf
    found = outage(samples, at_s)
    if found is None:
        return 0.0
    return math.inf if found.end_s is None else found.end_s - at_s


def _reset_s(samples: Sequence[Sample], at_s: float) -> float:
    """The instant at which the client learned that its connection is gone.

    A download's break is a sample of its own; a request stream tells with its next tick that it has no connection.
    """
    download = samples and samples[0].stream.startswith("download.")
    notes = {"reset", "refused"} if download else {"no connection"}
    marked = [s.sent_s for s in samples if s.sent_s >= at_s and s.answered_s is None and s.note in notes]
    return min(marked, default=math.inf)


def pooled(runs: Iterable[Run], *keys: str) -> Distribution:
    """The values of several keys of several runs in one distribution."""
    return Distribution.of(run.seen[key] for run in runs for key in keys if not math.isnan(run.seen[key]))


def _both(kind: str) -> tuple[str, ...]:
    return tuple(kind.format(family) for family in FAMILIES)


ROWS: dict[str, tuple[str, ...]] = {
    "new UDP flows": _both("outage/new-udp/{}/fine"),
    "new TCP flows": _both("outage/new-tcp/{}/fine"),
    "new UDP, each 50 ms": _both("outage/new-udp/{}/50 ms"),
    "new TCP, each 50 ms": _both("outage/new-tcp/{}/50 ms"),
    "lasting UDP flow": _both("outage/lasting-udp/{}"),
    "TCP requests": _both("outage/lasting-tcp/{}"),
    "TCP download": _both("outage/download/{}"),
    "  noticed after": _both("noticed/{}"),
    "  then switched in": _both("carried out/{}"),
    "  then UDP flows on": _both("after/lasting-udp/{}"),
    "  then TCP is reset": (*_both("reset/lasting-tcp/{}"), *_both("reset/download/{}")),
    "  then TCP works": (*_both("after/lasting-tcp/{}"), *_both("after/download/{}")),
}
HOME_ROWS: dict[str, tuple[str, ...]] = {
    "new UDP flows": _both("home/new-udp/{}"),
    "new TCP flows": _both("home/new-tcp/{}"),
    "lasting UDP flow": _both("home/lasting-udp/{}"),
    "TCP requests": _both("home/lasting-tcp/{}"),
    "TCP download": _both("home/download/{}"),
}


def answer(runs: list[Run]) -> Answer:
    """Tables for people, distributions for the file, numbers for the bounds."""
    said = Answer()
    for fault in FAULTS:
        rows = [_row(words, [_of(runs, g, fault) for g in GATEWAYS], keys) for words, keys in ROWS.items()]
        counts = ", ".join(str(len(_of(runs, g, fault))) for g in GATEWAYS)
        stumbles = "; ".join(f"{g} {_stumbles(_of(runs, g, fault))}" for g in GATEWAYS)
        said.lines += ["", f"{fault}: median, p95, worst in seconds ({counts} runs, both families)", *_gaps_table(rows)]
        said.lines.append(f"new TCP failing after that: {stumbles}")
    rows = [
        _row(words, [[r for r in runs if r.gateway == g] for g in GATEWAYS], keys) for words, keys in HOME_ROWS.items()
    ]
    said.lines += ["", "failback, longest time without service: median, p95, worst in seconds", *_gaps_table(rows)]
    tracked = Distribution.of(float(run.tracked) for run in runs)
    said.lines += ["", f"never: not within {SCRIPT_AFTER_S:g} s after the move. Flows tracked by the gateways when the "
                   f"fault began:", f"median {tracked.median:.0f}, most {tracked.worst:.0f}"]  # fmt: skip
    told = Distribution.of(run.told_s - run.at_s for run in runs if run.told_s is not None)
    if told.n:
        said.lines += ["", f"cable-cut: the kernel announced the lost carrier after {' '.join(three(told))}"]
    said.data = {
        "runs": [_run_json(run) for run in runs],
        "carrier_announced_s": told.json(),
        "distributions": {
            g: {f: {k: pooled(_of(runs, g, f), k).json() for k in _keys(runs)} for f in FAULTS} for g in GATEWAYS
        },
    }
    for fault in FAULTS:
        ours = _of(runs, "secondpath", fault)
        new = pooled(ours, *ROWS["new UDP flows"], *ROWS["new TCP flows"])
        said.measured |= {f"gaps/{fault}/new/median": new.median, f"gaps/{fault}/new/p95": new.p95}
    ours = [run for run in runs if run.gateway == "secondpath"]
    udp, reset = (pooled(ours, *ROWS[name]) for name in ("  then UDP flows on", "  then TCP is reset"))
    for name, found in (("udp", udp), ("reset", reset)):
        said.measured |= {f"gaps/after/{name}/{at}": getattr(found, at) for at in ("median", "p95", "worst")}
    return said


def _of(runs: list[Run], gateway: str, fault: str) -> list[Run]:
    return [run for run in runs if (run.gateway, run.fault) == (gateway, fault)]


def _stumbles(runs: Sequence[Run]) -> str:
    """Of the new TCP flows begun after new flows worked again, those that did not."""
    failed, begun = (
        sum(run.seen.get(f"{key}/{f}", 0.0) for run in runs for f in FAMILIES) for key in ("stumbles", "begun")
    )
    return f"{failed:.0f} of {begun:.0f}"


def _row(words: str, runs: Sequence[Sequence[Run]], keys: tuple[str, ...]) -> list[str]:
    return [words, *(" ".join(f"{cell:>5}" for cell in figures(pooled(some, *keys))) for some in runs)]


def figures(found: Distribution) -> list[str]:
    """Median, p95, worst in seconds, five characters each."""
    return [_figure(value) for value in (found.median, found.p95, found.worst)]


def _figure(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "never" if math.isinf(value) else f"{value:.3f}" if abs(value) < 9.9995 else f"{value:.1f}"


def _gaps_table(rows: list[list[str]]) -> list[str]:
    return table(["", *GATEWAYS], rows)


def _keys(runs: list[Run]) -> list[str]:
    return sorted({key for run in runs for key in run.seen})


def _run_json(run: Run) -> dict[str, Any]:
    seen = {key: None if math.isinf(v) or math.isnan(v) else round(v, 4) for key, v in run.seen.items()}
    judged = {family: round(at - run.at_s, 4) for family, at in run.judged_s.items()}
    told = None if run.told_s is None else round(run.told_s - run.at_s, 4)
    return {
        "gateway": run.gateway,
        "fault": run.fault,
        "tracked": run.tracked,
        "judged_s": judged,
        "carrier_told_s": told,
        "seen": seen,
    }
