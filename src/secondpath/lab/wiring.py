"""From a topology to the text that builds it: pure, so that a test can read it.

Each host gets one `ip -batch`, one set of sysctls, and (ISPs and the internet) one nft table `inet lab`.
Faults never edit these; they add their own tables beside them, so healing is deleting (see changes.py).
"""

from collections.abc import Iterator
from ipaddress import ip_interface, ip_network

from secondpath.lab.topology import (
    ANCHORS_IPV4,
    ANCHORS_IPV6,
    FIREWALLED_IPV4,
    FIREWALLED_IPV6,
    GATEWAY_HOST,
    INTERNET_HOST,
    SERVERS_IPV4,
    SERVERS_IPV6,
    Inside,
    Topology,
    Uplink,
)

ACCESS, CORE = "access", "core"
"""An ISP's two interfaces: towards the office, towards the internet."""
QUEUE_PACKETS = 4000
"""Room for what a relay has not read yet: so that loss is what a fault makes, and nothing else."""
PORTAL_PORT = 8999
"""Where every ISP keeps a captive portal waiting (world.py)."""
INVENTOR_PORT = 8953
"""Where every ISP keeps a name server waiting that knows an address for every name."""


def netns_of(name: str, host: str) -> str:
    """The namespace's name: sp-<office>-<host>."""
    return f"sp-{name}-{host}"


def version_of(address: str) -> int:
    """4 or 6, of an address with or without prefix length."""
    return ip_interface(address).version


def transit(topology: Topology, uplink: Uplink) -> tuple[tuple[str, str], tuple[str, str]]:
    """The addresses between ISP and internet: ((isp, internet) IPv4, (isp, internet) IPv6), RFC 2544 space."""
    number = topology.uplinks.index(uplink) + 1
    return (f"198.18.{number}.1/30", f"198.18.{number}.2/30"), (
        f"2001:db8:fe:{number}::1/64",
        f"2001:db8:fe:{number}::2/64",
    )


def hosts(name: str, topology: Topology) -> list[str]:
    """`ip -batch` lines that make the namespaces."""
    return [f"netns add {netns_of(name, host)}" for host in topology.hosts]


def cables(name: str, topology: Topology) -> list[str]:
    """`ip -batch` lines that make every veth cable between the namespaces."""
    lines: list[str] = []
    gateway = netns_of(name, GATEWAY_HOST)
    for inside in topology.insides:
        lines.append(_veth((gateway, inside.interface), (netns_of(name, inside.host), "eth0")))
    for uplink in topology.uplinks:
        isp = netns_of(name, uplink.isp)
        lines.append(_veth((gateway, uplink.interface), (isp, ACCESS)))
        if uplink.delay_s is None:
            lines.append(_veth((isp, CORE), (netns_of(name, INTERNET_HOST), uplink.isp)))
    return lines


def _veth(one: tuple[str, str], other: tuple[str, str]) -> str:
    return f"link add {one[1]} netns {one[0]} type veth peer name {other[1]} netns {other[0]}"


def sysctls(topology: Topology, host: str) -> dict[str, str]:
    """Sysctls of one host, relative to /proc/sys/net. Only the gateway keeps a distribution's rp_filter.

    Congestion control is Reno's (RFC 5681), whatever this machine prefers: every kernel has it and lets a namespace
    choose it, and it fills queues as CUBIC does in offices (RFC 9438, 4.3). BBR would leave a full line without one.
    """
    quiet = {"ipv6/conf/all/accept_dad": "0", "ipv6/conf/default/accept_dad": "0"}
    quiet["ipv4/tcp_congestion_control"] = "reno"
    if host == GATEWAY_HOST:
        strict = {"ipv4/conf/all/rp_filter": "2", "ipv4/conf/default/rp_filter": "2"}
        return quiet | strict | {"ipv4/ip_forward": "0", "ipv6/conf/all/forwarding": "0"}
    plain = quiet | {"ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0"}
    if host in {i.host for i in topology.insides}:
        return plain
    kept = {"ipv6/conf/all/keep_addr_on_down": "1", "ipv6/conf/default/keep_addr_on_down": "1"}
    return plain | kept | {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}


def host_lines(topology: Topology, host: str) -> list[str]:
    """`ip -batch` lines for one host: addresses, links, routes. The tun devices must exist already."""
    if host == GATEWAY_HOST:
        return list(_gateway_lines(topology))
    if host == INTERNET_HOST:
        return list(_internet_lines(topology))
    for inside in topology.insides:
        if inside.host == host:
            return list(_inside_lines(inside))
    return list(_isp_lines(topology, next(u for u in topology.uplinks if u.isp == host)))


def _gateway_lines(topology: Topology) -> Iterator[str]:
    yield "link set lo up"
    for inside in topology.insides:
        yield from _interface(inside.interface, inside.gateway)
    for uplink in topology.uplinks:
        if uplink.delay_s is not None:
            yield f"link set {uplink.interface} gso_max_segs 1"  # so that the ISP sees packets as a wire carries them
        yield from _interface(uplink.interface, uplink.office)
        yield from gateway_routes(uplink)


def gateway_routes(uplink: Uplink) -> Iterator[str]:
    """The default routes a DHCP client would leave in the main table of the gateway, and an admin's to the modem."""
    for hop in uplink.next_hops:
        yield f"route replace default via {hop} dev {uplink.interface} metric {uplink.metric}"
    if uplink.modem:
        yield f"route replace {uplink.modem} dev {uplink.interface}"


def _inside_lines(inside: Inside) -> Iterator[str]:
    yield "link set lo up"
    yield from _interface("eth0", inside.addresses)
    for first in {version_of(g): g for g in reversed(inside.gateway)}.values():
        yield f"route replace default via {ip_interface(first).ip} dev eth0"


