"""The terminal: colour or not, its characters, its width."""

from __future__ import annotations

import argparse
import os
import re
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.theme import Theme

THEME = Theme({"up": "green", "degraded": "yellow", "down": "red", "unknown": "bright_black", "quiet": "bright_black"})


class Marks(NamedTuple):
    """Signs that say with one character what a word beside them says too."""

    up: str
    degraded: str
    down: str
    unknown: str
    used: str
    none: str


FINE = Marks("✓", "!", "✗", "?", "▸", "–")
PLAIN = Marks("+", "!", "x", "?", ">", "-")
"""For terminals that cannot show the others."""


def console_of(args: argparse.Namespace) -> Console:
    """The terminal as the arguments and NO_COLOR want it. What is not a terminal gets 80 columns and no colour."""
    colour = args.color == "always" or (args.color == "auto" and not os.environ.get("NO_COLOR"))
    forced = True if args.color == "always" else None
    return Console(theme=THEME, highlight=False, markup=False, emoji=False, no_color=not colour, force_terminal=forced)


def show(console: Console, what: RenderableType) -> None:
    """Print without the blanks with which tables fill their lines, so that what is copied is clean."""
    with console.capture() as captured:
        console.print(what)
    console.file.write(re.sub(r" +((?:\x1b\[[0-9;]*m)*)$", r"\1", captured.get(), flags=re.MULTILINE))


def marks_of(console: Console) -> Marks:
    """The signs that this terminal can show."""
    return FINE if "utf" in (console.encoding or "").lower() else PLAIN
