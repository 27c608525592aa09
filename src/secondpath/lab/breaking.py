"""The ways to break something, and to undo exactly that: pure functions from a place to changes (changes.py).

An ISP's faults sit in a table of their own behind the counters of table `lab`, so the ISP has counted what a
fault then swallows. Which name means which of these is said in faults.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_interface

from secondpath.lab import wiring
from secondpath.lab.changes import Change, ForgetTranslations, Lines, Nft, Order
from secondpath.lab.errors import LabError
from secondpath.lab.topology import GATEWAY_HOST, INTERNET_HOST, Topology, Uplink
from secondpath.lab.wiring import ACCESS, CORE, INVENTOR_PORT, PORTAL_PORT, version_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault strikes: the office, the fault's name as given, the uplink if it has one, its argument."""

    topology: Topology
    fault: str
    argument: str
    at: Uplink | None

    @property
    def uplink(self) -> Uplink:
        """The uplink, for faults that have one."""
        if self.at is None:
            names = ", ".join(u.name for u in self.topology.uplinks)
            raise LabError(f"The fault '{self.fault}' strikes an uplink: say which one ({names}).")
        return self.at

    @property
    def uplink_name(self) -> str | None:
        """The uplink's name, if there is one."""
        return self.at.name if self.at else None

    @property
    def number(self) -> float:
        """The argument as a number."""
        return float(self.argument)

    @property
    def table(self) -> str:
        """The nft table of this fault."""
        return "fault-" + re.sub(r"[^a-z0-9-]", "_", self.fault)


Changes = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue."""

    words: str
    inject: Callable[[Place], Changes]
    heal: Callable[[Place], Changes]
    on_uplink: bool = True


# ── Tables of their own ──────────────────────────────────────────────────────────────────────────────────────


def fresh(family: str, table: str, body: str) -> str:
    """An nft transaction that ends with exactly this table, whatever was there before."""
    return f"{gone(family, table)}table {family} {table} {{\n{body}\n}}\n"


def gone(family: str, table: str) -> str:
    """The lines after which there is no such table, whether there was one or not."""
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def isp_drops(rules: Callable[[Place], str], words: str) -> Fault:
    """A fault inside the ISP: some of what it should forward is silently dropped."""

    def inject(place: Place) -> Changes:
        chain = f"chain upstream {{ type filter hook forward priority -150; policy accept;\n{rules(place)}\n}}"
        return (Nft(place.uplink.isp, fresh("inet", place.table, chain)),)

    return Fault(words, inject, lambda p: (Nft(p.uplink.isp, gone("inet", p.table)),))


def server_drops(rules: Callable[[Place], str], words: str) -> Fault:
    """A fault of one address on the internet, whichever way one comes."""

    def inject(place: Place) -> Changes:
        chain = f"chain server {{ type filter hook input priority -150; policy accept;\n{rules(place)}\n}}"
        return (Nft(INTERNET_HOST, fresh("inet", place.table, chain)),)

    return Fault(words, inject, lambda p: (Nft(INTERNET_HOST, gone("inet", p.table)),), on_uplink=False)


def towards(place: Place) -> str:
    """What goes to the server the fault is about."""
    return f"{family(place)} daddr {place.argument}"


def family(place: Place) -> str:
    """Nft's word for the family of that server."""
    return "ip" if version_of(place.argument) == 4 else "ip6"


def chance(ratio: float) -> str:
    """A rule that drops this part of all packets, at random."""
    hits = round(ratio * 10000)
    return "drop" if hits >= 10000 else f"numgen random mod 10000 < {hits} drop"


def lose_round_trips(place: Place) -> str:
    """N % of round trips, as a ping shows them: half the loss on the way out, half on the way back."""
    return chance(1 - (1 - place.number / 100) ** 0.5)


