"""Who is who: what our table says of classes and of applications, by where a new flow comes from and goes. Pure.

`class_of` sends a new flow on by the network that it comes from. From a network of the office's own class it goes to
`recognise`, which asks in this order, and only of the first packet of a flow:

    device       its MAC address (`ether saddr`)
    destination  sets that the office's resolver has just filled, of what is more important than the office's own class;
                 the maps of all addresses that we know; networks that the configuration names; the resolver's others
    port         applications that are known by ports alone
    DSCP         where the configuration trusts it
    nothing      the office's own class, and it is counted

An application with a test has a number of its own, a carrier and lanes; any other goes straight to its class's chain.
Where an application names ports, its chain holds them, and a flow to another port comes back and is asked further:
hence the maps *jump*. Of two that claim an address the more important one has it: nothing comes into a class that may
be blocked because somebody less important lives at the same address.

The resolver's sets matter for the moments until our reader has seen the same answer (sense/answers): then the address
stands in the map, which outlives reloads. So their elements go after FRESH_S.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from secondpath.model import CLASSES, OFFICE, Application, Family, IPAddress, Network, Site, TrafficClass, family_of

APPLICATION_OF: Mapping[Family, str] = {Family.IPV4: "application_of4", Family.IPV6: "application_of6"}
"""The maps from an address to the chain of the application that has it."""
ALSO_OF: Mapping[Family, str] = {Family.IPV4: "also_of4", Family.IPV6: "also_of6"}
"""The same for a second one, where the first takes only some ports of the address."""
BY_ADDRESS = (*APPLICATION_OF.values(), *ALSO_OF.values())
RECOGNISE = "recognise"
ASKED, UNRECOGNISED = "flows_asked", "flows_unrecognised"
"""Counters: new flows that were to be recognised, and those that were not."""
FRESH_S, FRESH_MOST = 300, 8192
DSCP: Mapping[str, str] = {"{ ef, 44 }": "voice", "{ cs1, 1 }": "bulk"}
"""What is trusted: EF (RFC 3246) and VOICE-ADMIT (RFC 5865); CS1 and LE (RFC 8622)."""
_WORD: Mapping[Family, str] = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_TYPE: Mapping[Family, str] = {Family.IPV4: "ipv4_addr", Family.IPV6: "ipv6_addr"}


def lane_set(traffic_class: TrafficClass) -> str:
    """The map that holds a class's lanes."""
    return f"lane_{traffic_class.name.replace('-', '_')}"


def class_chain(traffic_class: TrafficClass) -> str:
    """The chain that a flow of this class goes through."""
    return f"class_{traffic_class.name.replace('-', '_')}"


def application_lanes(ident: int) -> str:
    """The map that holds an application's lanes."""
    return f"lanes_{ident}"


def application_chain(ident: int) -> str:
    """The chain that a flow to the addresses of an application with a number of its own goes through."""
    return f"application_{ident}"


def class_of(application: Application) -> TrafficClass:
    """The class of an application."""
    return CLASSES[application.traffic_class or OFFICE.name]


def recognises(site: Site) -> bool:
    """Whether there is anything to tell apart; if not, the table says nothing of it."""
    return bool(site.applications or site.devices or any(n.trust_dscp for n in site.networks))


def chain_of(network: Network, recognising: bool) -> str:
    """Where new flows from a network go: guests, and whoever has a class by the network, are not asked further."""
    own = CLASSES[network.traffic_class]
    return RECOGNISE if recognising and own is OFFICE else class_chain(own)


# ── Applications and their chains ────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Destined:
    """An application, the chain that its addresses lead to, and where that leads those of the right ports."""

    application: Application
    chain: str
    carrier: str


def _ranked(site: Site, idents: Mapping[str, int]) -> list[Destined]:
    """All applications, most important first."""
    found = []
    for place, application in enumerate(site.applications):
        ident = idents.get(application.name)
        own = class_chain(class_of(application))
        if ident is not None:
            found.append(Destined(application, application_chain(ident), f"carry_{ident}"))
        else:
            found.append(Destined(application, f"ports_{place}" if application.match.ports else own, own))
    return sorted(found, key=lambda d: class_of(d.application).priority)


def _has_place(application: Application) -> bool:
    """Whether it lives anywhere; without a place its ports tell it."""
    return bool(application.match.domains or application.match.servers or application.test)


def maps_of(site: Site, idents: Mapping[str, int]) -> list[str]:
    """The maps, sets and counters; none where nothing is told apart."""
    if not recognises(site):
        return []
    addresses = [
        f"  map {maps[f]} {{ type {_TYPE[f]} : verdict; }}\n" for maps in (APPLICATION_OF, ALSO_OF) for f in Family
    ]
    lanes = [f"  map {application_lanes(i)} {{ typeof meta nfproto : ct mark; }}\n" for i in idents.values()]
    fresh = [
        f"  set {fresh_set(chain, f)} {{ type {_TYPE[f]}; size {FRESH_MOST}; flags timeout; timeout {FRESH_S}s; }}\n"
        for chain in dict.fromkeys(d.chain for d in _named(site, idents))
        for f in Family
    ]
    return addresses + lanes + fresh + [f"  counter {name} {{ }}\n" for name in (ASKED, UNRECOGNISED)]


