"""`secondpath reload`: load the configuration anew."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, order
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "reload",
        description="Load the configuration anew. One with a mistake in it is refused, and the old one stays.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    return order(args, Request(Verb.RELOAD))
