"""The document of check-path, on which other programs rely: every one under tests/golden/check-path."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.unit.examine.reports import GOOD, SILENT, line

from secondpath import clock
from secondpath.examine.finding import Problem, finding_of
from secondpath.examine.nat import Behind, Mapping
from secondpath.examine.results import Report
from secondpath.model import DERIVED, Family, Line, Network, Outcome, ProbeKind, Site, Uplink
from secondpath.wire.path import LineWords, path_json

DOCUMENTS = sorted((Path(__file__).parents[2] / "golden" / "check-path").glob("*.json"))
SITE = Site("office", "UTC", "general", {}, (Uplink("cable", "wan0"),), (Network("staff", "lan0"),))


def schema() -> dict[str, Any]:
    text = (resources.files("secondpath.wire") / "schema" / "check-path.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(**changes: Any) -> dict[str, Any]:
    other = line(line=Line("cable", Family.IPV6), address=None)
    lines = (line(**changes), other)
    findings = {report.line: finding_of(report) for report in lines}
    words = {report.line: LineWords("A sentence.", "nothing") for report in lines}
    return path_json(Report(lines, 1.5), findings, words, SITE, clock.wall())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_examination_fits_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "changes", [{}, SILENT, {"state": None, "address": None, "hop": None, "asked": (), "anchors": (), "mtu": None}]
)
def test_what_is_not_known_is_null(changes: dict[str, Any]) -> None:
    made = json.loads(json.dumps(document(**changes)))
    jsonschema.Draft202012Validator(schema()).validate(made)
    assert made["ok"] is (not changes)


def test_the_schema_knows_every_word() -> None:
    properties = schema()["$defs"]["line"]["properties"]
    assert properties["problems"]["items"]["enum"] == list(Problem)
    assert properties["works"]["items"]["enum"] == [kind for kind in ProbeKind if kind not in DERIVED]
    assert properties["nat"]["properties"]["behind"]["enum"] == list(Behind)
    assert properties["nat"]["properties"]["mapping"]["enum"] == list(Mapping)
    assert schema()["$defs"]["outcome"]["enum"] == list(Outcome)


def test_facts_arrive_as_they_were_found() -> None:
    told = document()["uplinks"][0]["lines"]["ipv4"]
    assert told["anchors"][0] == {
        "address": "192.0.2.1", "sent": 5, "received": 5, "loss_ratio": 0.0, "median_s": 0.03, "jitter_s": 0.0
    }  # fmt: skip
    assert (told["portal"], told["bytes"], told["nat"]["world"]) == (False, GOOD.spent.octets, "198.51.100.2")
