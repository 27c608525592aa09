"""`secondpath man`: the manual page secondpath(8), from the argument parser and the prose beside this file."""

from __future__ import annotations

import argparse
from importlib import resources
from typing import Any

from secondpath.cli.failure import OK


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser("man", epilog="secondpath man > secondpath.8 && man -l secondpath.8\n")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    del args
    from secondpath.cli.parser import build  # the whole tree, with every command in it
    from secondpath.cli.table import COMMANDS
    from secondpath.cli.troff import page

    prose = (resources.files("secondpath.cli") / "secondpath.8.txt").read_text("utf-8")
    print(page(build(COMMANDS), prose), end="")
    return OK
