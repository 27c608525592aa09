"""`secondpath status`: how the office is connected."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, answer, print_json
from secondpath.cli.failure import OK, PROBLEM
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "status",
        description="How the office is connected, how each uplink is, and why. Ends with 1 while anything is wrong.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask once and show it."""
    document = answer(args, Request(Verb.STATUS))
    show(args, document)
    return OK if document["verdict"]["code"] in {"ok", "starting"} else PROBLEM


def show(args: argparse.Namespace, document: Any) -> None:
    """The document, for a person or for a program."""
    if args.json:
        print_json(document)
        return
    from secondpath.cli.screen import console_of, marks_of  # rich is for people only
    from secondpath.cli.screen import show as print_office
    from secondpath.cli.view import office

    console = console_of(args)
    print_office(console, office(document, marks_of(console), console.width))
