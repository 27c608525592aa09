"""Sites, steerings and grounds for the hand's tests, and strategies that make any of them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import strategies as st
from tests.office import interface, site

from secondpath.act.plane import Ground
from secondpath.decide.policy import Choice, lanes_of
from secondpath.model import Allow, Family, InterfaceChange, Line, Network, PortForward, Site, Steering, Uplink, Why

NAMES = ("cable", "lte", "fibre", "sky")
INTERFACES = ("wan0", "wwan0", "wan1", "wan2")


def steering(a_site: Site, ipv4: str | None, ipv6: str | None, **generations: int) -> Steering:
    """Everything by these uplinks; a line's generation as in `cable_ipv4=1`."""
    choices = {Family.IPV4: Choice(ipv4, Why.PREFERRED), Family.IPV6: Choice(ipv6, Why.PREFERRED)}
    lines = {Line(u.name, f): generations.get(f"{u.name}_{f}", 0) for u in a_site.uplinks for f in Family}
    return Steering(lanes_of(a_site, choices), lines)


def interfaces(a_site: Site) -> dict[str, InterfaceChange]:
    return {u.name: interface(u.name) for u in a_site.uplinks}


def ground(a_site: Site, inside: tuple[str, ...] = ()) -> Ground:
    numbers = {u.name: n for n, u in enumerate(a_site.uplinks, 1)}
    lines = [Line(u.name, f) for u in a_site.uplinks for f in Family]
    gateways = {line: ip_address("192.0.2.1" if line.family is Family.IPV4 else "2001:db8::1") for line in lines}
    return Ground(numbers, {line: 100 + n for n, line in enumerate(lines)}, gateways, inside)


def doors() -> Site:
    """An office with something of everything that the ruleset can say."""
    return site(
        uplinks=(
            Uplink("cable", "wan0", prefixes=(ip_network("2001:db8:1:a00::/56"), ip_network("198.18.100.0/28"))),
            Uplink("lte", "wwan0", metered=True),
        ),
        forwards=(
            PortForward("tcp", 8443, ip_address("10.44.10.10"), 443),
            PortForward("tcp", 8443, ip_address("fd44:10::10"), 443, "lte", (ip_network("2001:db8::/32"),)),
        ),
        allows=(Allow("tcp", 22, (ip_network("192.0.2.0/28"),)), Allow("icmp", 0)),
    )


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """One to four uplinks in any order on any interfaces, some metered; one to three networks."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    cables = draw(st.permutations(INTERFACES))
    uplinks = tuple(Uplink(n, i, metered=draw(st.booleans())) for n, i in zip(names, cables, strict=False))
    classes = draw(st.lists(st.sampled_from(["office", "guest", "bulk", "voice"]), min_size=1, max_size=3))
    networks = tuple(Network(f"net{n}", f"lan{n}", c) for n, c in enumerate(classes))
    return site(uplinks=uplinks, networks=networks)


@st.composite
def steerings(draw: st.DrawFn, a_site: Site) -> Steering:
    """Each family by some uplink, or none; some lines given up once or twice."""
    names = st.sampled_from([u.name for u in a_site.uplinks])
    some = {f"{u.name}_{f}": draw(st.integers(0, 2)) for u in a_site.uplinks for f in Family}
    return steering(a_site, draw(st.none() | names), draw(st.none() | names), **some)
