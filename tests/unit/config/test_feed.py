"""Microsoft's list: what is taken of it, and what is not believed. The records are as its documentation shows them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site

from secondpath.config.feed import (
    FeedError,
    literal_suffix,
    parse_list,
    parse_snapshot,
    snapshot_text,
    why_not,
    with_feed,
)
from secondpath.config.shelf import catalogue
from secondpath.model import Application

EXCHANGE = {
    "id": 1, "serviceArea": "Exchange", "urls": ["outlook.office365.com", "*.outlook.office.com"],
    "ips": ["40.96.0.0/13", "2603:1006::/40"], "tcpPorts": "80,443", "category": "Optimize", "required": True,
}  # fmt: skip
TEAMS = {
    "id": 11, "serviceArea": "Skype", "ips": ["52.112.0.0/14", "52.122.0.0/15"], "udpPorts": "3478,3479,3480,3481",
    "category": "Optimize", "required": True,
}  # fmt: skip
DEFAULT = {"id": 46, "urls": ["*.msocdn.com"], "ips": ["23.103.160.0/20"], "category": "Default", "required": True}
OPTIONAL = {"id": 99, "urls": ["maps.example.com"], "ips": ["198.41.0.0/24"], "category": "Allow", "required": False}
LIST: list[dict[str, Any]] = [EXCHANGE, TEAMS, DEFAULT, OPTIONAL]


def taken(records: object = LIST, version: str = "2026112300") -> Any:
    return parse_list(json.dumps(records), version, "2026-11-23")


def test_what_is_required_is_taken_calls_apart_and_what_is_by_default_by_its_names_alone() -> None:
    found = taken()
    assert found.names == ("outlook.office365.com", "outlook.office.com", "msocdn.com")
    assert found.networks == ("40.96.0.0/13", "2603:1006::/40")
    assert found.media == ("52.112.0.0/14", "52.122.0.0/15")


def test_what_is_kept_is_read_again_as_it_was() -> None:
    assert parse_snapshot(snapshot_text(taken())) == taken()


@pytest.mark.parametrize(
    ("said", "covered"),
    [
        ("outlook.office.com", "outlook.office.com"),
        ("*.outlook.com", "outlook.com"),
        ("*-files.sharepoint.com", "sharepoint.com"),
        ("autodiscover.*.onmicrosoft.com", "onmicrosoft.com"),
        ("*.com", None),
        ("*", None),
        ("a b.com", None),
    ],
)
def test_a_star_is_covered_by_the_domain_behind_it_but_never_by_a_whole_country(said: str, covered: str | None) -> None:
    assert literal_suffix(said) == covered


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([{**EXCHANGE, "ips": ["0.0.0.0/0"]}], "claims 0.0.0.0/0"),
        ([{**EXCHANGE, "ips": ["::/1"]}], "claims ::/1"),
        ([{**EXCHANGE, "ips": ["10.0.0.0/16"]}], "claims 10.0.0.0/16"),
        ([{**EXCHANGE, "ips": ["no"]}], "'no' is no network"),
        ([{**EXCHANGE, "urls": "outlook.com"}], '"urls" of record 1 is no list of texts'),
        ([OPTIONAL], "names no required service"),
        ({"error": "too many"}, "not one of records"),
        (["x"], "not one of records"),
    ],
)
def test_what_is_not_believed_is_said(records: object, why: str) -> None:
    with pytest.raises(FeedError, match=why.replace(".", r"\.")):
        taken(records)


def test_a_list_without_most_of_the_old_one_waits_for_a_person() -> None:
    old = taken()
    four_of_five = [{**EXCHANGE, "ips": [f"40.{n}.0.0/16" for n in range(96, 101)]}]
    fewer = [{**EXCHANGE, "ips": [f"40.{n}.0.0/16" for n in range(96, 99)]}]
    before = taken(four_of_five)
    assert why_not(None, old) == ""
    assert why_not(before, taken([{**EXCHANGE, "ips": [f"40.{n}.0.0/16" for n in range(97, 101)]}])) == ""
    assert why_not(before, taken(fewer)).startswith("only 3 of the 5 networks of 2026-11-23 are in the new list")
    assert why_not(before, taken([{**EXCHANGE, "ips": ["40.96.0.0/13"]}])) == "", "a wider network holds them"


def test_the_presets_are_completed_and_nobody_else_is() -> None:
    shelf = catalogue()
    office = site(
        applications=(
            Application("Mail", "office", "microsoft-365", shelf["microsoft-365"].match),
            Application("Calls", "voice", "microsoft-teams", shelf["microsoft-teams"].match),
            Application("Slack", "office", "slack", shelf["slack"].match),
        )
    )
    mail, calls, slack = with_feed(office, taken()).applications
    assert "msocdn.com" in mail.match.domains
    assert "2603:1006::/40" in mail.match.servers
    assert set(calls.match.servers) == {*shelf["microsoft-teams"].match.servers, "52.112.0.0/14", "52.122.0.0/15"}
    assert calls.match.ports == shelf["microsoft-teams"].match.ports
    assert slack == office.applications[2]
    assert with_feed(replace(office, applications=()), taken()).applications == ()


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=9),
        lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from([*EXCHANGE]), i, max_size=4),
        max_leaves=12,
    ).map(json.dumps)
)
def test_nonsense_is_refused_with_a_sentence_and_nothing_worse(text: str) -> None:
    for read in (parse_snapshot, lambda t: parse_list(t, "1", "2026-11-23")):
        with pytest.raises(FeedError):
            read(text)
