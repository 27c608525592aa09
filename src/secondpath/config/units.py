"""Numbers with units, as people write them and as the house keeps them: seconds, bit/s, bytes, dollars.

A bare number is refused everywhere: "60" has been read as seconds, minutes and milliseconds by different programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from secondpath.config.problem import WrongError, listed, shown

_LONGEST = 64
_NUMBER = re.compile(r"\s*(?P<number>-?[0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(?P<unit>[^\s\d.](?:.*\S)?)?\s*")
_MONEY = re.compile(r"\$(?P<dollars>[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?P<cents>\.[0-9]{2})?")

DURATION_UNITS: Mapping[str, Decimal] = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
RATE_UNITS: Mapping[str, Decimal] = {
    "bit/s": Decimal(1),
    "kbit/s": Decimal(10**3),
    "Mbit/s": Decimal(10**6),
    "Gbit/s": Decimal(10**9),
}
SIZE_UNITS: Mapping[str, Decimal] = {
    "B": Decimal(1),
    "kB": Decimal(10**3),
    "MB": Decimal(10**6),
    "GB": Decimal(10**9),
    "TB": Decimal(10**12),
    "KiB": Decimal(2**10),
    "MiB": Decimal(2**20),
    "GiB": Decimal(2**30),
    "TiB": Decimal(2**40),
}

DURATION = 'a duration such as "60s", "30min" or "2h"'
RATE = 'a rate such as "300 Mbit/s"'
SIZE = 'an amount of data such as "20 GB"'
MONEY = 'an amount such as "$119"'
PRICE = 'a price such as "$15/GB"'

_MEANT: Mapping[str, tuple[str, ...]] = {
    "ms": ("msec", "millisecond", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "min": ("m", "mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "d": ("day", "days"),
    "bit/s": ("bps", "bit", "bits/s"),
    "kbit/s": ("k", "kbit", "kbps", "kb/s", "kbits/s"),
    "Mbit/s": ("m", "mbit", "mbps", "mb/s", "mbits/s"),
    "Gbit/s": ("g", "gbit", "gbps", "gb/s", "gbits/s"),
    "MB": ("m", "meg", "megabyte", "megabytes"),
    "GB": ("g", "gig", "gigabyte", "gigabytes"),
    "TB": ("t", "terabyte", "terabytes"),
}
"""What people write for a unit, in lower case."""


def parse_duration(text: str) -> float:
    """Seconds."""
    return float(_amount(text, DURATION_UNITS, DURATION))


def parse_rate(text: str) -> int:
    """Bits per second; more than none."""
    rate = round(_amount(text, RATE_UNITS, RATE))
    if rate < 1:
        raise WrongError(f"{shown(text)} is no rate at all; expected {RATE}")
    return rate


def parse_size(text: str) -> int:
    """Bytes; more than none."""
    size = round(_amount(text, SIZE_UNITS, SIZE))
    if size < 1:
        raise WrongError(f"{shown(text)} is no data at all; expected {SIZE}")
    return size


def parse_money(text: str) -> float:
    """US dollars."""
    found = _MONEY.fullmatch(text.strip())
    if found is None:
        bare = text.strip().lstrip("$").removesuffix("USD").strip()
        meant = f"${bare}" if _MONEY.fullmatch(f"${bare}") else None
        raise WrongError(f"expected {MONEY}, not {shown(text)}{_hint(meant)}")
    return float(found["dollars"].replace(",", "") + (found["cents"] or ""))


def parse_price_per_gb(text: str) -> float:
    """US dollars for one GB."""
    amount, slash, unit = text.partition("/")
    if not slash or unit.strip() != "GB":
        raise WrongError(f"expected {PRICE}, not {shown(text)}{_hint(f'{amount.strip()}/GB')}")
    return parse_money(amount)


def say_duration(seconds: float) -> str:
    """A duration, to the millisecond, in the unit that leaves few digits."""
    exact = Decimal(round(seconds * 1000)) / 1000
    return _say(exact, DURATION_UNITS, "") if exact else "0s"


def say_rate(bps: int) -> str:
    """A rate in the largest unit that leaves few digits."""
    return _say(Decimal(bps), RATE_UNITS, " ")


def say_size(size_bytes: int) -> str:
    """An amount of data, decimal unless only a binary unit leaves few digits."""
    return _say(Decimal(size_bytes), SIZE_UNITS, " ")


def say_money(usd: float) -> str:
    """Dollars, with cents only where there are any."""
    return f"${usd:.0f}" if round(usd * 100) % 100 == 0 else f"${usd:.2f}"


def _amount(text: str, units: Mapping[str, Decimal], expected: str) -> Decimal:
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise WrongError(f"expected {expected}, not {shown(text)}")
    number, unit = found["number"], found["unit"]
    if unit is None:
        raise WrongError(f"{shown(text)} has no unit; expected {expected}")
    if unit not in units:
        meant = _unit_meant(unit, units)
        gap = "" if units is DURATION_UNITS else " "
        hint = _hint(f"{number}{gap}{meant}" if meant else None)
        if units is RATE_UNITS and "B" in unit:
            hint = "; a byte is 8 bits"
        raise WrongError(f"unknown unit {shown(unit)}; expected {listed(units)}{hint}")
    if number.startswith("-"):
        raise WrongError(f"{shown(text)} is negative; expected {expected}")
    return Decimal(number) * units[unit]


def _unit_meant(unit: str, units: Mapping[str, Decimal]) -> str | None:
    folded = unit.casefold()
    return next((u for u in units if folded == u.casefold() or folded in _MEANT.get(u, ())), None)


def _hint(meant: str | None) -> str:
    return f'; did you mean "{meant}"?' if meant else ""


def _say(amount: Decimal, units: Mapping[str, Decimal], gap: str) -> str:
    """The exact amount, without a leading zero if it can be, with the fewest digits, in the largest such unit."""
    exact = [(amount / size, unit) for unit, size in units.items() if amount / size * size == amount]
    short = [(_plain(number), unit) for number, unit in exact if _exponent(number) >= -6]
    number, unit = min(reversed(short), key=lambda said: (said[0].startswith("0."), len(said[0])))
    return f"{number}{gap}{unit}"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _plain(number: Decimal) -> str:
    said = f"{number:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said
