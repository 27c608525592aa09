"""Numbers as people read them: durations, shares, delays, moments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(seconds: float) -> str:
    """A duration in its one or two largest units: 18 s, 18 min, 3 h 20 min, 4 d 3 h."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86400, "d", whole % 86400 // 3600, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"


def share(ratio: float) -> str:
    """A ratio in percent. A little is never shown as nothing, nor nearly all as all."""
    percent = ratio * 100
    if percent in (0, 100) or 9.95 <= percent < 99.5:
        return f"{percent:.0f} %"
    return f"{min(max(percent, 0.1), 99.9):.1f} %"


def delay(seconds: float | None) -> str:
    """A round trip: 48 ms, 0.4 ms, 1.2 s; a dash when there was none."""
    if seconds is None:
        return "–"
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.00995 else f"{seconds * 1000:.1f} ms"


def megabytes(octets: float) -> str:
    """Bytes as 0.4 MB, 12 MB, 3.1 GB (decimal, as contracts count)."""
    if octets >= 1e9:
        return f"{octets / 1e9:.1f} GB"
    return f"{octets / 1e6:.1f} MB" if octets < 10e6 else f"{octets / 1e6:.0f} MB"


def rate(bps: float) -> str:
    """A rate: 510 kbit/s, 3.4 Mbit/s, 255 Mbit/s."""
    if bps < 999_500:
        return f"{bps / 1e3:.0f} kbit/s"
    return f"{bps / 1e6:.1f} Mbit/s" if bps < 9.95e6 else f"{bps / 1e6:.0f} Mbit/s"


def local(wall: datetime, timezone: str) -> datetime:
    """A moment by the office's clock, or by this machine's when the office has not said where it is."""
    try:
        return wall.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return wall.astimezone()


def moment(wall: datetime, now: datetime, timezone: str) -> str:
    """A moment as one says it now: 10:42, Tue 10:42, 3 Oct 10:42, 3 Oct 2025."""
    then, today = local(wall, timezone), local(now, timezone)
    days = (today.date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    if 0 < days < 7:
        return f"{_DAYS[then.weekday()]} {then:%H:%M}"
    if then.year == today.year:
        return f"{day(then)} {then:%H:%M}"
    return f"{day(then)} {then.year}"


def day(then: datetime) -> str:
    """A date without its year: 3 Oct."""
    return f"{then.day} {_MONTHS[then.month - 1]}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ends = {1: "st", 2: "nd", 3: "rd"} if number % 100 not in (11, 12, 13) else {}
    return f"{number}{ends.get(number % 10, 'th')}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as a sentence lists them: a, b and c; nothing for none."""
    *most, end = [*words] or [""]
    return f"{', '.join(most)} {last} {end}" if most else end


def capital(sentence: str) -> str:
    """A sentence, or a template of one, with a capital letter. A name that stands first keeps its spelling."""
    return sentence[:1].upper() + sentence[1:]
