"""Where DNS answers pass, and how the table hands them to our reader (sense/answers). Pure.

Answers of others' resolvers pass the arrival chain of an uplink, where one comparison with port 53 stands anyway
(act/counting); those of the office's own resolver leave by the output hook, where little passes.
"""

from __future__ import annotations

from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT
from secondpath.model import CLASSES, Site

GROUP = 7100
"""The group of our reader, by nfnetlink_log. Where nobody listens the kernel throws the copy away at once."""
_GUEST = CLASSES["guest"]
_COPY = f"log group {GROUP} snaplen 4096 queue-threshold 1"
ARRIVED = f"ct mark and {CLASS_MASK:#010x} != {_GUEST.ident << CLASS_SHIFT:#010x} {_COPY}"
"""What guests are answered teaches nothing: whoever has a name server could say there what he likes."""


def refused(site: Site) -> str:
    """DNS over TLS (RFC 7858) and over QUIC (RFC 9250), where the office's own resolver is to be the only one."""
    only = site.resolver is not None and site.resolver.only_this
    return "meta l4proto { tcp, udp } th dport 853 goto no_lane" if only else ""


def leaving(site: Site) -> str:
    """What the office's own resolver answers to all but guests."""
    inside = ", ".join(f'"{n.interface}"' for n in site.networks if n.traffic_class != _GUEST.name)
    return f"udp sport 53 oifname {{ {inside} }} {_COPY}" if inside else ""
