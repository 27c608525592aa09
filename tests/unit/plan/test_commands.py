"""The commands as a person runs them."""

import ast
import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import shtab

from secondpath.cli.parser import build
from secondpath.cli.plan import main
from secondpath.cli.table import COMMANDS
from secondpath.cli.troff import page
from secondpath.plan.calendars import next_business_day
from secondpath.plan.form.answers import answered, plan_text
from secondpath.plan.form.ask import interview
from secondpath.plan.form.read import read_document, read_text
from secondpath.plan.form.shelf import PROFILES, shelf, text_of
from secondpath.plan.paper.checklist import marks
from secondpath.plan.paper.leaflet import leaflet_text
from secondpath.plan.paper.notice import notice_of
from secondpath.plan.paper.runbook import runbook_of
from secondpath.plan.rounding import DISCLAIMER
from secondpath.plan.study import study_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
FORBIDDEN = ("compliant", "guarantee", "99.99")


@pytest.fixture
def plan_file(tmp_path: Path) -> str:
    path = tmp_path / "plan.toml"
    assert main(["new", "--profile", "law", "--file", str(path)]) == 0
    return str(path)


@pytest.mark.parametrize("profile", PROFILES)
def test_new_writes_a_plan_that_reads_without_a_word(profile: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    assert main(["new", "--profile", profile, "--file", str(path)]) == 0
    assert read_text(path.read_text(), shelf()).problems == ()
    assert main(["new", "--profile", profile, "--file", str(path)]) == 2


@pytest.mark.parametrize("command", ["impact", "options", "size", "audit", "power", "availability", "deadlines"])
def test_every_table_prints_and_speaks_json(command: str, plan_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([command, "--file", plan_file, "--years", "300"]) == 0
    text = capsys.readouterr().out
    assert DISCLAIMER in text
    assert not any(word in text.casefold() for word in FORBIDDEN)
    assert main([command, "--file", plan_file, "--years", "300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert found["tables"][0]["rows"]


def test_explain_finds_a_printed_number(plan_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["explain", "impact.ordinary.2h", "--file", plan_file, "--years", "300"]) == 0
    text = capsys.readouterr().out
    printed = re.search(r"printed\s+\$([\d,]+)", text)
    assert printed
    assert "grade J" in text
    assert "formula" in text
    assert main(["explain", printed.group(1), "--file", plan_file, "--years", "300", "--json"]) == 0
    keys = [figure["key"] for figure in json.loads(capsys.readouterr().out)["figures"]]
    assert "impact.ordinary.2h" in keys
    assert main(["explain", "123456789", "--file", plan_file, "--years", "300"]) == 1


def test_checklist_is_ticked_by_a_person_and_verified_by_the_gateway(
    plan_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["checklist", "--file", plan_file]) == 1
    assert main(["checklist", "--file", plan_file, "--tick", "entrance"]) == 2
    assert main(["checklist", "--file", plan_file, "--tick", "entranse", "--by", "Ann"]) == 2
    assert "did you mean 'entrance'?" in capsys.readouterr().err
    assert main(["checklist", "--file", plan_file, "--tick", "entrance", "--by", "Ann Low"]) == 1
    capsys.readouterr()
    assert main(["checklist", "--file", plan_file, "--status", str(GOLDEN / "online.json"), "--json"]) == 1
    lines = {row["key"]: (row["state"], row["by"]) for row in json.loads(capsys.readouterr().out)["lines"]}
    assert lines["entrance"] == ("ticked", "Ann Low")
    assert lines["both-up"] == ("verified", "the gateway")
    assert lines["dark-drill"] == ("open", "")


GOLDEN = ROOT / "tests" / "golden" / "cli"
SEEN = ("carrier", "both-up", "families", "backup-ready", "guests", "by-rule")
# What the gateway's word is worth on each golden day: v verified, c contradicted, o open (people must look).
DAYS = {
    "all-down": "vcocov",
    "asked": "vvvvvc",
    "backup-not-ready": "vcocov",
    "black-hole": "vcovvv",
    "brown-out": "vcovvv",
    "brown-out-nowhere-to-go": "vcocov",
    "cable-cut": "vcovvv",
    "going-home": "vvvvvv",
    "held": "vvvvvc",
    "ipv4-only": "vvvvov",
    "ipv6-dead": "vccvvv",
    "online": "vvvvov",
    "starting": "voooov",
}


@pytest.mark.parametrize("day", DAYS)
def test_the_checklist_reads_what_the_gateway_really_says(day: str) -> None:
    status = json.loads((GOLDEN / f"{day}.json").read_text("utf-8"))
    found = {mark.item.key: mark.state[0] for mark in marks({}, status)}
    assert "".join(found.pop(key) for key in SEEN) == DAYS[day]
    assert set(found.values()) == {"o"}  # all else falls to people


def test_a_ticked_line_that_the_gateway_contradicts_stays_open(plan_file: str) -> None:
    main(["checklist", "--file", plan_file, "--tick", "backup-ready", "--by", "Ann"])
    day = str(GOLDEN / "backup-not-ready.json")
    assert main(["checklist", "--file", plan_file, "--status", day]) == 1
    status = json.loads(Path(day).read_text("utf-8"))
    mark = next(
        m for m in marks({"backup-ready": {"by": "Ann", "on": "2026-11-22"}}, status) if m.item.key == "backup-ready"
    )
    assert mark.state == "contradicted"


def test_a_status_that_is_none_is_refused(plan_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("", "[]", "{}", '{"schema": 2, "uplinks": []}', "[" * 100_000):
        (tmp_path / "status.json").write_text(text)
        assert main(["checklist", "--file", plan_file, "--status", str(tmp_path / "status.json")]) == 2
        assert "secondpath status --json" in capsys.readouterr().err


def test_a_misspelt_word_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    for words, meant in ((["impct"], "impact"), (["new", "--profile", "lawy"], "law"), (["impact", "--yers"], "years")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert re.search(rf"did you mean '(--)?{meant}'\?", capsys.readouterr().err)


def test_help_manual_and_completion_know_every_command_and_option() -> None:
    parser = build(COMMANDS)
    manual = page(parser, "2026-11-22\n@commands\n")
    complete = shtab.complete(parser, shell="bash")
    words = ("impact", "options", "size", "audit", "power", "availability", "deadlines", "review", "notice", "runbook")
    for name in (*words, "new", "ask", "serve", "checklist", "explain"):
        assert f"plan {name}" in manual
        assert f"_secondpath_plan_{name}_option_strings=" in complete
    for option in ("office", "profile", "from", "status", "tick", "by", "out", "years", "seed"):
        assert f"\\-\\-{option}" in manual


def test_the_interview_asks_again_and_keeps_what_was_said() -> None:
    replies = iter(["Smith & Sons", "lots", "2500", ""])
    said: list[str] = []

    def read(prompt: str) -> str:
        said.append(prompt)
        try:
            return next(replies)
        except StopIteration:
            raise EOFError from None

    answers = interview("cpa", read, said.append)
    assert answers == {"office.name": "Smith & Sons", "owner.unacceptable_usd": 2500}
    assert any("Expected one number" in line for line in said)
    assert read_document(answered("cpa", answers), shelf()).plan is not None


def test_answers_are_written_into_the_commented_file() -> None:
    answers = {
        "office.name": 'A "quoted" name',
        "role.staff.people": 11,
        "calls.per_h": [1, 2, 3],
        "uplink.lte.plan.monthly": "$66",
    }
    text = plan_text("cpa", answers)
    found = tomllib.loads(text)
    assert found["office"]["name"] == 'A "quoted" name'
    assert next(r for r in found["role"] if r["id"] == "staff")["people"] == 11
    assert next(r for r in found["role"] if r["id"] == "partner")["people"] == 2
    assert found["calls"]["per_h"] == [1, 2, 3]
    assert next(u for u in found["uplink"] if u["id"] == "lte")["plan"]["monthly"] == "$66"
    assert text.count("#") == text_of("profiles", "cpa.toml").count("#")


def test_a_changed_value_is_the_offices_estimate() -> None:
    text = text_of("profiles", "cpa.toml").replace("no_retry = [0.02, 0.06, 0.15]", "no_retry = [0.02, 0.05, 0.15]")
    plan = read_text(text, shelf()).plan
    assert plan
    assert plan.workplace.calls.no_retry.tag == "E"
    assert plan.workplace.calls.missed.tag == "P"
    assert {t.value for t in study_of(plan, shelf(), years=200).tags} == {"E", "P"}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_review_has_four_pages(profile: str, tmp_path: Path) -> None:
    path, out = tmp_path / "plan.toml", tmp_path / "out"
    assert main(["new", "--profile", profile, "--file", str(path)]) == 0
    assert main(["review", "--file", str(path), "--years", "500", "--out", str(out)]) == 0
    pdf = (out / "continuity-review.pdf").read_bytes()
    assert re.findall(rb"/Type/Pages/Count (\d+)", pdf) == [b"4"]
    assert b"pdfuaid:part" in pdf
    html = (out / "continuity-review.html").read_text()
    assert not re.findall(r'(?:src|href)="[^"#]', html)
    words = re.sub(r"<svg.*?</svg>", "", html, flags=re.S).casefold()
    assert not any(word in words for word in FORBIDDEN)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    main(["new", "--profile", "cpa", "--file", str(path)])
    for name in ("a", "b"):
        assert main(["review", "--file", str(path), "--years", "500", "--out", str(tmp_path / name)]) == 0
    for file in ("continuity-review.html", "continuity-review.pdf", "figures.json", "bia.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


@pytest.mark.parametrize("profile", PROFILES)
def test_leaflets_keep_to_the_wording_rules(profile: str) -> None:
    plan = read_text(text_of("profiles", f"{profile}.toml"), shelf()).plan
    assert plan
    study = study_of(plan, shelf(), years=300)
    for paper in (notice_of(study), runbook_of(study)):
        text = leaflet_text(paper)
        assert DISCLAIMER in text
        assert not any(word in text.casefold() for word in FORBIDDEN)


def test_no_shipped_text_promises_anything() -> None:
    for path in (ROOT / "src/secondpath/plan").rglob("*"):
        if path.suffix in {".toml", ".html", ".typ"}:
            assert not any(
                word in path.read_text(encoding="utf-8").casefold() for word in ("compliant", "guarantee")
            ), path


def test_weekends_and_holidays_move_a_tax_date() -> None:
    assert next_business_day(date(2027, 8, 1)) == date(2027, 8, 2)
    assert next_business_day(date(2022, 4, 15)) == date(2022, 4, 18)  # Emancipation Day kept on Friday 15 April 2022
    assert next_business_day(date(2026, 4, 15)) == date(2026, 4, 15)
    assert next_business_day(date(2028, 1, 15)) == date(2028, 1, 18)  # a Saturday before Martin Luther King Day


BANNED = {"asyncio", "socket", "subprocess", "sqlite3", "time", "os", "pathlib", "logging", "random", "threading"}
ROOMS = {"act", "sense", "judge", "decide", "engine", "netlink", "record", "tell", "daemon", "control"}


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_arithmetic_touches_no_world_and_no_other_room() -> None:
    files = sorted((ROOT / "src/secondpath/plan").glob("*.py"))
    assert len(files) > 25
    for path in files:
        found = imports_of(path)
        assert not {name.split(".")[0] for name in found} & BANNED, path
        inner = {name.split(".")[2] for name in found if name.startswith("secondpath.plan.")}
        assert not inner & {"form", "paper", "page"}, path


def test_the_planner_never_reaches_the_gateway() -> None:
    for path in (ROOT / "src/secondpath/plan").rglob("*.py"):
        rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("secondpath.")}
        assert not rooms & ROOMS, path
