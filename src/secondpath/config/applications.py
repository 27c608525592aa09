"""[[application]]: what must keep working, from the catalogue or described here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from secondpath.config.addresses import HOST_NAME, PORTS, SERVER, parse_server, split_authority
from secondpath.config.problem import WrongError, listed, nearest, shown
from secondpath.config.table import PLAIN, Key, Placed, Section, Table, list_of, one_table, text
from secondpath.config.uplinks import TRAFFIC_CLASS, note_twins
from secondpath.model import CLASSES, Application, Match

_PRESET = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TEST = re.compile(r"(?P<scheme>[^:/]*)://(?P<authority>[^/?#]*)(?P<path>/[^\s#]*)?(?P<rest>.*)")
TEST_PORTS = {"https": 443, "http": 80, "sips": 5061, "sip": 5060, "dns": 53, "tcp": None, "icmp": None}
"""How an application can be tested, and the port where none is named."""


def _parse_preset(said: str) -> str:
    if _PRESET.fullmatch(said):
        return said
    meant = re.sub(r"[^a-z0-9]+", "-", said.casefold()).strip("-")
    hint = f'; did you mean "{meant}"?' if _PRESET.fullmatch(meant) else ""
    raise WrongError(f"{shown(said)} is no preset; expected lower-case words joined by hyphens{hint}")


def parse_test(said: str) -> str:
    """How a drill asks whether the application works."""
    found = _TEST.fullmatch(said)
    if found is None:
        raise WrongError(f"expected {TEST_KIND.expected}, not {shown(said)}")
    scheme, authority = found["scheme"], found["authority"]
    if scheme not in TEST_PORTS:
        meant = nearest(scheme, TEST_PORTS)
        hint = f'; did you mean "{meant}"?' if meant else f"; expected {listed(TEST_PORTS)}"
        raise WrongError(f"unknown kind of test {shown(scheme)}{hint}")
    if "@" in authority:
        raise WrongError("a test signs in nowhere: leave the user name and password out")
    host, port = split_authority(authority)
    if not host:
        raise WrongError(f"{shown(said)} names no host; expected {TEST_KIND.expected}")
    parse_server(host)
    if scheme == "tcp" and port is None:
        raise WrongError(f'{shown(said)} names no port; did you mean "{said.rstrip("/")}:443"?')
    if scheme == "icmp" and port is not None:
        raise WrongError(f"{shown(said)}: ICMP has no ports; leave out :{port}")
    if found["rest"]:
        raise WrongError(f'{shown(said)}: what follows "#" is never sent; leave it out, and spaces too')
    return said


DOMAINS = Key(
    "domains", list_of(HOST_NAME, write='["tax.example.com"]'), "Domains, with all names below them.", '["example.com"]'
)
SERVERS = Key(
    "servers",
    list_of(SERVER, write='["pbx.example.net"]'),
    "Servers by name, address or network.",
    '["pbx.example.net", "192.0.2.0/24"]',
)
MATCH_PORTS = Key(
    "ports",
    list_of(PORTS, write='["udp/5060"]'),
    "Ports and ranges of ports, each with its protocol.",
    '["udp/5060", "tcp/5061", "udp/10000-20000"]',
)
MATCH = Table("match", "How its traffic is recognised. At least one of these.", (DOMAINS, SERVERS, MATCH_PORTS))


def _build_match(section: Section) -> Match:
    if not any(key in section for key in MATCH.keys):
        keys = listed(f'"{key.name}"' for key in MATCH.keys)
        raise WrongError(f"matches nothing; expected at least one of {keys}")
    return Match(section.get_or(DOMAINS, ()), section.get_or(SERVERS, ()), section.get_or(MATCH_PORTS, ()))


PRESET_KIND = text("preset", 'the name of a preset such as "microsoft-365"', _parse_preset)
TEST_KIND = text(
    "URI", 'a test such as "https://tax.example.com/login", "sips://pbx.example.net" or "tcp://host:port"', parse_test
)
PRESET = Key("preset", PRESET_KIND, "An entry of the catalogue: its names, ports, class and test.", '"microsoft-365"')
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
    one_table(MATCH, _build_match),
    MATCH.about,
    '{ domains = ["example.com"] }',
    unset="the preset's; needed without one",
)
TEST = Key(
    "test",
    TEST_KIND,
    f"How a drill tests it: {', '.join(f'{s}://' for s in TEST_PORTS)}.",
    '"sips://pbx.example.net:5061"',
    unset="the preset's; else no test",
)
APPLICATION = Table(
    "[[application]]",
    "Something that must keep working: a preset of the catalogue, or an entry of the office's own.",
    (PRESET, APPLICATION_NAME, APPLICATION_CLASS, MATCH_KEY, TEST),
    {key.name: f'it belongs in "match": match = {{ {key.name} = … }}' for key in MATCH.keys},
)


def build_application(section: Section) -> Application:
    """An application from its table."""
    own = PRESET not in section
    for key in (APPLICATION_NAME, APPLICATION_CLASS, MATCH_KEY):
        if own and key not in section:
            section.place_of(key).wrong(f'missing; an application without a preset needs "{key.name}"')
    if not own and MATCH_KEY in section:
        section.place_of(MATCH_KEY).wrong("a preset brings its own; leave this out, or the preset")
    preset = section.get(PRESET)
    return Application(
        name=section.get(APPLICATION_NAME) or preset or "",
        traffic_class=section.get(APPLICATION_CLASS),
        preset=preset,
        match=section.get_or(MATCH_KEY, Match()),
        test=section.get(TEST),
    )


def judge_applications(applications: Sequence[Placed[Application]]) -> None:
    """Note applications that stand twice."""
    note_twins(
        "name", ((a.place.at("name" if a.value.preset is None else "preset"), a.value.name) for a in applications)
    )
