"""`secondpath release`: end what a person asked for."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, order
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "release",
        description="End what failover or hold asked for: secondpath decides by itself again.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    return order(args, Request(Verb.RELEASE))
