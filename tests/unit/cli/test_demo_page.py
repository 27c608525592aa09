"""The demo's screen: it fits the terminal, says everything in words, and needs neither colour nor UTF-8."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from secondpath.cli.demo_desks import Feeling, Interruption, State
from secondpath.cli.demo_keys import KEYS, OTHERS, key_of, legend
from secondpath.cli.demo_page import Sight, page, sparkline
from secondpath.cli.screen import FINE, PLAIN, THEME, Marks

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
DAYS = sorted(p.stem for p in GOLDEN.glob("*.json"))
NEWS = ("The office is at work.", "Cable cut: " + "new connections worked again after 0.04 s; " * 4 + "the end.")
FEELINGS = (
    Feeling("Web pages", State.WORKING, 0.0, 0.0, 0.29, None, "", (0.29,) * 100),
    Feeling("Connecting", State.PATCHY, 0.0, 0.31, 0.05, Interruption(90, 99), "ipv6", (0.05,) * 100),
    Feeling("Phone call", State.STALLED, 8.0, 1.0, None, Interruption(90, 99), "", (0.03, None) * 50),
    Feeling("Programs", State.WORKING, 0.0, 0.0, 0.03, Interruption(90, 90.21), "", (0.03,) * 3),
    Feeling("Download", State.STARTING, 0.0, 0.0, None, None, "", ()),
    Feeling("DNS", State.WORKING, 0.0, 0.0, 0.03, None, "", (0.03,) * 100),
    Feeling("Guest Wi-Fi", State.PAUSED, 100.0, 1.0, None, None, "", (None,) * 100),
)


def document(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def screen(day: str, width: int, height: int, marks: Marks = FINE, news: Sequence[str] = NEWS) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, theme=THEME, highlight=False, no_color=True)
    sight = Sight(100.0, document(day), FEELINGS, news, [("cable-cut", "cable")])
    console.print(page(sight, width, height, marks), end="")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (120, 35), (200, 60)])
def test_the_page_is_exactly_as_large_as_the_terminal(day: str, width: int, height: int) -> None:
    lines = screen(day, width, height).splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (60, 15)])
def test_a_terminal_that_is_too_small_gets_a_crop_and_no_error(width: int, height: int) -> None:
    assert max(map(len, screen(DAYS[0], width, height).splitlines())) <= width


@pytest.mark.parametrize("day", DAYS)
def test_at_80_by_24_all_desks_all_keys_and_the_last_measure_are_there(day: str) -> None:
    text = screen(day, 80, 24)
    assert all(f" {feeling.name} " in text and feeling.state in text for feeling in FEELINGS)
    assert all(f"[{key}] {words}" in text for key, words, _ in legend([("cable-cut", "cable")]))
    assert "the end." in text


def test_every_state_has_a_sign_of_its_own_beside_its_word() -> None:
    signs = {f.state: re.search(rf"(\S) {f.name} +{f.state}", screen(DAYS[0], 80, 24)) for f in FEELINGS}
    assert len({sign[1] for sign in signs.values() if sign}) == len(State)


def test_a_plain_terminal_gets_plain_characters() -> None:
    assert screen(DAYS[0], 80, 24, PLAIN).isascii()


def test_what_is_broken_is_marked_and_its_key_mends_it() -> None:
    text = screen(DAYS[0], 80, 24)
    assert "[c] plug it in !" in text
    assert "[b] black hole " in text


def test_the_line_rises_with_the_wait_and_has_a_cross_for_silence() -> None:
    assert sparkline([0.001, 0.03, 0.1, 0.5, 5.0, None], 6, FINE).plain == "▁▂▅▇█×"
    assert sparkline([0.03] * 100, 8, FINE).plain == "▂" * 8
    assert sparkline([0.03], 0, FINE).plain == ""


def test_no_two_keys_are_the_same_and_capitals_count_too() -> None:
    letters = [key.key for key in KEYS] + [key for key, _ in OTHERS]
    assert len(set(letters)) == len(letters)
    assert key_of("C") is KEYS[0]
    assert key_of("x") is None
