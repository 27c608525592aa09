"""The planner's commands that make a plan: new, ask, serve."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

MISSING = 'the planner needs its extra: install "secondpath[plan]"'


def say(text: str) -> None:
    """One sentence for the person, on standard error."""
    print(text, file=sys.stderr)


def new(args: argparse.Namespace) -> int:
    """Write the commented plan of a profile."""
    return _write(args, {})


def ask(args: argparse.Namespace) -> int:
    """Interview, then write."""
    from secondpath.plan.form.answers import answered
    from secondpath.plan.form.ask import interview
    from secondpath.plan.form.read import read_document
    from secondpath.plan.form.shelf import shelf

    try:
        answers = interview(args.profile, input, print)
    except KeyboardInterrupt:
        say("\nNothing was written.")
        return 2
    reading = read_document(answered(args.profile, answers), shelf())
    for problem in reading.problems:
        say(problem)
    code = _write(args, answers)
    return code or (2 if reading.problems else 0)


def _write(args: argparse.Namespace, answers: dict[str, Any]) -> int:
    from secondpath.plan.form.answers import plan_text

    text = plan_text(args.profile, answers)
    if args.file == "-":
        sys.stdout.write(text)
        return 0
    path = Path(args.file)
    if path.exists() and not args.force:
        say(f"{path}: exists already; expected a new file, or --force to replace it")
        return 2
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as err:
        say(f"{path}: cannot be written ({err.strerror})")
        return 2
    if args.json:
        print(json.dumps({"schema": 1, "written": str(path), "profile": args.profile, "answers": len(answers)}))
    else:
        print(f"Wrote {path}. Look through it, then: secondpath plan impact")
    return 0


def serve(args: argparse.Namespace) -> int:
    """The page, on loopback only."""
    try:
        from secondpath.plan.page.serve import run_page
    except ModuleNotFoundError:
        say(MISSING)
        return 2
    if not 1 <= args.port <= 65_535:
        say(f"--port: expected a number between 1 and 65,535, got {args.port}")
        return 2
    return run_page(args.profile, args.port)
