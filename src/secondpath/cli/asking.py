"""Asking the daemon from a command: what goes wrong becomes a Failure with its exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from secondpath.cli.failure import OK, PROBLEM, UNREACHABLE, USAGE, Failure
from secondpath.config.problem import ConfigError
from secondpath.config.reader import load
from secondpath.control.client import Unreachable, ask, follow
from secondpath.model import Site
from secondpath.wire.messages import Request, Response

SOCKET = "control.sock"
BOOK = "book.db"


def socket_of(args: argparse.Namespace) -> Path:
    """The control socket, by the arguments."""
    return Path(args.run_dir) / SOCKET


def book_of(args: argparse.Namespace) -> Path:
    """The book, by the arguments."""
    return Path(args.state_dir) / BOOK


def answer(args: argparse.Namespace, request: Request, timeout_s: float = 5.0) -> Mapping[str, Any]:
    """What the daemon answers."""
    try:
        return _data(ask(socket_of(args), request, timeout_s))
    except Unreachable as why:
        raise Failure(str(why), UNREACHABLE) from None


def answers(args: argparse.Namespace, request: Request) -> Iterator[Mapping[str, Any]]:
    """What the daemon answers, again and again."""
    try:
        yield from map(_data, follow(socket_of(args), request))
    except Unreachable as why:
        raise Failure(str(why), UNREACHABLE) from None


def order(args: argparse.Namespace, request: Request) -> int:
    """Ask for a change and say what comes of it."""
    done = answer(args, request)
    if args.json:
        print_json({"schema": 1, "ok": True, **done})
    elif text := done.get("text"):
        print(text)
    return OK


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option that all commands which print data have."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def print_json(document: Mapping[str, Any]) -> None:
    """One document, for programs when piped and for eyes when not."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(document, ensure_ascii=False, indent=indent), flush=True)


def site_of(file: Path) -> Site:
    """The office of a configuration file; a Failure with all that is wrong in it."""
    try:
        return load(file)
    except ConfigError as wrong:
        raise Failure(str(wrong), USAGE) from None


def _data(response: Response) -> Mapping[str, Any]:
    if not response.ok:
        raise Failure(response.error or "the daemon refused", response.exit_code or PROBLEM)
    return response.data
