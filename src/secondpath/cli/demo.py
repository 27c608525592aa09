"""`secondpath demo`: a virtual office with the real gateway; cut its cable and watch."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from secondpath.cli.asking import add_json, print_json
from secondpath.cli.failure import OK, USAGE, Failure

DEFAULT_NAME = "demo"
DEFAULT_STORY = "cable-cut"
RUNS_LIMIT = 1000


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "demo",
        description="Build a virtual office in network namespaces of this machine, run the real gateway in it with "
        "people at their desks, and show live what they feel and what the gateway does; keys break and mend things. "
        "With --story, play one story without a terminal and say what was measured. Nothing of it touches the real "
        "network, and nothing is left when it ends. Needs root.",
    )
    parser.add_argument("--story", metavar="NAME", help="play this story; ends with 1 if something in it did not hold")
    parser.add_argument("--runs", metavar="N", type=_runs, default=1, help="play the story N times (default: 1)")
    parser.add_argument("--list", action="store_true", help="say which stories there are")
    parser.add_argument("--keep", action="store_true", help="leave the office standing at the end")
    parser.add_argument("--name", metavar="N", default=DEFAULT_NAME, help=f"of the office (default: {DEFAULT_NAME})")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """List, play a story, or show the live view."""
    if args.list:
        return _list(args)
    if args.story is None and not args.json and sys.stdin.isatty() and sys.stdout.isatty():
        from secondpath.cli.demo_live import show  # only who looks at it needs rich

        return show(args)
    from secondpath.cli.demo_story import play

    if args.story is None:
        print(f"This is no terminal, so the story '{DEFAULT_STORY}' is played instead.", file=sys.stderr)
    return play(args, _story(args.story or DEFAULT_STORY))


def _story(name: str) -> Any:
    from secondpath.lab.errors import LabError
    from secondpath.lab.stories import find_story

    try:
        return find_story(name)
    except LabError as wrong:
        raise Failure(str(wrong), USAGE) from None


def _list(args: argparse.Namespace) -> int:
    from secondpath.lab.stories import STORIES

    if args.json:
        told = [{"name": s.name, "text": s.words, "lasts_s": s.lasts_s} for s in STORIES.values()]
        print_json({"schema": 1, "stories": told})
        return OK
    width = max(map(len, STORIES))
    for story in STORIES.values():
        print(f"{story.name.ljust(width)}  {story.words}")
    return OK


def _runs(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= RUNS_LIMIT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