def carriers_of(idents: Mapping[str, int]) -> dict[str, str]:
    """The chain that gives an application's flow its mark, with the map of its lanes."""
    return {f"carry_{ident}": application_lanes(ident) for ident in idents.values()}


def chains_of(site: Site, idents: Mapping[str, int]) -> dict[str, list[str]]:
    """The chains that tell new flows apart."""
    if not recognises(site):
        return {}
    ranked = _ranked(site, idents)
    chains = {d.chain: _to_ports(d) for d in ranked if d.chain.startswith(("application_", "ports_"))}
    fresh = {
        first: [line for d in _named(site, idents) if _urgent(d) is first for line in _fresh(d)]
        for first in (True, False)
    }
    maps = [f"{_WORD[f]} daddr vmap @{which[f]}" for which in (APPLICATION_OF, ALSO_OF) for f in Family]
    named = [line for d in ranked for line in _networks(d)]
    ports = [line for d in ranked if not _has_place(d.application) for line in _to_ports(d)]
    asked = [f'counter name "{ASKED}"', *_devices(site), *dict.fromkeys(fresh[True]), *maps, *named]
    asked += [*dict.fromkeys(fresh[False]), *ports, *_trusted(site)]
    return {**chains, RECOGNISE: [*asked, f'counter name "{UNRECOGNISED}" goto {class_chain(OFFICE)}']}


def _urgent(destined: Destined) -> bool:
    return class_of(destined.application).priority < OFFICE.priority


def _to_ports(destined: Destined) -> list[str]:
    """To the carrier with those of the right ports; the others go back."""
    spans = destined.application.match.ports
    if not spans:
        return [f"goto {destined.carrier}"]
    lines = []
    for protocol in dict.fromkeys(span.protocol for span in spans):
        of = [f"{s.first}-{s.last}" if s.last != s.first else f"{s.first}" for s in spans if s.protocol == protocol]
        lines.append(f"{protocol} dport {{ {', '.join(of)} }} goto {destined.carrier}")
    return lines


def _networks(destined: Destined) -> list[str]:
    """Networks that an application names are part of the text; addresses come and go as elements."""
    lines = []
    named = [ip_network(s) for s in destined.application.match.servers if "/" in s]
    for family in Family:
        mine = [str(network) for network in named if family_of(network) is family]
        if mine:
            lines.append(f"{_WORD[family]} daddr {{ {', '.join(mine)} }} jump {destined.chain}")
    return lines


def _devices(site: Site) -> list[str]:
    if not site.devices:
        return []
    pairs = ", ".join(f"{d.mac} : goto {class_chain(CLASSES[d.traffic_class])}" for d in site.devices)
    return [f"ether saddr vmap {{ {pairs} }}"]


def _trusted(site: Site) -> list[str]:
    inside = ", ".join(f'"{n.interface}"' for n in site.networks if n.trust_dscp)
    if not inside:
        return []
    said = ((f, values, CLASSES[name]) for f in Family for values, name in DSCP.items())
    return [f"iifname {{ {inside} }} {_WORD[f]} dscp {values} goto {class_chain(c)}" for f, values, c in said]


# ── What the office's resolver tells ─────────────────────────────────────────────────


def fresh_set(chain: str, family: Family) -> str:
    """The set of addresses that lead to a chain, as the resolver fills it."""
    return f"fresh{'4' if family is Family.IPV4 else '6'}_{chain}"


def _named(site: Site, idents: Mapping[str, int]) -> list[Destined]:
    """Applications whose names the resolver is told of; most important first. None where we run no resolver."""
    return [d for d in _ranked(site, idents) if names_of(d.application)] if site.resolver else []


def _fresh(destined: Destined) -> list[str]:
    return [f"{_WORD[f]} daddr @{fresh_set(destined.chain, f)} jump {destined.chain}" for f in Family]


def names_of(application: Application) -> tuple[str, ...]:
    """The names that lead to an application: its domains, with all below them, and its servers that are no address."""
    return tuple(dict.fromkeys((*application.match.domains, *filter(_is_name, application.match.servers))))


def _is_name(said: str) -> bool:
    try:
        ip_network(said)
    except ValueError:
        return True
    return False


