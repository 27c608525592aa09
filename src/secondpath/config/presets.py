"""The catalogue: applications that many offices use, each with how sure we are of it and from where.

An entry is written as an office would write it, and read by the same kinds. Beside that it says for which offices it
is usual, whether the service binds itself to the office's address, and its evidence: what was found, where and when.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from secondpath.config.lines import find_lines, line_of
from secondpath.config.matching import BINDING_KIND, MATCH, MATCH_KIND, TEST_KIND
from secondpath.config.office import BUSINESSES
from secondpath.config.problem import ConfigError, Place, Problem, WrongError, key_of, nearest, shown
from secondpath.config.table import PLAIN, Key, Kind, Placed, Section, Table, choice, list_of, many_tables, text
from secondpath.config.uplinks import TRAFFIC_CLASS, note_twins
from secondpath.model import Match, SourceBinding

GRADES: Mapping[str, str] = {
    "F": "the maker's machine-readable feed",
    "V": "a page of its maker",
    "P": "a protocol's registry or RFC",
    "L": "a public list of domains",
    "X": "somebody else's page",
    "D": "general knowledge, not verified",
}
"""How sure we are of what an entry says, surest first."""
NOT_VERIFIED = "not verified"
"""What evidence of the last grade has to say of itself."""


class Evidence(NamedTuple):
    """What was found, where, and when somebody looked. General knowledge has no page."""

    grade: str
    says: str
    page: str | None
    checked: datetime.date


class Preset(NamedTuple):
    """An entry of the catalogue. Without a `test`, `untested` tells why there is none."""

    ident: str
    name: str
    also: tuple[str, ...]
    traffic_class: str
    match: Match
    test: str | None
    untested: str | None
    profiles: tuple[str, ...]
    source_ip_bound: SourceBinding
    binding: str | None
    evidence: tuple[Evidence, ...]

    @property
    def checked(self) -> datetime.date:
        """When its evidence was last looked at."""
        return max(evidence.checked for evidence in self.evidence)

    @property
    def grade(self) -> str:
        """The grade of its match: that of the first piece of evidence."""
        return self.evidence[0].grade


def _parse_ident(said: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", said):
        raise WrongError(f"{shown(said)} is no preset; expected lower-case words joined by hyphens")
    return said


def _parse_page(said: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", said):
        raise WrongError(f"{shown(said)} is no page; expected its web address")
    return said


def _read_day(value: object, _place: Place) -> datetime.date:
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise WrongError(f"expected a day such as 2026-11-23, without quotes, not {shown(value)}")
    return value


IDENT = text("preset", "lower-case words joined by hyphens", _parse_ident)
DAY = Kind("day", "a day such as 2026-11-23", _read_day)

_GRADE = Key("grade", choice("grade", {g: g for g in GRADES}), "How sure.", '"V"', required=True)
_SAYS = Key("says", PLAIN, "What was found.", '"domains and ports"', required=True)
_PAGE = Key("page", text("URI", "a web address", _parse_page), "Where.", '"https://example.com/"')
_CHECKED = Key("checked", DAY, "When somebody looked.", "2026-11-23", required=True)
EVIDENCE = Table("evidence", "What was found, where and when.", (_GRADE, _SAYS, _PAGE, _CHECKED))


def _build_evidence(section: Section) -> Evidence:
    grade = section.get_or(_GRADE, "D")
    says = section.get_or(_SAYS, NOT_VERIFIED)
    page = section.get(_PAGE)
    if grade == "D" and NOT_VERIFIED not in says:
        section.place_of(_SAYS).wrong(f'general knowledge says of itself that it is "{NOT_VERIFIED}"')
    if grade != "D" and page is None:
        section.place_of(_PAGE).wrong("missing; evidence that is no general knowledge stands somewhere")
    return Evidence(grade, says, page, section.get_or(_CHECKED, datetime.date.min))


_IDENT = Key("id", IDENT, "What it is called in `preset`.", '"microsoft-365"', required=True)
_NAME = Key("name", PLAIN, "What people call it.", '"Microsoft 365"', required=True)
_ALSO = Key("also", list_of(IDENT), "What people might write for its id.", '["office-365"]')
_CLASS = Key("class", TRAFFIC_CLASS, "How important it is.", '"office"', required=True)
_MATCH = Key("match", MATCH_KIND, MATCH.about, '{ domains = ["example.com"] }', required=True)
_TEST = Key("test", TEST_KIND, "How it is tested, if it can be.", '"https://example.com/"')
_UNTESTED = Key("untested", PLAIN, "Why it is not tested, where it is not.", '"every customer has a name of its own"')
_PROFILES = Key(
    "profiles", list_of(choice("profile", {b: b for b in BUSINESSES})), "The offices that usually have it.", '["cpa"]',
    default=list(BUSINESSES),
)  # fmt: skip
_BOUND = Key("source_ip_bound", BINDING_KIND, "Whether it binds itself to an address.", '"yes"', required=True)
_BINDING = Key("binding", PLAIN, "What is known of that.", '"An administrator can list addresses."')
_EVIDENCE = Key(
    "evidence",
    list_of(Kind("table", "a table", lambda value, place: _build_evidence(Section(value, EVIDENCE, place)))),
    EVIDENCE.about,
    "[]",
    required=True,
)
ENTRY = Table(
    "[[application]]",
    "One entry of the catalogue.",
    (_IDENT, _NAME, _ALSO, _CLASS, _MATCH, _TEST, _UNTESTED, _PROFILES, _BOUND, _BINDING, _EVIDENCE),
)


def _build_entry(section: Section) -> Preset:
    if (_TEST in section) == (_UNTESTED in section):
        section.place_of(_TEST).wrong(f'expected either a test or, in "{_UNTESTED.name}", why there is none')
    preset = Preset(
        ident=section.get_or(_IDENT, ""),
        name=section.get_or(_NAME, ""),
        also=section.get_or(_ALSO, ()),
        traffic_class=section.get_or(_CLASS, ""),
        match=section.get_or(_MATCH, Match()),
        test=section.get(_TEST),
        untested=section.get(_UNTESTED),
        profiles=section.get_or(_PROFILES, ()),
        source_ip_bound=section.get_or(_BOUND, SourceBinding.UNKNOWN),
        binding=section.get(_BINDING),
        evidence=section.get_or(_EVIDENCE, ()),
    )
    if preset.source_ip_bound is not SourceBinding.UNKNOWN and preset.binding is None:
        section.place_of(_BINDING).wrong("missing; whoever says yes or no says what is known of it")
    return preset


_ENTRIES = Key("application", many_tables(ENTRY, _build_entry, least=1), ENTRY.about, "[]", required=True)
_FILE = Table("", "A file of the catalogue.", (_ENTRIES,))


def parse_catalogue(files: Iterable[tuple[str, str]]) -> Mapping[str, Preset]:
    """The entries of some files, given as name and text, by id; ConfigError with all that is wrong with one file."""
    entries: list[Placed[Preset]] = []
    for name, content in files:
        root = Place()
        found = Section(tomllib.loads(content), _FILE, root).get_or(_ENTRIES, ())
        entries += found
        own = ((e.place.at("id"), ident) for e in entries for ident in (e.value.ident, *e.value.also))
        note_twins("id", own)
        if root.noted:
            lines = find_lines(content)
            problems = [Problem(key_of(path), said, line_of(path, lines)) for path, said in root.noted]
            raise ConfigError(name, problems)
    return {entry.value.ident: entry.value for entry in entries}


def nearest_preset(word: str, known: Mapping[str, Preset]) -> str | None:
    """The id that somebody who wrote `word` most likely meant."""
    ids = {spelt: preset.ident for preset in known.values() for spelt in (preset.ident, *preset.also)}
    meant = nearest(word, ids)
    return ids[meant] if meant else None
