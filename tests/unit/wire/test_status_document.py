"""The document on which other programs rely."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from secondpath.model import Transition
from secondpath.wire.status import event_name

DAYS = sorted((Path(__file__).parents[2] / "golden" / "cli").glob("*.json"))


def schema() -> dict[str, Any]:
    text = (resources.files("secondpath.wire") / "schema" / "status.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("day", DAYS, ids=lambda path: path.stem)
def test_every_day_fits_the_schema(day: Path) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(day.read_text("utf-8")))


@pytest.mark.parametrize("day", DAYS, ids=lambda path: path.stem)
def test_what_was_promised_is_there(day: Path) -> None:
    document = json.loads(day.read_text("utf-8"))
    assert document["schema"] == 1
    assert {"site", "since", "steering", "uplinks", "verdict"} <= document.keys()
    assert all(lane.keys() == {"ipv4", "ipv6"} for lane in document["steering"].values())
    assert all({"name", "interface", "health", "reason", "since"} <= uplink.keys() for uplink in document["uplinks"])
    assert {"code", "text"} <= document["verdict"].keys()


def test_the_schema_refuses_what_the_daemon_must_never_say() -> None:
    document = json.loads(DAYS[0].read_text("utf-8"))
    document["uplinks"][0]["health"]["ipv4"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(document)


@pytest.mark.parametrize(
    ("subject", "before", "after", "reason", "name"),
    [
        ("line:cable/ipv4", "up", "down", "carrier", "line.down"),
        ("steering:ipv4", "cable", "lte", "better", "steering.failover"),
        ("steering:ipv4", "lte", "cable", "preferred", "steering.failback"),
        ("steering:ipv6", "", "cable", "preferred", "steering.found"),
        ("steering:ipv6", "cable", "", "no-uplink", "steering.lost"),
        ("verdict", "ok", "brown-out", "cable/ipv4", "verdict.brown-out"),
        ("flows:cable/ipv4", "", "given up", "silent", "flows.given-up"),
        ("override", "", "hold", "", "override.hold"),
        ("path:cable/ipv4", "", "ends", "198.51.1.1", "path.ends"),
        ("config", "", "The office", "reload", "config.reload"),
        ("book", "", "failing", "failing", "book.failing"),
    ],
)
def test_events_have_stable_names(subject: str, before: str, after: str, reason: str, name: str) -> None:
    assert event_name(Transition(0.0, subject, before, after, reason)) == name
