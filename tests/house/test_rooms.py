"""The house stays as it was drawn: room cards, names, sizes, and what pure rooms may import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "secondpath"
FILES = sorted(SOURCE.rglob("*.py"))
CARDS = [f for f in FILES if f.name == "__init__.py" and f.parent != SOURCE]
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "misc", "handlers"}

PURE_ROOMS = (
    "model.py",
    "engine/",
    "judge/",
    "decide/",
    "examine/",
    "act/compile.py",
    "act/diff.py",
    "act/exchange.py",
    "act/hand.py",
    "act/paper.py",
    "act/recognition.py",
    "act/ruleset.py",
    "act/counting.py",
    "act/settings.py",
    "act/shaping.py",
    "act/tree.py",
)
PURE_MAY_IMPORT = {
    "__future__", "collections", "collections.abc", "dataclasses", "enum", "hashlib", "ipaddress", "itertools", "math",
    "typing",
}  # fmt: skip


def name_of(file: Path) -> str:
    return str(file.relative_to(SOURCE))


@pytest.mark.parametrize("card", CARDS, ids=name_of)
def test_every_room_has_a_card_and_no_code_in_it(card: Path) -> None:
    tree = ast.parse(card.read_text())
    words = ast.get_docstring(tree) or ""
    assert len(tree.body) == 1, "a room card has no code and re-exports nothing"
    assert len(words.splitlines()) <= 20
    for heading in ("In", "Out", "Files", "Never"):
        assert any(line.startswith(heading) for line in words.splitlines()), f"{heading} is missing"


@pytest.mark.parametrize("card", CARDS, ids=name_of)
def test_every_card_names_every_file_of_its_room(card: Path) -> None:
    if card.parent.name == "cli":
        return  # there a file is a command, and `secondpath --help` is the list
    words = card.read_text()
    for file in sorted(card.parent.glob("*.py")):
        if file.name != "__init__.py":
            assert file.stem in words, f"{name_of(file)} is not on the card"


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name_of(f) for f in FILES if f.stem in FORBIDDEN_NAMES] == []


def test_only_the_vocabulary_is_longer_than_a_reader_can_hold() -> None:
    long = {name_of(f) for f in FILES if len(f.read_text().splitlines()) > 400}
    assert long <= {"model.py"}, "split it by question, not by layer"


@pytest.mark.parametrize("file", [f for f in FILES if name_of(f).startswith(PURE_ROOMS)], ids=name_of)
def test_pure_rooms_import_nothing_that_sees_the_world(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name in PURE_MAY_IMPORT or name.startswith("secondpath."), f"{name} in a pure room"


def test_only_the_clock_reads_clocks() -> None:
    """The probes take kernel time stamps, and the virtual office measures with a clock of its own."""
    exempt = ("clock.py", "lab/", "sense/", "cli/")
    for file in FILES:
        if name_of(file).startswith(exempt):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert "time" not in [a.name for a in node.names], name_of(file)
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("now", "utcnow", "today") or not (
                    isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
                ), name_of(file)
