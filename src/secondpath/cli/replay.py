"""`secondpath replay`: the decisions of a recorded incident, made again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from secondpath.cli.asking import add_json, print_json
from secondpath.cli.failure import OK, PROBLEM, USAGE, Failure
from secondpath.model import Site
from secondpath.replay.notes import Notes
from secondpath.replay.rerun import rerun
from secondpath.tell.account import difference_text, replay_text
from secondpath.tell.words import event_text
from secondpath.wire.account import Replay, replay_json, transition_json
from secondpath.wire.incident import LIMIT_BYTES, IncidentError, parse
from secondpath.wire.status import stamp

SHOWN = 5
"""So many differences are told in words; --json has all of them."""


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "replay",
        description="Step the engine once more through what it was told then, and say whether it decides the same. "
        "Ends with 1 where it does not, with 2 for a file that is no incident. Changes nothing, asks nobody.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="an incident, as `secondpath why --export` writes it")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Replay, and say what came of it."""
    notes = Notes()
    try:
        replay = rerun(parse(_content(args.file)), notes.see)
        texts = tuple(event_text(told, notes.site) for told in replay.transitions)
        document = replay_json(replay, texts)
        said = [replay_text(replay), *differences(replay, notes.site)]
    except IncidentError as why:
        raise Failure(f"{args.file}: {why}", USAGE) from None
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as why:
        raise Failure(f"{args.file}: it is broken: what it tells makes no sentence ({why})", USAGE) from None
    if args.json:
        print_json(document)
    else:
        _show(args, replay, document["transitions"], said)
    return OK if replay.same else PROBLEM


def differences(replay: Replay, site: Site | None) -> list[str]:
    """The first few differences, a sentence each."""
    said = [difference_text(replay.header, each, site) for each in replay.differences[:SHOWN]]
    more = len(replay.differences) - SHOWN
    return [*said, f"… and {more} more."] if more > 0 else said


def _show(args: argparse.Namespace, replay: Replay, told: Sequence[Mapping[str, Any]], said: Sequence[str]) -> None:
    from secondpath.cli.screen import console_of
    from secondpath.cli.story import print_lines, print_story

    console = console_of(args)
    if told:
        print_story(console, told, replay.header.timezone)
        console.print()
    print_lines(console, said)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES + 1)
    except OSError as why:
        raise IncidentError(f"it cannot be read ({why.strerror or why})") from None


def event_like(replay: Replay, at: float, text: str, told: Any = None) -> dict[str, Any]:
    """A row of a story: an event, or something else that happened at an instant."""
    row = {"at": stamp(replay.header.wall_of(at), "milliseconds"), "text": text}
    return row | (transition_json(told) if told is not None else {})
