"""The people side of plan.toml: office, roles, calls, sales, seasons, deadlines."""

import re
import zoneinfo
from functools import cache

from secondpath.plan.deadlines import Deadline
from secondpath.plan.estimate import Estimate, exactly
from secondpath.plan.form.spelling import nearest
from secondpath.plan.form.table import Table
from secondpath.plan.hours import DAYS, Season, Week
from secondpath.plan.inputs import Telephones
from secondpath.plan.people import Billing, Calls, CatchUp, Role, Sales, Upset, Workplace
from secondpath.plan.voice import Codec

CODECS = {
    "g711": Codec("G.711", 160, 0.02, 0.0, 25.1),
    "g729": Codec("G.729A", 20, 0.02, 11.0, 19.0),
    "opus": Codec("Opus 24 kbit/s", 60, 0.02, 0.0, 25.1),
}
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SPAN = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$")
_MOST_USD_PER_H = 5000.0


def read_office(table: Table) -> tuple[str, str, Week]:
    """Name, time zone and opening hours."""
    name = table.text("name", "The office")
    zone = table.text("timezone", "UTC")
    if zone not in _zones():
        table.complain("timezone", "a time zone such as America/Los_Angeles", zone)
        table.problems[-1] += nearest(zone, sorted(_zones()))
    week = read_week(table, "hours")
    table.close()
    return name, zone, week or ((8.0, 17.0),) * 5 + (None, None)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def read_week(table: Table, key: str) -> Week | None:
    """{ mon-fri = "08:00-17:00", sat = "09:00-13:00" } as seven spans; None if it is missing or wrong."""
    value = table.raw(key)
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        table.complain(key, 'hours such as { mon-fri = "08:00-17:00" }', value)
        return None
    week: list[tuple[float, float] | None] = [None] * 7
    for days, text in value.items():
        span = _span(text)
        chosen = _days(days)
        if span is None or not chosen:
            table.complain(
                f"{key}.{days}", 'days like mon-fri and a time like "08:00-17:00" within one day of 24 hours', text
            )
            continue
        for day in chosen:
            week[day] = span
    return tuple(week) if any(week) else None


def _span(text: object) -> tuple[float, float] | None:
    found = _SPAN.match(text) if isinstance(text, str) else None
    if not found:
        return None
    hour, minute, last_hour, last_minute = (int(part) for part in found.groups())
    start, end = hour + minute / 60.0, last_hour + last_minute / 60.0
    fits = minute < 60 and last_minute < 60 and 0 <= start < end <= 24
    return (start, end) if fits else None


def _days(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if first not in DAYS or (last and last not in DAYS):
        return []
    start, end = DAYS.index(first), DAYS.index(last or first)
    return list(range(start, end + 1)) if start <= end else [*range(start, 7), *range(end + 1)]


def read_seasons(tables: list[Table]) -> tuple[Season, ...]:
    """Deadline seasons by date."""
    seasons = []
    for table in tables:
        name, week = table.text("title", "Season"), read_week(table, "hours")
        first, last = _day_of_year(table, "from"), _day_of_year(table, "to")
        table.close()
        seasons.append(Season(name, first, last, week))
    return tuple(seasons)


def _day_of_year(table: Table, key: str) -> int:
    value = table.raw(key)
    found = re.match(r"^(\d{2})-(\d{2})$", value) if isinstance(value, str) else None
    month, day = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if not (1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month - 1]):
        table.complain(key, "a date without a year such as 04-15", value)
        return 0
    return sum(_MONTH_DAYS[: month - 1]) + day - 1


def read_deadlines(tables: list[Table]) -> tuple[Deadline, ...]:
    """Hard deadlines."""
    found = []
    for table in tables:
        usd = table.raw("consequence_usd")
        deadline = Deadline(
            name=table.text("title", "Deadline"),
            per_year=table.number("per_year", 0, 100_000, "deadlines a year"),
            window_h=table.number("window_h", 0, 1000, "hours"),
            needed_h=table.number("needed_h", 0, 1000, "hours", 0.0),
            consequence=table.text("consequence"),
            consequence_usd=None if usd is None else table.number("consequence_usd", 0, 1e9, "dollars"),
        )
        table.close()
        found.append(deadline)
    return tuple(found)


def read_workplace(root: Table) -> Workplace:
    """Roles, calls, sales, catching up and the upset."""
    roles = tuple(_role(table) for table in root.children("role", "id"))
    return Workplace(
        roles,
        _calls(root.child("calls")),
        _sales(root.child("sales")),
        _catch_up(root.child("catch_up")),
        _upset(root.child("upset")),
    )


