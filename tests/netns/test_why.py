"""The real gateway switches, and says why: the record of its engine is replayed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from secondpath.lab.box import Box

pytestmark = pytest.mark.netns

ENOUGH_S = 60.0


def told(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command says of this gateway; it reads files only, so it needs no namespace."""
    return subprocess.run(box.argv(*words), capture_output=True, text=True, check=False, timeout=ENOUGH_S)


def explained(box: Box) -> dict[str, Any]:
    """The account of the last switch."""
    done = told(box, "why", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_black_hole_is_explained_and_its_record_replays(box: Box, tmp_path: Path) -> None:
    box.office.inject("blackhole", "cable")
    box.until(lambda: box.uses() == "lte" and box.uses("ipv6") == "lte", ENOUGH_S, "traffic runs on lte")
    box.until(lambda: told(box, "why").returncode == 0, ENOUGH_S, "the switch can be explained")

    account = explained(box)
    assert account["event"]["event"] == "steering.failover"
    kinds = [link["kind"] for link in account["chain"]]
    assert [k for k in kinds if k in ("unanswered", "doubted", "convicted")] == ["unanswered", "doubted", "convicted"]
    lost = account["chain"][kinds.index("unanswered")]["questions"][0]
    assert lost["line"].startswith("cable/")
    burst = account["chain"][kinds.index("convicted")]["questions"]
    assert len(burst) >= 4
    assert {question["outcome"] for question in burst}.isdisjoint({"ok"})
    proof = account["chain"][kinds.index("proven")]["questions"]
    assert {question["line"].partition("/")[0] for question in proof} == {"lte"}
    assert account["replay"]["same"] is True

    words = re.sub(r"\s+", " ", told(box, "why").stdout)
    assert f"{lost['address']} (" in words
    assert "was asked, and no answer came within" in words
    assert "The engine decided the same again." in words

    file = tmp_path / "black-hole.jsonl"
    assert told(box, "why", "--export", str(file)).returncode == 0
    again = told(box, "replay", str(file), "--json")
    assert again.returncode == 0, again.stdout + again.stderr
    document = json.loads(again.stdout)
    assert document["same"] is True
    assert "steering.failover" in [each["event"] for each in document["transitions"]]

    box.stop()  # the whole is written at the end, and read while nobody runs
    after = explained(box)
    assert (after["event"], after["replay"]["same"]) == (account["event"], True)
    assert after["replay"]["steps"] > account["replay"]["steps"]


def test_a_cut_cable_needs_no_questions(quick_box: Box) -> None:
    quick_box.office.inject("cable-cut", "cable")
    quick_box.until(lambda: quick_box.uses() == "lte", ENOUGH_S, "traffic runs on lte")
    quick_box.until(lambda: told(quick_box, "why").returncode == 0, ENOUGH_S, "the switch can be explained")
    account = explained(quick_box)
    kinds = [link["kind"] for link in account["chain"]]
    assert "interface" in kinds
    assert "doubted" not in kinds
    assert account["replay"]["same"] is True
