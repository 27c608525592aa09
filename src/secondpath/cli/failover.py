"""`secondpath failover`: send traffic over another uplink."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.asking import add_json, order
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "failover",
        description="Send traffic over UPLINK until failback or release. Refused while UPLINK is not proven to work; "
        "should UPLINK fail later, traffic leaves it as it would leave any.",
    )
    parser.add_argument("uplink", metavar="UPLINK", help="its name in the configuration")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    return order(args, Request(Verb.FAILOVER, {"uplink": args.uplink}))
