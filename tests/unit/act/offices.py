"""Sites, steerings and grounds for the hand's tests, and strategies that make any of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from hypothesis import strategies as st
from tests.office import interface, site

from secondpath.act.compile import compile_plane
from secondpath.act.plane import DataPlane, Ground, identify
from secondpath.act.tree import Abilities, Queues, Rooted
from secondpath.decide.policy import Choice, lanes_of
from secondpath.decide.shaping import shapes_of
from secondpath.model import (
    Allow,
    Application,
    Device,
    Family,
    InterfaceChange,
    Lane,
    Line,
    Match,
    Network,
    PortForward,
    PortSpan,
    RateReading,
    Resolver,
    Site,
    Steering,
    Uplink,
    Why,
)

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
    epochs = {line: 100 + n for n, line in enumerate(lines)}
    return Ground(numbers, epochs, gateways, inside, idents=identify(a_site, {}))


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


def with_applications() -> Site:
    """An office whose tax portal and phones are told apart; the portal's network is named, its address is learned."""
    tax = Match(("tax.example.com",), ("198.18.7.0/24", "2001:db8:7::/48"))
    phones = Match(servers=("192.0.2.10",), ports=(PortSpan("udp", 5060, 5060), PortSpan("udp", 10000, 20000)))
    return site(
        applications=(
            Application("Tax portal", "line-of-business", None, tax, "https://tax.example.com"),
            Application("Phones", "voice", None, phones, "sip://192.0.2.10"),
            Application("Newsletter", "office", None, Match(("news.example",)), "https://news.example"),
            Application("Nobody tests it", "office", None, Match(("fax.example",))),
        )
    )


def recognising() -> Site:
    """The same with all that can tell traffic apart: devices, trusted DSCP, ports alone, our own resolver."""
    office = with_applications()
    staff, *others = office.networks
    desktops = Application("Desktops", "remote-access", None, Match(ports=(PortSpan("tcp", 3389, 3389),)))
    films = Application("Films", "streaming", None, Match(("films.example",), ("198.18.8.0/24",)))
    return replace(
        office,
        applications=(*office.applications, desktops, films),
        networks=(replace(staff, trust_dscp=True), *others),
        devices=(Device("Desk phone", "52:54:00:12:34:56", "voice"),),
        resolver=Resolver(only_this=True),
    )


LEARNED = {
    "Tax portal": frozenset({ip_address("192.0.2.11"), ip_address("2001:db8:ff::11")}),
    "Phones": frozenset({ip_address("192.0.2.10")}),
    "Newsletter": frozenset({ip_address("192.0.2.11"), ip_address("192.0.2.12")}),
}
"""The newsletter and the portal share an address."""


def knowing(a_site: Site, steering: Steering, **detours: str) -> Steering:
    """The same with the addresses learned, and the portal by IPv4 elsewhere if `tax` names an uplink."""
    there = {a.name for a in a_site.applications}
    apart = {("Tax portal", Family.IPV4): Lane(detours["tax"], Why.WORKS_THERE)} if detours else {}
    return replace(steering, detours=apart, destinations={k: v for k, v in LEARNED.items() if k in there})


MEGABIT = 1_000_000
FULL = Abilities(htb=True, fq_codel=True, cake=True, turning=True)
PLAIN = Abilities(htb=True, turning=True)
"""What a kernel has that was built for a router; and one with HTB and fifos alone."""


def rated() -> Site:
    """An office of which every rate is known: a fast cable and a slow backup."""
    return replace(
        with_applications(),
        uplinks=(
            Uplink("cable", "wan0", down_bps=300 * MEGABIT, up_bps=20 * MEGABIT),
            Uplink("lte", "wwan0", down_bps=4 * MEGABIT, up_bps=2 * MEGABIT, metered=True),
        ),
    )


def shaping(a_site: Site, a_steering: Steering, **found: RateReading) -> Steering:
    """The same with the shapes that follow."""
    return replace(a_steering, shapes=shapes_of(a_site, a_steering.lanes, found))


def devices(a_site: Site, **foreign: str) -> Queues:
    """A box with all the interfaces of the office; `wan0="fq"` has somebody else's qdisc of that kind on it."""
    there = [u.interface for u in a_site.uplinks] + [n.interface for n in a_site.networks]
    mine = {name: Rooted(foreign.get(name, "noqueue"), 0x10 if name in foreign else 0) for name in there}
    return Queues(roots=mine)


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


# ── Those whose tables stand in tests/golden/act ─────────────────────────────────────

INSIDE = ("2001:db8:1:a10::/64", "fd44:10::/64", "fd44:20::/64")
OFFICES: dict[str, tuple[Site, str, tuple[str, ...]]] = {
    "plain": (site(), "cable", ()),
    "on_the_backup": (site(), "lte", ()),
    "doors": (doors(), "cable", INSIDE),
    "applications": (with_applications(), "cable", ()),
    "recognised": (recognising(), "cable", ()),
}


def plane_of(name: str) -> DataPlane:
    """What the kernel should hold for one of them."""
    a_site, uplink, inside = OFFICES[name]
    told = replace(ground(a_site, inside), reads=bool(a_site.resolver))
    return compile_plane(a_site, knowing(a_site, steering(a_site, uplink, uplink)), told)
