"""Steering -> the moving entries; Site and ground -> the whole DataPlane. Pure."""

from __future__ import annotations

from secondpath.act.calling import CALLING, VOICE_IDENT
from secondpath.act.counting import back_chain, via_chain
from secondpath.act.plane import (
    ARRIVED,
    FIRST,
    MAIN_RULE,
    OWN_RULE,
    OWN_TABLE,
    DataPlane,
    Ground,
    Key,
    Route,
    Rule,
    lane_mark,
)
from secondpath.act.recognition import address_elements, application_lanes, chain_of, lane_set, recognises
from secondpath.act.ruleset import compile_ruleset, ways_in
from secondpath.act.settings import wanted_settings
from secondpath.act.shaping import compile_shaping
from secondpath.model import CLASSES, OFFICE, Family, Line, Site, Steering, family_of


def compile_elements(site: Site, steering: Steering, ground: Ground) -> dict[tuple[str, Key], int | str]:
    """Everything in our maps: what a switch changes, and which interface is what."""
    elements: dict[tuple[str, Key], int | str] = {("ways", i): way for i, way in ways_in(site, ground.numbers).items()}
    for uplink in site.uplinks:
        number = ground.numbers[uplink.name]
        for family in Family:
            epoch = ground.epochs[Line(uplink.name, family)]
            elements["route_of", lane_mark(epoch, number)] = via_chain(number, family)
            arrived = lane_mark(epoch, number | ARRIVED)
            elements[f"arrive_{number}", family.value] = arrived
            elements["route_of", arrived] = back_chain(number, family)
    for network in site.networks:
        elements["class_of", network.interface] = chain_of(network, recognises(site))
    for (name, family), lane in steering.lanes.items():
        if lane.uplink is not None:
            epoch = ground.epochs[Line(lane.uplink, family)]
            traffic_class = CLASSES[name]
            mark = lane_mark(epoch, ground.numbers[lane.uplink], traffic_class.ident)
            elements[lane_set(traffic_class), family.value] = mark
    return elements | _application_elements(site, steering, ground) | _calling_elements(steering, ground)


def _calling_elements(steering: Steering, ground: Ground) -> dict[tuple[str, Key], int | str]:
    """Where the phones go whose calls are on a line that the office has left."""
    marks = {
        phone: lane_mark(ground.epochs[line], ground.numbers[line.uplink], VOICE_IDENT)
        for phone, line in steering.calling.items()
        if line in ground.epochs and line.uplink in ground.numbers
    }
    return {(CALLING[family_of(phone)], str(phone)): mark for phone, mark in marks.items()}


def _application_elements(site: Site, steering: Steering, ground: Ground) -> dict[tuple[str, Key], int | str]:
    """Where each application that is tested travels, and by which addresses all of them are known."""
    elements: dict[tuple[str, Key], int | str] = dict(address_elements(site, steering.destinations, ground.idents))
    for application in (a for a in site.applications if a.name in ground.idents):
        ident = ground.idents[application.name]
        for family in Family:
            uplink = steering.lane_of(application, family).uplink
            if uplink is not None:
                mark = lane_mark(ground.epochs[Line(uplink, family)], ground.numbers[uplink], ident)
                elements[application_lanes(ident), family.value] = mark
    return elements


def compile_plane(site: Site, steering: Steering, ground: Ground) -> DataPlane:
    """The whole of what the kernel should hold."""
    shaping = compile_shaping(site, steering.shapes, ground.numbers, ground.can, ground.queues)
    return DataPlane(
        ruleset=compile_ruleset(site, ground.numbers, ground.inside, ground.idents, ground.reads, shaping.maps),
        elements=compile_elements(site, steering, ground),
        rules=frozenset(_rules(site, ground)),
        routes=frozenset(_routes(site, steering, ground)),
        settings=wanted_settings(
            frozenset(u.interface for u in site.uplinks), ground.settings, shaped=bool(shaping.maps)
        ),
        queues=shaping.queues,
    )


def own_routes(steering: Steering, site: Site, ground: Ground) -> list[Route]:
    """The default routes of the gateway's own unbound traffic: they follow the class *office*."""
    routes = []
    for family in Family:
        uplink = steering.lane(OFFICE.name, family).uplink
        if uplink is not None and Line(uplink, family) in ground.gateways:
            gateway = ground.gateways[Line(uplink, family)]
            routes.append(Route(family, OWN_TABLE, site.uplink(uplink).interface, gateway))
    return routes


def _rules(site: Site, ground: Ground) -> list[Rule]:
    rules = []
    for family in Family:
        rules.append(Rule(family, MAIN_RULE, 254, no_default=True))
        rules.append(Rule(family, OWN_RULE, OWN_TABLE, own=True))
        for uplink in site.uplinks:
            number = ground.numbers[uplink.name]
            table = FIRST + number
            rules.append(Rule(family, FIRST + number, table, mark=number | ARRIVED))
            rules.append(Rule(family, MAIN_RULE + number, table, mark=number))
    return rules


def _routes(site: Site, steering: Steering, ground: Ground) -> list[Route]:
    routes = own_routes(steering, site, ground)
    for uplink in site.uplinks:
        table = FIRST + ground.numbers[uplink.name]
        for family in Family:
            routes.append(Route(family, table))
            line = Line(uplink.name, family)
            if line in ground.gateways:
                routes.append(Route(family, table, uplink.interface, ground.gateways[line]))
    return routes
