"""`secondpath check-path`: one thorough look at the lines."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, answer, print_json
from secondpath.cli.failure import OK, PROBLEM
from secondpath.wire.messages import Request, Verb

PATIENCE_S = 8.0
"""The daemon answers within 5 s; a box under load may need longer to say so."""


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "check-path",
        description="Examine every uplink, or UPLINK alone, in both families at once: gateway, probes, latency, "
        "largest packet, name servers, address translation, login pages. Takes less than 5 s, moves nobody, and costs "
        "a metered line about 64 kB at most for each family. Ends with 1 when anything is wrong.",
    )
    parser.add_argument("uplink", metavar="UPLINK", nargs="?", help="its name in the configuration (default: all)")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask for an examination and show it."""
    asked = {"uplink": args.uplink} if args.uplink else {}
    document = answer(args, Request(Verb.CHECK_PATH, asked), PATIENCE_S)
    if args.json:
        print_json(document)
    else:
        from secondpath.cli.path_view import examination
        from secondpath.cli.screen import console_of, marks_of, show

        console = console_of(args)
        show(console, examination(document, marks_of(console)))
    return OK if document["ok"] else PROBLEM
