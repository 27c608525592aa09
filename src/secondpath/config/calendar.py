"""Days and times: time zones, office hours, and when a drill is held.

Hours leave this file day by day (`{"mon": "08:00-12:00, 13:00-18:00"}`) and schedules in one of three forms
(`daily 12:15`, `wednesday 12:15`, `first wednesday 12:15`), so that nobody downstream has to know what else is allowed.
"""

from __future__ import annotations

import re
import zoneinfo

from secondpath.config.problem import Place, WrongError, listed, nearest, shown
from secondpath.config.table import Kind, text

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT_DAYS = tuple(day[:3] for day in DAYS)
ORDINALS = ("first", "second", "third", "fourth", "last")
USUAL_TIME = "12:15"
USUAL_DAY = "wednesday"

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_SPAN_EXAMPLE = 'a span such as "08:00-18:00"'


def parse_timezone(said: str) -> str:
    """A time zone of the IANA database."""
    try:
        zoneinfo.ZoneInfo(said)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        zones = zoneinfo.available_timezones()
        by_city = {zone.rsplit("/", 1)[-1]: zone for zone in sorted(zones)}
        meant = nearest(said, zones) or by_city.get(nearest(said, by_city) or "")
        hint = f'; did you mean "{meant}"?' if meant else '; expected one such as "America/Los_Angeles"'
        raise WrongError(f"unknown time zone {shown(said)}{hint}") from None
    return said


def read_hours(value: object, place: Place) -> dict[str, str]:
    """Opening hours, day by day in the order of the week."""
    if not isinstance(value, dict):
        raise WrongError(f"expected {HOURS.expected}, not {shown(value)}")
    spans: dict[str, str] = {}
    for days, said in value.items():
        try:
            named, span = _parse_days(days), _parse_spans(said)
            twice = [day for day in named if day in spans]
            if twice:
                raise WrongError(f"{DAYS[SHORT_DAYS.index(twice[0])]} has its hours already, by another entry")
            spans.update(dict.fromkeys(named, span))
        except WrongError as wrong:
            place.at(days).wrong(str(wrong))
    return {day: spans[day] for day in SHORT_DAYS if day in spans}


def _parse_days(said: str) -> tuple[str, ...]:
    first, hyphen, last = said.casefold().partition("-")
    start = SHORT_DAYS.index(_short_day(first, said))
    if not hyphen:
        return (SHORT_DAYS[start],)
    end = SHORT_DAYS.index(_short_day(last, said))
    count = (end - start) % 7 + 1
    return tuple(SHORT_DAYS[(start + i) % 7] for i in range(count))


def _short_day(word: str, said: str) -> str:
    if word in SHORT_DAYS:
        return word
    meant = nearest(word, (*SHORT_DAYS, *DAYS))
    hint = f'; did you mean "{said.casefold().replace(word, meant[:3])}"?' if meant else ""
    raise WrongError(f"{shown(said)} names no days; expected a day or a range of days such as mon-fri{hint}")


def _parse_spans(said: object) -> str:
    if not isinstance(said, str):
        raise WrongError(f"expected {_SPAN_EXAMPLE}, not {shown(said)}")
    spans: list[tuple[str, str]] = []
    for part in said.split(","):
        opens, hyphen, closes = (side.strip() for side in part.partition("-"))
        if not hyphen:
            raise WrongError(f"expected {_SPAN_EXAMPLE}, not {shown(said)}")
        span = (_parse_time(opens), _parse_time(closes, last="24:00"))
        if span[1] <= span[0]:
            raise WrongError(
                f'{shown(said)} ends before it starts; hours past midnight belong to the next day ("24:00" ends one)'
            )
        if spans and span[0] < spans[-1][1]:
            raise WrongError(f"{shown(said)} starts a span before the one before it has ended")
        spans.append(span)
    return ", ".join(f"{opens}-{closes}" for opens, closes in spans)


def _parse_time(said: str, last: str = "23:59") -> str:
    found = _TIME.fullmatch(said)
    if found is None:
        raise WrongError(f"{shown(said)} is no time of day; expected one such as 08:00 or 17:30")
    time = f"{int(found[1]):02}:{found[2]}"
    if time > last or int(found[2]) > 59:
        raise WrongError(f"{shown(said)} is no time of day; expected 00:00 to {last}")
    return time


def parse_schedule(said: str) -> str:
    """When a drill is held, in one of the three forms."""
    words = said.casefold().split()
    if words[:1] == ["every"]:
        words = words[1:]
    time = _parse_time(words.pop()) if words and ":" in words[-1] else USUAL_TIME
    match words:
        case ["daily" | "day"]:
            return f"daily {time}"
        case ["weekly"]:
            return f"{USUAL_DAY} {time}"
        case ["monthly" | "month"]:
            return f"{ORDINALS[0]} {USUAL_DAY} {time}"
        case [day]:
            return f"{_day(day, said)} {time}"
        case [ordinal, day]:
            if ordinal not in ORDINALS:
                meant = nearest(ordinal, ORDINALS)
                hint = f'; did you mean "{meant}"?' if meant else f"; expected {listed(ORDINALS)}"
                raise WrongError(f"unknown word {shown(ordinal)} in {shown(said)}{hint}")
            return f"{ordinal} {_day(day, said)} {time}"
    raise WrongError(f"{shown(said)} is no schedule; expected one such as {SCHEDULE.expected}")


def _day(word: str, said: str) -> str:
    for day in DAYS:
        if word in (day, day[:3]):
            return day
    meant = nearest(word, (*DAYS, "daily", "weekly", "monthly"))
    hint = f'; did you mean "{meant}"?' if meant else f"; expected one such as {SCHEDULE.expected}"
    raise WrongError(f"unknown word {shown(word)} in {shown(said)}{hint}")


TIMEZONE = text("time zone", 'a time zone such as "America/Los_Angeles"', parse_timezone)
HOURS: Kind[dict[str, str]] = Kind("hours", 'hours such as { mon-fri = "08:00-18:00" }', read_hours)
SCHEDULE = text("schedule", '"first wednesday 12:15", "friday 07:30" or "monthly"', parse_schedule)
