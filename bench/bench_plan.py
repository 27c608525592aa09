"""Time what the planner promises: a full review, eight options over 20,000 years, one recalculation of the page.

`python bench/bench_plan.py` prints one line per promise and fails (exit code 1) if one is not kept. Times are wall
clock on this machine; each is the median of a few runs, after the libraries have been imported.
"""

import statistics
import sys
import time
from collections.abc import Callable

from secondpath.plan.build import options_of, site_of
from secondpath.plan.evidence import Evidence
from secondpath.plan.form.read import read_text
from secondpath.plan.form.shelf import shelf, text_of
from secondpath.plan.inputs import Plan
from secondpath.plan.page.results import results_of
from secondpath.plan.page.state import state_of
from secondpath.plan.paper.review import review_files
from secondpath.plan.simulate import dead_spans, outages_of
from secondpath.plan.sizing import fit, size
from secondpath.plan.study import FULL_YEARS, study_of
from secondpath.plan.timeline import draw_world, time_line
from secondpath.plan.years import draw_people, live


def forget() -> None:
    """Nothing drawn before may help."""
    for kept in (outages_of, dead_spans, draw_world, time_line):
        kept.cache_clear()


def median_s(job: Callable[[int], object], runs: int) -> float:
    times = []
    for run in range(runs):
        start = time.perf_counter()
        job(run)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def full_review(plan: Plan) -> None:
    forget()
    files = review_files(study_of(plan, shelf()), shelf(), Evidence())
    if not files["continuity-review.pdf"].startswith(b"%PDF"):
        raise SystemExit("the review is no PDF")


def eight_options(plan: Plan) -> None:
    forget()
    sizing = size(plan.telephones, plan.applications, shelf())
    fits = tuple(fit(uplink, sizing, shelf(), plan.telephones.codec) for uplink in plan.uplinks[1:])
    site = site_of(plan, shelf(), FULL_YEARS, 1, {})
    people = draw_people(plan.workplace, site)
    for option in options_of(plan, shelf(), fits, {})[:8]:
        live(site, plan.workplace, people, option)


def recalculate(run: int) -> None:
    results_of(state_of({"profile": "cpa", "role.staff.people": str(3 + run)}, "cpa"))


def recalculate_lines(run: int) -> None:
    forget()
    results_of(state_of({"profile": "cpa", "uplink.cable.technology": ("cable", "fibre", "dsl")[run % 3]}, "cpa"))


def main() -> int:
    plan = read_text(text_of("profiles", "cpa.toml"), shelf()).plan
    if plan is None:
        raise SystemExit("the CPA profile cannot be read")
    full_review(plan)
    promises = (
        ("full review of the CPA example, HTML and PDF", median_s(lambda _: full_review(plan), 3), 5.0),
        ("8 options x 20,000 years with all cost draws", median_s(lambda _: eight_options(plan), 3), 4.0),
        ("page: recalculation after a change of people", median_s(recalculate, 15), 0.3),
        ("page: recalculation after a change of the line", median_s(recalculate_lines, 9), 0.6),
    )
    for words, took_s, most_s in promises:
        verdict = "ok" if took_s <= most_s else "TOO SLOW"
        print(f"{words:50} {took_s * 1000:7.0f} ms   (at most {most_s * 1000:.0f} ms)   {verdict}")
    return 0 if all(took_s <= most_s for _, took_s, most_s in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
