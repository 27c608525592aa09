"""A study for machines: JSON with every figure, and the inputs as CSV for an auditor."""

import csv
import io
import math
from typing import Any

from secondpath.plan.evidence import Compared
from secondpath.plan.explain import Figure
from secondpath.plan.paper.answer import answer_of
from secondpath.plan.paper.tables import Sheet
from secondpath.plan.rounding import DISCLAIMER
from secondpath.plan.study import Study

SCHEMA = 1


def sheets_record(sheets: tuple[Sheet, ...]) -> dict[str, Any]:
    """Tables as objects, and the line that says what they are not."""
    return {
        "schema": SCHEMA,
        "note": DISCLAIMER,
        "tables": [
            {
                "key": s.key,
                "title": s.title,
                "head": list(s.head),
                "rows": [list(row) for row in s.rows],
                "note": s.note,
            }
            for s in sheets
        ],
    }


def figures_record(figures: tuple[Figure, ...]) -> list[dict[str, Any]]:
    """Figures with formula and inputs; full precision, for machines only."""
    return [
        {
            "key": f.key,
            "title": f.title,
            "shown": f.shown,
            "value": _finite(f.value),
            "tag": f.tag,
            "formula": f.formula,
            "inputs": [
                {
                    "path": i.path,
                    "shown": i.shown,
                    "tag": i.tag,
                    "grade": i.grade,
                    "source": i.source,
                    "where": i.where,
                    "checked_on": i.checked_on,
                }
                for i in f.inputs
            ],
        }
        for f in figures
    ]


def study_record(study: Study, sheets: tuple[Sheet, ...], figures: tuple[Figure, ...]) -> dict[str, Any]:
    """The whole review."""
    answer = answer_of(study)
    return {
        **sheets_record(sheets),
        "office": study.plan.name,
        "seed": study.site.seed,
        "years": study.site.years,
        "answer": {
            "headline": answer.headline,
            "sentences": list(answer.sentences),
            "would_change": list(answer.would_change),
            "weakest": answer.weakest,
        },
        "figures": [
            {key: row[key] for key in ("key", "title", "shown", "value", "tag")} for row in figures_record(figures)
        ],
    }


def compared_rows(compared: tuple[Compared, ...]) -> list[dict[str, Any]]:
    """Predicted against reported loss."""
    return [
        {
            "started": c.outage.started,
            "business_hours": c.outage.open_h,
            "predicted_usd": [c.predicted.p10, c.predicted.p50, c.predicted.p90],
            "reported_usd": c.reported_usd,
            "outside": c.outside,
        }
        for c in compared
    ]


def inputs_csv(figures: tuple[Figure, ...]) -> str:
    """Every input once, with tag, grade and source: the business impact analysis for the auditor.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "value", "tag", "grade", "source", "where", "checked_on", "note"])
    seen = {i.path: i for f in figures for i in f.inputs}
    for item in seen.values():
        cells = (item.path, item.shown, item.tag, item.grade, item.source, item.where, item.checked_on, item.note)
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t" else cell for cell in cells])
    return out.getvalue()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