def _role(table: Table) -> Role:
    key = table.text("id")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", key):
        table.complain("id", "a short name in small letters such as staff", key)
    role = Role(
        key=key,
        title=table.text("title") or key,
        count=table.whole("people", 0, 2000, "people"),
        loaded_usd_per_h=table.estimate("loaded_usd_per_h", 0, _MOST_USD_PER_H, "dollars an hour"),
        present=table.estimate("present", 0, 1, "a share") if table.raw("present") is not None else exactly(1.0),
        stops=table.estimate("stops", 0, 1, "a share"),
        aside_first=table.estimate("other_work_first", 0, 1, "a share"),
        aside_later=table.estimate("other_work_later", 0, 1, "a share"),
        aside_fade_h=table.estimate("other_work_fades_h", 0.01, 100, "hours"),
        billing=_billing(table),
        overtime_ratio=table.number("overtime_ratio", 0, 1, "a share", 0.0),
    )
    if role.aside_later.high > role.aside_first.low and role.aside_later.likely > role.aside_first.likely:
        table.complain("other_work_later", "no more than other_work_first", table.raw("other_work_later"))
    table.close()
    return role


def _billing(table: Table) -> Billing | None:
    keys = ("bills_usd_per_h", "utilisation", "realisation")
    # A role without its own billing lines does not bill, even if the profile's role of that name does.
    given = [key for key in keys if table.raw(key) is not None]
    if not given:
        return None
    return Billing(
        table.estimate("bills_usd_per_h", 0, _MOST_USD_PER_H, "dollars an hour"),
        table.estimate("utilisation", 0, 1, "a share"),
        table.estimate("realisation", 0, 1, "a share"),
    )


def _calls(table: Table) -> Calls:
    return Calls(
        per_h=table.estimate("per_h", 0, 10_000, "calls an hour"),
        missed=table.estimate("missed", 0, 1, "a share"),
        no_retry=table.estimate("no_retry", 0, 1, "a share"),
        margin_usd=table.estimate("margin_usd", 0, 1e6, "dollars"),
        season_factor=table.estimate("season_factor", 0.01, 100, "a factor"),
    )


def read_telephones(table: Table) -> Telephones:
    """The same calls as traffic."""
    per_h: Estimate = Table(table.own, table.fallback, table.path, []).estimate("per_h", 0, 10_000, "calls")
    factor: Estimate = Table(table.own, table.fallback, table.path, []).estimate("season_factor", 0.01, 100, "a factor")
    phones = Telephones(
        per_h=per_h.high,
        season_factor=max(1.0, factor.likely),
        handling_s=table.number("handling_s", 1, 36_000, "seconds", 240.0),
        phones=table.whole("phones", 0, 5000, "telephones", 0),
        codec=CODECS[table.pick("codec", tuple(CODECS), "g711")],
    )
    table.asked |= {"per_h", "missed", "no_retry", "margin_usd", "season_factor"}
    table.close()
    return phones


def _sales(table: Table) -> Sales:
    sales = Sales(
        per_h=table.estimate("per_h", 0, 100_000, "sales an hour"),
        abandoned=table.estimate("abandoned", 0, 1, "a share"),
        margin_usd=table.estimate("margin_usd", 0, 1e6, "dollars"),
        delayed=table.estimate("delayed", 0, 1, "a share"),
        delay_usd=table.estimate("delay_usd", 0, 1e6, "dollars"),
        season_factor=table.estimate("season_factor", 0.01, 100, "a factor"),
    )
    table.close()
    return sales


def _catch_up(table: Table) -> CatchUp:
    catch_up = CatchUp(
        ordinary=table.estimate("ordinary", 0, 1, "a share"),
        season=table.estimate("season", 0, 1, "a share"),
        fade_h=table.estimate("fades_h", 0.1, 10_000, "hours"),
    )
    table.close()
    return catch_up


def _upset(table: Table) -> Upset:
    minutes = table.estimate("restart_min", 0, 480, "minutes")
    upset = Upset(
        restart_h=Estimate(minutes.low / 60.0, minutes.likely / 60.0, minutes.high / 60.0, minutes.tag),
        manage_first_h=table.estimate("manage_first_h", 0, 100, "hours"),
        manage_share=table.estimate("manage_share", 0, 10, "hours per hour"),
        manager_usd_per_h=table.estimate("manager_usd_per_h", 0, _MOST_USD_PER_H, "dollars an hour"),
        call_out_usd=table.estimate("call_out_usd", 0, 1e6, "dollars"),
    )
    table.close()
    return upset
