"""The planner's commands that read a plan: tables, papers, checklist, explanations."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondpath import clock
from secondpath.cli.failure import OK, PROBLEM, USAGE, Failure
from secondpath.cli.parser import hint
from secondpath.cli.plan_write import MISSING, wrong

if TYPE_CHECKING:
    from secondpath.plan.evidence import Evidence
    from secondpath.plan.inputs import Plan, Shelf
    from secondpath.plan.paper.tables import Sheet
    from secondpath.plan.study import Study


@dataclass(frozen=True)
class Desk:
    """Everything a command works on."""

    plan: "Plan"
    shelf: "Shelf"
    evidence: "Evidence"
    years: int
    seed: int

    @cached_property
    def study(self) -> "Study":
        """The plan worked through, once a command wants it: a path audit needs no simulated years."""
        from secondpath.plan.evidence import learned_from
        from secondpath.plan.study import study_of

        known = learned_from(self.plan, self.shelf, self.evidence)
        return study_of(self.plan, self.shelf, years=self.years, learned=known, seed=self.seed)


def _desk(args: argparse.Namespace) -> Desk:
    """Read the plan and the records, or fail with everything that is wrong with them."""
    try:
        from secondpath.plan.form.read import read_text
        from secondpath.plan.form.shelf import shelf
    except ModuleNotFoundError:
        raise Failure(MISSING) from None
    if not 100 <= args.years <= 1_000_000:
        raise Failure(f"--years: expected a number between 100 and 1,000,000, got {args.years}", USAGE)
    if args.seed < 0:
        raise Failure(f"--seed: expected a number of at least 0, got {args.seed}", USAGE)
    reading = read_text(_text(args.file, "a plan, see: secondpath plan new"), shelf())
    if reading.plan is None:
        raise wrong(args.file, reading.problems)
    return _with_records(args, reading.plan, shelf())


def _text(name: str, expected: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as err:
        raise Failure(f"{name}: cannot be read ({err.strerror}); expected {expected}", USAGE) from None
    except UnicodeDecodeError:
        raise Failure(f"{name}: expected text in UTF-8", USAGE) from None


def _with_records(args: argparse.Namespace, plan: "Plan", shelf: "Shelf") -> Desk:
    from secondpath.plan.evidence import Evidence, with_evidence
    from secondpath.plan.form.records import read_file

    evidence = Evidence()
    if args.records:
        text = _text(args.records, "records, see: secondpath events --json")
        evidence, problems = read_file(text, plan)
        if problems:
            raise wrong(args.records, problems)
        plan = with_evidence(plan, evidence)
    return Desk(plan, shelf, evidence, args.years, args.seed)


def show_sheets(args: argparse.Namespace) -> int:
    """Tables on the terminal, or as JSON."""
    desk = _desk(args)
    sheets = _sheets(desk, args.sheet)
    if args.json:
        from secondpath.plan.paper.record import sheets_record

        print(json.dumps(sheets_record(sheets), indent=1))
    else:
        from secondpath.plan.paper.terminal import printed

        print(printed(sheets, desk.plan.name))
    return OK


def _sheets(desk: Desk, name: str) -> "tuple[Sheet, ...]":
    from secondpath.plan.paper import calendar, sizes, tables

    made: dict[str, Callable[[], tuple[Sheet, ...]]] = {
        "impact": lambda: (
            tables.impact_sheet(desk.study),
            tables.driver_sheet(desk.study),
            tables.limit_sheet(desk.study),
            tables.naive_sheet(desk.study),
        ),
        "options": lambda: (
            tables.option_sheet(desk.study),
            sizes.payback_sheet(desk.study, desk.shelf),
            tables.availability_sheet(desk.study),
        ),
        "size": lambda: sizes.sizing_sheets(desk.study),
        "audit": lambda: (tables.pair_sheet(desk.plan, desk.shelf), tables.audit_sheet(desk.plan, desk.shelf)),
        "power": lambda: sizes.power_sheets(desk.study),
        "availability": lambda: (tables.availability_sheet(desk.study), tables.single_point_sheet(desk.study)),
        "deadlines": lambda: (
            tables.deadline_sheet(desk.study),
            calendar.calendar_sheet(desk.plan.profile, clock.wall().astimezone().date()),
        ),
    }
    return made[name]()


def explain(args: argparse.Namespace) -> int:
    """Where a number comes from; exit code 1 if nothing printed looks like it."""
    desk = _desk(args)
    from secondpath.plan.explain import figures_of, find
    from secondpath.plan.paper.record import figures_record
    from secondpath.plan.paper.terminal import explained

    found = find(figures_of(desk.study, desk.shelf), args.number)
    if args.json:
        print(json.dumps({"schema": 1, "asked": args.number, "figures": figures_record(found)}, indent=1))
    else:
        print(explained(found, args.number))
    return OK if found else PROBLEM


def review(args: argparse.Namespace) -> int:
    """The four pages as HTML and PDF, with figures as JSON and inputs as CSV beside them."""
    desk = _desk(args)
    try:
        from secondpath.plan.paper.review import review_files
    except ModuleNotFoundError:
        raise Failure(MISSING) from None
    files = review_files(desk.study, desk.shelf, desk.evidence)
    return _store(args, Path(args.out), files)


def _store(args: argparse.Namespace, folder: Path, files: dict[str, bytes]) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as err:
        raise Failure(f"{folder}: cannot be written ({err.strerror})", USAGE) from None
    written = [str(folder / name) for name in files]
    print(json.dumps({"schema": 1, "written": written}) if args.json else "\n".join(written))
    return OK


def notice(args: argparse.Namespace) -> int:
    """The staff one-pager."""
    return _leaflet(args, "notice")


def runbook(args: argparse.Namespace) -> int:
    """The runbook."""
    return _leaflet(args, "runbook")


def _leaflet(args: argparse.Namespace, name: str) -> int:
    desk = _desk(args)
    from secondpath.plan.paper.leaflet import leaflet_record, leaflet_text
    from secondpath.plan.paper.notice import notice_of
    from secondpath.plan.paper.runbook import runbook_of

    paper = notice_of(desk.study) if name == "notice" else runbook_of(desk.study)
    if args.json:
        print(json.dumps(leaflet_record(paper), indent=1))
        return OK
    if not args.out:
        print(leaflet_text(paper))
        return OK
    from secondpath.plan.paper.review import leaflet_file

    out = Path(args.out)
    if out.suffix not in (".html", ".pdf"):
        raise Failure(f"--out: expected a name ending in .html or .pdf, got {out.name!r}", USAGE)
    return _store(args, out.parent, {out.name: leaflet_file(paper, out.suffix)})


def checklist(args: argparse.Namespace) -> int:
    """Show or tick the implementation checklist; exit code 1 while lines are open or contradicted."""
    from secondpath.plan.paper.checklist import ITEMS, marks
    from secondpath.plan.paper.terminal import checked

    state = Path(args.state or f"{args.file}.checklist.json")
    ticks, status = _ticks(state), _status(args.status)
    if args.tick:
        keys = [item.key for item in ITEMS]
        if args.tick not in keys:
            raise Failure(f"--tick: there is no line {args.tick!r}{hint(args.tick, keys)}", USAGE)
        if not args.by.strip():
            raise Failure("--by: expected the name of the person who ticks", USAGE)
        ticks[args.tick] = {"by": args.by.strip()[:100], "on": clock.wall().astimezone().date().isoformat()}
        _keep(state, ticks)
    found = marks(ticks, status)
    if args.json:
        rows = [{"key": m.item.key, "words": m.item.words, "state": m.state, "by": m.by, "on": m.on} for m in found]
        print(json.dumps({"schema": 1, "lines": rows}, indent=1))
    else:
        print(checked(found))
    return OK if all(m.state in ("verified", "ticked") for m in found) else PROBLEM


def _ticks(state: Path) -> dict[str, dict[str, str]]:
    if not state.exists():
        return {}
    try:
        found: Any = json.loads(state.read_text(encoding="utf-8"))
        return {str(key): {"by": str(row["by"]), "on": str(row["on"])} for key, row in found["ticks"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Failure(f"{state}: expected a file of ticks as this command writes it", USAGE) from None


def _keep(state: Path, ticks: dict[str, dict[str, str]]) -> None:
    """Write beside and move over: a crash leaves the old file, never half a one."""
    fresh = state.with_name(state.name + ".new")
    fresh.write_text(json.dumps({"schema": 1, "ticks": ticks}, indent=1) + "\n", encoding="utf-8")
    fresh.replace(state)


def _status(name: str) -> dict[str, Any] | None:
    """The gateway's status; None if none was asked for."""
    if not name:
        return None
    try:
        found = json.loads(_text(name, "what `secondpath status --json` says"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("schema") != 1 or not isinstance(found.get("uplinks"), list):
        raise Failure("--status: expected what `secondpath status --json` says (schema 1)", USAGE)
    return found
