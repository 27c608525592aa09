"""`secondpath why`: how a decision came about. Reads the book itself, and makes the decision again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secondpath import clock
from secondpath.cli.asking import add_json, book_of, print_json
from secondpath.cli.failure import OK, PROBLEM, Failure
from secondpath.cli.replay import differences, event_like
from secondpath.record.query import Unreadable, event, explained, incident, last_switches
from secondpath.replay.chain import chain_of
from secondpath.replay.notes import Notes
from secondpath.replay.rerun import rerun
from secondpath.tell.account import link_text, replay_text
from secondpath.tell.words import event_text
from secondpath.wire.account import SCHEMA, Link, Replay, comparison_json, link_json
from secondpath.wire.incident import IncidentError, parse
from secondpath.wire.snapshot import Event
from secondpath.wire.status import event_json

LISTED = 1000
SAME_MOMENT_S = 2.0
SOON_ENOUGH_S = 20.0
"""By then the record of an event is there, if there is to be one."""


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "why",
        description="How a decision came about: which question was lost first, who was asked and what each answered, "
        "what was decided, and the verdict. For this the record of that time is replayed. Ends with 1 where the replay "
        "does not give what was recorded.",
    )
    parser.add_argument("event", metavar="EVENT", type=_number, nargs="?", help="its number (default: the last switch)")
    parser.add_argument("--list", action="store_true", help="the events that can be explained, with their numbers")
    parser.add_argument("--export", metavar="FILE", type=Path, help="write what was recorded, for secondpath replay")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Find the event, replay its record, and tell the chain."""
    try:
        if args.list:
            return _list(args, explained(book_of(args), LISTED))
        wanted = _wanted(args)
        record = incident(book_of(args), wanted.number)
    except Unreadable as why:
        raise Failure(str(why), PROBLEM) from None
    if record is None:
        raise Failure(_nothing_known(wanted), PROBLEM)
    if args.export is not None:
        return _export(args, wanted, record)
    return _explain(args, wanted, record)


def _explain(args: argparse.Namespace, wanted: Event, record: bytes) -> int:
    notes = Notes()
    try:
        replay = rerun(parse(record), notes.see)
    except IncidentError as why:
        raise Failure(f"the record of event {wanted.number} cannot be replayed: {why}", PROBLEM) from None
    links = chain_of(notes, wanted.transition)
    told = [(link, link_text(link, notes.site)) for link in links]
    if args.json:
        chain = [link_json(replay.header, link, text) for link, text in told]
        said = event_json(wanted, event_text(wanted.transition, notes.site))
        print_json({"schema": SCHEMA, "event": said, "chain": chain, "replay": comparison_json(replay)})
    else:
        _show(args, replay, wanted, told, notes)
    return OK if replay.same else PROBLEM


def _show(args: argparse.Namespace, replay: Replay, wanted: Event, told: list[tuple[Link, str]], notes: Notes) -> None:
    from secondpath.cli.screen import console_of
    from secondpath.cli.story import print_lines, print_story

    console = console_of(args)
    print_lines(console, [f"{wanted.number}: {event_text(wanted.transition, notes.site)}"], "bold")
    console.print()
    if told:
        rows = [event_like(replay, link.at, text, link.transition) for link, text in told]
        print_story(console, rows, replay.header.timezone)
    else:
        print_lines(console, ["The replay does not come to this event."])
    console.print()
    print_lines(console, [replay_text(replay), *differences(replay, notes.site)])


def _list(args: argparse.Namespace, found: list[Event]) -> int:
    if args.json:
        listed = [event_json(each, event_text(each.transition)) for each in found]
        print_json({"schema": SCHEMA, "events": listed})
        return OK
    from secondpath.cli.events import timezone_of
    from secondpath.cli.screen import console_of, show
    from secondpath.cli.view import numbered

    if found:
        rows: list[Mapping[str, Any]] = [event_json(each, event_text(each.transition)) for each in found]
        show(console_of(args), numbered(rows, timezone_of(args)))
    else:
        print("Nothing has been recorded that could be explained.")
    return OK


def _wanted(args: argparse.Namespace) -> Event:
    """The event of that number, or the last switch: of both families the one that moved first."""
    if args.event is not None:
        found = event(book_of(args), args.event)
        if found is None:
            raise Failure(f"there is no event {args.event}; see secondpath why --list", PROBLEM)
        return found
    switches = last_switches(book_of(args), 2)
    if not switches:
        raise Failure("traffic has never been moved; see secondpath why --list for what else can be explained", PROBLEM)
    return next(each for each in switches if _one_switch(each, switches[-1]))


def _one_switch(one: Event, last: Event) -> bool:
    moved, also = one.transition, last.transition
    alike = (moved.before, moved.after, moved.reason) == (also.before, also.after, also.reason)
    return alike and abs((last.wall - one.wall).total_seconds()) <= SAME_MOMENT_S


def _nothing_known(wanted: Event) -> str:
    if abs((clock.wall() - wanted.wall).total_seconds()) < SOON_ENOUGH_S:
        return f"event {wanted.number} has only just happened, and its record is being written; ask again in a moment"
    return (
        f"event {wanted.number} cannot be explained: no decision of the engine, or its record has been let go; "
        "see secondpath why --list"
    )


def _export(args: argparse.Namespace, wanted: Event, record: bytes) -> int:
    try:
        args.export.write_bytes(record)
    except OSError as why:
        raise Failure(f"{args.export} cannot be written ({why.strerror or why})", PROBLEM) from None
    if args.json:
        said = {"event": wanted.number, "file": str(args.export), "bytes": len(record)}
        print_json({"schema": SCHEMA, "ok": True, **said})
    else:
        print(f"The record of event {wanted.number} is in {args.export}; secondpath replay {args.export}")
    return OK


def _number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 2**63:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of an event; see secondpath why --list")
