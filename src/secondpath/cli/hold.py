"""`secondpath hold`: leave traffic where it is."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, order
from secondpath.cli.span import seconds_in
from secondpath.wire.messages import HOLD_LIMIT_S, Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "hold",
        description="Leave traffic where it is for DURATION, at most 7 days. A line that fails is left all the same.",
    )
    parser.add_argument("duration", metavar="DURATION", type=_hold, help="for example 30min, 2h or 1h30min")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    return order(args, Request(Verb.HOLD, {"duration_s": args.duration}))


def _hold(text: str) -> float:
    seconds = seconds_in(text)
    if not 0 < seconds <= HOLD_LIMIT_S:
        raise argparse.ArgumentTypeError("a hold lasts more than nothing and at most 7 days")
    return seconds
