"""Which addresses an application has: those of its names, asked of the resolvers that the configuration names.

They are looked up over each uplink for itself, since content networks answer every provider differently, and kept for a
day after they were last told. Addresses that stand in the configuration stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeAlias

from secondpath.model import (
    CLASSES,
    OFFICE,
    Application,
    Family,
    Instant,
    IPAddress,
    Line,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Site,
    Target,
    family_of,
)

NAMES_S, NAMES_METERED_S = 600.0, 86_400.0
"""How often names are looked up, over a line that costs nothing or is in use, and over a metered standby."""
AGAIN_S = 30.0
LOOK_AGAIN_S = 1.0
"""When a line that could not be asked is looked at again."""
AT_ONCE, GAP_S = 8, 0.2
KEPT_S = 86_400.0
ADDRESSES_MOST = 256
"""Of one application, by one uplink."""
RECORD_OF: Mapping[Family, str] = {Family.IPV4: "A", Family.IPV6: "AAAA"}
FIXED = ""
"""In the place of an uplink: what stands in the configuration."""

Wanted: TypeAlias = tuple[Line, Target, Callable[[Probe], None]]
"""A question to be asked now: over which line, of whom, and what is to be told of the probe that was made of it."""
LookUp: TypeAlias = tuple[str, str, str]
"""An uplink, a name, a type of record."""


@dataclass(frozen=True, slots=True)
class Method:
    """How an application is tested, as its URI in the configuration says: `sips://pbx.example.net:5061`."""

    scheme: str
    host: str
    port: int | None
    path: str


def parse_test(said: str) -> Method:
    """The parts of a test; the configuration has seen to it that they are there."""
    scheme, _, rest = said.partition("://")
    authority, _, path = rest.partition("/")
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
    else:
        host, _, port = authority.partition(":")
    digits = port.lstrip(":")
    return Method(scheme, host, int(digits) if digits else None, f"/{path}")


def is_looked_up(application: Application) -> bool:
    """Whether its names are worth questions of our own: what is tested, and what is more important than the office."""
    important = CLASSES[application.traffic_class or OFFICE.name].priority < OFFICE.priority
    return bool(application.test) or important


def names_of(application: Application) -> tuple[str, ...]:
    """The names by which its addresses are found."""
    said = (*application.match.domains, *application.match.servers, parse_test(application.test or "").host)
    return tuple(dict.fromkeys(filter(_is_name, said)))


def fixed_addresses(application: Application) -> list[IPAddress]:
    """Addresses that stand in the configuration: servers, and that of the test."""
    said = (*application.match.servers, parse_test(application.test or "").host)
    return [address for each in said if (address := _address(each)) is not None]


def _address(said: str) -> IPAddress | None:
    try:
        return ip_address(said)
    except ValueError:
        return None


def _is_name(said: str) -> bool:
    return bool(said) and "/" not in said and _address(said) is None


@dataclass(slots=True)
class Names:
    """The addresses of every application by uplink, each with when it was last told, and the look-ups under way."""

    told: dict[str, dict[str, dict[IPAddress, Instant]]] = field(default_factory=dict)
    learned: int = 0
    """Grows when an address is learned or let go."""
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _hosts: dict[str, str] = field(default_factory=dict)
    """Whom the test of an application asks."""
    _answers: dict[LookUp, tuple[IPAddress, ...]] = field(default_factory=dict)
    """What the last look-up told."""
    _open: dict[int, LookUp] = field(default_factory=dict)
    _looked_up: dict[LookUp, Instant] = field(default_factory=dict)
    _free_at: dict[str, Instant] = field(default_factory=dict)

    def settle(self, applications: Iterable[Application]) -> None:
        """Take a configuration over; what is known of names that stay is kept."""
        before, names = self.told, self._names
        self.told, self._names, self._hosts = {}, {}, {}
        for application in applications:
            name, asked = application.name, names_of(application) if is_looked_up(application) else ()
            kept = before.get(name, {}) if names.get(name) == asked else {}
            self.told[name] = kept | {FIXED: dict.fromkeys(fixed_addresses(application), math.inf)}
            self._names[name] = asked
            self._hosts[name] = parse_test(application.test or "").host
        wanted = {name for names in self._names.values() for name in names}
        self._answers = {key: found for key, found in self._answers.items() if key[1] in wanted}
        self.learned += 1

    def addresses(self, application: str, family: Family, uplink: str) -> list[IPAddress]:
        """The addresses of a family: those that the uplink's resolver told, if any; else all that are known."""
        told = self.told[application]
        for found in (told.get(uplink, {}), {a: at for each in told.values() for a, at in each.items()}):
            if mine := sorted((a for a in found if family_of(a) is family), key=int):
                return mine
        return []

    def to_ask(self, application: str, family: Family, uplink: str) -> list[IPAddress]:
        """Where its test is to be asked: at the host that it names. Its other servers would answer for that one.

        Until it was looked up there is nowhere, unless all that an earlier life remembered was its.
        """
        host = self._hosts[application]
        fixed = _address(host)
        if fixed is not None:
            return [fixed] if family_of(fixed) is family else []
        told = {u: a for (u, name, record), a in self._answers.items() if (name, record) == (host, RECORD_OF[family])}
        if not told:
            return self.addresses(application, family, uplink) if self._names[application] == (host,) else []
        found = told.get(uplink) or tuple(address for each in told.values() for address in each)
        return sorted({address for address in found if family_of(address) is family}, key=int)

    def all_of(self, application: str) -> frozenset[IPAddress]:
        """Every address that an application is known by."""
        return frozenset(address for told in self.told[application].values() for address in told)

    def ask(
        self, now: Instant, site: Site, steady: Collection[Line], in_use: Collection[str]
    ) -> tuple[list[Wanted], Instant]:
        """The look-ups that are due, over lines that work, and when to come again."""
        wanted: list[Wanted] = []
        again = math.inf
        for uplink in site.uplinks:
            line, resolver = _resolver(site, [line for line in sorted(steady) if line.uplink == uplink.name])
            if line is None or resolver is None:
                again = min(again, now + LOOK_AGAIN_S)
                continue
            every_s = NAMES_METERED_S if uplink.metered and uplink.name not in in_use else NAMES_S
            keys = [(uplink.name, n, r) for names in self._names.values() for n in names for r in RECORD_OF.values()]
            due = {key: self._looked_up.get(key, -math.inf) + every_s for key in keys}
            ready = sorted(key for key, at in due.items() if at <= now)
            free_at = self._free_at.get(uplink.name, -math.inf)
            if ready and now >= free_at:
                self._free_at[uplink.name] = free_at = now + GAP_S
                for key in ready[:AT_ONCE]:
                    self._looked_up[key] = now - every_s + AGAIN_S  # unless an answer comes
                    wanted.append(self._look_up(line, resolver, key))
                    due[key] = now + AGAIN_S
                ready = ready[AT_ONCE:]
            again = min([again, *(at for at in due.values() if at > now), *([free_at] if ready else [])])
        return wanted, again

    def _look_up(self, line: Line, resolver: Target, key: LookUp) -> Wanted:
        _, name, record = key
        uri = f"name://{resolver.address}/{name}"
        target = Target(uri, ProbeKind.NAME, resolver.address, resolver.port, name, record)

        def asked(probe: Probe) -> None:
            self._open[probe.number] = key
            while len(self._open) > ADDRESSES_MOST:
                del self._open[next(iter(self._open))]

        return line, target, asked

    def asked(self, number: int) -> bool:
        """Whether a question was one of these."""
        return number in self._open

    def answered(self, now: Instant, result: ProbeResult) -> None:
        """Note how a look-up ended that was `asked` here."""
        key = self._open.pop(result.probe.number)
        uplink, name, _ = key
        if result.outcome is Outcome.OK:
            self._looked_up[key], self._answers[key] = now, result.addresses
            for application in (a for a, names in self._names.items() if name in names):
                self._learn(now, self.told[application].setdefault(uplink, {}), result.addresses)

    def _learn(self, now: Instant, told: dict[IPAddress, Instant], addresses: Iterable[IPAddress]) -> None:
        before = set(told)
        told |= dict.fromkeys(addresses, now)
        for address in [a for a, at in told.items() if now - at > KEPT_S]:
            del told[address]
        while len(told) > ADDRESSES_MOST:
            del told[min(told, key=told.__getitem__)]
        self.learned += before != set(told)

    def memory(self) -> dict[str, dict[str, list[str]]]:
        """What has to outlive a restart, by application and uplink."""
        return {
            name: {uplink: [str(a) for a in told] for uplink, told in by_uplink.items() if uplink != FIXED}
            for name, by_uplink in self.told.items()
        }

    def recall(self, now: Instant, memory: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        """Take up what an earlier life remembered; the names are looked up anew all the same."""
        for name, by_uplink in self.told.items():
            for uplink, said in memory.get(name, {}).items():
                by_uplink[uplink] = dict.fromkeys(map(ip_address, said), now)
        self.learned += 1


def _resolver(site: Site, lines: Iterable[Line]) -> tuple[Line | None, Target | None]:
    for line in lines:
        for target in site.targets_of(line.family):
            if target.kind is ProbeKind.DNS:
                return line, target
    return None, None
