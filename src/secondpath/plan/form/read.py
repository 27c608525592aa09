"""plan.toml to a Plan: all errors at once, or a plan that the arithmetic can trust."""

import tomllib
from dataclasses import dataclass
from typing import Any

from secondpath.plan.form.lines import read_choices, read_uplinks
from secondpath.plan.form.shelf import PROFILES, toml_of
from secondpath.plan.form.table import Table
from secondpath.plan.form.workplace import read_deadlines, read_office, read_seasons, read_telephones, read_workplace
from secondpath.plan.inputs import Application, Owner, Plan, PowerFacts, Shelf

MOST_PEOPLE = 2000  # beyond this the office is not one office, and the model's people no longer all sit behind one line


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a file: a plan, or sentences about what is wrong with it."""

    plan: Plan | None
    problems: tuple[str, ...]


def read_text(text: str, shelf: Shelf) -> Reading:
    """The plan in a TOML text. Never raises for what a person can type."""
    try:
        own = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as err:
        return Reading(None, (f"plan.toml: expected TOML, but {err}",))
    return read_document(own, shelf)


def read_document(own: dict[str, Any], shelf: Shelf) -> Reading:
    """The plan in a parsed document, filled up from its profile."""
    problems: list[str] = []
    profile = Table(own, {}, "", problems).pick("profile", PROFILES, "general")
    root = Table(own, toml_of("profiles", f"{profile}.toml"), "", problems)
    root.asked.add("profile")
    plan = _plan(root, profile, shelf)
    root.close()
    return Reading(plan if not problems else None, tuple(problems))


def _plan(root: Table, profile: str, shelf: Shelf) -> Plan | None:
    name, timezone, week = read_office(root.child("office"))
    seasons = read_seasons(root.children("season", "title"))
    workplace = read_workplace(root)
    if workplace.headcount > MOST_PEOPLE:
        root.problems.append(f"role: expected at most {MOST_PEOPLE:,} people in all, got {workplace.headcount:,}")
    uplinks = read_uplinks(root.children("uplink", "id"), tuple(shelf.priors))
    choices = read_choices(root.children("option", "id"), tuple(u.key for u in uplinks))
    contact = root.child("contact")
    plan = Plan(
        profile=profile,
        name=name,
        timezone=timezone,
        week=week,
        seasons=seasons,
        workplace=workplace,
        deadlines=read_deadlines(root.children("deadline", "title")),
        uplinks=uplinks,
        choices=choices,
        applications=_applications(root, shelf),
        telephones=read_telephones(root.child("calls")),
        power=_power(root.child("power")),
        owner=_owner(root.child("owner")),
        contact_name=contact.text("name"),
        contact_phone=contact.text("phone"),
    )
    contact.close()
    _needs_a_line(root, plan)
    return plan


def _needs_a_line(root: Table, plan: Plan) -> None:
    if not plan.uplinks:
        root.problems.append("uplink: expected at least one [[uplink]] table: the connection you have")
    if not plan.choices:
        root.problems.append("option: expected at least one [[option]] table to compare")
    if not plan.workplace.roles:
        root.problems.append("role: expected at least one [[role]] table: somebody must work here")


def _applications(root: Table, shelf: Shelf) -> tuple[Application, ...]:
    found = []
    for table in root.children("application", "id"):
        app = Application(
            key=table.text("id"),
            title=table.text("title") or table.text("id"),
            use=table.pick("use", tuple(shelf.rates)),
            users=table.whole("users", 0, MOST_PEOPLE, "people"),
            active_ratio=table.number("active", 0.0, 1.0, "a share"),
            critical=table.flag("critical"),
        )
        table.close()
        found.append(app)
    return tuple(found)


def _power(table: Table) -> PowerFacts:
    facts = PowerFacts(
        ups_wh=table.number("ups_wh", 0, 100_000, "watt-hours", 0.0),
        load_w=table.number("load_w", 1, 20_000, "watts", 45.0),
        lithium=table.flag("lithium"),
        major_events=table.flag("major_events"),
        gateway_spare=table.flag("gateway_spare"),
        one_switch=table.flag("one_switch", default=True),
        usd_per_wh_year=table.number("usd_per_battery_wh_year", 0, 100, "dollars", 0.35),
        measured_runtime_h=_optional(table, "measured_runtime_h", 500, "hours"),
        utility_outages_per_year=_optional(table, "utility_outages_per_year", 200, "outages a year (SAIFI)"),
        utility_hours_per_year=_optional(table, "utility_hours_per_year", 2000, "hours a year (SAIDI / 60)"),
    )
    table.close()
    return facts


def _optional(table: Table, key: str, high: float, unit: str) -> float | None:
    return table.number(key, 0.01, high, unit) if table.raw(key) is not None else None


def _owner(table: Table) -> Owner:
    owner = Owner(
        unacceptable_usd=table.number("unacceptable_usd", 1, 1e9, "dollars"),
        longest_h=table.number("longest_h", 0.1, 1000, "business hours"),
        tolerance=table.number("tolerance", 0.0001, 1.0, "a share"),
    )
    table.close()
    return owner
