"""What travels where, as a table, and where one flow goes. Pure: of a running gateway, or of a configuration alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from secondpath.act.calling import may_be_voice
from secondpath.act.recognition import NewFlow, claims, fixed_addresses, names_of, recognise
from secondpath.decide.policy import Choice, lanes_of
from secondpath.decide.treatment import class_name_of, fate_of, is_backup, lane_on, manner_of
from secondpath.model import (
    CLASSES,
    Application,
    Family,
    IPAddress,
    Lane,
    Network,
    Site,
    Stage,
    Steering,
    Treatment,
    Why,
    family_of,
)
from secondpath.tell.catalogue import TRACED
from secondpath.tell.words import why_text

SCHEMA = 1
WEB = ("tcp", 443)
NOWHERE: Mapping[Family, IPAddress] = {Family.IPV4: ip_address("0.0.0.0"), Family.IPV6: ip_address("::")}  # noqa: S104
"""In the place of an address that nobody knows."""
Stages = Mapping[str, Stage]


@dataclass(frozen=True, slots=True)
class Asked:
    """A flow that somebody asks about. `to` is an address or a name; what is None or "" is not said."""

    source: str
    to: str
    protocol: str | None = None
    port: int | None = None
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """As what a flow is recognised, by which rule (a key of TRACED), and by which address."""

    rule: str
    traffic_class: str
    application: Application | None = None
    address: str = ""
    port: tuple[str, int] = WEB


def at_rest(site: Site) -> Steering:
    """The steering of an office in which all is well: what a configuration means where nobody runs it."""
    own = {
        (name, f): Choice(manner_of(site, name).order[0], Why.PREFERRED)
        for name in CLASSES
        for f in Family
        if site.policy(name).uplinks
    }
    lanes = lanes_of(site, {f: Choice(site.uplinks[0].name, Why.PREFERRED) for f in Family}, own)
    known = {a.name: fixed_addresses(a) for a in site.applications}
    treated = {
        (a.name, f): lane_on(site, class_name_of(a), lane.uplink or lane.barred_from or "", lane.why, own=a.on_backup)
        for a in site.applications
        if a.on_backup is not None
        for f in Family
        if (lane := lanes[class_name_of(a), f]).uplink or lane.barred_from
    }
    return Steering(lanes, {}, destinations=known, treated=treated)


# ── The table ────────────────────────────────────────────────────────────────────────


def policy_document(site: Site, steering: Steering | None, stages: Stages) -> dict[str, Any]:
    """Every class and application on every uplink; where they travel now, if there is a steering."""
    uplinks = [
        {
            "name": u.name,
            "backup": is_backup(site, u.name),
            "metered": u.metered,
            "down_bps": u.down_bps,
            "stage": stages.get(u.name, Stage.AMPLE) if u.plan is not None and u.plan.data_bytes else None,
        }
        for u in site.uplinks
    ]
    return {
        "schema": SCHEMA,
        "running": steering is not None,
        "uplinks": uplinks,
        "classes": [_class_json(site, name, steering, stages) for name in CLASSES],
        "applications": [_application_json(site, a, steering, stages) for a in site.applications],
    }


def _class_json(site: Site, name: str, steering: Steering | None, stages: Stages) -> dict[str, Any]:
    manner = manner_of(site, name)
    lanes = {f: steering.lane(name, f) for f in Family} if steering else {}
    return {
        "name": name,
        "order": list(manner.order),
        "own_order": manner.order != tuple(u.name for u in site.uplinks),
        "when_poor": "stay" if manner.stays_if_poor else "move",
        "on": _fates(site, name, stages, None),
        "now": _now(lanes),
    }


def _application_json(
    site: Site, application: Application, steering: Steering | None, stages: Stages
) -> dict[str, Any]:
    name = class_name_of(application)
    lanes = {f: steering.lane_of(application, f) for f in Family} if steering else {}
    return {
        "name": application.name,
        "class": name,
        "on": _fates(site, name, stages, application.on_backup),
        "now": _now(lanes),
    }


def _fates(site: Site, name: str, stages: Stages, own: Treatment | None) -> dict[str, dict[str, str]]:
    fates = {u.name: fate_of(site, name, u.name, stages.get(u.name, Stage.AMPLE), own) for u in site.uplinks}
    return {uplink: {"treatment": fate.treatment, "by": fate.by} for uplink, fate in fates.items()}


def _now(lanes: Mapping[Family, Lane]) -> dict[str, Any] | None:
    return {family: _lane_json(lane) for family, lane in lanes.items()} or None


def _lane_json(lane: Lane) -> dict[str, Any]:
    return {
        "uplink": lane.uplink,
        "treatment": lane.treatment,
        "why": {"code": lane.why, "text": why_text(lane.why)},
        "barred_from": lane.barred_from,
    }


# ── One flow ─────────────────────────────────────────────────────────────────────────


def trace_document(site: Site, steering: Steering, stages: Stages, network: Network, asked: Asked) -> dict[str, Any]:
    """Where a flow goes, as what, by which rule and why: once for each family that its destination is known in."""
    ways = _found(site, steering, network, asked)
    flows = [_flow_json(site, steering, stages, family, found, asked) for family, found in ways]
    return {
        "schema": SCHEMA,
        "source": asked.source,
        "destination": asked.to,
        "protocol": asked.protocol,
        "port": asked.port,
        "network": {"name": network.name, "interface": network.interface, "class": network.traffic_class},
        "flows": flows,
    }


def _flow_json(
    site: Site, steering: Steering, stages: Stages, family: Family, found: Found, asked: Asked
) -> dict[str, Any]:
    application, lane = found.application, steering.lane(found.traffic_class, family)
    if application is not None:
        lane = steering.lane_of(application, family)
    rule, call = found.rule, steering.calling.get(ip_address(asked.source))
    if call is not None and call.family is family and found.traffic_class != "guest" and may_be_voice(*found.port):
        rule, lane = "calling", Lane(call.uplink, Why.STAYS)
    words = {"address": found.address, "application": application.name if application else ""}
    return {
        "family": family,
        "address": found.address or None,
        "application": application.name if application else None,
        "class": found.traffic_class,
        "rule": {"code": rule, "text": TRACED[rule].format_map(words)},
        **_lane_json(lane),
        "on": _fates(site, found.traffic_class, stages, application.on_backup if application else None),
    }


def _found(site: Site, steering: Steering, network: Network, asked: Asked) -> Iterator[tuple[Family, Found]]:
    """By address as the table does it; a name stands for the first address that is known of it in each family."""
    to = _address(asked.to)
    if to is not None:
        yield family_of(to), _recognised(site, steering, network, asked, to, None)
        return
    named = [a for a in site.applications if any(_covers(name, asked.to) for name in names_of(a))]
    for family in Family:
        known = [(x, a) for a in named for x in steering.destinations.get(a.name, ()) if family_of(x) is family]
        address, holder = min(known, key=lambda each: int(each[0]), default=(NOWHERE[family], None))
        found = _recognised(site, steering, network, asked, address, holder)
        if holder is None and found.rule in ("unrecognised", "port"):
            found = replace(found, rule="not-learned" if named else found.rule, address="")
        yield family, replace(found, address=str(address) if holder else "")


def _recognised(
    site: Site, steering: Steering, network: Network, asked: Asked, to: IPAddress, meant: Application | None
) -> Found:
    """Where nobody says which port, it is that of the application which is meant, else that of the web."""
    holder = meant or next(iter(claims(site, steering.destinations).get(to, ())), None)
    span = next(iter(holder.match.ports if holder else ()), None)
    usual = (span.protocol, span.first) if span and asked.port is None and asked.protocol is None else WEB
    port = asked.protocol or usual[0], asked.port or usual[1]
    seen = recognise(site, steering.destinations, NewFlow(network.interface, to, *port, mac=asked.mac.lower()))
    application = next((a for a in site.applications if a.name == seen.application), None)
    return Found(seen.by or "unrecognised", seen.traffic_class, application, str(to), port)


def _covers(name: str, host: str) -> bool:
    """Whether a host is a name, or below it."""
    host, name = host.rstrip(".").casefold(), name.rstrip(".").casefold()
    return host == name or host.endswith(f".{name}")


def _address(said: str) -> IPAddress | None:
    try:
        return ip_address(said)
    except ValueError:
        return None
