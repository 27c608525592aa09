"""docs/configuration.md cannot go stale: its tables are printed from the keys themselves.

`SECONDPATH_GOLDEN=write pytest tests/unit/config` prints them anew.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from secondpath.config.matching import MATCH
from secondpath.config.notify import ADDRESS_FILE
from secondpath.config.problem import MOST_PROBLEMS, Place
from secondpath.config.reader import ROOT, TABLES, load
from secondpath.config.table import Key, Table
from secondpath.config.targets import DEFAULTS, NAMED_TARGET
from secondpath.config.uplinks import PLAN, SUPPORT

REFERENCE = Path(__file__).parents[3] / "docs" / "configuration.md"
MARKED = re.compile(r"(<!-- printed: (?P<what>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
INNER = {
    "uplink.plan": PLAN,
    "uplink.support": SUPPORT,
    "application.match": MATCH,
    "reachability.targets": NAMED_TARGET,
    "notify.to": ADDRESS_FILE,
}
ALL = {table.heading: table for table in TABLES} | INNER


def said_default(key: Key[object]) -> str:
    if key.required:
        return "**needed**"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    if isinstance(key.default, str):
        return f'`"{key.default}"`'
    if key.name == "targets":
        return "the list below"
    if isinstance(key.default, list):
        return f"`{key.default}`".replace("'", '"')
    return key.unset or "not set"


def printed(what: str) -> str:
    if what == "default targets":
        rows = [(who, said["uri"] if not isinstance(said, str) else said) for who, said in DEFAULTS]
        hosts = ["" if isinstance(said, str) else said["host"] for _who, said in DEFAULTS]
        lines = [f"| {who} | `{uri}` | {host} |" for (who, uri), host in zip(rows, hosts, strict=True)]
        return "\n".join(["| operator | target | host |", "|---|---|---|", *lines, ""])
    table = ALL[what]
    lines = [
        f"| `{k.name}` | {k.kind.word} | {said_default(k)} | {k.means} | `{k.name} = {k.example}` |" for k in table.keys
    ]
    head = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
    return "\n".join([table.about, "", *head, *lines, ""])


def test_the_reference_says_what_the_keys_say() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    fresh = MARKED.sub(lambda found: found[1] + printed(found["what"]) + found[3], text)
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        REFERENCE.write_text(fresh, encoding="utf-8")
    assert fresh == REFERENCE.read_text(encoding="utf-8")


def test_the_reference_has_every_table() -> None:
    named = {found["what"] for found in MARKED.finditer(REFERENCE.read_text(encoding="utf-8"))}
    assert named == {*ALL, "default targets"}
    assert {key.name for key in ROOT.keys} == {table.heading.strip("[]") for table in TABLES}


@pytest.mark.parametrize(
    ("table", "key"), [pytest.param(t, k, id=f"{what}.{k.name}") for what, t in ALL.items() for k in t.keys]
)
def test_every_example_of_a_key_can_be_used(table: Table, key: Key[object]) -> None:
    place = Place()
    key.kind.read(tomllib.loads(f"value = {key.example}")["value"], place)
    assert place.noted == []
    assert len(table.keys) < MOST_PROBLEMS


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        path = tmp_path / "office.toml"
        path.write_text(block, encoding="utf-8")
        load(path)
