"""Steering -> the moving entries; Site and ground -> the whole DataPlane. Pure."""

from __future__ import annotations

from secondpath.act.counting import via_chain
from secondpath.act.plane import (
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
from secondpath.act.ruleset import class_chain, compile_ruleset, lane_set, ways_in
from secondpath.act.settings import wanted_settings
from secondpath.model import CLASSES, OFFICE, Family, Line, Site, Steering


def compile_elements(site: Site, steering: Steering, ground: Ground) -> dict[tuple[str, Key], int | str]:
    """Everything in our maps: what a switch changes, and which interface is what."""
    elements: dict[tuple[str, Key], int | str] = {("ways", i): way for i, way in ways_in(site, ground.numbers).items()}
    for uplink in site.uplinks:
        number = ground.numbers[uplink.name]
        for family in Family:
            mark = lane_mark(ground.epochs[Line(uplink.name, family)], number)
            elements[f"arrive_{number}", family.value] = mark
            elements["route_of", mark] = via_chain(number, family)
    for network in site.networks:
        elements["class_of", network.interface] = class_chain(CLASSES[network.traffic_class])
    for (name, family), lane in steering.lanes.items():
        if lane.uplink is not None:
            epoch = ground.epochs[Line(lane.uplink, family)]
            traffic_class = CLASSES[name]
            mark = lane_mark(epoch, ground.numbers[lane.uplink], traffic_class.ident)
            elements[lane_set(traffic_class), family.value] = mark
    return elements


def compile_plane(site: Site, steering: Steering, ground: Ground) -> DataPlane:
    """The whole of what the kernel should hold."""
    return DataPlane(
        ruleset=compile_ruleset(site, ground.numbers, ground.inside),
        elements=compile_elements(site, steering, ground),
        rules=frozenset(_rules(site, ground)),
        routes=frozenset(_routes(site, steering, ground)),
        settings=wanted_settings(frozenset(u.interface for u in site.uplinks), ground.settings),
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
            rules.append(Rule(family, FIRST + number, FIRST + number, mark=number))
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
