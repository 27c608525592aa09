"""`secondpath watch`: the same as status, live."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from secondpath.cli.asking import add_json, answers, print_json
from secondpath.cli.failure import OK, UNREACHABLE, Failure
from secondpath.cli.screen import console_of, marks_of
from secondpath.cli.view import happenings, office
from secondpath.tell.figures import local
from secondpath.wire.messages import Request, Verb

RETRY_S = 1.0


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "watch",
        description="Show the status live, with the last events; what is not a terminal gets a line for each change, "
        "and with --json a document for each change and second. Ctrl-C ends it.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Follow the daemon until Ctrl-C."""
    console = console_of(args)
    try:
        if args.json:
            for document in answers(args, Request(Verb.WATCH)):
                print_json(document)
        elif console.is_terminal:
            _show(args, console)
        else:
            _print_changes(args)
    except KeyboardInterrupt:
        pass
    return OK


def _show(args: argparse.Namespace, console: Console) -> None:
    """The live view. The daemon may come and go; only one that was never there is an error."""
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        for document, trouble in _patiently(args):
            live.update(_page(console, document, trouble), refresh=True)


def _patiently(args: argparse.Namespace) -> Iterator[tuple[Mapping[str, Any], str]]:
    last: Mapping[str, Any] | None = None
    while True:
        try:
            for last in answers(args, Request(Verb.WATCH)):
                yield last, ""
        except Failure as failure:
            if last is None or failure.exit_code != UNREACHABLE:
                raise
            yield last, str(failure)
        time.sleep(RETRY_S)


def _page(console: Console, document: Mapping[str, Any], trouble: str) -> Group:
    """The whole screen: as many of the last events as there is room for."""
    wall = local(datetime.fromisoformat(document["at"]), document["timezone"])
    head = Table.grid(expand=True)
    head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    head.add_column(justify="right")
    head.add_row(Text(document["site"], style="bold"), Text(f"{wall:%H:%M:%S}"))
    status = office(document, marks_of(console), console.width)
    foot = Text(f"Last seen {wall:%H:%M:%S}: {trouble}", style="down") if trouble else Text("Ctrl-C ends", "quiet")
    room = console.height - len(console.render_lines(Group(status, foot))) - 5
    events = list(document["events"])
    while events and len(console.render_lines(happenings(events, document["timezone"]))) > room:
        events.pop(0)
    told = [happenings(events, document["timezone"])] if events else [Text("Nothing has happened yet.", "quiet")]
    return Group(head, Rule(style="quiet"), status, Rule(style="quiet"), *told, Text(), foot)


def _print_changes(args: argparse.Namespace) -> None:
    """A line for each new summary and each new event."""
    told = ""
    last: list[Mapping[str, Any]] | None = None
    for document in answers(args, Request(Verb.WATCH)):
        known = document["events"] if last is None else last
        for event in document["events"]:
            if event not in known:
                _say(document, event["at"], event["text"])
        last = document["events"]
        now = document["verdict"]["code"] + str(document["active"])
        if now != told:
            told = now
            _say(document, document["at"], document["summary"])


def _say(document: Mapping[str, Any], at: str, text: str) -> None:
    print(f"{local(datetime.fromisoformat(at), document['timezone']):%H:%M:%S} {text}", flush=True)
