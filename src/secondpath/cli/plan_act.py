"""The planner's commands that read a plan: tables, papers, checklist, explanations."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondpath.cli.plan_write import MISSING, say

if TYPE_CHECKING:
    from secondpath.plan.evidence import Evidence
    from secondpath.plan.inputs import Plan, Shelf
    from secondpath.plan.paper.tables import Sheet
    from secondpath.plan.study import Study


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a command works on."""

    plan: "Plan"
    shelf: "Shelf"
    evidence: "Evidence"
    study: "Study | None"


def _desk(args: argparse.Namespace, *, study: bool = True) -> Desk | None:
    """Read the plan and the records; None after telling what is wrong."""
    try:
        from secondpath.plan.form.read import read_text
        from secondpath.plan.form.shelf import shelf
    except ModuleNotFoundError:
        say(MISSING)
        return None
    text = _text(args.file)
    if text is None or not _limits_fit(args):
        return None
    reading = read_text(text, shelf())
    for problem in reading.problems:
        say(problem)
    if reading.plan is None:
        return None
    return _with_records(args, reading.plan, shelf(), study)


def _limits_fit(args: argparse.Namespace) -> bool:
    if not 100 <= args.years <= 1_000_000:
        say(f"--years: expected a number between 100 and 1,000,000, got {args.years}")
        return False
    if args.seed < 0:
        say(f"--seed: expected a number of at least 0, got {args.seed}")
        return False
    return True


def _text(name: str) -> str | None:
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as err:
        say(f"{name}: cannot be read ({err.strerror}); expected a plan, see: secondpath plan new")
    except UnicodeDecodeError:
        say(f"{name}: expected text in UTF-8")
    return None


def _with_records(args: argparse.Namespace, plan: "Plan", shelf: "Shelf", want_study: bool) -> Desk | None:
    from secondpath.plan.evidence import Evidence, learned_from, with_evidence
    from secondpath.plan.form.records import read_records
    from secondpath.plan.study import study_of

    evidence = Evidence()
    if args.records:
        text = _text(args.records)
        if text is None:
            return None
        evidence, problems = read_records(text.splitlines(), plan)
        for problem in problems:
            say(f"{args.records}: {problem}")
        if problems:
            return None
        plan = with_evidence(plan, evidence)
    known = learned_from(plan, shelf, evidence)
    study = study_of(plan, shelf, years=args.years, learned=known, seed=args.seed) if want_study else None
    return Desk(plan, shelf, evidence, study)


def show_sheets(args: argparse.Namespace) -> int:
    """Tables on the terminal, or as JSON."""
    desk = _desk(args, study=args.sheet != "audit")
    if desk is None:
        return 2
    sheets = _sheets(desk, args.sheet)
    if args.json:
        from secondpath.plan.paper.record import sheets_record

        print(json.dumps(sheets_record(sheets), indent=1))
    else:
        from secondpath.plan.paper.terminal import printed

        print(printed(sheets, desk.plan.name))
    return 0


def _sheets(desk: Desk, name: str) -> "tuple[Sheet, ...]":
    from secondpath.plan.paper import calendar, sizes, tables

    if desk.study is None:
        return (tables.pair_sheet(desk.plan, desk.shelf), tables.audit_sheet(desk.plan, desk.shelf))
    study = desk.study
    made: dict[str, Callable[[], tuple[Sheet, ...]]] = {
        "impact": lambda: (
            tables.impact_sheet(study),
            tables.driver_sheet(study),
            tables.limit_sheet(study),
            tables.naive_sheet(study),
        ),
        "options": lambda: (
            tables.option_sheet(study),
            sizes.payback_sheet(study, desk.shelf),
            tables.availability_sheet(study),
        ),
        "size": lambda: sizes.sizing_sheets(study),
        "power": lambda: sizes.power_sheets(study),
        "availability": lambda: (tables.availability_sheet(study), tables.single_point_sheet(study)),
        "deadlines": lambda: (tables.deadline_sheet(study), calendar.calendar_sheet(desk.plan.profile, date.today())),  # noqa: DTZ011
    }
    return made[name]()


def explain(args: argparse.Namespace) -> int:
    """Where a number comes from; exit code 1 if nothing printed looks like it."""
    desk = _desk(args)
    if desk is None or desk.study is None:
        return 2
    from secondpath.plan.explain import figures_of, find
    from secondpath.plan.paper.record import figures_record
    from secondpath.plan.paper.terminal import explained

    found = find(figures_of(desk.study, desk.shelf), args.number)
    if args.json:
        print(json.dumps({"schema": 1, "asked": args.number, "figures": figures_record(found)}, indent=1))
    else:
        print(explained(found, args.number))
    return 0 if found else 1


