"""An office as data: who stands where, which cable leads to whom, which addresses are whose.

    staff ── lan0 ┐              ┌ wan0  ── isp-a ══ internet
                  ├ gw (we) ─────┤
    guest ─ guest0┘              └ wwan0 ── isp-b ══ internet

A single line is a veth cable; a double line is the upstream path, delayed by the relay (or a veth when
`delay_s` is None). ISPs are live next hops: the upstream path can break while they still answer.
Addresses are documentation prefixes (RFC 5737, RFC 3849), shared space behind CGNAT (RFC 6598) and
unique local addresses inside (RFC 4193), so nothing here can be mistaken for the real internet.
"""

from dataclasses import dataclass, replace
from ipaddress import ip_interface, ip_network

from secondpath.lab.errors import unknown

GATEWAY_HOST = "gw"
INTERNET_HOST = "internet"
ANCHORS_IPV4 = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
ANCHORS_IPV6 = ("2001:db8:ff::1", "2001:db8:ff::2", "2001:db8:ff::3", "2001:db8:ff::4")
"""What a gateway may probe: every anchor answers ICMP, DNS, HTTP and HTTPS."""
STUN_IPV4, STUN_IPV6 = ANCHORS_IPV4[:2], ANCHORS_IPV6[:2]
"""The anchors that also answer STUN, on port 3478."""
SERVERS_IPV4 = ("192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13")
SERVERS_IPV6 = ("2001:db8:ff::10", "2001:db8:ff::11", "2001:db8:ff::12", "2001:db8:ff::13")
"""What people use: pbx, tax, web, files. The last one sits behind a firewall and never sends a reset."""
FIREWALLED_IPV4, FIREWALLED_IPV6 = SERVERS_IPV4[-1], SERVERS_IPV6[-1]


@dataclass(frozen=True, slots=True)
class Uplink:
    """One connection of the office to one ISP, and the ISP's path onward to the internet."""

    name: str
    interface: str
    isp: str
    office: tuple[str, ...]  # the gateway's addresses on it, with prefix length
    next_hops: tuple[str, ...]  # the ISP's addresses on it
    prefixes: tuple[str, ...]  # sources the ISP accepts from this customer (BCP 38, RFC 2827)
    metric: int
    delay_s: float | None  # one way; None: no relay, a plain cable for throughput tests
    down_bps: int | None = None
    up_bps: int | None = None
    public: str | None = None  # the ISP translates the office's IPv4 to this address (CGNAT, RFC 6888)
    delegated: str | None = None  # an IPv6 prefix routed to the office (RFC 8415 prefix delegation)
    modem: str | None = None  # an IPv4 address at which the modem in between answers, as bridging modems do

    def next_hop(self, version: int) -> str | None:
        """The ISP's address of IP version 4 or 6 on this uplink."""
        return next((hop for hop in self.next_hops if ip_interface(hop).version == version), None)

    def owns(self, address: str) -> bool:
        """Whether the internet sees this source address when traffic leaves by this uplink."""
        given = ip_interface(address).ip
        seen = (*self.prefixes, *([f"{self.public}/32"] if self.public else []))
        return any(given in ip_network(prefix) for prefix in seen)


@dataclass(frozen=True, slots=True)
class Inside:
    """One network inside the office with the one host on it."""

    host: str
    interface: str
    gateway: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole office."""

    name: str
    words: str
    uplinks: tuple[Uplink, ...]
    insides: tuple[Inside, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host, the gateway first."""
        return (GATEWAY_HOST, *(i.host for i in self.insides), *(u.isp for u in self.uplinks), INTERNET_HOST)

    def uplink(self, name: str) -> Uplink:
        """The uplink of that name, or a sentence."""
        for uplink in self.uplinks:
            if uplink.name == name:
                return uplink
        raise unknown("uplink", name, (u.name for u in self.uplinks))

    def uplink_of(self, source: str) -> str | None:
        """The uplink a packet left by, told from the source address the internet saw."""
        return next((u.name for u in self.uplinks if u.owns(source)), None)


