"""[office], [failover], [power] and [drill]: the small tables of which there is at most one."""

from __future__ import annotations

import re
from typing import NamedTuple

from secondpath.config.addresses import is_host_name, split_authority
from secondpath.config.calendar import HOURS, SCHEDULE, TIMEZONE
from secondpath.config.problem import WrongError, shown
from secondpath.config.table import FLAG, PLAIN, Key, Kind, Section, Table, choice, list_of, text
from secondpath.config.units import DURATION, parse_duration, say_duration
from secondpath.model import Drill, Failover, Power, Profile

DAY_S = 86400.0
BUSINESSES = ("cpa", "law", "escrow", "clinic", "retail", "general")
POWERED = ("modem", "gateway", "switch", "access-point", "phones", "server", "workstations", "card-terminals")


def duration(least_s: float, most_s: float) -> Kind[float]:
    """A duration within bounds."""

    def parse(said: str) -> float:
        seconds = parse_duration(said)
        if not least_s <= seconds <= most_s:
            bounds = f"{say_duration(least_s)} to {say_duration(most_s)}"
            raise WrongError(f"{shown(said)} is out of range; expected {bounds}")
        return seconds

    return text("duration", DURATION, parse)


# ── office ───────────────────────────────────────────────────────────────────────────


class Office(NamedTuple):
    """What [office] says."""

    name: str
    timezone: str
    profile: str
    hours: dict[str, str]


OFFICE_NAME = Key("name", PLAIN, "The office as its people call it.", '"Hartwell & Lowe, CPAs"', "office")
OFFICE_TIMEZONE = Key("timezone", TIMEZONE, "Where its clocks are.", '"America/Los_Angeles"', "UTC")
OFFICE_PROFILE = Key(
    "profile",
    choice("profile", {b: b for b in BUSINESSES}, {"accounting": "cpa", "medical": "clinic", "legal": "law"}),
    f"The kind of office, which chooses presets for applications, calendar and planner: {', '.join(BUSINESSES)}.",
    '"cpa"',
    "general",
)
OFFICE_HOURS = Key(
    "hours",
    HOURS,
    "When people work: days or ranges of days, each with one or more spans. Days not named are closed.",
    '{ mon-fri = "08:00-12:00, 13:00-18:00", sat = "09:00-13:00" }',
    unset="no hours known: any time may be working time",
)
OFFICE = Table("[office]", "The office itself. Optional.", (OFFICE_NAME, OFFICE_TIMEZONE, OFFICE_PROFILE, OFFICE_HOURS))


def build_office(section: Section) -> Office:
    """What [office] says, or the defaults."""
    return Office(
        name=section.get_or(OFFICE_NAME, ""),
        timezone=section.get_or(OFFICE_TIMEZONE, ""),
        profile=section.get_or(OFFICE_PROFILE, ""),
        hours=section.get_or(OFFICE_HOURS, {}),
    )


# ── failover ─────────────────────────────────────────────────────────────────────────

FAILOVER_PROFILE = Key(
    "profile",
    choice("profile", {str(p): p for p in Profile}),
    f"One word that sets probing and thresholds together: {', '.join(Profile)}.",
    '"balanced"',
    "balanced",
)
HOLD = Key(
    "hold", duration(1, DAY_S), "How long the preferred uplink must be good before traffic goes home.", '"60s"', "60s"
)
HOLD_MAX = Key("hold_max", duration(1, DAY_S), "The hold doubles after each relapse, up to this.", '"30min"', "30min")
DRAIN = Key(
    "drain",
    duration(0, DAY_S),
    "How long a call or tunnel in progress may stay on a healthy backup after going home.",
    '"10min"',
    "10min",
)
FAILOVER = Table(
    "[failover]", "When to leave an uplink and when to come home. Optional.", (FAILOVER_PROFILE, HOLD, HOLD_MAX, DRAIN)
)


def build_failover(section: Section) -> Failover:
    """When to leave and when to come home."""
    failover = Failover(
        profile=section.get_or(FAILOVER_PROFILE, Profile.BALANCED),
        hold_s=section.get_or(HOLD, 1.0),
        hold_max_s=section.get_or(HOLD_MAX, DAY_S),
        drain_s=section.get_or(DRAIN, 0.0),
    )
    if failover.hold_s > failover.hold_max_s:
        most = say_duration(failover.hold_max_s)
        told = f'"hold_max", which is "{most}"' + ("" if HOLD_MAX in section else " where it is not set")
        section.place_of(HOLD).wrong(f'"{say_duration(failover.hold_s)}" is longer than {told}')
    return failover


# ── power ────────────────────────────────────────────────────────────────────────────


def parse_nut(said: str) -> str:
    """The address of a UPS as Network UPS Tools write it."""
    ups, at, server = said.partition("@")
    if not at or not re.fullmatch(r"[A-Za-z0-9._-]+", ups):
        raise WrongError(f"{shown(said)} is no address of a UPS; expected {NUT.expected}")
    host, _port = split_authority(server)
    if not is_host_name(host) and not server.startswith("["):
        raise WrongError(f"{shown(host)} is no host name or address; expected {NUT.expected}")
    return said


NUT = text("UPS address", 'NAME@HOST or NAME@HOST:PORT such as "ups@127.0.0.1:3493"', parse_nut)
POWER_NUT = Key("nut", NUT, "The UPS, by its Network UPS Tools address.", '"ups@127.0.0.1:3493"', required=True)
PROTECTS = Key(
    "protects",
    list_of(
        choice("device", {d: d for d in POWERED}, {"router": "gateway", "wifi": "access-point", "ap": "access-point"})
    ),
    f"What it feeds: {', '.join(POWERED)}.",
    '["modem", "gateway", "switch"]',
)
POWER = Table("[power]", "The UPS. Optional.", (POWER_NUT, PROTECTS))


def build_power(section: Section) -> Power:
    """The UPS and what it feeds."""
    return Power(section.get_or(POWER_NUT, ""), section.get_or(PROTECTS, ()))


# ── drill ────────────────────────────────────────────────────────────────────────────

DRILL_SCHEDULE = Key(
    "schedule",
    SCHEDULE,
    "When, in the office's time zone: `daily`, a weekday, or `first` … `fourth` or `last` and a weekday, "
    "then the time; `weekly` is `wednesday 12:15`, `monthly` is `first wednesday 12:15`.",
    '"first wednesday 12:15"',
    required=True,
)
DRILL_LIVE = Key(
    "live", FLAG, "false: only dark drills, which nobody notices; true: the office really moves.", "false", False
)
DRILL_DURATION = Key(
    "duration", duration(10, DAY_S / 3), "How long a live drill stays on the backup.", '"10min"', "10min"
)
DRILL = Table("[drill]", "When the backup is proven. Optional.", (DRILL_SCHEDULE, DRILL_LIVE, DRILL_DURATION))


def build_drill(section: Section) -> Drill:
    """When and how the backup is proven."""
    return Drill(
        schedule=section.get_or(DRILL_SCHEDULE, ""),
        live=section.get_or(DRILL_LIVE, False),
        duration_s=section.get_or(DRILL_DURATION, 0.0),
    )
