"""`secondpath check`: whether a configuration is good, and what it means."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from secondpath.cli.asking import add_json, print_json
from secondpath.cli.failure import OK, USAGE
from secondpath.config.problem import ConfigError, Problem
from secondpath.config.reader import load


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "check",
        description="Check a configuration file: everything that is wrong with it at once, or what it means.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the configuration, for example office.toml")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Check, and say it."""
    from secondpath.cli.screen import console_of, show  # not before it is needed
    from secondpath.cli.summary import cautions, summary, summary_json

    try:
        site = load(args.file)
    except ConfigError as wrong:
        return _refused(args, wrong)
    if args.json:
        print_json({"schema": 1, "ok": True, "problems": [], "cautions": cautions(site), "office": summary_json(site)})
    else:
        show(console_of(args), summary(site))
    return OK


def _refused(args: argparse.Namespace, wrong: ConfigError) -> int:
    from secondpath.cli.screen import console_of

    if args.json:
        problems = [{"key": p.key, "line": p.line, "text": p.sentence} for p in wrong.problems]
        print_json({"schema": 1, "ok": False, "problems": problems})
        return USAGE
    count = len(wrong.problems)
    console = console_of(args)
    console.print(f"{wrong.name}: {count} {'thing' if count == 1 else 'things'} to mend.", style="bold", soft_wrap=True)
    for problem in wrong.problems:
        console.print()
        console.print(f"  {_place(problem)}", style="down", soft_wrap=True)
        console.print(f"  {problem.sentence}", soft_wrap=True)
    return USAGE


def _place(problem: Problem) -> str:
    line = f"line {problem.line}" if problem.line is not None else ""
    return ", ".join(part for part in (line, problem.key) if part) or "the file"
