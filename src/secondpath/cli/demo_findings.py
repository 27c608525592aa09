"""What a story's runs amount to: expectation, measured, held or not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from secondpath.cli.screen import Marks
from secondpath.lab.measures import Finding, Value
from secondpath.lab.story import Expect
from secondpath.lab.story_run import Report
from secondpath.tell.figures import share

SECONDS = frozenset({"outage_s", "worst_gap_s"})
RATIOS = frozenset({"answered_ratio"})


def table(reports: Sequence[Report], marks: Marks) -> Table:
    """One row for each expectation; of several runs the median and the worst."""
    drawn = Table(box=None, header_style="quiet", padding=(0, 2, 0, 0), pad_edge=False)
    drawn.add_column("", no_wrap=True)
    drawn.add_column("Expectation", overflow="fold")
    drawn.add_column("From", no_wrap=True, justify="right")
    drawn.add_column("To", no_wrap=True, justify="right")
    for heading in ("Wanted", "Measured") if len(reports) == 1 else ("Wanted", "Median", "Worst"):
        drawn.add_column(heading, no_wrap=True, justify="right")
    for findings in zip(*(report.findings for report in reports), strict=True):
        held = sum(finding.held for finding in findings)
        style = "up" if held == len(findings) else "down"
        word = f"{marks.up} held" if held == len(findings) else f"{marks.down} not held{_times(held, len(findings))}"
        expect, story = findings[0].expect, reports[0].story
        span = f"{expect.from_s:g} s", f"{story.lasts_s if expect.to_s is None else expect.to_s:g} s"
        drawn.add_row(Text(word, style=style), _words(expect), *span, _wanted(expect), *_measured(findings))
    return drawn


def _words(expect: Expect) -> str:
    """The expectation; a bound that its column shows is not said twice."""
    words = expect.words if expect.at_most is None else expect.words.removesuffix(f" within {expect.at_most:g} s")
    return re.sub(r"\bipv([46])\b", r"IPv\1", words)


def _times(held: int, runs: int) -> str:
    return f" ({runs - held} of {runs})" if runs > 1 else ""


def _measured(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The value, or the median and the worst value of several runs."""
    expect, values = findings[0].expect, [finding.value for finding in findings]
    if len(values) == 1:
        return (value_text(expect, values[0]),)
    numbers = sorted(value for value in values if isinstance(value, float))
    if len(numbers) < len(values):
        odd = next((f.value for f in findings if not f.held), values[0])
        return value_text(expect, values[0]), value_text(expect, odd)
    worst = numbers[0] if expect.at_least is not None else numbers[-1]
    return value_text(expect, numbers[(len(numbers) - 1) // 2]), value_text(expect, worst)


def _wanted(expect: Expect) -> str:
    if expect.equals is not None:
        return value_text(expect, expect.equals)
    bound, value = ("at most", expect.at_most) if expect.at_most is not None else ("at least", expect.at_least)
    return f"{bound} {value_text(expect, value or 0.0)}"


def value_text(expect: Expect, value: Value) -> str:
    """A measured value with its unit."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "nothing asked"
    if expect.measure in SECONDS:
        return "never again" if math.isinf(value) else f"{value:.2f} s"
    return share(value) if expect.measure in RATIOS else f"{value:g}"


def findings_json(report: Report) -> dict[str, Any]:
    """One run for programs; what was never over or never asked is null."""
    start_s = report.evidence.start_s
    return {
        "held": report.held,
        "steps": [
            {"at_s": at_s, "effect_s": round(effect_s - start_s, 4)} for at_s, effect_s in report.evidence.instants
        ],
        "findings": [_finding_json(finding) for finding in report.findings],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    expect, value = finding.expect, finding.value
    bound = {"at_most": expect.at_most, "at_least": expect.at_least, "equals": expect.equals}
    number = round(value, 5) if isinstance(value, float) and math.isfinite(value) else None
    return {
        "text": expect.words,
        "measure": expect.measure,
        "stream": {"kind": expect.kind, "family": expect.family, "host": expect.host},
        "from_s": expect.from_s,
        "to_s": expect.to_s,
        **{name: limit for name, limit in bound.items() if limit is not None},
        "value": value if isinstance(value, str) else number,
        "held": finding.held,
    }
