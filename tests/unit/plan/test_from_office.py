"""A plan that begins with office.toml: the connections the gateway knows, and the audit's questions about them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from secondpath.cli.plan import main
from secondpath.plan.form.read import read_text
from secondpath.plan.form.shelf import PROFILES, shelf
from secondpath.plan.inputs import Plan
from secondpath.plan.study import study_of

OFFICE = """
[office]
name = "Smith & Sons"
timezone = "America/New_York"
profile = "law"

[[uplink]]
name = "fibre"
interface = "eth0"
technology = "fibre"
carrier = "Harbor Fiber"
down = "1 Gbit/s"
up = "500 Mbit/s"
shares = ["pole-line: Elm Street", "the landlord's basement"]
support = { phone = "1-800-555-0100", account = "42" }
plan = { monthly = "$149.50" }

[[uplink]]
name = "sim"
interface = "wwan0"
technology = "cellular"
carrier = "First Mobile"
metered = true
plan = { monthly = "$45", data = "20 GiB", beyond = "600 kbit/s", renews_on = 5 }

[[uplink]]
name = "copper"
interface = "eth2"
technology = "dsl"
plan = { monthly = "$39", data = "1 TB", beyond = "$15/GB" }

[[network]]
name = "staff"
interface = "lan0"
"""


def plan_from(office: str, folder: Path, *more: str) -> Plan:
    (folder / "office.toml").write_text(office)
    path = folder / "plan.toml"
    assert main(["new", "--office", str(folder / "office.toml"), "--file", str(path), *more]) == 0
    reading = read_text(path.read_text(), shelf())
    assert reading.problems == ()
    assert reading.plan
    return reading.plan


def test_name_profile_and_connections_come_from_the_office(tmp_path: Path) -> None:
    plan = plan_from(OFFICE, tmp_path)
    assert (plan.profile, plan.name, plan.timezone) == ("law", "Smith & Sons", "America/New_York")
    main_line, sim = plan.primary, plan.uplink("sim")
    assert (main_line.key, main_line.technology, main_line.path.facts["carrier"]) == ("fibre", "fibre", "Harbor Fiber")
    assert (main_line.down_bps, main_line.up_bps, main_line.price.monthly_usd) == (1e9, 5e8, 149.5)
    assert (main_line.support_phone, main_line.support_account) == ("1-800-555-0100", "42")
    assert sim.data_plan.allowance_gb == pytest.approx(21.475, abs=0.001)
    assert sim.data_plan.throttle_bps == 600_000
    assert plan.uplink("copper").data_plan.beyond_usd_per_gb == 15


def test_what_nobody_has_told_is_unknown_and_not_the_example(tmp_path: Path) -> None:
    """The profile's example has a headend and a feeder; this office has said nothing of the kind."""
    facts = plan_from(OFFICE, tmp_path).primary.path.facts
    assert facts["street"] == "Elm Street"
    assert {facts[name] for name in ("network", "site", "feeder", "entrance", "riser")} == {""}
    written = (tmp_path / "plan.toml").read_text()
    assert "Which utility feeder powers the cabinet or tower?" in written


def test_options_follow_the_names_and_a_line_of_another_kind_gets_its_own(tmp_path: Path) -> None:
    plan = plan_from(OFFICE, tmp_path)
    by_key = {choice.key: choice for choice in plan.choices}
    assert by_key["cellular-drilled"].backups == ("sim",)
    assert by_key["diverse"].backups == ("fibre-offer",)
    assert by_key["copper"].backups == ("copper",)
    assert len(study_of(plan, shelf(), years=100).lived) == len(plan.choices)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_takes_the_smallest_office(profile: str, tmp_path: Path) -> None:
    least = '[[uplink]]\nname = "cable"\ninterface = "a"\n[[uplink]]\nname = "lte"\ninterface = "b"\nmetered = true\n'
    plan = plan_from(least + '[[network]]\nname = "n"\ninterface = "c"\n', tmp_path, "--profile", profile)
    assert plan.profile == profile
    assert [u.technology for u in plan.uplinks if u.key in ("cable", "lte")] == ["cable", "cellular"]


def test_mistakes_of_the_office_are_worded_as_check_words_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = tmp_path / "office.toml"
    office.write_text(OFFICE.replace('carrier = "Harbor', 'carier = "Harbor').replace("$149.50", "149"))
    assert main(["new", "--office", str(office), "--file", str(tmp_path / "plan.toml")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f'secondpath: {office}:11: uplink[1].carier: unknown key; did you mean "carrier"?')
    assert len(said) == 2
    assert not (tmp_path / "plan.toml").exists()


def test_the_interview_shows_the_offices_values_and_keeps_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "office.toml").write_text(OFFICE)
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "Main Street poles" if "Along which pole line or conduit does it" in prompt else ""

    monkeypatch.setattr("builtins.input", answer)
    path = tmp_path / "plan.toml"
    assert main(["ask", "--office", str(tmp_path / "office.toml"), "--file", str(path)]) == 0
    assert any("[Harbor Fiber]" in prompt for prompt in asked)
    found: dict[str, Any] = tomllib.loads(path.read_text())
    assert found["uplink"][0]["street"] == "Main Street poles"
    assert found["office"]["name"] == "Smith & Sons"


def test_user_text_stays_text(tmp_path: Path) -> None:
    evil = OFFICE.replace("Harbor Fiber", r"x\"][[option]] # \\").replace("the landlord's", r"\\ [[uplink]] the")
    assert plan_from(evil, tmp_path).primary.path.facts["carrier"] == 'x"][[option]] # \\'
