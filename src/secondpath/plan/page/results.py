"""From a state to what the page shows: the answer, the tables, the curve."""

from typing import Any

from secondpath.plan.estimate import Band
from secondpath.plan.form.shelf import shelf
from secondpath.plan.page.sketch import sketch
from secondpath.plan.page.state import State
from secondpath.plan.paper import sizes, tables
from secondpath.plan.paper.answer import answer_of
from secondpath.plan.paper.document import matrix_of
from secondpath.plan.rounding import DISCLAIMER
from secondpath.plan.study import QUICK_DRAWS, QUICK_YEARS, Study, study_of


def results_of(state: State) -> dict[str, Any]:
    """Everything below the form; only the problems if the plan cannot be read."""
    plan = state.reading.plan
    if plan is None or state.problems:
        return {"problems": list(state.problems), "answer": None, "sheets": [], "curve": None, "note": DISCLAIMER}
    study = study_of(plan, shelf(), years=QUICK_YEARS, draws=QUICK_DRAWS)
    seasons = plan.seasons
    return {
        "problems": [],
        "answer": answer_of(study),
        "sheets": _sheets(study),
        "curve": curve_of(study),
        "sketch": sketch(study.impact.curve_h, study.impact.curve, study.impact.curve_season if seasons else ()),
        "seasons": bool(seasons),
        "note": DISCLAIMER,
    }


def _sheets(study: Study) -> list[dict[str, Any]]:
    need, links, data = sizes.sizing_sheets(study)
    ups, batteries = sizes.power_sheets(study)
    shown = [
        tables.option_sheet(study),
        sizes.payback_sheet(study, shelf()),
        tables.impact_sheet(study),
        tables.driver_sheet(study),
        tables.availability_sheet(study),
        tables.single_point_sheet(study),
        tables.deadline_sheet(study),
        need,
        links,
        data,
        ups,
        batteries,
    ]
    rows = [{"key": s.key, "title": s.title, "head": s.head, "rows": s.rows, "note": s.note} for s in shown if s.rows]
    matrix = matrix_of(study, shelf())
    rows.insert(6, {"key": "matrix", **matrix})
    return rows


def curve_of(study: Study) -> dict[str, list[float]]:
    """Data of the curve for the drawing library; whole dollars, because more digits would say nothing."""

    def column(bands: tuple[Band, ...], name: str) -> list[float]:
        return [round(getattr(b, name)) for b in bands]

    both = [("ordinary", study.impact.curve)]
    both += [("season", study.impact.curve_season)] if study.plan.seasons else []
    drawn = {f"{key}_{name}": column(bands, name) for key, bands in both for name in ("p10", "p50", "p90")}
    return {"hours": [round(float(h), 3) for h in study.impact.curve_h], **drawn}
