"""`secondpath teach`: an entry for an application that nobody has described, from the names that a device asks for."""

from __future__ import annotations

import argparse
import json
import select
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from secondpath import clock
from secondpath.cli.asking import add_json, answer, print_json
from secondpath.cli.failure import OK, PROBLEM, USAGE, Failure
from secondpath.cli.span import seconds_in
from secondpath.config.addresses import parse_address
from secondpath.config.problem import WrongError
from secondpath.model import CLASSES
from secondpath.wire.messages import Request, Verb

POLL_S = 1.0
Group: TypeAlias = Mapping[str, Any]


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "teach",
        description="Listen to the names that one device asks for while somebody uses an application on it, take away "
        "what all devices ask for anyway, and propose an entry for the configuration. Nothing is changed.",
    )
    parser.add_argument("name", metavar="NAME", help="what people call the application")
    parser.add_argument(
        "--from", dest="clients", metavar="ADDRESS", action="append", required=True,
        help="the device's address; again for another one that it has (IPv6)",
    )  # fmt: skip
    parser.add_argument(
        "--for", dest="span_s", metavar="TIME", type=seconds_in, default=120.0, help="how long (default: 2min)"
    )
    parser.add_argument(
        "--class", dest="traffic_class", metavar="CLASS", choices=tuple(CLASSES), default="line-of-business",
        help=f"how important it is: {', '.join(CLASSES)} (default: line-of-business)",
    )  # fmt: skip
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Listen, have somebody tick, print the entry."""
    request = Request(Verb.TEACH, {"from": ",".join(map(_address, args.clients))})
    people = sys.stdin.isatty() and not args.json
    answer(args, request)  # it begins; or it says at once why it cannot
    say(f"Use {args.name} on {', '.join(args.clients)} now. {'Enter ends it' if people else 'Listening'}, "
        f"at most {args.span_s:.0f} s.", args)  # fmt: skip
    document = _listen(args, request, people)
    groups: Sequence[Group] = document["groups"]
    chosen = _ticked(groups) if people and groups else [g for g in groups if not g["background"]]
    if args.json:
        print_json(
            {**document, "entry": entry(args.name, args.traffic_class, chosen, args.clients) if chosen else None}
        )
    elif chosen:
        print(entry(args.name, args.traffic_class, chosen, args.clients), end="")
    if not chosen:
        say(_why_nothing(groups), args)
    return OK if chosen else PROBLEM


def say(words: str, args: argparse.Namespace) -> None:
    """To the person, not into the entry."""
    if not args.json:
        print(words, file=sys.stderr, flush=True)


def _address(said: str) -> str:
    try:
        return str(parse_address(said))
    except WrongError as wrong:
        raise Failure(f"--from: {wrong}", USAGE) from None


def _listen(args: argparse.Namespace, request: Request, people: bool) -> Mapping[str, Any]:
    ends_at = time.monotonic() + args.span_s
    while True:
        left_s = max(0.0, min(POLL_S, ends_at - time.monotonic()))
        if people:
            entered = bool(select.select([sys.stdin], [], [], left_s)[0])
            if entered:
                sys.stdin.readline()
        else:
            entered = False
            time.sleep(left_s)
        document = answer(args, request)
        if entered or time.monotonic() >= ends_at:
            return document


def _ticked(groups: Sequence[Group]) -> list[Group]:
    """Those that a person wants."""
    for number, group in enumerate(groups, 1):
        mark, why = ("[ ]", "  (asked for by others, or before)") if group["background"] else ("[x]", "")
        print(f"{number:3} {mark} {domain_of(group)}{why}", file=sys.stderr)
    print("Enter takes those with a cross; or type the numbers of those that belong to it: ", end="", file=sys.stderr)
    sys.stderr.flush()
    return choose(groups, sys.stdin.readline())


def choose(groups: Sequence[Group], said: str) -> list[Group]:
    """What somebody's answer picks: numbers in any form, or nothing for what is marked."""
    words = said.replace(",", " ").split()
    if not words:
        return [group for group in groups if not group["background"]]
    if wrong := [w for w in words if not w.isdigit() or not 1 <= int(w) <= len(groups)]:
        raise Failure(f"{wrong[0]!r} is none of the numbers 1 to {len(groups)}", USAGE)
    return [groups[number - 1] for number in dict.fromkeys(int(word) for word in words)]


def domain_of(group: Group) -> str:
    """What stands in the entry for a group: its one name, or the domain above all of them."""
    names: Sequence[str] = group["names"]
    return names[0] if len(names) == 1 else str(group["domain"])


def entry(name: str, traffic_class: str, groups: Sequence[Group], clients: Sequence[str]) -> str:
    """The entry, to be put into the configuration."""
    domains = ", ".join(json.dumps(domain_of(group)) for group in groups)
    return (
        f"[[application]]\nname = {json.dumps(name, ensure_ascii=False)}\nclass = {json.dumps(traffic_class)}\n"
        f"match = {{ domains = [{domains}] }}  # asked for by {', '.join(clients)}, {clock.wall().date()}\n"
    )


def _why_nothing(groups: Sequence[Group]) -> str:
    if groups:
        return "All that it asked for, other devices ask for too. Pick with --json, or try it when nobody else works."
    return (
        "It asked for nothing that passed here. Does it use another resolver (DNS over HTTPS), or names it knows "
        "already? Close the application, start it again, and give the device's IPv6 address too."
    )
