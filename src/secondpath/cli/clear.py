"""`secondpath clear`: leave the kernel as if secondpath had never been there."""

from __future__ import annotations

import argparse
import json
from typing import Any

from secondpath.cli.asking import add_json, socket_of
from secondpath.cli.failure import OK, Failure
from secondpath.control.client import is_answered


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "clear",
        description="Take everything of secondpath out of the kernel (its nft table, rules, routes, queues) and put "
        "back the sysctls it changed. Nobody else's rules are touched. Refused while the daemon runs.",
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Clear, and say what was taken out."""
    if is_answered(socket_of(args)):
        raise Failure("the daemon runs and would put it all back; first: systemctl stop secondpath")
    from secondpath.act.kernel.clear import clear  # netlink is not for the other commands

    try:
        done = clear(args.run_dir, args.state_dir)
    except PermissionError as why:
        raise Failure(f"this needs the rights to change the kernel ({why.strerror}): use sudo") from None
    if args.json:
        print(json.dumps({"schema": 1, "cleared": done}))
    else:
        print("\n".join(done) if done else "There was nothing of secondpath in the kernel.")
    return OK
