"""Whether the lines can be used: interfaces, addresses, next hops, resolvers, and one's own session. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations

from secondpath.act.footing.facts import (
    Facts,
    Finding,
    Interface,
    Session,
    care,
    inside_of,
    ok,
    outside_of,
    wrong,
)
from secondpath.model import Family, IPAddress, Network, Site, Uplink, family_of

LEAST_MTU6 = 1280
"""RFC 8200, section 5."""
CGNAT = ip_network("100.64.0.0/10")


def judge_lines(site: Site, facts: Facts) -> Iterator[Finding]:
    """Findings about the lines of a site."""
    for uplink in site.uplinks:
        yield from _uplink(uplink, site, facts)
    for network in site.networks:
        yield from _network(network, site, facts)
    yield from _shared(site, facts)
    yield from _resolvers(site, facts)
    if facts.session is not None:
        yield _session(site, facts, facts.session)


def _uplink(uplink: Uplink, site: Site, facts: Facts) -> Iterator[Finding]:
    found, code, who = facts.interfaces.get(uplink.interface), f"uplink.{uplink.name}", uplink.name
    if found is None:
        yield _absent(uplink.interface, code, who, site, facts)
    elif not found.up:
        yield wrong(code, f"{who}: {found.name} is switched off", f"ip link set {found.name} up")
    elif not found.carrier:
        yield care(code, f"{who}: nothing is connected at the other end of {found.name}", "plug the cable in")
    elif not found.addresses:
        yield wrong(code, f"{who}: {found.name} has no address", _address_remedy(found.name))
    else:
        yield from _way(uplink, found)
        yield from _mtu(uplink, found)


def _absent(interface: str, code: str, who: str, site: Site, facts: Facts) -> Finding:
    known = sorted(name for name in facts.interfaces if name != "lo")
    free = [name for name in known if name not in (*inside_of(site), *outside_of(site))]
    near = difflib.get_close_matches(interface, free, 1)
    there = f"did you mean {near[0]}? " if near else ""
    return wrong(code, f"{who}: there is no interface {interface}", f"{there}There are: {', '.join(known) or 'none'}")


def _address_remedy(interface: str) -> str:
    return f"let the host's own tools address {interface} (docs/operations.md, Addresses); see: ip -br address"


def _way(uplink: Uplink, found: Interface) -> Iterator[Finding]:
    """One finding for each family that has an address worth the name."""
    gateways = (*uplink.gateways, *found.gateways)
    ways, lost = [], []
    for family in Family:
        own = [a for a in found.placed if family_of(a.ip) is family and not a.ip.is_link_local]
        gateway = next((g for g in gateways if family_of(g) is family), None)
        if own and (gateway is not None or found.point_to_point):
            ways.append(f"{own[0]} by {gateway or 'the line itself'}")
        elif own:
            lost.append((family, own[0]))
    if ways:
        yield ok(f"uplink.{uplink.name}", f"{uplink.name} on {found.name}: {', '.join(ways)}")
    elif not lost:
        yield wrong(
            f"uplink.{uplink.name}",
            f"{uplink.name}: {found.name} has link-local addresses only: no lease came",
            _address_remedy(found.name),
        )
    for family, address in lost:
        say = care if ways else wrong
        yield say(
            f"uplink.{uplink.name}.gateway.{family}",
            f"{uplink.name}: {address} has no next hop: no default route, no lease, none in the configuration",
            f"ip {'-6 ' if family is Family.IPV6 else ''}route add default via ROUTER dev {found.name} metric 200\n"
            f'or, in [[uplink]] {uplink.name}: gateway = ["ROUTER"]',
        )


def _mtu(uplink: Uplink, found: Interface) -> Iterator[Finding]:
    code = f"uplink.{uplink.name}.mtu"
    if found.mtu < LEAST_MTU6:
        yield wrong(
            code,
            f"{uplink.name}: MTU {found.mtu} is too small for IPv6, which needs {LEAST_MTU6}",
            f"ip link set {found.name} mtu 1400",
        )
    elif found.mtu < 1500:
        yield ok(code, f"{uplink.name}: MTU {found.mtu}; TCP is told so (MSS clamp)")
    elif found.mtu > 1500:
        yield care(
            code,
            f"{uplink.name}: MTU {found.mtu}; few providers carry more than 1500",
            f"ip link set {found.name} mtu 1500",
        )


def _network(network: Network, site: Site, facts: Facts) -> Iterator[Finding]:
    found, code, who = facts.interfaces.get(network.interface), f"network.{network.name}", network.name
    if found is None:
        yield _absent(network.interface, code, who, site, facts)
        return
    if not found.addresses:
        yield wrong(
            code,
            f"{who}: {found.name} has no address, so nobody there can reach this box",
            f"ip address add 192.168.10.1/24 dev {found.name}, and in the host's own configuration for good",
        )
    elif not found.carrier:
        yield care(code, f"{who}: nothing is connected at the other end of {found.name}", "plug the cable in")
    else:
        yield ok(code, f"{who} on {found.name}: {', '.join(a for a in found.addresses if not a.startswith('fe80:'))}")
    if found.gateways:
        yield wrong(
            f"{code}.gateway",
            f"{who}: there is a default route by {found.name}, which is inside the office",
            f"ip route del default dev {found.name}; then see why the host's tools made it",
        )


def _shared(site: Site, facts: Facts) -> Iterator[Finding]:
    """Lines that are one line, and networks that are in two places."""
    there = [(u, f) for u in site.uplinks if (f := facts.interfaces.get(u.interface)) is not None]
    for (one, at_one), (other, at_other) in combinations(there, 2):
        both = f"{one.name} and {other.name}"
        same = {*one.gateways, *at_one.gateways} & {*other.gateways, *at_other.gateways}
        same = {gateway for gateway in same if not gateway.is_link_local}
        if same:
            yield wrong(
                "uplinks.gateway",
                f"{both} have one router, {min(map(str, same))}: they fail together",
                "connect the backup to its own provider's equipment",
            )
        elif net := _overlap(at_one, at_other):
            yield wrong(
                "uplinks.subnet",
                f"{both} are both in {net}: answers may come in on the wrong one",
                "give one modem another network on its inside, for example 192.168.101.0/24",
            )
    for uplink, at_uplink in there:
        for network in site.networks:
            at_network = facts.interfaces.get(network.interface)
            if at_network is not None and (net := _overlap(at_uplink, at_network)):
                yield wrong(
                    "networks.subnet",
                    f"{uplink.name} and {network.name} are both in {net}",
                    f"give {network.name} another network: the one of {uplink.name} is its provider's",
                )


def _overlap(one: Interface, other: Interface) -> str:
    for a in one.placed:
        for b in other.placed:
            if not a.ip.is_link_local and a.version == b.version and a.network.overlaps(b.network):
                return str(a.network)
    return ""


def _resolvers(site: Site, facts: Facts) -> Iterator[Finding]:
    """A resolver that only one provider can reach takes all names away with its line."""
    bound = {resolver: uplink for resolver in facts.resolvers if (uplink := _bound_to(resolver, site, facts))}
    for resolver, uplink in bound.items():
        yield care(
            "resolver",
            f"the resolver {resolver} is reached only through {uplink}",
            "name resolvers of independent operators too, such as 9.9.9.9 and 1.1.1.1, here and in DHCP",
        )
    if facts.resolvers and not bound:
        yield ok("resolver", f"resolvers: {', '.join(map(str, facts.resolvers))}")


def _bound_to(resolver: IPAddress, site: Site, facts: Facts) -> str:
    inside = [facts.interfaces[i] for i in inside_of(site) if i in facts.interfaces]
    if resolver.is_loopback or any(_holds(interface, resolver) for interface in inside):
        return ""
    for uplink in site.uplinks:
        found = facts.interfaces.get(uplink.interface)
        if found is not None and (resolver in found.gateways or _holds(found, resolver)):
            return uplink.name
    shared = resolver.version == 4 and resolver in CGNAT
    return "the provider who gave it: it is a private address" if resolver.is_private and shared else ""


def _holds(interface: Interface, address: IPAddress) -> bool:
    return any(a.version == address.version and address in a.network for a in interface.placed)


def _session(site: Site, facts: Facts, session: Session) -> Finding:
    """Nothing enters from outside unless it is allowed: not even whoever is installing us."""
    here = [i for i in facts.interfaces.values() if any(a.ip == session.local for a in i.placed)]
    uplink = next((u for u in site.uplinks if here and u.interface == here[0].name), None)
    if uplink is None:
        return ok("session", "your ssh session does not come in through an uplink")
    for allow in site.allows:
        permitted = not allow.sources or any(
            s.version == session.client.version and session.client in s for s in allow.sources
        )
        if allow.protocol == "tcp" and allow.port == session.port and permitted:
            return ok("session", f"your ssh session comes in through {uplink.name}, and [[allow]] lets it")
    length = 32 if session.client.version == 4 else 128
    return wrong(
        "session",
        f"your ssh session comes in through {uplink.name}; with secondpath running the next one will not get in",
        f'[[allow]]\nport = "tcp/{session.port}"\nfrom = ["{session.client}/{length}"]',
    )


def judge_ground(facts: Facts) -> Iterator[Finding]:
    """Without a configuration: what there is to write one about."""
    for found in facts.interfaces.values():
        if found.name != "lo":
            way = f", next hop {', '.join(map(str, found.gateways))}" if found.gateways else ""
            yield ok(f"interface.{found.name}", f"{found.name}: {', '.join(found.addresses) or 'no address'}{way}")