def _isp_lines(topology: Topology, uplink: Uplink) -> Iterator[str]:
    yield "link set lo up"
    yield from access_lines(uplink)
    pairs = transit(topology, uplink)
    yield f"link set {CORE} txqueuelen {QUEUE_PACKETS}"
    yield from _interface(CORE, tuple(isp for isp, _ in pairs))
    for _, internet in pairs:
        yield f"route replace default via {ip_interface(internet).ip} dev {CORE}"
    if uplink.public:
        yield f"address replace {uplink.public}/32 dev lo"


def access_lines(uplink: Uplink) -> Iterator[str]:
    """The ISP's side of the customer's cable; also what heals it after it was pulled, for it is idempotent."""
    lengths = {version_of(a): ip_interface(a).network.prefixlen for a in uplink.office}
    yield from _interface(ACCESS, tuple(f"{hop}/{lengths[version_of(hop)]}" for hop in uplink.next_hops))
    if uplink.modem:  # the ISP's host plays the modem too
        yield from _interface(ACCESS, (f"{uplink.modem}/32",))
    if uplink.delegated:
        office = next(ip_interface(a).ip for a in uplink.office if version_of(a) == 6)
        yield f"route replace {uplink.delegated} via {office} dev {ACCESS}"


def _internet_lines(topology: Topology) -> Iterator[str]:
    yield "link set lo up"
    for address in (*ANCHORS_IPV4, *SERVERS_IPV4):
        yield f"address replace {address}/32 dev lo"
    for address in (*ANCHORS_IPV6, *SERVERS_IPV6):
        yield f"address replace {address}/128 dev lo nodad"
    for uplink in topology.uplinks:
        pairs = transit(topology, uplink)
        yield f"link set {uplink.isp} txqueuelen {QUEUE_PACKETS}"
        yield from _interface(uplink.isp, tuple(internet for _, internet in pairs))
        via = {version_of(isp): ip_interface(isp).ip for isp, _ in pairs}
        for prefix in public_prefixes(uplink):
            yield f"route replace {prefix} via {via[version_of(prefix)]} dev {uplink.isp}"


def public_prefixes(uplink: Uplink) -> tuple[str, ...]:
    """The prefixes the ISP announces to the internet."""
    shared = ip_network("100.64.0.0/10")
    own = tuple(p for p in uplink.prefixes if version_of(p) == 6 or not ip_network(p).subnet_of(shared))  # type: ignore[arg-type]
    return own + ((str(ip_interface(f"{uplink.public}/24").network),) if uplink.public else ())


def _interface(device: str, addresses: tuple[str, ...]) -> Iterator[str]:
    for address in addresses:
        yield f"address replace {address} dev {device}{' nodad' if version_of(address) == 6 else ''}"
    yield f"link set {device} up"


def shape_lines(uplink: Uplink) -> list[str]:
    """`tc -batch` lines for the ISP: the contracted rates, where there are any."""
    rates = ((ACCESS, uplink.down_bps), (CORE, uplink.up_bps))
    return [shape(device, bps) for device, bps in rates if bps is not None]


def shape(device: str, bps: int, queue_ms: int = 50) -> str:
    """A token bucket of that rate with so much of queue; 50 ms, as a good modem has."""
    burst_bytes = max(16_000, bps // 8 // 250)  # at least what the kernel's 250 Hz tick lets through
    return f"qdisc replace dev {device} root tbf rate {bps}bit burst {burst_bytes} latency {queue_ms}ms"


def isp_ruleset(uplink: Uplink) -> str:
    """What an ISP's router does always: drop sources that are not the customer's (BCP 38), and count."""
    own = {v: ", ".join(p for p in uplink.prefixes if version_of(p) == v) for v in (4, 6)}
    checks = [
        f"iifname {ACCESS} ip saddr != {{ {own[4] or '0.0.0.0/32'}, 0.0.0.0 }} counter name wrong_source drop",
        f"iifname {ACCESS} ip6 saddr != {{ {own[6] or '::/128'}, ::, fe80::/10 }} counter name wrong_source drop",
    ]
    if not own[4]:
        checks[0] = f"iifname {ACCESS} ip saddr != 0.0.0.0 counter name wrong_source drop"
    people = [
        f"iifname {ACCESS} ip daddr {{ {', '.join(SERVERS_IPV4)} }} counter name to_servers",
        f"iifname {ACCESS} ip6 daddr {{ {', '.join(SERVERS_IPV6)} }} counter name to_servers",
    ]
    nat = (
        f"chain translate {{ type nat hook postrouting priority srcnat; oifname {CORE} ip saddr 100.64.0.0/10 "
        f"snat to {uplink.public}; }}"
        if uplink.public
        else ""
    )
    rules = "\n    ".join(checks)
    return f"""table inet lab {{
  counter wrong_source {{ }}
  counter from_office {{ }}
  counter to_office {{ }}
  counter to_servers {{ }}
  chain customers {{ type filter hook prerouting priority raw; policy accept;
    {rules}
  }}
  chain count {{ type filter hook forward priority -200; policy accept;
    iifname {ACCESS} counter name from_office
    oifname {ACCESS} counter name to_office
    {people[0]}
    {people[1]}
  }}
  {nat}
}}
"""


def internet_ruleset() -> str:
    """One server stands behind a firewall that answers unknown mid-stream segments with silence."""
    return f"""table inet lab {{
  chain firewalled {{ type filter hook output priority 0; policy accept;
    ip saddr {FIREWALLED_IPV4} tcp flags & rst == rst drop
    ip6 saddr {FIREWALLED_IPV6} tcp flags & rst == rst drop
  }}
}}
"""
