"""Microsoft's list of the names and networks of Microsoft 365, as its web service tells it. Pure.

https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-ip-web-service: records with `id`, `urls`, `ips`,
`tcpPorts`, `udpPorts`, `category` (Optimize, Allow, Default) and `required`. What is kept of it is a *snapshot*: its
version and the day it was taken, names and networks, with those of media (UDP) apart. It completes the presets
microsoft-365 and microsoft-teams of an office that has them.

The list is not signed. So a new one is taken only where four of five networks of the old one are still in it, or where
a person says so; and none that claims half the internet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from secondpath.config.addresses import is_host_name
from secondpath.model import Application, IPNetwork, Site

STAYS_RATIO = 0.8
MOST_BYTES, MOST_RECORDS, MOST_ENTRIES = 4 << 20, 1_000, 2_000
LEAST_LENGTH = {4: 9, 6: 24}
"""The widest network that is believed, by version: Microsoft's widest are a /13 and a /31."""
GENERAL, MEDIA = "microsoft-365", "microsoft-teams"


class FeedError(Exception):
    """The list cannot be used; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was taken of a list, and when (a day, as 2026-11-23)."""

    version: str
    taken: str
    names: tuple[str, ...]
    networks: tuple[str, ...]
    media: tuple[str, ...]
    """Networks of calls and meetings, over UDP."""

    @property
    def all_networks(self) -> frozenset[str]:
        """Networks of either kind."""
        return frozenset((*self.networks, *self.media))


def parse_list(text: str, version: str, taken: str) -> Snapshot:
    """The snapshot of a list. Raises FeedError."""
    records = _records(text)
    names: list[str] = []
    networks: list[str] = []
    media: list[str] = []
    for record in records:
        if not record.get("required", False):
            continue
        over_udp = bool(record.get("udpPorts"))
        names += [] if over_udp else filter(None, map(literal_suffix, _texts(record, "urls")))
        if record.get("category") in ("Optimize", "Allow"):
            (media if over_udp else networks).extend(str(_network(said)) for said in _texts(record, "ips"))
    found = Snapshot(version, taken, *(tuple(dict.fromkeys(each)) for each in (names, networks, media)))
    if not found.all_networks or not found.names:
        raise FeedError("the list names no required service: it is not Microsoft's list of endpoints")
    if max(len(found.names), len(found.all_networks)) > MOST_ENTRIES:
        raise FeedError(f"the list has more than {MOST_ENTRIES} names or networks; that is not believed")
    return found


def _records(text: str) -> list[Mapping[str, Any]]:
    if len(text) > MOST_BYTES:
        raise FeedError(f"the list is larger than {MOST_BYTES >> 20} MiB")
    try:
        records = json.loads(text)
    except (ValueError, RecursionError):
        raise FeedError("the list is no JSON") from None
    if not isinstance(records, list) or len(records) > MOST_RECORDS or not all(isinstance(r, dict) for r in records):
        raise FeedError("the list is not one of records, as Microsoft's is")
    return records


def _texts(record: Mapping[str, Any], key: str) -> Iterable[str]:
    said = record.get(key, [])
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise FeedError(f'"{key}" of record {record.get("id")} is no list of texts')
    return said


def _network(said: str) -> IPNetwork:
    try:
        network = ip_network(said)
    except ValueError:
        raise FeedError(f"{said[:60]!r} is no network") from None
    if network.prefixlen < LEAST_LENGTH[network.version] or not network.is_global:
        raise FeedError(f"the list claims {network}; that is not believed")
    return network


def literal_suffix(said: str) -> str | None:
    """The domain that covers a name with stars in it: what follows the last star, from a dot on; None if too wide."""
    rest = said.casefold().rpartition("*")[2]
    if "*" in said:
        rest = rest.partition(".")[2]
    return rest if is_host_name(rest) and re.search(r"[^.]\.[^.]", rest) else None


def why_not(old: Snapshot | None, new: Snapshot) -> str:
    """Why a new list is not taken in the place of the old one; "" if it is."""
    if old is None or not old.all_networks:
        return ""
    known = [ip_network(said) for said in new.all_networks]
    stays = sum(_is_in(ip_network(said), known) for said in old.all_networks)
    if stays >= STAYS_RATIO * len(old.all_networks):
        return ""
    return (
        f"only {stays} of the {len(old.all_networks)} networks of {old.taken} are in the new list; "
        "look at it, and take it with --accept"
    )


def _is_in(network: IPNetwork, known: Iterable[IPNetwork]) -> bool:
    return any(other.version == network.version and network.subnet_of(other) for other in known)  # type: ignore[arg-type]


def snapshot_text(snapshot: Snapshot) -> str:
    """The snapshot as it is kept."""
    fields = {"version": snapshot.version, "taken": snapshot.taken, "names": snapshot.names}
    return json.dumps({**fields, "networks": snapshot.networks, "media": snapshot.media}, indent=1) + "\n"


def parse_snapshot(text: str) -> Snapshot:
    """The reverse. Raises FeedError: somebody may have written into it."""
    try:
        kept = json.loads(text)
        names, networks, media = (tuple(map(str, kept[key])) for key in ("names", "networks", "media"))
        snapshot = Snapshot(str(kept["version"]), str(kept["taken"]), names, networks, media)
    except (ValueError, RecursionError, LookupError, TypeError):
        raise FeedError("the kept list cannot be read") from None
    for said in snapshot.all_networks:
        _network(said)
    if wrong := [name for name in names if not is_host_name(name)]:
        raise FeedError(f"the kept list names {wrong[0][:60]!r}, which is no name")
    return snapshot


def with_feed(site: Site, snapshot: Snapshot) -> Site:
    """The site with its Microsoft presets completed."""
    return replace(site, applications=tuple(_completed(a, snapshot) for a in site.applications))


def _completed(application: Application, snapshot: Snapshot) -> Application:
    names, networks = {
        GENERAL: (snapshot.names, snapshot.networks),
        MEDIA: ((), snapshot.media),
    }.get(application.preset or "", ((), ()))
    match = application.match
    domains = tuple(dict.fromkeys((*match.domains, *names)))
    servers = tuple(dict.fromkeys((*match.servers, *networks)))
    return replace(application, match=replace(match, domains=domains, servers=servers))
