"""What people type by mistake or on purpose: a sentence each, all at once, exit code 2, never a traceback."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpath.cli.plan import main
from secondpath.plan.evidence import Evidence
from secondpath.plan.form.read import read_text
from secondpath.plan.form.records import read_records
from secondpath.plan.form.shelf import shelf, text_of
from secondpath.plan.paper.document import document_of
from secondpath.plan.paper.review import html_of, pdf_of
from secondpath.plan.paper.tables import option_sheet
from secondpath.plan.paper.terminal import printed
from secondpath.plan.study import study_of

CPA = text_of("profiles", "cpa.toml")


def problems(text: str) -> tuple[str, ...]:
    return read_text(text, shelf()).problems


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("people = 8", "people = -8", "role.staff.people: expected people between 0 and 2,000, got -8"),
        ("people = 8", "people = 1000000", "role.staff.people: expected people between 0 and 2,000, got 1000000"),
        ("people = 8", "people = 2.5", "role.staff.people: expected a whole number of people, got 2.5"),
        ("people = 8", "poeple = 8", "role.staff.poeple: unknown key; did you mean 'people'?"),
        (
            '"08:00-17:00" }',
            '"08:00-25:00" }',
            (
                'office.hours.mon-fri: expected days like mon-fri and a time like "08:00-17:00" within one day of 24'
                " hours, got '08:00-25:00'"
            ),
        ),
        (
            'technology = "cable"  ',
            'technology = "cabel"  ',
            (
                "uplink.cable.technology: expected one of cable, fibre, fibre-sla, dsl, fixed-wireless, cellular, "
                "cellular-marginal, hotspot, satellite, got 'cabel'; did you mean 'cable'?"
            ),
        ),
        ("tolerance = 0.05", "tolerance = nan", "owner.tolerance: expected a share between 0.0001 and 1, got nan"),
        (
            "stops = [0.7, 0.85, 1.0]",
            "stops = [1.0, 0.85, 0.7]",
            (
                "role.staff.stops: expected a share between 0 and 1, or three such numbers [low, likely, high] in"
                " rising order, got [1.0, 0.85, 0.7]"
            ),
        ),
        (
            'monthly = "$119"',
            'monthly = "119 USD"',
            'uplink.cable.plan.monthly: expected an amount such as "$119", not "119 USD"; did you mean "$119"?',
        ),
        (
            'timezone = "America/Los_Angeles"',
            'timezone = "America/Los_Angles"',
            (
                "office.timezone: expected a time zone such as America/Los_Angeles, got 'America/Los_Angles'; did you"
                " mean 'America/Los_Angeles'?"
            ),
        ),
    ],
)
def test_each_mistake_is_named(old: str, new: str, sentence: str) -> None:
    assert old in CPA
    assert problems(CPA.replace(old, new, 1)) == (sentence,)


def test_all_mistakes_come_at_once() -> None:
    text = CPA.replace("people = 8", "people = -8", 1).replace("load_w = 49", 'load_w = "x"', 1)
    text = text.replace('backups = ["phones"]', 'backups = ["fones"]', 1)
    found = problems(text)
    assert [p.split(":")[0] for p in found] == ["role.staff.people", "option.hotspot.backups", "power.load_w"]
    assert "did you mean 'phones'?" in found[1]


@pytest.mark.parametrize("section", ["[office]", "[calls]", "[sales]", "[catch_up]", "[upset]", "[power]", "[owner]"])
def test_an_empty_section_falls_back_to_the_profile(section: str) -> None:
    assert read_text(f'profile = "law"\n{section}\n', shelf()).plan is not None


def test_missing_sections_fall_back_to_the_profile() -> None:
    assert (
        read_text('profile = "clinic"\n', shelf()).plan == read_text(text_of("profiles", "clinic.toml"), shelf()).plan
    )


def test_empty_lists_are_named() -> None:
    found = problems('profile = "law"\nrole = []\nuplink = []\noption = []\n')
    assert {p.split(":")[0] for p in found} >= {"role", "uplink", "option"}


def test_a_wrong_shape_is_named_everywhere() -> None:
    text = 'profile = "law"\noffice = 3\nrole = "x"\nuplink = [1]\ncalls = []\nseason = {}\n'
    assert {p.split(":")[0] for p in problems(text)} >= {"office", "role", "uplink", "calls", "season"}


@given(st.text(max_size=300))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_makes_the_reader_raise(text: str) -> None:
    read_text(text, shelf())


scalars = st.one_of(
    st.none().map(lambda _: '""'), st.integers().map(str), st.floats().map(str), st.just("[]"), st.just("{}")
)


@given(st.sampled_from([line for line in CPA.splitlines() if " = " in line and not line.startswith("#")]), scalars)
@settings(max_examples=150, deadline=None)
def test_no_value_makes_the_reader_raise(line: str, value: str) -> None:
    reading = read_text(CPA.replace(line, f"{line.split(' = ', maxsplit=1)[0]} = {value}", 1), shelf())
    assert (reading.plan is None) == bool(reading.problems)


@pytest.mark.parametrize("command", ["impact", "options", "size", "audit", "power", "review", "notice", "runbook"])
def test_a_bad_plan_exits_with_2_and_no_traceback(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "plan.toml"
    bad.write_text(CPA.replace("people = 8", "people = -8", 1))
    assert main([command, "--file", str(bad), "--years", "200"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"secondpath: {bad}: role.staff.people: expected people between 0 and 2,000, got -8\n"


def test_a_missing_file_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["impact", "--file", str(tmp_path / "no.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


MARKUP = '<script>alert(1)</script> #panic("x") $ x $ {{ 7*7 }} \\u{202e} */'


def test_user_text_stays_inert_in_html_pdf_and_terminal() -> None:
    evil = json.dumps(MARKUP)
    text = CPA.replace('name = "Hartwell & Lowe, CPAs"', f"name = {evil}", 1)
    text = text.replace('title = "Cellular left alone"', f"title = {evil}", 1).replace(
        'carrier = "Second Mobile"', f"carrier = {evil}", 1
    )
    reading = read_text(text, shelf())
    assert reading.plan, reading.problems
    study = study_of(reading.plan, shelf(), years=500)
    charts = dict.fromkeys(
        ("curve", "bars", "intervals", "pareto"), "<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'></svg>"
    )
    document = document_of(study, shelf(), Evidence(), charts)
    html = html_of("review.html", document)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "{{ 7*7 }}" in html
    assert pdf_of("review.typ", document).startswith(b"%PDF")
    assert "\x1b" not in printed((option_sheet(study),), "\x1b[2Joffice")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("not json", "line 1: expected one JSON object"),
        ('{"kind": "outage"}', "line 1: outage: 'uplink' is missing"),
        (
            '{"kind": "outage", "uplink": "x", "start": "2026-01-01T00:00:00Z"}',
            "line 1: outage: uplink: expected one of cable",
        ),
        (
            '{"kind": "outage", "uplink": "cable", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}',
            "line 1: outage: end: expected a time after start",
        ),
        (
            '{"kind": "drill", "uplink": "lte", "result": "meh"}',
            "line 1: drill: result: expected passed or failed",
        ),
        ('{"kind": "usage", "uplink": "lte", "bytes": -1}', "line 1: usage: bytes: expected a number between 0"),
        ('{"kind": "outage", "uplink": "cable", "start": "yesterday"}', "line 1: outage: Invalid isoformat"),
    ],
)
def test_a_bad_record_is_named_by_line(line: str, sentence: str) -> None:
    plan = read_text(CPA, shelf()).plan
    assert plan
    _, found = read_records([line], plan)
    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_unknown_kinds_of_records_are_counted_and_left_alone() -> None:
    plan = read_text(CPA, shelf()).plan
    assert plan
    evidence, found = read_records(['{"kind": "transition", "at": 1}', "", '{"x": 1}'], plan)
    assert (evidence.ignored, found) == (2, ())