def sets_of_names(site: Site, idents: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """For every name the sets that its addresses belong into; a name that two have is the more important one's."""
    found: dict[str, tuple[str, ...]] = {}
    for destined in _named(site, idents):
        for name in names_of(destined.application):
            found.setdefault(name.lower().rstrip("."), tuple(fresh_set(destined.chain, f) for f in Family))
    return found


# ── Who has an address ───────────────────────────────────────────────────────────────


def claims(site: Site, destinations: Mapping[str, frozenset[IPAddress]]) -> dict[IPAddress, tuple[Application, ...]]:
    """For every known address the applications that claim it, by address or by network, most important first."""
    ranked = [d.application for d in _ranked(site, {})]
    ranks = {a.name: rank for rank, a in enumerate(ranked)}
    claimed: dict[IPAddress, set[int]] = {}
    for application in ranked:
        for address in destinations.get(application.name, ()):
            claimed.setdefault(address, set()).add(ranks[application.name])
    inside = _by_length(ranked)
    for address, mine in claimed.items():
        width = address.max_prefixlen
        for length, known in inside.get(family_of(address), {}).items():
            mine.update(known.get(int(address) >> (width - length), ()))
    return {address: tuple(ranked[rank] for rank in sorted(mine)) for address, mine in claimed.items()}


def _by_length(ranked: list[Application]) -> dict[Family, dict[int, dict[int, set[int]]]]:
    """The networks of applications by family, length of the prefix, and prefix: asking is one look for each length."""
    found: dict[Family, dict[int, dict[int, set[int]]]] = {}
    for rank, application in enumerate(ranked):
        for network in (ip_network(s) for s in application.match.servers if "/" in s):
            prefix = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            by_prefix = found.setdefault(family_of(network), {}).setdefault(network.prefixlen, {})
            by_prefix.setdefault(prefix, set()).add(rank)
    return found


def address_elements(
    site: Site, destinations: Mapping[str, frozenset[IPAddress]], idents: Mapping[str, int]
) -> Iterator[tuple[tuple[str, str], str]]:
    """What stands in the maps of addresses: the first that claims one, and a second if the first leaves ports over."""
    chains = {d.application.name: d.chain for d in _ranked(site, idents)}
    for address, claimed in claims(site, destinations).items():
        first, *others = claimed
        family, key = family_of(address), str(address)
        yield (APPLICATION_OF[family], key), chains[first.name]
        if first.match.ports and others:
            yield (ALSO_OF[family], key), chains[others[0].name]


@dataclass(frozen=True, slots=True)
class Collision:
    """An address that applications of different classes share: the first, most important, has it."""

    address: IPAddress
    applications: tuple[str, ...]


def collisions(site: Site, destinations: Mapping[str, frozenset[IPAddress]]) -> tuple[Collision, ...]:
    """Addresses where the class of somebody less important had to give way."""
    found = [
        Collision(address, tuple(a.name for a in claimed))
        for address, claimed in claims(site, destinations).items()
        if len({class_of(a).name for a in claimed}) > 1
    ]
    return tuple(sorted(found, key=lambda c: (c.address.version, int(c.address))))


# ── The same order in Python ─────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NewFlow:
    """The first packet of a flow, as `recognise` sees it."""

    interface: str
    to: IPAddress
    protocol: str = "tcp"
    port: int = 0
    mac: str = ""
    dscp: int = 0


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a flow is; `by` is "network", "device", "destination", "port", "dscp" or "" where nothing told it."""

    traffic_class: str
    by: str
    application: str | None = None


def recognise(site: Site, destinations: Mapping[str, frozenset[IPAddress]], flow: NewFlow) -> Recognised:
    """What the table makes of a flow, by what is configured and known: for questions asked by people and tests."""
    network = next((n for n in site.networks if n.interface == flow.interface), None)
    if network is None or CLASSES[network.traffic_class] is not OFFICE:
        return Recognised(network.traffic_class if network else OFFICE.name, "network")
    device = next((d for d in site.devices if d.mac == flow.mac), None)
    if device is not None:
        return Recognised(device.traffic_class, "device")
    here = {flow.to: claims(site, destinations).get(flow.to, ())}
    ranked = [d.application for d in _ranked(site, {})]
    placed = [a for a in ranked if a in here[flow.to] or _names_network(a, flow.to)]
    for by, asked in (("destination", placed), ("port", [a for a in ranked if not _has_place(a)])):
        for application in asked:
            spans = application.match.ports
            if not spans or any(s.protocol == flow.protocol and s.first <= flow.port <= s.last for s in spans):
                return Recognised(class_of(application).name, by, application.name)
    if network.trust_dscp and flow.dscp in _DSCP_VALUES:
        return Recognised(_DSCP_VALUES[flow.dscp], "dscp")
    return Recognised(OFFICE.name, "")


_DSCP_VALUES = {46: "voice", 44: "voice", 8: "bulk", 1: "bulk"}


def _names_network(application: Application, address: IPAddress) -> bool:
    return any(address in ip_network(s) for s in application.match.servers if "/" in s)


def fixed_addresses(application: Application) -> frozenset[IPAddress]:
    """Addresses that stand in the configuration."""
    return frozenset(ip_address(s) for s in application.match.servers if "/" not in s and not _is_name(s))
