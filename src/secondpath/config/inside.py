"""[[device]] and [resolver]: devices that are a class by themselves, and the office's resolver."""

from __future__ import annotations

import re
from collections.abc import Sequence

from secondpath.config.addresses import ADDRESS, HOST_NAME
from secondpath.config.problem import WrongError, shown
from secondpath.config.table import FLAG, PLAIN, Key, Placed, Section, Table, list_of, text
from secondpath.config.uplinks import TRAFFIC_CLASS, note_twins
from secondpath.model import CLASSES, Device, Resolver

CANARIES = ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com")
"""Firefox asks for the first before it uses DNS over HTTPS by default; Apple's devices for the others before they use
iCloud Private Relay. https://support.mozilla.org/kb/canary-domain-use-application-dnsnet
https://developer.apple.com/support/prepare-your-network-for-icloud-private-relay"""

PUBLIC_RESOLVERS = (
    *("dns.google", "cloudflare-dns.com", "one.one.one.one", "dns.cloudflare.com", "dns.quad9.net", "dns10.quad9.net"),
    *("dns11.quad9.net", "doh.opendns.com", "doh.familyshield.opendns.com", "dns.adguard-dns.com", "dns.adguard.com"),
    *("doh.cleanbrowsing.org", "dns.nextdns.io", "freedns.controld.com", "dns.mullvad.net", "doh.dns.apple.com"),
    *("ordns.he.net", "doh.dns.sb", "wikimedia-dns.org", "dns.alidns.com", "doh.pub"),
)
"""DNS over HTTPS that is open to everybody, by operators with servers in many places; each with all names below it.
https://github.com/v2fly/domain-list-community/blob/master/data/category-doh (looked at on 2026-11-23)"""

_OCTET = "[0-9A-Fa-f]{2}"
_FORMS = (f"{_OCTET}(?::{_OCTET}){{5}}", f"{_OCTET}(?:-{_OCTET}){{5}}", r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}")


def parse_mac(said: str) -> str:
    """A MAC address of one device (IEEE 802), as the kernel writes it."""
    if not any(re.fullmatch(form, said) for form in _FORMS):
        digits = re.sub(r"[^0-9A-Fa-f]", "", said)
        hint = f'; did you mean "{_written(digits)}"?' if len(digits) == 12 else f"; expected {MAC.expected}"
        raise WrongError(f"{shown(said)} is no MAC address{hint}")
    mac = _written(re.sub(r"[^0-9A-Fa-f]", "", said))
    if int(mac[:2], 16) & 1:
        raise WrongError(f'"{mac}" is a group of devices; expected the address of one')
    if mac == "00:00:00:00:00:00":
        raise WrongError(f'"{mac}" is no device\'s address; its label or "ip neighbour" tells it')
    return mac


def _written(digits: str) -> str:
    return ":".join(digits.lower()[i : i + 2] for i in range(0, 12, 2))


MAC = text("MAC address", 'a MAC address such as "52:54:00:12:34:56"', parse_mac)
DEVICE_NAME = Key("name", PLAIN, "What people call it.", '"Conference phone"', required=True)
DEVICE_MAC = Key(
    "mac", MAC, "Its MAC address: on its label, or by `ip neighbour`.", '"52:54:00:12:34:56"', required=True
)
DEVICE_CLASS = Key(
    "class",
    TRAFFIC_CLASS,
    f"What all its traffic is, wherever it goes: {', '.join(CLASSES)}.",
    '"voice"',
    required=True,
)
DEVICE = Table(
    "[[device]]",
    "A device that is a class by itself, in a network of the office's own class.",
    (DEVICE_NAME, DEVICE_MAC, DEVICE_CLASS),
)


def build_device(section: Section) -> Device:
    """A device from its table."""
    return Device(
        name=section.get_or(DEVICE_NAME, ""),
        mac=section.get_or(DEVICE_MAC, ""),
        traffic_class=section.get_or(DEVICE_CLASS, "office"),
    )


def judge_devices(devices: Sequence[Placed[Device]]) -> None:
    """Note devices that stand twice."""
    note_twins("name", ((d.place.at("name"), d.value.name) for d in devices))
    note_twins("MAC address", ((d.place.at("mac"), d.value.mac) for d in devices))


# ── resolver ─────────────────────────────────────────────────────────────────────────

SERVERS = Key(
    "servers",
    list_of(ADDRESS, most=8, write='["192.0.2.3"]'),
    "Whom it asks, where the uplink in use has no `resolvers` of its own.",
    '["192.0.2.3", "2001:db8:ff::3"]',
    unset="the dns:// targets of [reachability]",
)
HIDE_HINTS = Key(
    "hide_hints",
    FLAG,
    "Leave out answers of type HTTPS: they tell addresses that are then not recognised, and keys that hide names.",
    "true",
    True,
)
CANARY_NAMES = Key(
    "canaries",
    list_of(HOST_NAME, least=0, write='["mask.icloud.com"]'),
    "Names that do not exist here, so that browsers and devices do not go round this resolver by default; "
    "[] lets them.",
    '["use-application-dns.net"]',
    list(CANARIES),
)
ONLY_THIS = Key(
    "only_this",
    FLAG,
    "Public resolvers that hide names (DNS over HTTPS) do not exist here, and DNS over TLS (port 853) is refused to "
    "everybody inside. A matter of policy: people may have reasons.",
    "true",
    False,
)
RESOLVER = Table(
    "[resolver]",
    "The office's resolver, on the gateway's own addresses in the inside networks: with it the first packet to an "
    "application is recognised. It needs Debian's dnsmasq-base, and port 53 to be free; else it is left, and told. "
    "Optional: without this table none is run.",
    (SERVERS, HIDE_HINTS, CANARY_NAMES, ONLY_THIS),
    {"upstream": 'did you mean "servers"?', "upstreams": 'did you mean "servers"?'},
)


def build_resolver(section: Section) -> Resolver:
    """The office's resolver."""
    only_this = section.get_or(ONLY_THIS, False)
    return Resolver(
        servers=section.get_or(SERVERS, ()),
        hide_hints=section.get_or(HIDE_HINTS, True),
        canaries=(*section.get_or(CANARY_NAMES, ()), *(PUBLIC_RESOLVERS if only_this else ())),
        only_this=only_this,
    )
