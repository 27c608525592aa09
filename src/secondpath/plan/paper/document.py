"""The review as plain data, in the order of its four pages: what the HTML and the PDF template both print."""

import hashlib
import json
from typing import Any

from secondpath import __version__
from secondpath.plan import rounding as r
from secondpath.plan.build import findings_of
from secondpath.plan.evidence import Compared, Evidence, compare, failover_s, flagged
from secondpath.plan.explain import figures_of
from secondpath.plan.inputs import Shelf
from secondpath.plan.paper import sizes, tables
from secondpath.plan.paper.answer import answer_of
from secondpath.plan.paper.record import figures_record
from secondpath.plan.paper.tables import Sheet
from secondpath.plan.paths import Element
from secondpath.plan.study import Study

METHOD = (
    (
        "Impact: each input is a range (low, likely, high); 4,096 draws give P10, P50 and P90. Only business hours"
        " count, and each person-hour once."
    ),
    (
        "Availability: explicit causes, each with what it takes down together. Means in closed form; tails from"
        " simulated years in which beliefs and luck are both drawn. All options live through the same outages."
    ),
    (
        "A failover works with a chance learned from drills; a backup can lie dead unnoticed until a test or drill"
        " finds it."
    ),
    (
        "Limits: no storms of cloud and line together, no attacks, nobody working from home, no seasons of the weather."
        " Duration spread is fixed per class."
    ),
)
CHART_WORDS = {
    "curve": (
        "Loss in dollars by business hours without internet, median and range, for an ordinary week and a deadline"
        " season"
    ),
    "bars": "Yearly cost and remaining expected loss of every option, stacked",
    "intervals": (
        "Business hours offline in a year for every option, mean and range from the tenth to the ninetieth percentile"
    ),
    "pareto": "Yearly cost against business hours offline; hollow circles are dominated by another option",
}


def document_of(study: Study, shelf: Shelf, evidence: Evidence, charts: dict[str, str]) -> dict[str, Any]:
    """All words, rows and figures of the review."""
    answer = answer_of(study)
    compared = compare(study.plan, evidence, study.site.seed)
    return {
        "office": study.plan.name,
        "profile": study.plan.profile,
        "people": study.plan.workplace.headcount,
        "answer": {
            "headline": answer.headline,
            "sentences": list(answer.sentences),
            "would_change": list(answer.would_change),
            "weakest": answer.weakest,
        },
        "sheets": {sheet.key: sheet_record(sheet) for sheet in _sheets(study, shelf)},
        "matrix": matrix_of(study, shelf),
        "charts": [{"key": key, "svg": svg, "words": CHART_WORDS[key]} for key, svg in charts.items()],
        "method": list(METHOD),
        "sources": _sources(study, shelf),
        "learned": _learned(study, evidence, compared),
        "foot": foot_of(study, evidence),
    }


def _sheets(study: Study, shelf: Shelf) -> tuple[Sheet, ...]:
    return (
        tables.impact_sheet(study),
        tables.driver_sheet(study),
        tables.limit_sheet(study),
        sizes.payback_sheet(study, shelf),
        tables.option_sheet(study),
        tables.availability_sheet(study),
        tables.single_point_sheet(study),
        tables.deadline_sheet(study),
        *sizes.sizing_sheets(study),
        *sizes.power_sheets(study),
        tables.input_sheet(study, shelf),
        tables.learned_sheet(study),
    )


def sheet_record(sheet: Sheet) -> dict[str, Any]:
    """A table as data."""
    return {
        "title": sheet.title,
        "head": list(sheet.head),
        "rows": [list(row) for row in sheet.rows],
        "note": sheet.note,
    }


def matrix_of(study: Study, shelf: Shelf) -> dict[str, Any]:
    """Path diversity: connections down, elements across; words and signs, not colour."""
    shares = shelf.shares_of(study.plan.primary.technology)
    columns = [element for element in Element if shares.get(element.value, 0.0) > 0]
    rows = []
    for uplink in study.plan.uplinks[1:]:
        found = {f.element: f for f in findings_of(study.plan, uplink, shelf)}
        words = {True: "shared", False: "apart"}
        cells = [words[found[e].shared] if found[e].known else "shared?" for e in columns]
        total = sum(f.share for f in found.values() if f.shared)
        rows.append([f"{uplink.key} ({uplink.technology})", *cells, r.chance(max(total, 0.02))])
    head = ["connection", *(f"{e.value} ({r.chance(shares[e.value])})" for e in columns), "shared in all"]
    note = (
        f"Against the main line ({study.plan.primary.key}). In brackets: share of its downtime. shared?: nobody has"
        " filled it in, so it counts as shared."
    )
    return {"title": "Path diversity", "head": head, "rows": rows, "note": note}


def _sources(study: Study, shelf: Shelf) -> list[str]:
    """Every source behind a printed figure, once."""
    used = {item.source: item for figure in figures_of(study, shelf) for item in figure.inputs}
    return [f"[{item.grade}] {item.source} ({item.where}; checked {item.checked_on})" for item in used.values()]


def _learned(study: Study, evidence: Evidence, compared: tuple[Compared, ...]) -> dict[str, Any]:
    times = failover_s(evidence)
    rows = [
        [
            c.outage.started[:16].replace("T", " "),
            r.hours(c.outage.open_h),
            r.usd_band(c.predicted),
            r.usd(c.reported_usd),
            "outside" if c.outside else "inside",
        ]
        for c in compared
    ]
    passed = sum(d.passed for d in evidence.drills)
    notes = [f"Interruptions under 2 minutes, counted apart: {evidence.drops}."] if evidence.outages else []
    if evidence.drills:
        notes.append(f"Drills and failovers: {passed} of {len(evidence.drills)} worked.")
    if times:
        notes.append(
            f"Measured failover time: {r.plain(times[0])} s median, {r.plain(times[1])} s at the 95th percentile."
        )
    for key, months in evidence.usage_gb.items():
        notes.append(f"Measured data on {key}: {r.plain(sum(months) / len(months))} GB in a mean month.")
    if flagged(compared):
        notes.append(
            "Three or more outages lie outside their range: the profile does not fit this office; look through its"
            " inputs."
        )
    head = ["outage", "business hours", "predicted", "reported", ""]
    return {"title": "Predicted and reported", "head": head, "rows": rows, "notes": notes}


def foot_of(study: Study, evidence: Evidence) -> str:
    """Version, data window, seed, hash and the disclaimer, for every page."""
    starts = [o.started[:10] for o in evidence.outages]
    window = f"records {min(starts)} to {max(starts)}" if starts else "no records yet"
    mark = hash_of(study)
    return (
        f"secondpath {__version__} · {window} · seed {study.site.seed}, {study.site.years:,} years · {mark} ·"
        f" {r.DISCLAIMER}"
    )


def hash_of(study: Study) -> str:
    """A short fingerprint of the inputs: two papers with the same one came from the same plan."""
    text = json.dumps(repr(study.plan))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def figures_document(study: Study, shelf: Shelf) -> str:
    """All figures as JSON text."""
    return json.dumps(
        {"schema": 1, "note": r.DISCLAIMER, "figures": figures_record(figures_of(study, shelf))}, indent=1
    )
