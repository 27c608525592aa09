"""The planner's commands that make a plan: new, ask, serve."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondpath.cli.failure import OK, PROBLEM, USAGE, Failure

if TYPE_CHECKING:
    from secondpath.model import Site

MISSING = 'the planner needs its extra: install "secondpath[plan]"'
PORTS = range(1, 65_536)


def wrong(name: str, problems: tuple[str, ...]) -> Failure:
    """Everything that is wrong with a file, each on a line of its own."""
    return Failure("\nsecondpath: ".join(f"{name}: {problem}" for problem in problems), USAGE)


def new(args: argparse.Namespace) -> int:
    """Write the commented plan of a profile."""
    site = _office(args)
    return _write(args, site, {} if site is None else _known(args, site))


def ask(args: argparse.Namespace) -> int:
    """Interview, then write."""
    from secondpath.plan.form.answers import answered
    from secondpath.plan.form.ask import interview
    from secondpath.plan.form.read import read_document
    from secondpath.plan.form.shelf import shelf

    site = _office(args)
    known = {} if site is None else _known(args, site)
    try:
        answers = known | interview(_profile(args, site), input, print, known)
    except KeyboardInterrupt:
        raise Failure("nothing was written", PROBLEM) from None
    reading = read_document(answered(_profile(args, site), answers), shelf())
    if reading.problems:
        _write(args, site, answers)
        raise wrong(args.file, reading.problems)
    return _write(args, site, answers)


def _office(args: argparse.Namespace) -> Site | None:
    """The office that --office names, with its mistakes as `secondpath check` words them."""
    if args.office is None:
        return None
    from secondpath.config.problem import ConfigError
    from secondpath.config.reader import load

    try:
        return load(args.office)
    except ConfigError as error:
        raise Failure("\nsecondpath: ".join(str(error).splitlines()), USAGE) from None


def _profile(args: argparse.Namespace, site: Site | None) -> str:
    """As asked for, else as the office has it."""
    return str(args.profile or (site.profile if site else "") or "general")


def _known(args: argparse.Namespace, site: Site) -> dict[str, Any]:
    from secondpath.plan.form.office import answers_of

    return answers_of(site, _profile(args, site))


def _write(args: argparse.Namespace, site: Site | None, answers: dict[str, Any]) -> int:
    from secondpath.plan.form.answers import plan_text
    from secondpath.plan.form.office import with_office

    profile = _profile(args, site)
    text = plan_text(profile, answers)
    if site is not None:
        text = with_office(text, site, profile, answers)
    if args.file == "-":
        sys.stdout.write(text)
        return OK
    path = Path(args.file)
    if path.exists() and not args.force:
        raise Failure(f"{path} exists already; give another --file, or --force to replace it", USAGE)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as err:
        raise Failure(f"{path}: cannot be written ({err.strerror})", USAGE) from None
    if args.json:
        print(json.dumps({"schema": 1, "written": str(path), "profile": profile, "answers": len(answers)}))
    else:
        print(f"Wrote {path}. Look through it, then: secondpath plan impact")
    return OK


def serve(args: argparse.Namespace) -> int:
    """The page, on loopback only."""
    if args.port not in PORTS:
        raise Failure(f"--port: expected a number between 1 and 65,535, got {args.port}", USAGE)
    try:
        from secondpath.plan.page.serve import run_page
    except ModuleNotFoundError:
        raise Failure(MISSING) from None
    return run_page(args.profile or "general", args.port)
