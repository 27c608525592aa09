"""The words of this room: what was found of a box, and a finding about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from secondpath.model import IPAddress, Site


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    UNKNOWN = "unknown"
    CARE = "care"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for people: `code` is stable, `remedy` a command, lines of configuration, or a sentence."""

    grade: Grade
    code: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface: its addresses with prefix length, and the next hops found for it."""

    name: str
    carrier: bool = True
    up: bool = True
    mtu: int = 1500
    addresses: tuple[str, ...] = ()
    gateways: tuple[IPAddress, ...] = ()
    point_to_point: bool = False

    @property
    def placed(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """The addresses as values."""
        return tuple(ip_interface(text) for text in self.addresses)


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """Somebody else's policy rule; `mask` 0 means that it does not look at marks."""

    priority: int
    table: int
    mark: int = 0
    mask: int = 0
    has_default: bool = False
    narrowed: bool = False
    """Whether it is for some packets only: an interface, a source, a destination, or all but default routes."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Somebody else's base chain. `ends` is how its last rule ends all packets ("drop", "reject") or "".

    `accepts` are the interfaces (inside, outside; "" any) between which a rule lets packets pass before that.
    """

    family: str
    table: str
    name: str
    hook: str
    kind: str = "filter"
    policy: str = "accept"
    ends: str = ""
    accepts: tuple[tuple[str, str], ...] = ()
    translates: tuple[tuple[str, str], ...] = ()
    """("masquerade" or "snat", the interface or "" for any) of its rules that are not for some sources only."""
    marks: tuple[tuple[str, int], ...] = ()
    """("ct" or "packet", which bits) it writes."""

    @property
    def where(self) -> str:
        """Its place in words of nft."""
        return f"table {self.family} {self.table}, chain {self.name}"


@dataclass(frozen=True, slots=True)
class Session:
    """The SSH session that somebody is sitting in: where it ends on this box, and where it comes from."""

    local: IPAddress
    port: int
    client: IPAddress


@dataclass(frozen=True, slots=True)
class Facts:
    """A box as it was found. None stands for what could not be looked at."""

    root: bool = True
    capable: bool = True
    nft: tuple[int, ...] | None = (1, 0, 6)
    ip: bool = True
    features: Mapping[str, str] | None = field(default_factory=dict)
    """Feature -> "" where it works, else what the kernel said."""
    ruleset: str | None = ""
    """"" when the table of this configuration was taken by this kernel, else what nft said."""
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    rules: tuple[PolicyRule, ...] = ()
    routes: frozenset[int] = frozenset()
    """Our routing tables in which there are somebody else's routes."""
    chains: tuple[Chain, ...] | None = ()
    legacy: tuple[str, ...] = ()
    """Tables of the old iptables that are loaded: nft(8) does not show their rules."""
    ours: bool = False
    """Whether our table is in force."""
    settings: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 1 << 32
    services: frozenset[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    """Paths of the configuration files of other software -> their text."""
    required_online: frozenset[str] = frozenset()
    """Interfaces for which systemd-networkd makes the boot wait."""
    resolvers: tuple[IPAddress, ...] = ()
    clock_is_set: bool | None = True
    session: Session | None = None


def inside_of(site: Site) -> tuple[str, ...]:
    """The interfaces of the office's own networks."""
    return tuple(network.interface for network in site.networks)


def outside_of(site: Site) -> tuple[str, ...]:
    """The interfaces of the uplinks."""
    return tuple(uplink.interface for uplink in site.uplinks)


def ok(code: str, text: str) -> Finding:
    """All is well."""
    return Finding(Grade.OK, code, text)


def care(code: str, text: str, remedy: str = "") -> Finding:
    """It works, and somebody should know."""
    return Finding(Grade.CARE, code, text, remedy)


def wrong(code: str, text: str, remedy: str = "") -> Finding:
    """It will not work."""
    return Finding(Grade.WRONG, code, text, remedy)


def unknown(code: str, text: str, remedy: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(Grade.UNKNOWN, code, text, remedy)