def review(args: argparse.Namespace) -> int:
    """The four pages as HTML and PDF, with figures as JSON and inputs as CSV beside them."""
    desk = _desk(args)
    if desk is None or desk.study is None:
        return 2
    try:
        from secondpath.plan.paper.review import review_files
    except ModuleNotFoundError:
        say(MISSING)
        return 2
    files = review_files(desk.study, desk.shelf, desk.evidence)
    return _store(args, Path(args.out), files)


def _store(args: argparse.Namespace, folder: Path, files: dict[str, bytes]) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as err:
        say(f"{folder}: cannot be written ({err.strerror})")
        return 2
    written = [str(folder / name) for name in files]
    print(json.dumps({"schema": 1, "written": written}) if args.json else "\n".join(written))
    return 0


def notice(args: argparse.Namespace) -> int:
    """The staff one-pager."""
    return _leaflet(args, "notice")


def runbook(args: argparse.Namespace) -> int:
    """The runbook."""
    return _leaflet(args, "runbook")


def _leaflet(args: argparse.Namespace, name: str) -> int:
    desk = _desk(args)
    if desk is None or desk.study is None:
        return 2
    from secondpath.plan.paper.leaflet import leaflet_record, leaflet_text
    from secondpath.plan.paper.notice import notice_of
    from secondpath.plan.paper.runbook import runbook_of

    paper = notice_of(desk.study) if name == "notice" else runbook_of(desk.study)
    if args.json:
        print(json.dumps(leaflet_record(paper), indent=1))
        return 0
    if not args.out:
        print(leaflet_text(paper))
        return 0
    from secondpath.plan.paper.review import leaflet_file

    out = Path(args.out)
    if out.suffix not in (".html", ".pdf"):
        say(f"--out: expected a name ending in .html or .pdf, got {out.name}")
        return 2
    return _store(args, out.parent, {out.name: leaflet_file(paper, out.suffix)})


def checklist(args: argparse.Namespace) -> int:
    """Show or tick the implementation checklist; exit code 1 while lines are open or contradicted."""
    from secondpath.plan.paper.checklist import ITEMS, marks
    from secondpath.plan.paper.terminal import checked

    state = Path(args.state or f"{args.file}.checklist.json")
    ticks = _ticks(state)
    status = _status(args.status)
    if ticks is None or status is False:
        return 2
    if args.tick:
        if args.tick not in {item.key for item in ITEMS}:
            from secondpath.plan.form.spelling import nearest

            keys = [item.key for item in ITEMS]
            say(f"--tick: expected one of {', '.join(keys)}, got '{args.tick}'{nearest(args.tick, keys)}")
            return 2
        if not args.by.strip():
            say("--by: expected the name of the person who ticks")
            return 2
        ticks[args.tick] = {"by": args.by.strip()[:100], "on": date.today().isoformat()}  # noqa: DTZ011
        _keep(state, ticks)
    found = marks(ticks, status if isinstance(status, dict) else None)
    if args.json:
        rows = [{"key": m.item.key, "words": m.item.words, "state": m.state, "by": m.by, "on": m.on} for m in found]
        print(json.dumps({"schema": 1, "lines": rows}, indent=1))
    else:
        print(checked(found))
    return 0 if all(m.state in ("verified", "ticked") for m in found) else 1


def _ticks(state: Path) -> dict[str, dict[str, str]] | None:
    if not state.exists():
        return {}
    try:
        found: Any = json.loads(state.read_text(encoding="utf-8"))
        return {str(key): {"by": str(row["by"]), "on": str(row["on"])} for key, row in found["ticks"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        say(f"{state}: expected a file of ticks as this command writes it")
        return None


def _keep(state: Path, ticks: dict[str, dict[str, str]]) -> None:
    """Write beside and move over: a crash leaves the old file, never half a one."""
    fresh = state.with_name(state.name + ".new")
    fresh.write_text(json.dumps({"schema": 1, "ticks": ticks}, indent=1) + "\n", encoding="utf-8")
    fresh.replace(state)


def _status(name: str) -> dict[str, Any] | bool | None:
    """The gateway's status; None if none was asked for, False after telling what is wrong."""
    if not name:
        return None
    text = sys.stdin.read() if name == "-" else _text(name)
    if text is None:
        return False
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        say("--status: expected the JSON object of: secondpath status --json")
        return False
    return found
