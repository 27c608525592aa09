"""What happened, moment by moment, in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from secondpath.cli.screen import show
from secondpath.cli.view import folded, wrapped
from secondpath.tell.figures import day, local

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def print_story(console: Console, rows: Sequence[Mapping[str, Any]], timezone: str) -> None:
    """Rows with `at` and `text` under their days, to the millisecond. Transitions of both families are told once."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    shown = None
    for row in folded([{"subject": str(number), **_BLANK, **row} for number, row in enumerate(rows)]):
        wall = local(datetime.fromisoformat(row["at"]), timezone)
        if shown != wall.date():
            shown = wall.date()
            table.add_row(Text(day(wall), style="bold"), "")
        table.add_row(f"{wall:%H:%M:%S.%f}"[:-3], Text(clean(row["text"])))
    show(console, table)


_BLANK = {"before": "", "after": "", "reason": ""}


def print_lines(console: Console, sentences: Iterable[str], style: str = "") -> None:
    """Sentences, each on lines of its own."""
    for sentence in sentences:
        console.print(wrapped(clean(sentence), console.width), style=style)


def clean(text: str) -> str:
    """A text which does nothing to a terminal but stand there: it may be from a stranger's file."""
    return _CONTROL.sub("?", text)
