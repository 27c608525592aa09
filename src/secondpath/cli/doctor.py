"""`secondpath doctor`: what this machine lacks, and what on it would be in the way; each with its remedy."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondpath.cli.asking import add_json, print_json, socket_of
from secondpath.cli.failure import OK, PROBLEM, Failure
from secondpath.cli.run import CONFIG
from secondpath.config.problem import ConfigError
from secondpath.config.reader import load
from secondpath.model import Site

if TYPE_CHECKING:
    from secondpath.act.footing.facts import Facts, Finding

WIDEST = 110


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "doctor",
        description="Look for what this machine lacks and what on it would be in the way: rights, tools, kernel "
        "features (tried in a network of their own), interfaces, other software. Changes nothing. Ends with 1 when "
        "anything is wrong.",
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"(default: {CONFIG})")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Look, judge, say it."""
    from secondpath.act.footing.facts import Grade  # netlink is not for the other commands
    from secondpath.cli.surroundings import gather
    from secondpath.control.client import is_answered

    site, findings = _configuration(args.config)
    try:
        facts = gather(site)
    except OSError as why:
        raise Failure(f"this box cannot be looked at: {why}") from None
    findings += list(judge(site, facts))
    findings.append(_daemon(running=is_answered(socket_of(args)), facts=facts))
    if args.json:
        told = [{"grade": f.grade.value, "code": f.code, "text": f.text, "remedy": f.remedy} for f in findings]
        print_json({"schema": 1, "ok": not any(f.grade is Grade.WRONG for f in findings), "findings": told})
    else:
        _tell(args, findings)
    return PROBLEM if any(finding.grade is Grade.WRONG for finding in findings) else OK


def judge(site: Site | None, facts: Facts) -> Iterator[Finding]:
    """All findings about a box; without a site, those that need none."""
    from secondpath.act.footing.conflicts import judge_conflicts
    from secondpath.act.footing.lines import judge_ground, judge_lines
    from secondpath.act.footing.managers import judge_managers
    from secondpath.act.footing.means import judge_means

    yield from judge_means(facts)
    if site is None:
        yield from judge_ground(facts)
        return
    yield from judge_lines(site, facts)
    yield from judge_conflicts(site, facts)
    yield from judge_managers(site, facts)


def _configuration(path: Path) -> tuple[Site | None, list[Finding]]:
    from secondpath.act.footing.facts import ok, wrong

    try:
        site = load(path)
    except ConfigError as refused:
        count = len(refused.problems)
        text = str(refused.problems[0]) if count == 1 else f"{count} things to mend"
        return None, [wrong("configuration", f"{path}: {text}", f"secondpath check {path}")]
    return site, [ok("configuration", f"{path} is good")]


def _daemon(*, running: bool, facts: Facts) -> Finding:
    from secondpath.act.footing.facts import care, ok

    if running:
        return ok("daemon", "secondpath runs")
    if facts.ours:
        text = "secondpath does not run; the kernel goes on as it was told last and nobody looks after it"
        return care("daemon", text, "systemctl start secondpath   (or, to take it all out: secondpath clear)")
    return ok("daemon", "secondpath does not run, and nothing of it is in the kernel")


def _tell(args: argparse.Namespace, findings: Sequence[Finding]) -> None:
    from rich.text import Text  # rich is for people only

    from secondpath.act.footing.facts import Grade
    from secondpath.cli.screen import console_of, marks_of

    console = console_of(args)
    marks = marks_of(console)
    looks = {
        Grade.OK: (marks.up, "up"),
        Grade.UNKNOWN: (marks.unknown, "unknown"),
        Grade.CARE: (marks.degraded, "degraded"),
        Grade.WRONG: (marks.down, "down"),
    }
    width = min(WIDEST, shutil.get_terminal_size().columns)
    for finding in findings:
        mark, style = looks[finding.grade]
        head = f"{mark} {finding.grade.value:7} "
        lines = textwrap.wrap(finding.text, max(30, width - len(head)), break_long_words=False) or [""]
        console.print(Text.assemble((head, style), lines[0]), soft_wrap=True)
        for line in lines[1:]:
            console.print(Text(" " * len(head) + line), soft_wrap=True)
        for line in finding.remedy.splitlines():
            console.print(Text(f"{' ' * len(head)}{line}", style="bold"), soft_wrap=True)
    counts = {grade: sum(f.grade is grade for f in findings) for grade in Grade}
    console.print()
    console.print(f"{counts[Grade.WRONG]} wrong, {counts[Grade.CARE]} to take care of, {counts[Grade.OK]} ok.")
