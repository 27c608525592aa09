"""How the office looks in 80 columns: `tests/golden/cli/*.json` drawn as `*.txt`.

SECONDPATH_GOLDEN=write draws them anew.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from secondpath.cli.screen import FINE, PLAIN, THEME, console_of, marks_of, show
from secondpath.cli.view import folded, office
from secondpath.cli.watch import _page

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
DAYS = sorted(path.stem for path in GOLDEN.glob("*.json"))


def document(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def terminal(width: int = 80, height: int = 30, **options: Any) -> Console:
    return Console(file=io.StringIO(), width=width, height=height, theme=THEME, highlight=False, **options)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def matches(path: Path, text: str) -> bool:
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    return path.read_text("utf-8") == text


@pytest.mark.parametrize("name", DAYS)
def test_status_looks_as_it_did(name: str) -> None:
    console = terminal()
    show(console, office(document(name), FINE, console.width))
    assert matches(GOLDEN / f"{name}.txt", printed(console))


@pytest.mark.parametrize("name", ["cable-cut", "online"])
def test_watch_looks_as_it_did(name: str) -> None:
    console = terminal()
    show(console, _page(console, document(name), ""))
    assert matches(GOLDEN / f"watch-{name}.txt", printed(console))


@pytest.mark.parametrize("name", DAYS)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_is_wider_than_the_terminal_nor_padded(name: str, width: int) -> None:
    console = terminal(width)
    show(console, office(document(name), FINE, console.width))
    lines = printed(console).splitlines()
    assert all(len(line) <= width and line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", DAYS)
def test_colour_says_nothing_that_words_do_not_say(name: str) -> None:
    plain, coloured = terminal(), terminal(force_terminal=True, color_system="standard")
    for console in (plain, coloured):
        show(console, office(document(name), FINE, 80))
    assert "\x1b[" in printed(coloured)
    assert "\x1b[" not in printed(plain)
    for uplink in document(name)["uplinks"]:
        for line in uplink["lines"].values():
            word = {"degraded": "poor", "unknown": "not "}.get(line["health"], line["health"])
            assert not line["offered"] or word in printed(plain)


def test_the_watch_view_fits_into_a_small_terminal() -> None:
    console = terminal(80, 16)
    crowded = document("cable-cut")
    crowded["events"] = crowded["events"] * 5
    assert len(console.render_lines(_page(console, crowded, ""))) <= 17


def test_a_terminal_without_unicode_gets_signs_it_can_show() -> None:
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"), width=80)
    assert marks_of(console) is PLAIN


def test_what_befell_both_families_is_told_once() -> None:
    texts = [event["text"] for event in folded(document("cable-cut")["events"])]
    assert texts == [
        "cable is down: nothing is connected at the other end of wan0.",
        "Nothing is connected at the other end of wan0 (cable).",
        "Traffic moved from cable to lte: nothing is connected at the other end of wan0.",
        "Connections left behind on cable were ended, so that programs connect again.",
    ]


@pytest.mark.parametrize(
    ("choice", "no_color", "coloured"),
    [("auto", None, False), ("always", None, True), ("always", "1", True), ("never", None, False)],
)
def test_colour_is_used_when_wanted(
    choice: str, no_color: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    console = console_of(argparse.Namespace(color=choice))
    with console.capture() as captured:
        console.print("down", style="down")
    assert ("\x1b[" in captured.get()) is coloured
