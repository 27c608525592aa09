"""[[application]]: what must keep working, from the catalogue or described here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from secondpath.config.matching import BINDING_KIND, MATCH, MATCH_KIND, TEST_KIND, TEST_PORTS
from secondpath.config.policies import TREATMENT
from secondpath.config.presets import Preset, nearest_preset
from secondpath.config.problem import WrongError, shown
from secondpath.config.table import PLAIN, Key, Placed, Section, Table, many_tables, text
from secondpath.config.uplinks import TRAFFIC_CLASS, note_twins
from secondpath.model import CLASSES, Application, Match, SourceBinding

_PRESET = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _parse_preset(said: str) -> str:
    if _PRESET.fullmatch(said):
        return said
    meant = re.sub(r"[^a-z0-9]+", "-", said.casefold()).strip("-")
    hint = f'; did you mean "{meant}"?' if _PRESET.fullmatch(meant) else ""
    raise WrongError(f"{shown(said)} is no preset; expected lower-case words joined by hyphens{hint}")


PRESET_KIND = text("preset", 'the name of a preset such as "microsoft-365"', _parse_preset)
PRESET = Key(
    "preset",
    PRESET_KIND,
    "An entry of the catalogue: its names, ports, class and test; `secondpath applications` lists them.",
    '"microsoft-365"',
)
APPLICATION_NAME = Key("name", PLAIN, "What people call it.", '"Phones"', unset="the preset's; needed without one")
APPLICATION_CLASS = Key(
    "class",
    TRAFFIC_CLASS,
    f"How important it is: {', '.join(CLASSES)}.",
    '"voice"',
    unset="the preset's; needed without one",
)
MATCH_KEY = Key(
    "match",
    MATCH_KIND,
    MATCH.about,
    '{ domains = ["example.com"] }',
    unset="the preset's; needed without one",
)
TEST = Key(
    "test",
    TEST_KIND,
    f"How it is tested, over each uplink: {', '.join(f'{s}://' for s in TEST_PORTS)}. With a test it "
    "travels alone where it works, if it does not work over the uplink of its class.",
    '"sips://pbx.example.net:5061"',
    unset="the preset's; else no test",
)
SOURCE_IP_BOUND = Key(
    "source_ip_bound",
    BINDING_KIND,
    "Whether the service takes the office from its own public address alone, which is another one over a backup: "
    f"{', '.join(SourceBinding)}.",
    '"yes"',
    unset="the preset's; else unknown",
)
APPLICATION_ON_BACKUP = Key(
    "on_backup",
    TREATMENT,
    "What becomes of it on a backup, where that is not what becomes of its class: `keep`, `limit` or `block`.",
    '"block"',
    unset="what becomes of its class",
)
APPLICATION = Table(
    "[[application]]",
    "Something that must keep working: a preset of the catalogue, or an entry of the office's own.",
    (PRESET, APPLICATION_NAME, APPLICATION_CLASS, MATCH_KEY, TEST, SOURCE_IP_BOUND, APPLICATION_ON_BACKUP),
    {key.name: f'it belongs in "match": match = {{ {key.name} = … }}' for key in MATCH.keys},
)


def applications_key(catalogue: Callable[[], Mapping[str, Preset]]) -> Key[tuple[Placed[Application], ...]]:
    """The key of all of them. The catalogue is opened when an entry names a preset, and only then."""

    def build(section: Section) -> Application:
        return _build_application(section, catalogue)

    return Key("application", many_tables(APPLICATION, build), APPLICATION.about, "[]")


def _build_application(section: Section, catalogue: Callable[[], Mapping[str, Preset]]) -> Application:
    own = PRESET not in section
    for key in (APPLICATION_NAME, APPLICATION_CLASS, MATCH_KEY):
        if own and key not in section:
            section.place_of(key).wrong(f'missing; an application without a preset needs "{key.name}"')
    if not own and MATCH_KEY in section:
        section.place_of(MATCH_KEY).wrong("a preset brings its own; leave this out, or the preset")
    named = section.get(PRESET)
    preset = _preset_named(named, section, catalogue()) if named else None
    test = section.get(TEST) or (preset.test if preset else None)
    return Application(
        name=section.get(APPLICATION_NAME) or (preset.name if preset else named or ""),
        traffic_class=section.get(APPLICATION_CLASS) or (preset.traffic_class if preset else None),
        preset=named,
        match=section.get(MATCH_KEY) or (preset.match if preset else Match()),
        test=test,
        source_ip_bound=section.get(SOURCE_IP_BOUND) or (preset.source_ip_bound if preset else SourceBinding.UNKNOWN),
        on_backup=section.get(APPLICATION_ON_BACKUP),
    )


def _preset_named(name: str, section: Section, known: Mapping[str, Preset]) -> Preset | None:
    if name not in known:
        meant = nearest_preset(name, known)
        instead = f'did you mean "{meant}"?' if meant else '"secondpath applications" lists those that there are'
        section.place_of(PRESET).wrong(f"unknown preset {shown(name)}; {instead}")
    return known.get(name)


def judge_applications(applications: Sequence[Placed[Application]]) -> None:
    """Note applications that stand twice."""
    note_twins(
        "name", ((a.place.at("name" if a.value.preset is None else "preset"), a.value.name) for a in applications)
    )
