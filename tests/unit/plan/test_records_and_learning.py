"""What the office has measured replaces what was assumed, and the paper says how much of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secondpath.cli.plan import main
from secondpath.plan.evidence import compare, failover_s, flagged, learned_from, record_of, with_evidence
from secondpath.plan.form.read import read_text
from secondpath.plan.form.records import open_hours, read_records
from secondpath.plan.form.shelf import shelf, text_of
from secondpath.plan.inputs import Plan
from secondpath.plan.learn import dispersion

pytestmark = pytest.mark.slow


@pytest.fixture
def plan() -> Plan:
    found = read_text(text_of("profiles", "cpa.toml"), shelf()).plan
    assert found
    return found


def outage(start: str, end: str | None, **more: object) -> str:
    return json.dumps({"kind": "outage", "uplink": "cable", "start": start, "end": end, **more})


YEAR = '{"kind": "watched", "uplink": "cable", "from": "2025-01-01T00:00:00Z", "to": "2026-01-01T06:00:00Z"}'
LINES = [
    YEAR,
    outage("2025-03-03T18:00:00Z", "2025-03-03T20:00:00Z", people_stopped=12, calls_missed=20),
    outage("2025-06-10T17:00:00Z", "2025-06-10T17:30:00Z", people_stopped=9, calls_missed=4),
    outage("2025-09-09T10:00:00Z", "2025-09-09T10:01:00Z"),
    outage("2025-10-01T08:00:00Z", "2025-10-01T11:00:00Z", planned=True),
    outage("2025-12-31T08:00:00Z", None),
    '{"kind": "drill", "uplink": "lte", "result": "passed", "failover_s": 18}',
    '{"kind": "drill", "uplink": "lte", "result": "failed"}',
    '{"kind": "power", "runtime_h": 1.5}',
    '{"kind": "usage", "uplink": "lte", "bytes": 2000000000}',
]


def test_what_counts_and_what_does_not(plan: Plan) -> None:
    evidence, problems = read_records(LINES, plan)
    assert problems == ()
    record = record_of(evidence, "cable")
    assert record.durations_h == (2.0, 0.5)
    assert record.outages == 3  # the open one counts, the drop and the planned one do not
    assert evidence.drops == 1
    assert record.watched_years == pytest.approx(1.0, abs=0.001)


def test_a_year_of_record_weighs_78_percent_for_cable(plan: Plan) -> None:
    evidence, _ = read_records(LINES, plan)
    known = learned_from(plan, shelf(), evidence)["cable"]
    assert known.record_weight == pytest.approx(0.78, abs=0.005)
    assert known.prior.rate_per_year == pytest.approx((2 + 3) / (0.2857 + 1), rel=0.01)


def test_gaps_are_taken_out_of_the_watched_time(plan: Plan) -> None:
    gap = '{"kind": "gap", "uplink": "cable", "from": "2025-02-01T00:00:00Z", "to": "2025-08-02T15:00:00Z"}'
    evidence, _ = read_records([YEAR, gap], plan)
    assert evidence.watched_years["cable"] == pytest.approx(0.5, abs=0.001)


def test_business_hours_are_the_offices_own(plan: Plan) -> None:
    def hours(start: str, end: str) -> float:
        return open_hours(
            plan, datetime.fromisoformat(start).replace(tzinfo=UTC), datetime.fromisoformat(end).replace(tzinfo=UTC)
        )

    assert hours("2025-01-06T15:00:00", "2025-01-06T17:00:00") == pytest.approx(1.0)  # opens at 16:00 UTC in winter
    assert hours("2025-07-07T14:00:00", "2025-07-07T16:00:00") == pytest.approx(1.0)  # opens at 15:00 UTC in summer
    assert hours("2025-01-11T00:00:00", "2025-01-13T08:00:00") == pytest.approx(
        1.0
    )  # Friday's last hour, then a weekend


def test_drills_and_battery_replace_assumptions(plan: Plan) -> None:
    evidence, _ = read_records(LINES, plan)
    told = with_evidence(plan, evidence)
    drilled = next(c for c in told.choices if c.key == "cellular-drilled")
    assert (drilled.drills_passed, drilled.drills_failed) == (1, 1)
    assert told.power.measured_runtime_h == 1.5
    assert failover_s(evidence) == (18.0, 18.0)


def test_predicted_and_reported_loss_are_compared(plan: Plan) -> None:
    evidence, _ = read_records(LINES, plan)
    found = compare(plan, evidence, 1)
    assert [round(c.outage.open_h, 2) for c in found] == [2.0, 0.5]
    assert not flagged(found)
    wild = [
        outage(f"2025-0{m}-04T18:00:00Z", f"2025-0{m}-04T20:00:00Z", people_stopped=14, calls_missed=300)
        for m in (2, 3, 4)
    ]
    assert flagged(compare(plan, read_records(wild, plan)[0], 1))


def test_storm_months_are_seen() -> None:
    assert dispersion((0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0)) > 2
    assert dispersion((1, 0, 1, 2, 0, 1, 1, 0, 2, 1, 0, 1)) < 2


def test_the_review_prints_weights_and_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, plan_file = tmp_path / "records.jsonl", tmp_path / "plan.toml"
    records.write_text("\n".join(LINES))
    plan_file.write_text(text_of("profiles", "cpa.toml"))
    out = tmp_path / "out"
    assert main(["review", "--file", str(plan_file), "--from", str(records), "--years", "500", "--out", str(out)]) == 0
    html = (out / "continuity-review.html").read_text()
    assert "22 % / 78 %" in html
    assert "Predicted and reported" in html
    assert (out / "continuity-review.pdf").read_bytes().startswith(b"%PDF")
    assert len(capsys.readouterr().out.splitlines()) == 4
