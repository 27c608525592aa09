"""The catalogue: every entry can be used as it stands, and says from where it is known; and `preset` takes it over."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import pytest

from secondpath.config.applications import applications_key
from secondpath.config.matching import TEST_PORTS, parse_test
from secondpath.config.presets import NOT_VERIFIED, Preset, nearest_preset, parse_catalogue
from secondpath.config.problem import ConfigError, Place
from secondpath.config.reader import parse
from secondpath.config.shelf import catalogue
from secondpath.judge.names import parse_test as parts_of
from secondpath.model import CLASSES, Application, PortSpan, Site, SourceBinding

KNOWN = catalogue()
ENTRIES = [pytest.param(preset, id=ident) for ident, preset in KNOWN.items()]
TESTED = [pytest.param(preset, id=ident) for ident, preset in KNOWN.items() if preset.test]
OFFICE = """
[[uplink]]
name = "cable"
interface = "wan0"
[[network]]
name = "staff"
interface = "lan0"
[[application]]
"""
ENTRY = """
[[application]]
id = "tax"
name = "Tax software"
class = "line-of-business"
match = { domains = ["tax.example.com"] }
test = "https://tax.example.com/"
source_ip_bound = "unknown"
evidence = [{ grade = "V", says = "domains", page = "https://example.com/firewall", checked = 2026-11-23 }]
"""


def office_with(said: str) -> Site:
    return parse(OFFICE + said, "office.toml")


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_catalogue([("tax.toml", text)])
    return str(caught.value)


# ── The entries ──────────────────────────────────────────────────────────────────────


def test_there_is_enough_for_every_kind_of_office() -> None:
    assert len(KNOWN) >= 45
    for profile in ("cpa", "law", "escrow", "clinic", "retail"):
        own = [p for p in KNOWN.values() if profile in p.profiles and len(p.profiles) < 6]
        assert len(own) >= 2, profile


@pytest.mark.parametrize("preset", ENTRIES)
def test_every_entry_is_taken_over_as_it_stands(preset: Preset) -> None:
    (application,) = office_with(f'preset = "{preset.ident}"').applications
    assert application == Application(
        preset.name, preset.traffic_class, preset.ident, preset.match, preset.test, preset.source_ip_bound
    )
    assert application.traffic_class in CLASSES
    assert any((preset.match.domains, preset.match.servers, preset.match.ports))


@pytest.mark.parametrize("preset", ENTRIES)
def test_every_entry_has_evidence_with_its_day(preset: Preset) -> None:
    assert preset.evidence
    assert all(e.checked >= datetime.date(2026, 11, 1) for e in preset.evidence)
    assert all(e.page or NOT_VERIFIED in e.says for e in preset.evidence)


@pytest.mark.parametrize("preset", TESTED)
def test_a_default_test_asks_a_name_of_the_service_at_a_port_of_its_own(preset: Preset) -> None:
    assert preset.test is not None
    said = parts_of(parse_test(preset.test))
    assert any(said.host == domain or said.host.endswith(f".{domain}") for domain in preset.match.domains)
    assert preset.evidence[0].grade != "D", "what is asked all day was seen on a page"
    port = said.port or TEST_PORTS[said.scheme]
    assert port is not None
    assert not preset.match.ports or any(_covers(span, port) for span in preset.match.ports)


def _covers(span: PortSpan, port: int) -> bool:
    return span.protocol == "tcp" and span.first <= port <= span.last


def test_what_people_say_for_an_entry_finds_it() -> None:
    assert nearest_preset("office-365", KNOWN) == "microsoft-365"
    assert nearest_preset("outlok", KNOWN) == "microsoft-365"
    assert nearest_preset("adobe-sign", KNOWN) == "acrobat-sign"
    assert nearest_preset("zzz", KNOWN) is None


# ── Taking one over ──────────────────────────────────────────────────────────────────


def test_what_the_office_says_goes_before_the_catalogue_and_match_is_always_the_catalogues() -> None:
    said = 'preset = "zoom"\nname = "Visits"\nclass = "office"\ntest = "https://z.example/"\nsource_ip_bound = "yes"'
    (visits,) = office_with(said).applications
    assert visits == Application(
        "Visits", "office", "zoom", KNOWN["zoom"].match, "https://z.example/", SourceBinding.YES
    )


def test_an_entry_of_the_office_s_own_is_not_known_to_be_bound_unless_it_says_so() -> None:
    own = 'name = "Bank"\nclass = "office"\nmatch = { domains = ["bank.example.com"] }\n'
    assert office_with(own).applications[0].source_ip_bound is SourceBinding.UNKNOWN
    assert office_with(own + 'source_ip_bound = "yes"').applications[0].source_ip_bound is SourceBinding.YES


def test_the_catalogue_stays_shut_where_no_preset_is_used() -> None:
    def nobody_asks() -> Mapping[str, Preset]:
        raise AssertionError

    key = applications_key(nobody_asks)
    own = {"name": "Bank", "class": "office", "match": {"domains": ["bank.example.com"]}}
    assert [a.value.name for a in key.kind.read([own], Place())] == ["Bank"]
    with pytest.raises(AssertionError):
        key.kind.read([{"preset": "zoom"}], Place())


# ── Files that are wrong ─────────────────────────────────────────────────────────────


def test_a_good_entry_is_read() -> None:
    assert parse_catalogue([("tax.toml", ENTRY)])["tax"].match.domains == ("tax.example.com",)


@pytest.mark.parametrize(
    ("was", "now", "sentence"),
    [
        ("line-of-business", "line-of-busines", 'application[1].class: unknown class "line-of-busines"'),
        ('"tax.example.com"]', '"*.tax.example.com"]', "application[1].match.domains[1]: "),
        ('test = "https', 'test = "htps', 'application[1].test: unknown kind of test "htps"'),
        ('test = "https://tax.example.com/"\n', "", "application[1].test: expected either a test"),
        ('source_ip_bound = "unknown"', 'source_ip_bound = "yes"', "application[1].binding: missing"),
        (', page = "https://example.com/firewall"', "", "application[1].evidence[1].page: missing"),
        ('grade = "V"', 'grade = "D"', 'says of itself that it is "not verified"'),
        ("checked = 2026-11-23", 'checked = "2026-11-23"', "expected a day"),
        (", checked = 2026-11-23", "", "application[1].evidence[1].checked: missing"),
    ],
)
def test_what_is_wrong_with_an_entry_is_a_sentence(was: str, now: str, sentence: str) -> None:
    assert was in ENTRY
    assert sentence in refusal(ENTRY.replace(was, now))


def test_an_id_stands_once_in_all_files_whichever_way_it_is_used() -> None:
    other = ENTRY.replace('id = "tax"', 'id = "returns"\nalso = ["tax"]')
    with pytest.raises(ConfigError) as caught:
        parse_catalogue([("a.toml", ENTRY), ("b.toml", other)])
    assert str(caught.value).startswith('b.toml:3: application[1].id: "tax" is the id of')
