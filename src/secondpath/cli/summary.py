"""What a configuration means, for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from secondpath.config.units import say_money, say_rate, say_size
from secondpath.decide.treatment import fate_of
from secondpath.model import (
    OFFICE,
    Application,
    DataPlan,
    Family,
    Network,
    Site,
    SourceBinding,
    Treatment,
    Uplink,
)
from secondpath.tell.figures import duration, listed

FEW_TARGETS = 3
TREATED = {Treatment.KEEP: "kept", Treatment.LIMIT: "limited", Treatment.BLOCK: "paused"}
"""What becomes of a class on a backup, in a word."""


def summary(site: Site) -> Group:
    """The office in a few lines."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _facts(site):
        table.add_row(label, text)
    parts: list[RenderableType] = [Text(f"{site.name or 'The office'}: this configuration is good.", style="bold")]
    parts += [Text(), table]
    if unused := not_used_yet(site):
        parts += [Text(), Text(f"Read and checked, but not acted upon by this version: {unused}.", style="quiet")]
    for caution in cautions(site):
        parts += [Text(), Text(f"! {caution}", style="degraded")]
    return Group(*parts)


def summary_json(site: Site) -> dict[str, Any]:
    """The same for programs."""
    return {
        "name": site.name,
        "timezone": site.timezone,
        "uplinks": [{"name": u.name, "interface": u.interface, "metered": u.metered} for u in site.uplinks],
        "networks": [{"name": n.name, "interface": n.interface, "class": n.traffic_class} for n in site.networks],
        "applications": [a.name for a in site.applications],
        "source_ip_bound": _bound(site),
        "targets": [t.uri for t in site.targets],
        "profile": site.failover.profile,
        "not_used_yet": not_used_yet(site),
    }


def cautions(site: Site) -> list[str]:
    """What is allowed, but perhaps not meant."""
    found = []
    if len(site.uplinks) == 1:
        found.append("There is only one uplink: there is nothing to fail over to.")
    for family, name in ((Family.IPV4, "IPv4"), (Family.IPV6, "IPv6")):
        count = len(site.targets_of(family))
        if count == 0:
            found.append(f"No {name} target is named: {name} is neither judged nor moved.")
        elif count < FEW_TARGETS and family is Family.IPV4:
            found.append(
                f"Only {count} {name} targets: three of independent operators tell a dead target from a dead line."
            )
    if bound := _bound(site):
        found.append(
            f"{listed(bound)} may refuse the office over a backup, whose public address is another one: register that "
            "address with the provider too, or reach the provider through a VPN with a fixed address."
        )
    return found


def _bound(site: Site) -> list[str]:
    """The applications that take the office from its own public address alone."""
    return [a.name for a in site.applications if a.source_ip_bound is SourceBinding.YES]


def not_used_yet(site: Site) -> str:
    """What is read and checked, but not acted upon by this version; said so that nobody relies on it."""
    given = {
        "[[notify]]": site.notify,
        "[power]": site.power,
        "[drill]": site.drill,
    }
    return listed(name for name, value in given.items() if value)


def _facts(site: Site) -> Iterator[tuple[str, str]]:
    for number, uplink in enumerate(site.uplinks):
        yield "Uplinks" if number == 0 else "", f"{number + 1}. {uplink.name} on {uplink.interface}{_about(uplink)}"
    for number, network in enumerate(site.networks):
        yield "Inside" if number == 0 else "", f"{network.name} on {network.interface}{_treated(site, network)}"
    if site.applications:
        yield "Applications", listed(_named(application) for application in site.applications)
    if site.devices:
        yield "Devices", listed(f"{device.name} ({device.traffic_class})" for device in site.devices)
    if site.resolver or any(a.match.domains for a in site.applications):
        yield "Names", _names(site)
    yield "Proof", _proof(site)
    home = f"goes home after {duration(site.failover.hold_s)}, at most {duration(site.failover.hold_max_s)}"
    yield "Failover", f"{site.failover.profile}; {home} after relapses"
    for rule in site.forwards:
        yield "Forwarded", f"{rule.protocol} {rule.port} to {rule.to} {rule.to_port}"
    if site.notify:
        yield "Tells", listed(f"{n.to or n.file} ({listed(n.about)})" for n in site.notify)
    if site.power:
        yield "UPS", site.power.nut
    if site.drill:
        yield "Drill", f"{site.drill.schedule}, {'live' if site.drill.live else 'without moving anyone'}"


def _about(uplink: Uplink) -> str:
    down, up = (say_rate(rate) if rate else "?" for rate in (uplink.down_bps, uplink.up_bps))
    rate = f"{down} down, {up} up" if uplink.down_bps or uplink.up_bps else ""
    parts = uplink.carrier, uplink.technology, rate, "metered" if uplink.metered else "", _plan(uplink.plan)
    said = ", ".join(part for part in parts if part)
    return f": {said}" if said else ""


def _plan(plan: DataPlan | None) -> str:
    if plan is None:
        return ""
    data = f"{say_size(plan.data_bytes)} a month" if plan.data_bytes else ""
    cost = f"{say_money(plan.monthly_usd)} a month" if plan.monthly_usd is not None else ""
    return ", ".join(part for part in (data, cost) if part)


def _treated(site: Site, network: Network) -> str:
    if network.traffic_class == OFFICE.name:
        return ""
    fates = {u.name: fate_of(site, network.traffic_class, u.name).treatment for u in site.uplinks[1:]}
    said = (
        f"{TREATED[fate]} on {listed(name for name, its in fates.items() if its is fate)}"
        for fate in dict.fromkeys(fates.values())
    )
    return f", {network.traffic_class}: {listed(said)}" if fates else f", {network.traffic_class}"


def _named(application: Application) -> str:
    return f"{application.name} ({application.traffic_class})" if application.traffic_class else application.name


def _names(site: Site) -> str:
    if site.resolver is None:
        return "read as they pass; with [resolver] even the first packet to a new address would be recognised"
    only = ", and others are refused" if site.resolver.only_this else ""
    return f"answered by this gateway, for {listed(network.name for network in site.networks)}{only}"


def _proof(site: Site) -> str:
    counts: Iterable[str] = (
        f"{len(site.targets_of(family))} over {name}"
        for family, name in ((Family.IPV4, "IPv4"), (Family.IPV6, "IPv6"))
        if site.targets_of(family)
    )
    return f"{len(site.targets)} targets: {listed(counts)}" if site.targets else "no targets"
