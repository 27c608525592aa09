"""Every default that ships has a source, and nothing that was only remembered is cited."""

from collections.abc import Iterator
from typing import Any

import pytest

from secondpath.plan.cited import cite_for, file_path
from secondpath.plan.explain import figures_of
from secondpath.plan.form.read import read_text
from secondpath.plan.form.shelf import PROFILES, shelf, text_of, toml_of
from secondpath.plan.people import estimates
from secondpath.plan.study import study_of

GRADES = {"V", "V2", "C", "J"}


def numbers(document: Any, path: str = "") -> Iterator[str]:
    """Paths of everything numeric, or that stands for a number, in a profile."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from numbers(value, f"{path}.{key}" if path else key)
    elif isinstance(document, list) and any(isinstance(item, dict) for item in document):
        for row in document:
            name = str(row.get("id") or row.get("title")).replace(".", " ")
            yield from numbers({k: v for k, v in row.items() if k not in ("id", "title")}, f"{path}.{name}")
    elif (
        (isinstance(document, int | float) and not isinstance(document, bool))
        or isinstance(document, list)
        or (isinstance(document, str) and any(c.isdigit() for c in document) and "$" in document + path)
    ):
        yield path


@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_of_a_profile_is_cited(profile: str) -> None:
    cites, known = toml_of("cite.toml"), toml_of("sources.toml")
    document = {k: v for k, v in toml_of("profiles", f"{profile}.toml").items() if k != "profile"}
    found = [path for path in numbers(document) if not path.startswith("option.") or "backups" not in path]
    assert len(found) > 50
    for path in found:
        matching = [pattern for pattern in cites if cite_for(path, {pattern: cites[pattern]})]
        assert len(matching) == 1, f"{path}: cited by {matching}"
        assert cites[matching[0]]["source"] in known


@pytest.mark.parametrize("name", ["priors", "rates", "standing"])
def test_every_row_of_the_shelf_has_a_source_and_a_grade(name: str) -> None:
    known = toml_of("sources.toml")
    for key, row in toml_of(f"{name}.toml").items():
        assert row["source"] in known, key
        assert row["grade"] in GRADES, key
        assert row["title"]


def test_every_source_says_where_when_and_how_well() -> None:
    for key, row in toml_of("sources.toml").items():
        assert row["grade"] in GRADES, key
        assert row["title"] and row["where"], key
        assert row["checked_on"].isoformat() >= "2026-01-01", key


def test_nothing_only_remembered_is_cited() -> None:
    for name in ("sources", "priors", "rates", "standing", "cite", "elements"):
        for key, row in toml_of(f"{name}.toml").items():
            assert row.get("grade") != "R", f"{name}.{key}"
    text = text_of("sources.toml").casefold()
    for recalled in ("hazus", "intertubes", "314.6", "waiting period"):
        assert recalled not in text


@pytest.mark.parametrize("profile", PROFILES)
def test_every_calendar_line_has_source_and_date(profile: str) -> None:
    known, pack = toml_of("sources.toml"), toml_of("calendars", f"{profile}.toml")
    lines = [*pack.get("date", []), *pack.get("fact", [])]
    assert lines
    for line in lines:
        assert line["source"] in known
        assert line["checked_on"].isoformat() >= "2026-01-01"


def test_shares_of_downtime_sum_to_one() -> None:
    for technology, shares in shelf().shares.items():
        assert sum(shares.values()) == pytest.approx(1.0), technology


@pytest.mark.parametrize("profile", PROFILES)
def test_every_estimate_of_the_model_finds_its_line(profile: str) -> None:
    plan = read_text(text_of("profiles", f"{profile}.toml"), shelf()).plan
    assert plan
    for path, _ in estimates(plan.workplace):
        assert cite_for(file_path(path), shelf().cites), path


def test_every_printed_figure_can_be_explained() -> None:
    plan = read_text(text_of("profiles", "cpa.toml"), shelf()).plan
    assert plan
    figures = figures_of(study_of(plan, shelf(), years=500), shelf())
    assert len({figure.key for figure in figures}) == len(figures) > 150
    for figure in figures:
        assert figure.inputs and figure.formula, figure.key
        assert all(item.source and item.checked_on and item.grade in GRADES for item in figure.inputs), figure.key
