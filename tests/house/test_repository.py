"""Rules about the repository itself."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from secondpath.config.reader import load, parse
from secondpath.judge.reading import NEXT, Reading
from secondpath.model import Health

ROOT = Path(__file__).parents[2]
GOLDEN = "SECONDPATH_GOLDEN"


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    """Whoever installs brings an index of their own; the hashes say what may come from it."""
    spelt = ("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "index" + "-url")
    hosts = re.compile("|".join(spelt))
    for file in tracked():
        if file.suffix in {".png", ".pdf", ".svg"}:
            continue
        text = file.read_text(errors="replace")
        for line in text.splitlines():
            if file.name == "requirements-dev.in" and "no-emit" in line:
                continue
            assert not hosts.search(line), f"{file.relative_to(ROOT)}: {line.strip()[:80]}"


@pytest.mark.parametrize("name", [f.name for f in sorted(ROOT.glob("requirements*.txt"))])
def test_every_requirement_is_pinned_and_has_its_hashes(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    assert len(entries) > 5
    pinned = re.compile(r"^[A-Za-z0-9._-]+==[^ ]+( ;.*)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$")
    for entry in entries:
        assert pinned.match(entry), entry[:80]


def test_the_declared_dependencies_are_all_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (ROOT / "requirements-dev.txt").read_text().lower()
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["lab"]]:
        assert f"\n{re.split('[<>=!~ ]', wanted)[0].lower()}==" in f"\n{pinned}", wanted


def states_page() -> str:
    """docs/states.md, printed from the table in judge/line.py."""
    lines = [
        "# The states of a line\n",
        "Printed from the table in `src/secondpath/judge/line.py`;",
        "`SECONDPATH_GOLDEN=write pytest tests/house` prints it anew.\n",
        "A *line* is one address family of one uplink.",
        "Rows: what it was. Columns: what is seen. Cells: what it becomes.\n",
        "| was | " + " | ".join(r.value for r in Reading) + " |",
        "|---|" + "---|" * len(Reading),
    ]
    lines += [f"| **{h.value}** | " + " | ".join(NEXT[h, r].value for r in Reading) + " |" for h in Health]
    lines += ["", "| seen | means |", "|---|---|"]
    meanings = {
        Reading.UNFIT: "the interface is absent, disabled, or has no carrier: a fact, believed at once",
        Reading.NOT_SET_UP: "no address, no gateway, or nothing to ask in this family",
        Reading.SILENT: "a whole burst (several questions to several addresses) went unanswered",
        Reading.TOO_FEW: "not enough answers to say anything yet",
        Reading.POOR: "answers come, too many are missing (Page's cumulative sum, each witness left out in turn)",
        Reading.ANSWERS: "enough answers in a row, or no reason for doubt",
    }
    return "\n".join([*lines, *(f"| {r.value} | {meanings[r]} |" for r in Reading)]) + "\n"


def test_the_table_of_states_is_complete_and_its_page_is_true() -> None:
    assert set(NEXT) == {(h, r) for h in Health for r in Reading}
    page = ROOT / "docs" / "states.md"
    if os.environ.get(GOLDEN) == "write":
        page.write_text(states_page())
    assert page.read_text() == states_page()


def test_every_configuration_in_the_readme_loads() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        assert parse(block, "README.md").uplinks


def test_the_contract_beside_the_repository_loads_unchanged() -> None:
    """Where the configuration contract lies beside the checkout, both its files load as they are."""
    contract = sorted((ROOT.parent / "shared").glob("office.*.toml"))
    for path in contract:
        assert load(path).uplinks


def test_decisions_fit_on_a_page() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert decisions
    for decision in decisions:
        assert re.match(r"^\d{4}-[a-z0-9-]+\.md$", decision.name)
        assert len(decision.read_text().splitlines()) <= 60, decision.name