def refuse(place: Place) -> str:
    """TCP is reset, all else refused by ICMP."""
    reset = f"{towards(place)} meta l4proto tcp reject with tcp reset"
    return f"{reset}\n{towards(place)} meta l4proto != tcp reject with icmpx port-unreachable"


def not_pinged(place: Place) -> str:
    """Echo requests get no answer."""
    return f"{towards(place)} {'icmp' if version_of(place.argument) == 4 else 'icmpv6'} type echo-request drop"


def app(place: Place) -> str:
    """Nothing goes to a server or comes from it."""
    return f"{towards(place)} drop\n{family(place)} saddr {place.argument} drop"


# ── Layer 2 ──────────────────────────────────────────────────────────────────────────────────────────────────


def cut(place: Place) -> Changes:
    """The far end of the cable goes down: both ends lose the carrier."""
    return (Lines(place.uplink.isp, "ip", (f"link set {ACCESS} down",)),)


def plug(place: Place) -> Changes:
    """The far end comes up, with all that the kernel took away when it went down."""
    return (Lines(place.uplink.isp, "ip", (f"link set {ACCESS} up", *wiring.access_lines(place.uplink))),)


def mute(place: Place) -> Changes:
    """The far end neither hears nor speaks, not even ARP."""
    silence = "\n".join(
        f"chain {way} {{ type filter hook {way} device {ACCESS} priority 0; policy accept; drop;\n}}"
        for way in ("ingress", "egress")
    )
    return (Nft(place.uplink.isp, fresh("netdev", place.table, silence)),)


def mute_behind_modem(place: Place) -> Changes:
    """The modem, where the office has one that answers, still hears and speaks; nobody behind it does."""
    modem = place.uplink.modem
    hears, speaks = ((f"arp {end} ip {modem} accept", f"ip {end} {modem} accept") for end in ("daddr", "saddr"))
    chains = (
        f"chain {way} {{ type filter hook {way} device {ACCESS} priority 0; policy accept;\n"
        + "\n".join((*(passing if modem else ()), "drop"))
        + "\n}"
        for way, passing in (("ingress", hears), ("egress", speaks))
    )
    return (Nft(place.uplink.isp, fresh("netdev", place.table, "\n".join(chains))),)


def unmute(place: Place) -> Changes:
    """It hears and speaks again."""
    return (Nft(place.uplink.isp, gone("netdev", place.table)),)


# ── Knobs ────────────────────────────────────────────────────────────────────────────────────────────────────


def relay(setting: str, share: float, words: str) -> Fault:
    """A knob of the relay, in seconds; the name carries milliseconds, `share` of which goes to each way."""

    def order(place: Place, value_s: float) -> Changes:
        if place.uplink.delay_s is None:
            raise LabError(f"'{place.fault}' needs the delay relay, and '{place.uplink.name}' was built without one.")
        return (Order(f"relay-{place.uplink.name}", {setting: value_s}),)

    return Fault(words, lambda p: order(p, p.number / 1000 * share), lambda p: order(p, 0.0))


def slow(place: Place) -> Changes:
    """A bucket of N Mbit/s each way."""
    bps = round(place.number * 1e6)
    return (Lines(place.uplink.isp, "tc", (wiring.shape(ACCESS, bps), wiring.shape(CORE, bps))),)


def bloat(place: Place) -> Changes:
    """A bucket of N Mbit/s each way with a queue of a second (bufferbloat)."""
    bps = round(place.number * 1e6)
    return (Lines(place.uplink.isp, "tc", (wiring.shape(ACCESS, bps, 1000), wiring.shape(CORE, bps, 1000))),)


def unslow(place: Place) -> Changes:
    """The contracted rates again, or none."""
    contract = ((ACCESS, place.uplink.down_bps), (CORE, place.uplink.up_bps))
    lines = tuple(wiring.shape(d, bps) if bps else f"qdisc del dev {d} root" for d, bps in contract)
    return (Lines(place.uplink.isp, "tc", lines),)


