"""How an application is recognised, tested and bound: the kinds that the office's entries and the catalogue share."""

from __future__ import annotations

import re

from secondpath.config.addresses import HOST_NAME, PORTS, SERVER, parse_server, split_authority
from secondpath.config.problem import WrongError, listed, nearest, shown
from secondpath.config.table import Key, Section, Table, choice, list_of, one_table, text
from secondpath.model import Match, SourceBinding

_TEST = re.compile(r"(?P<scheme>[^:/]*)://(?P<authority>[^/?#]*)(?P<path>/[^\s#]*)?(?P<rest>.*)")
TEST_PORTS = {"https": 443, "http": 80, "sips": 5061, "sip": 5060, "dns": 53, "tcp": None, "icmp": None}
"""How an application can be tested, and the port where none is named."""


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


MATCH_KIND = one_table(MATCH, _build_match)
TEST_KIND = text(
    "URI", 'a test such as "https://tax.example.com/login", "sips://pbx.example.net" or "tcp://host:port"', parse_test
)
BINDING_KIND = choice(
    "answer",
    {str(binding): binding for binding in SourceBinding},
    {"true": "yes", "always": "yes", "false": "no", "never": "no", "maybe": "unknown"},
)
