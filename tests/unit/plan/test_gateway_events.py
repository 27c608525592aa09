"""What `secondpath events --json` prints is evidence: a real engine's transitions, as the book has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.office import CABLE4, CABLE6, LTE4, LTE6, World, settled_office

from secondpath.cli.plan import main
from secondpath.model import Health, Line, Transition
from secondpath.plan.evidence import record_of, with_evidence
from secondpath.plan.form.events import rows_of
from secondpath.plan.form.read import read_text
from secondpath.plan.form.records import read_file
from secondpath.plan.form.shelf import shelf, text_of
from secondpath.plan.inputs import Plan
from secondpath.wire.snapshot import Event
from secondpath.wire.status import event_json

pytestmark = pytest.mark.slow

BEGAN = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # Monday, nine in the morning in Los Angeles


def printed(transitions: list[Transition]) -> list[dict[str, Any]]:
    moments = ((n, BEGAN + timedelta(seconds=told.at), told) for n, told in enumerate(transitions, 1))
    return [event_json(Event(n, wall, told), "") for n, wall, told in moments]


def all_down(world: World, lines: set[Line]) -> bool:
    return all(world.state(line).health is Health.DOWN for line in lines)


def day_at_the_office() -> World:
    """The cable is dead for ten minutes, the backup later for five, and once one family alone.

    They count from when it is noticed: the metered backup is asked every two minutes.
    """
    world = settled_office()
    world.run_for(60)
    for lines, seconds in (({CABLE4, CABLE6}, 600), ({LTE4, LTE6}, 300), ({CABLE6}, 120)):
        world.dead |= lines
        world.run_until(partial(all_down, world, lines), 150.0)
        world.run_for(seconds)
        world.dead -= lines
        world.run_for(180)
    return world


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return printed(day_at_the_office().transitions)


@pytest.fixture
def plan() -> Plan:
    found = read_text(text_of("profiles", "cpa.toml"), shelf()).plan
    assert found
    return found


def test_a_day_becomes_outages_failovers_and_watched_time(events: list[dict[str, Any]], plan: Plan) -> None:
    evidence, problems = read_file(json.dumps({"schema": 1, "events": events}), plan)
    assert problems == ()
    seen = [(o.uplink, round(o.hours * 60), o.offline) for o in evidence.outages if o.hours is not None]
    told = [datetime.fromisoformat(e["at"]) for e in events if e["subject"] == "verdict"]
    noticed_min = (told[5] - told[4]).total_seconds() / 60  # a metered line that is down is asked every half minute
    assert 5.0 <= noticed_min <= 5.6
    assert seen == [("cable", 10, False), ("lte", round(noticed_min), False)]  # one dead family alone is no outage
    assert [(d.uplink, d.passed) for d in evidence.drills] == [("lte", True), ("lte", True)]
    assert evidence.watched_years["cable"] == pytest.approx(1500 / 31_557_600, rel=0.2)
    assert evidence.watched_years["cable"] == evidence.watched_years["lte"]
    assert record_of(evidence, "cable").outages == 1
    assert next(c for c in with_evidence(plan, evidence).choices if c.key == "cellular").drills_passed == 2


def test_lines_of_follow_and_one_document_say_the_same(events: list[dict[str, Any]], plan: Plan) -> None:
    lines = "\n".join(json.dumps({"schema": 1, **event}) for event in events)
    document = json.dumps({"schema": 1, "events": events}, indent=2)
    assert read_file(lines, plan) == read_file(document, plan)
    assert read_file(f"{lines}\n{lines}", plan) == read_file(lines, plan)  # two exports that overlap


def test_the_planners_own_kinds_stand_beside_them(events: list[dict[str, Any]], plan: Plan) -> None:
    drill = '{"kind": "drill", "uplink": "lte", "result": "failed"}'
    lines = "\n".join([drill, *(json.dumps({"schema": 1, **event}) for event in events)])
    evidence, problems = read_file(lines, plan)
    assert problems == ()
    assert sorted(d.passed for d in evidence.drills) == [False, True, True]


def moved(*told: tuple[float, str, str, str, str]) -> list[dict[str, Any]]:
    return printed([Transition(*one) for one in told])


BOTH_UP = (
    (0.0, "line:cable/ipv4", "unknown", "up", "well"),
    (0.0, "line:lte/ipv4", "unknown", "up", "well"),
    (0.0, "steering:ipv4", "", "cable", "preferred"),
)


def kinds(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(events) if row["kind"] == kind]


def test_a_healthy_backup_that_nobody_used_is_a_failover_that_did_not_come() -> None:
    told = moved(
        *BOTH_UP,
        (100.0, "line:cable/ipv4", "up", "down", "silent"),
        (700.0, "line:cable/ipv4", "down", "up", "well"),
    )
    assert kinds(told, "failover") == [{"kind": "failover", "uplink": "lte", "result": "failed"}]
    assert kinds(told, "outage")[0]["office_offline"] is True


def test_a_backup_that_was_down_itself_is_no_failover() -> None:
    told = moved(
        *BOTH_UP,
        (50.0, "line:lte/ipv4", "up", "down", "silent"),
        (100.0, "line:cable/ipv4", "up", "down", "silent"),
        (700.0, "line:cable/ipv4", "down", "up", "well"),
    )
    assert kinds(told, "failover") == []
    assert [row["end"] for row in kinds(told, "outage")] == [None, "2026-03-02T17:11:40Z"]


def test_a_restart_is_a_gap_and_ends_no_outage() -> None:
    told = moved(
        *BOTH_UP,
        (100.0, "line:cable/ipv4", "up", "down", "silent"),
        (200.0, "daemon", "running", "stopped", "stopped"),
        (260.0, "daemon", "stopped", "running", "started"),
        (261.0, "line:cable/ipv4", "unknown", "down", "silent"),
        (400.0, "line:cable/ipv4", "down", "up", "well"),
    )
    assert [(row["start"][14:19], row["end"][14:19]) for row in kinds(told, "outage")] == [("01:40", "06:40")]
    assert {row["uplink"] for row in kinds(told, "gap")} == {"cable", "lte"}


def test_what_a_person_asked_for_is_no_failover() -> None:
    assert kinds(moved(*BOTH_UP, (60.0, "steering:ipv4", "cable", "lte", "asked")), "failover") == []


def test_a_clock_that_woke_in_1970_is_not_fifty_years_of_watching(plan: Plan) -> None:
    told = moved(*BOTH_UP, (3600.0, "line:cable/ipv4", "up", "degraded", "loss"))
    told[0]["at"] = "1970-01-01T00:00:09.000Z"
    evidence, _ = read_file(json.dumps({"events": told}), plan)
    assert evidence.watched_years["cable"] < 0.001


def test_an_uplink_that_the_plan_does_not_have_is_said_once(plan: Plan) -> None:
    told = moved((0.0, "line:wan2/ipv4", "unknown", "up", "well"), (9.0, "line:wan2/ipv4", "up", "down", "silent"))
    _, problems = read_file(json.dumps({"events": told}), plan)
    assert len(problems) == 2
    assert all("expected one of cable" in problem for problem in problems)


def test_an_event_without_a_time_is_named(plan: Plan) -> None:
    broken = {"event": "line.down", "subject": "line:cable/ipv4", "at": "soon"}
    assert read_file(json.dumps({"events": [broken]}), plan)[1][0].startswith("event 1: event: Invalid isoformat")


def test_the_review_takes_the_gateways_own_export(
    events: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.toml").write_text(text_of("profiles", "cpa.toml"))
    (tmp_path / "events.json").write_text(json.dumps({"schema": 1, "events": events}))
    words = ["options", "--file", str(tmp_path / "plan.toml"), "--from", str(tmp_path / "events.json")]
    assert main([*words, "--years", "200", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"]