def answer_late(delay_s: float) -> Callable[[Place], Changes]:
    """A server's application waits before it answers."""
    return lambda place: (Order("world", {"slow": place.argument, "delay_s": delay_s}),)


# ── The captive portal, and addresses that move ──────────────────────────────────────────────────────────────


def captivate(place: Place) -> Changes:
    """HTTP is turned to the portal; nothing is forwarded."""
    turn = f"iifname {ACCESS} tcp dport 80 redirect to :{PORTAL_PORT}"
    chains = (
        f"chain turn {{ type nat hook prerouting priority dstnat; policy accept;\n{turn}\n}}\n"
        "chain upstream { type filter hook forward priority -150; policy accept;\ndrop\n}"
    )
    return (Nft(place.uplink.isp, fresh("inet", place.table, chains)),)


def invent_names(place: Place) -> Changes:
    """Questions for any name server go to the ISP's own, which invents what does not exist."""
    turns = [
        f"iifname {ACCESS} udp dport 53 dnat {'ip6' if version_of(hop) == 6 else 'ip'} "
        f"to {f'[{hop}]' if version_of(hop) == 6 else hop}:{INVENTOR_PORT}"
        for hop in place.uplink.next_hops
    ]
    body = "\n".join(turns)
    chain = f"chain turn {{ type nat hook prerouting priority dstnat; policy accept;\n{body}\n}}"
    return (Nft(place.uplink.isp, fresh("inet", place.table, chain)),)


def release(place: Place) -> Changes:
    """Forwarding again; connections begun with the portal do not stay there."""
    return (Nft(place.uplink.isp, gone("inet", place.table)), ForgetTranslations(place.uplink.isp))


def lose_address(place: Place) -> Changes:
    """The gateway loses what its lease gave."""
    return (Lines(GATEWAY_HOST, "ip", give_up_lease(place.uplink)),)


def regain_address(place: Place) -> Changes:
    """The gateway has its lease again."""
    return (Lines(GATEWAY_HOST, "ip", lease(place.uplink)),)


def give_up_lease(uplink: Uplink) -> tuple[str, ...]:
    """What a DHCP client does when the lease is gone."""
    routes = (f"route del default via {h} dev {uplink.interface} metric {uplink.metric}" for h in uplink.next_hops)
    return (*routes, *(f"address del {address} dev {uplink.interface}" for address in uplink.office))


def lease(uplink: Uplink) -> tuple[str, ...]:
    """What a DHCP client does when it gets a lease."""
    nodad = {4: "", 6: " nodad"}
    added = (f"address replace {a} dev {uplink.interface}{nodad[version_of(a)]}" for a in uplink.office)
    return (*added, *wiring.gateway_routes(uplink))


def renumbered(uplink: Uplink) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The office's and the ISP's addresses after the ISP renumbered: 64 higher (in hexadecimal for IPv6)."""
    moved = [
        f"{ip_interface(a).ip + (64 if version_of(a) == 4 else 0x64)}/{ip_interface(a).network.prefixlen}"
        for a in (*uplink.office, *uplink.next_hops)
    ]
    return tuple(moved[: len(uplink.office)]), tuple(hop.partition("/")[0] for hop in moved[len(uplink.office) :])


def moved(uplink: Uplink) -> Uplink:
    """The uplink after it was renumbered."""
    office, next_hops = renumbered(uplink)
    return replace(uplink, office=office, next_hops=next_hops)


def readdress(before: Uplink, after: Uplink) -> Changes:
    """The old address goes first: the kernel takes a secondary of the same subnet away with its primary."""
    old = [line for line in wiring.access_lines(before) if line.startswith("address")]
    isp = (*(line.replace("replace", "del").removesuffix(" nodad") for line in old), *wiring.access_lines(after))
    return (Lines(before.isp, "ip", isp), Lines(GATEWAY_HOST, "ip", (*give_up_lease(before), *lease(after))))
