"""`secondpath events`: what happened. Reads the book itself, so it also works while the daemon is stopped."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from secondpath import clock
from secondpath.cli.asking import add_json, answer, book_of, print_json
from secondpath.cli.failure import OK, PROBLEM, Failure
from secondpath.cli.span import since
from secondpath.record.query import Unreadable, events, memory
from secondpath.tell.figures import local
from secondpath.tell.words import event_text
from secondpath.wire.messages import Request, Verb
from secondpath.wire.status import event_json

POLL_S = 1.0


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser("events", description="What happened, oldest first.")
    parser.add_argument("--since", metavar="WHEN", type=_moment, help="for example 2h, today, 10:42 or 2026-11-22")
    parser.add_argument("--limit", metavar="N", type=_limit, default=50, help="the newest N only (default: 50)")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what happens next; Ctrl-C ends it")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the events, and with --follow those to come."""
    found = _read(args, after=0)
    if args.json and not args.follow:
        print_json({"schema": 1, "events": found})
    else:
        _show(args, found)
    try:
        for event in _to_come(args, found) if args.follow else ():
            _show(args, [event])
    except KeyboardInterrupt:
        pass
    return OK


def _show(args: argparse.Namespace, found: list[Mapping[str, Any]]) -> None:
    if args.json:
        for event in found:
            print_json({"schema": 1, **event})
        return
    from secondpath.cli.screen import console_of, show  # rich is for people only
    from secondpath.cli.view import happenings

    if found:
        show(console_of(args), happenings(found, timezone_of(args)))
    elif not args.follow:
        print("Nothing has been recorded for this span of time." if args.since else "Nothing has been recorded yet.")


def _to_come(args: argparse.Namespace, found: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    number = found[-1]["number"] if found else 0
    while True:
        time.sleep(POLL_S)
        for event in _read(args, after=number):
            number = event["number"]
            yield event


def _read(args: argparse.Namespace, after: int) -> list[Mapping[str, Any]]:
    try:
        book = events(book_of(args), since=_since(args), after=after, limit=args.limit)
    except Unreadable as why:
        return _ask_instead(args, str(why))
    return [event_json(event, event_text(event.transition)) for event in book]


def _ask_instead(args: argparse.Namespace, why: str) -> list[Mapping[str, Any]]:
    """The last few, from the daemon: for those who may talk to it but not read its book."""
    try:
        told = answer(args, Request(Verb.EVENTS, {"limit": args.limit}))
    except Failure:
        raise Failure(why, PROBLEM) from None
    return list(told.get("events", ()))


def _since(args: argparse.Namespace) -> datetime | None:
    """The moment meant by --since, by the office's clock."""
    return since(args.since, local(clock.wall(), timezone_of(args))) if args.since else None


def _moment(text: str) -> str:
    since(text, clock.wall())
    return text


def timezone_of(args: argparse.Namespace) -> str:
    """Where the office is, as the daemon remembers it."""
    try:
        return memory(book_of(args)).get("timezone", "")
    except Unreadable:
        return ""


def _limit(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of events")
