"""`secondpath failback`: send traffic home."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, order
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "failback",
        description="Send traffic home to the most preferred uplink that works, without waiting for its hold.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    return order(args, Request(Verb.FAILBACK))
