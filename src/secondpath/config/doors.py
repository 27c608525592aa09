"""[[forward]] and [[allow]]: what people outside may reach. Everything else stays shut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from secondpath.config.addresses import (
    NAME,
    NETWORK,
    overlap,
    parse_address,
    parse_ports,
    split_authority,
)
from secondpath.config.problem import Place, WrongError, listed, nearest, shown
from secondpath.config.table import Key, Placed, Section, Table, list_of, text
from secondpath.model import Allow, IPAddress, IPNetwork, PortForward, Uplink

NO_PORT = 0
"""A port that could not be read: rules leave it alone."""


class Inside(NamedTuple):
    """A service inside the office; without a port it is the one outside."""

    address: IPAddress
    port: int | None


class Port(NamedTuple):
    """A port with its protocol."""

    protocol: str
    number: int


NOWHERE = Inside(parse_address("192.0.2.0"), None)


def _parse_one_port(said: str) -> Port:
    span = parse_ports(said)
    if span.first != span.last:
        raise WrongError(f"{shown(said)} is a range; expected one port, and one table for each")
    return Port(span.protocol, span.first)


def _parse_open(said: str) -> Port:
    if said == "icmp":
        return Port("icmp", NO_PORT)
    if "/" not in said and nearest(said, ("icmp", "ping")):
        raise WrongError(f'{shown(said)} is no port; did you mean "icmp"?')
    return _parse_one_port(said)


def _parse_inside(said: str) -> Inside:
    host, port = split_authority(said)
    address = parse_address(host)
    if address.is_link_local:
        raise WrongError(f'"{address}" exists on one cable only; expected an address of the office')
    return Inside(address, port)


_FROM = list_of(NETWORK, write='["203.0.113.0/24"]')
_WORDS_MEANT = {"source": 'did you mean "from"?', "sources": 'did you mean "from"?'}
_PROTOCOL_MEANT = {"protocol": 'it belongs in "port", as in port = "tcp/443"'}

FORWARD_PORT = Key(
    "port",
    text("port", '"tcp/443"', _parse_one_port),
    "The port outside, with its protocol.",
    '"tcp/443"',
    required=True,
)
FORWARD_TO = Key(
    "to",
    text("address and port", '"10.44.10.5:443" or "[fd44::5]:443"', _parse_inside),
    "The service inside. Without a port it is the one outside.",
    '"10.44.10.5:443"',
    required=True,
)
FORWARD_UPLINK = Key("uplink", NAME, "Only through this uplink.", '"cable"', unset="through any uplink")
FORWARD_FROM = Key("from", _FROM, "Only from these networks.", '["203.0.113.0/24"]', unset="from anywhere")
FORWARD = Table(
    "[[forward]]",
    "A service inside the office that people outside may reach.",
    (FORWARD_PORT, FORWARD_TO, FORWARD_UPLINK, FORWARD_FROM),
    _WORDS_MEANT | _PROTOCOL_MEANT,
)
ALLOW_PORT = Key(
    "port", text("port", '"tcp/22" or "icmp"', _parse_open), "The port, or `icmp` to answer pings.",
    '"tcp/22"', required=True,
)  # fmt: skip
ALLOW_FROM = Key("from", _FROM, "Only from these networks.", '["203.0.113.0/24"]', unset="from anywhere")
ALLOW = Table(
    "[[allow]]",
    "A service of the gateway itself that people outside may reach.",
    (ALLOW_PORT, ALLOW_FROM),
    _WORDS_MEANT | _PROTOCOL_MEANT | {"to": "that is for [[forward]]: here the gateway itself answers"},
)


def build_forward(section: Section) -> PortForward:
    """A port forward from its table."""
    port = section.get_or(FORWARD_PORT, Port("", NO_PORT))
    to = section.get_or(FORWARD_TO, NOWHERE)
    sources = section.get_or(FORWARD_FROM, ())
    for i, source in enumerate(sources):
        if to is not NOWHERE and source.version != to.address.version:
            section.place_of(FORWARD_FROM).at(i).wrong(
                f'"{source}" is IPv{source.version} and "{to.address}" is IPv{to.address.version}; nobody could come in'
            )
    return PortForward(
        protocol=port.protocol,
        port=port.number,
        to=to.address,
        to_port=to.port or port.number,
        uplink=section.get(FORWARD_UPLINK),
        sources=sources,
    )


def build_allow(section: Section) -> Allow:
    """A service of the gateway from its table."""
    port = section.get_or(ALLOW_PORT, Port("", NO_PORT))
    return Allow(port.protocol, port.number, section.get_or(ALLOW_FROM, ()))


# ── What must hold between them ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Door:
    """Who may come in where: two doors clash when one packet could go through both."""

    place: Place
    port: Port
    versions: frozenset[int]
    uplink: str | None
    sources: tuple[IPNetwork, ...]

    def clashes(self, other: _Door) -> bool:
        return (
            bool(self.versions & other.versions)
            and (self.uplink is None or other.uplink is None or self.uplink == other.uplink)
            and (
                not self.sources
                or not other.sources
                or any(overlap(mine, theirs) for mine in self.sources for theirs in other.sources)
            )
        )


def judge_doors(
    forwards: Sequence[Placed[PortForward]], allows: Sequence[Placed[Allow]], uplinks: Sequence[Placed[Uplink]]
) -> None:
    """Note unknown uplinks, and ports that lead to two places."""
    names = list(dict.fromkeys(u.value.name for u in uplinks if u.value.name))
    for place, forward in forwards:
        if names and forward.uplink is not None and forward.uplink not in names:
            meant = nearest(forward.uplink, names)
            hint = f'did you mean "{meant}"?' if meant else f"known here: {listed(names, 'and')}"
            place.at("uplink").wrong(f"there is no uplink {shown(forward.uplink)}; {hint}")
    doors: dict[Port, list[_Door]] = {}
    for door in (*map(_door_of_forward, forwards), *map(_door_of_allow, allows)):
        earlier = doors.setdefault(door.port, [])
        clash = next((other for other in earlier if door.port.protocol and door.clashes(other)), None)
        if clash:
            said = door.port.protocol if door.port.number == NO_PORT else f"{door.port.protocol}/{door.port.number}"
            door.place.at("port").wrong(f'"{said}" is taken by {clash.place} already; a port leads to one place only')
        earlier.append(door)


def _door_of_forward(placed: Placed[PortForward]) -> _Door:
    forward = placed.value
    port = Port(forward.protocol, forward.port)
    return _Door(placed.place, port, frozenset({forward.to.version}), forward.uplink, forward.sources)


def _door_of_allow(placed: Placed[Allow]) -> _Door:
    allow = placed.value
    versions = frozenset(source.version for source in allow.sources) or frozenset({4, 6})
    return _Door(placed.place, Port(allow.protocol, allow.port), versions, None, allow.sources)
