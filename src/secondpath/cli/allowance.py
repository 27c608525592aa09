"""`secondpath allowance`: how far the data of a plan is used; correct it, lift what it restrains."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from secondpath.cli.asking import add_json, answer, order, print_json
from secondpath.cli.failure import OK, USAGE, Failure
from secondpath.cli.parser import hint
from secondpath.config.problem import WrongError
from secondpath.config.units import SIZE_UNITS, parse_size
from secondpath.wire.messages import Request, Verb


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "allowance",
        description="How far the data of each plan is used, and what that restrains. With an option, change it: "
        "an uplink need not be named where only one has a limit.",
    )
    parser.add_argument("uplink", metavar="UPLINK", nargs="?", help="for example lte")
    parser.add_argument(
        "--used", metavar="SIZE", type=_size, help="so much is used, by the provider's account: 12GB, 800MB or 0"
    )
    lifted = parser.add_mutually_exclusive_group()
    lifted.add_argument("--lift", action="store_true", help="restrain nobody until the data begins anew")
    lifted.add_argument("--keep", action="store_true", help="restrain by stages again")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Show, or ask the daemon to change."""
    document = answer(args, Request(Verb.STATUS))
    limited = {u["name"]: u["allowance"] for u in document["uplinks"] if u.get("allowance")}
    if args.used is None and not args.lift and not args.keep:
        names = [_named(args.uplink, limited, document)] if args.uplink else [*limited]
        _show(args, {name: limited[name] for name in names})
        return OK
    wanted: dict[str, str | int] = {"uplink": _named(args.uplink, limited, document)}
    if args.used is not None:
        wanted["used_bytes"] = args.used
    if args.lift or args.keep:
        wanted["restraint"] = "lift" if args.lift else "keep"
    return order(args, Request(Verb.ALLOWANCE, wanted))


def _named(name: str | None, limited: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if name is None and len(limited) == 1:
        return next(iter(limited))
    if name is None:
        none = 'no plan has a limit: a limit is "data" in the "plan" of an uplink'
        raise Failure(f"say which: {', '.join(limited)}" if limited else none, USAGE)
    names = [uplink["name"] for uplink in document["uplinks"]]
    if name not in names:
        raise Failure(f"there is no uplink named {name!r}{hint(name, names)}", USAGE)
    if name not in limited:
        raise Failure(f'the plan of {name} has no limit: there is no "data" in it', USAGE)
    return name


def _show(args: argparse.Namespace, limited: Mapping[str, Any]) -> None:
    if args.json:
        print_json({"schema": 1, "allowances": limited})
        return
    from rich.table import Table
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, allowance in limited.items():
        table.add_row(name, allowance["text"])
    show(console_of(args), table if limited else Text("No plan has a limit."))


def _size(text: str) -> int:
    if text.strip() in {"0", *(f"0{gap}{unit}" for unit in SIZE_UNITS for gap in ("", " "))}:
        return 0
    try:
        return parse_size(text)
    except WrongError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
