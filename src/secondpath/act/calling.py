"""Phones on a call: what our table says of an inside address whose call is on a line that the office has left. Pure.

A provider's session border takes signalling and voice of a phone from one address or not at all; split over two lines
the phone is dead (opnsense/core#3516). So while a phone has a call on the line that the office goes home from, its
signalling and whatever may be voice of its, go there too. Everything else from the same address goes home: a telephone
may be a program on somebody's computer.

Which ports may be voice: STUN and TURN (RFC 8489, 8656), those that providers write down for RTP (3CX from 9000,
Asterisk from 10000, Cisco from 16384, RingCentral from 20000, Zoom 8801 to 8810), not WireGuard's. A tunnel on another
of these ports goes along with the call, and ends with the drain.
"""

from __future__ import annotations

from collections.abc import Mapping

from secondpath.model import CLASSES, Family, Site

CALLING: Mapping[Family, str] = {Family.IPV4: "calling4", Family.IPV6: "calling6"}
"""The maps from a phone's address to the mark of its new flows."""
CHAIN = "calling"
SIGNALLING = ((5060, 5099),)
VOICE = ((3478, 3481), (5060, 5099), (8801, 8810), (9000, 51819), (51821, 65535))
VOICE_IDENT = CLASSES["voice"].ident
_SADDR: Mapping[Family, str] = {Family.IPV4: "ip saddr", Family.IPV6: "ip6 saddr"}
_TYPE: Mapping[Family, str] = {Family.IPV4: "ipv4_addr", Family.IPV6: "ipv6_addr"}


def calling_maps() -> list[str]:
    """The declaration of the maps."""
    return [f"  map {CALLING[f]} {{ type {_TYPE[f]} : mark; }}\n" for f in Family]


def calling_lines() -> list[str]:
    """In the chain: a phone that is not on a call there passes unmarked."""
    return [f"ct mark set {_SADDR[f]} map @{CALLING[f]}" for f in Family]


def calling_jumps(site: Site) -> list[str]:
    """Before a new flow is told its class; guests are never asked, whatever address they take."""
    guests = [f'"{n.interface}"' for n in site.networks if n.traffic_class == "guest"]
    here = f"iifname != {{ {', '.join(guests)} }} " if guests else ""
    return [f"{here}{protocol} dport {{ {_spans(protocol)} }} jump {CHAIN}" for protocol in ("udp", "tcp")]


def may_be_voice(protocol: str, port: int) -> bool:
    """Whether a new flow to that port follows its phone."""
    return any(first <= port <= last for first, last in (VOICE if protocol == "udp" else SIGNALLING))


def _spans(protocol: str) -> str:
    return ", ".join(f"{first}-{last}" for first, last in (VOICE if protocol == "udp" else SIGNALLING))
