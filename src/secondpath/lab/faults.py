"""The catalogue of what can break. One dict: a name, the words for it, how it is injected, how it is healed.

Inject and heal are pure functions from a place to changes (breaking.py has the ways). To add a fault: one entry.
A name may carry a number or an address: `loss-30`, `delay+300`, `rate-2`, `target-dead:192.0.2.1`.
"""

import re
from ipaddress import ip_interface

from secondpath.lab import breaking
from secondpath.lab.breaking import Fault, Place
from secondpath.lab.errors import LabError, unknown
from secondpath.lab.topology import Topology
from secondpath.lab.wiring import ACCESS

_NEXT_HOP_DEAD = Fault("The modem is dead: the carrier stays, nothing else does.", breaking.mute, breaking.unmute)

FAULTS: dict[str, Fault] = {
    "cable-cut": Fault("The cable is pulled: carrier is lost.", breaking.cut, breaking.plug),
    "next-hop-dead": _NEXT_HOP_DEAD,
    "modem-dead": _NEXT_HOP_DEAD,
    "access-dead": Fault(
        "The ISP's side of the line is dead; a modem that answers still does.",
        breaking.mute_behind_modem,
        breaking.unmute,
    ),
    "blackhole": breaking.isp_drops(lambda _: "drop", "Upstream is gone, silently; the ISP's router still answers."),
    "blackhole-in": breaking.isp_drops(
        lambda _: f"oifname {ACCESS} drop", "Nothing comes in any more; what we send arrives."
    ),
    "blackhole-out": breaking.isp_drops(lambda _: f"iifname {ACCESS} drop", "Nothing we send arrives any more."),
    "blackhole-v4": breaking.isp_drops(lambda _: "meta nfproto ipv4 drop", "IPv4 is gone upstream; IPv6 is fine."),
    "blackhole-v6": breaking.isp_drops(lambda _: "meta nfproto ipv6 drop", "IPv6 is gone upstream; IPv4 is fine."),
    "loss-N": breaking.isp_drops(breaking.lose_round_trips, "N % of round trips are lost, half each way."),
    "loss-in-N": breaking.isp_drops(
        lambda p: f"oifname {ACCESS} {breaking.chance(p.number / 100)}", "N % of what comes in is lost."
    ),
    "loss-out-N": breaking.isp_drops(
        lambda p: f"iifname {ACCESS} {breaking.chance(p.number / 100)}", "N % of what we send is lost."
    ),
    "delay+N": breaking.relay("extra_s", 0.5, "Round trips take N ms longer."),
    "jitter-N": breaking.relay("jitter_s", 1.0, "Each way takes 0 to N ms longer, at random, in order."),
    "stall-N": breaking.relay("stall_s", 1.0, "All stands still for N ms, once, and then arrives together."),
    "rate-N": Fault("The line carries only N Mbit/s each way.", breaking.slow, breaking.unslow),
    "bloat-N": Fault(
        "The line carries N Mbit/s each way and queues a second of it (bufferbloat).", breaking.bloat, breaking.unslow
    ),
    "dns-dead": breaking.isp_drops(
        lambda _: (
            "meta l4proto { tcp, udp } th dport { 53, 853 } drop\nmeta l4proto { tcp, udp } th sport { 53, 853 } drop"
        ),
        "DNS is gone; all else works.",
    ),
    "dns-invented": Fault(
        "The ISP answers all name lookups itself, and invents names that do not exist.",
        breaking.invent_names,
        breaking.release,
    ),
    "tcp-dead": breaking.isp_drops(lambda _: "meta l4proto tcp drop", "TCP is gone; ping, DNS and calls work."),
    "tls-stall": breaking.isp_drops(
        lambda _: "tcp dport { 443, 5061 } @ih,0,8 0x16 drop",
        "TLS connections open, then stall in the handshake (RFC 8446 record type 22 vanishes).",
    ),
    "big-packets": breaking.isp_drops(lambda _: "meta length >= 1400 drop", "Packets of 1400 bytes and more vanish."),
    "captive": Fault(
        "A portal answers all HTTP with a redirect; all else is dropped.", breaking.captivate, breaking.release
    ),
    "app-dead:ADDR": breaking.isp_drops(breaking.app, "One server cannot be reached by this uplink; by others it can."),
    "address-gone": Fault(
        "The lease is gone: the gateway loses its addresses and routes.", breaking.lose_address, breaking.regain_address
    ),
    "gateway-changed": Fault(
        "The ISP renumbers: new address, new gateway.",
        lambda p: breaking.readdress(p.uplink, breaking.moved(p.uplink)),
        lambda p: breaking.readdress(breaking.moved(p.uplink), p.uplink),
    ),
    "target-dead:ADDR": breaking.server_drops(
        lambda p: f"{breaking.towards(p)} drop", "One server is dead for everybody."
    ),
    "target-refused:ADDR": breaking.server_drops(breaking.refuse, "One server refuses everything for everybody."),
    "target-refuses-icmp:ADDR": breaking.server_drops(breaking.not_pinged, "One server no longer answers pings."),
    "target-slow:ADDR": Fault(
        "One server answers DNS and HTTP 1.5 s late.",
        breaking.answer_late(1.5),
        breaking.answer_late(0.0),
        on_uplink=False,
    ),
}
_ARGUMENT = {"N": r"(\d+(?:\.\d+)?)", "ADDR": r"([0-9a-f.:]+)"}


def find_fault(name: str) -> tuple[Fault, str]:
    """The entry for a name as people write it, and the number or address in it; or a sentence."""
    for pattern, fault in FAULTS.items():
        stem, _, kind = re.fullmatch(r"(.*?)((N|ADDR)?)", pattern).groups()  # type: ignore[union-attr]
        match = re.fullmatch(re.escape(stem) + _ARGUMENT.get(kind or "", ""), name)
        if match:
            return fault, _checked(name, kind, match[1]) if kind else ""
    raise unknown("fault", name, FAULTS)


def _checked(name: str, kind: str, argument: str) -> str:
    if kind == "ADDR":
        try:
            ip_interface(argument)
        except ValueError:
            raise LabError(f"In '{name}', '{argument}' is not an IP address.") from None
    elif name.startswith("loss") and float(argument) > 100:
        raise LabError(f"In '{name}', more than 100 % cannot be lost.")
    elif name.startswith("rate") and float(argument) <= 0:
        raise LabError(f"In '{name}', a rate of nothing: use 'blackhole'.")
    return argument


def place(topology: Topology, name: str, uplink: str | None) -> tuple[Place, Fault]:
    """Where a fault of that name strikes in this office; sentences for an unknown fault or uplink, or a missing one."""
    fault, argument = find_fault(name)
    where = Place(topology, name, argument, topology.uplink(uplink) if fault.on_uplink and uplink else None)
    if fault.on_uplink:
        assert where.uplink
    return where, fault