CABLE = Uplink(
    name="cable",
    interface="wan0",
    isp="isp-a",
    office=("198.51.100.2/24", "2001:db8:1::2/64"),
    next_hops=("198.51.100.1", "2001:db8:1::1"),
    prefixes=("198.51.100.0/24", "2001:db8:1::/64"),
    metric=100,
    delay_s=0.015,
)
LTE = Uplink(
    name="lte",
    interface="wwan0",
    isp="isp-b",
    office=("203.0.113.2/24", "2001:db8:2::2/64"),
    next_hops=("203.0.113.1", "2001:db8:2::1"),
    prefixes=("203.0.113.0/24", "2001:db8:2::/64"),
    metric=200,
    delay_s=0.025,
)
LTE_CGNAT = replace(
    LTE,
    office=("100.64.0.2/24", "2001:db8:2::2/64"),
    next_hops=("100.64.0.1", "2001:db8:2::1"),
    prefixes=("100.64.0.0/24", "2001:db8:2::/64"),
    public="203.0.113.77",
)
FIBRE = replace(LTE, name="fibre", interface="wan1", metric=150, delay_s=0.005)
FIBRE_IPV6_ONLY = Uplink(
    name="fibre",
    interface="wan1",
    isp="isp-c",
    office=("2001:db8:3::2/64",),
    next_hops=("2001:db8:3::1",),
    prefixes=("2001:db8:3::/64",),
    metric=150,
    delay_s=0.005,
)
CABLE_MODEM = replace(CABLE, modem="192.168.100.1")
CABLE_DELEGATING = replace(CABLE, prefixes=(*CABLE.prefixes, "2001:db8:1:a00::/56"), delegated="2001:db8:1:a00::/56")
STAFF = Inside("staff", "lan0", ("10.44.10.1/24", "fd44:10::1/64"), ("10.44.10.10/24", "fd44:10::10/64"))
GUEST = Inside("guest", "guest0", ("10.44.20.1/24", "fd44:20::1/64"), ("10.44.20.10/24", "fd44:20::10/64"))
STAFF_GLOBAL = replace(
    STAFF,
    gateway=(*STAFF.gateway, "2001:db8:1:a10::1/64"),
    addresses=("10.44.10.10/24", "2001:db8:1:a10::10/64", "fd44:10::10/64"),
)

TOPOLOGIES: dict[str, Topology] = {
    t.name: t
    for t in (
        Topology("office", "cable and LTE, as in office.example.toml", (CABLE, LTE), (STAFF, GUEST)),
        Topology("cgnat", "cable, and LTE behind carrier-grade NAT", (CABLE, LTE_CGNAT), (STAFF, GUEST)),
        Topology("wired", "cable and fibre, both wired", (CABLE, FIBRE), (STAFF, GUEST)),
        Topology("three", "cable, LTE, and an IPv6-only fibre", (CABLE, LTE, FIBRE_IPV6_ONLY), (STAFF, GUEST)),
        Topology("modem", "cable with a modem that answers, and LTE", (CABLE_MODEM, LTE), (STAFF, GUEST)),
        Topology("delegated", "the cable ISP delegates an IPv6 prefix", (CABLE_DELEGATING, LTE), (STAFF_GLOBAL, GUEST)),
    )
}


def find_topology(name: str) -> Topology:
    """The topology of that name, or a sentence."""
    if name not in TOPOLOGIES:
        raise unknown("topology", name, TOPOLOGIES)
    return TOPOLOGIES[name]


def without_delay(topology: Topology) -> Topology:
    """The same office with plain cables upstream, for throughput."""
    return replace(topology, uplinks=tuple(replace(uplink, delay_s=None) for uplink in topology.uplinks))


def with_rates(topology: Topology, uplink: str, *, down_bps: int, up_bps: int) -> Topology:
    """The same office with one uplink as slow as its contract says."""
    return replace(
        topology,
        uplinks=tuple(
            replace(u, down_bps=down_bps, up_bps=up_bps) if u.name == uplink else u for u in topology.uplinks
        ),
    )


def with_staff(topology: Topology, people: int) -> Topology:
    """The same office with several addresses on the staff host (.10, .11, …), one per person."""
    return replace(topology, insides=tuple(_crowd(i, people) if i.host == "staff" else i for i in topology.insides))


def _crowd(inside: Inside, people: int) -> Inside:
    """The host with that many addresses of each prefix, counted up from the first."""
    addresses = tuple(
        f"{ip_interface(first).ip + number}/{ip_interface(first).network.prefixlen}"
        for first in inside.addresses
        for number in range(people)
    )
    return replace(inside, addresses=addresses)
