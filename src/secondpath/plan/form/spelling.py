"""Amounts with their units, read by the configuration's own reader, in the planner's measures."""

from __future__ import annotations

from secondpath.config.problem import WrongError, shown
from secondpath.config.problem import nearest as nearest_word
from secondpath.config.units import parse_duration, parse_money, parse_price_per_gb, parse_rate, parse_size


def nearest(word: str, known: list[str]) -> str:
    """A hint such as "; did you mean 'carrier'?", or nothing if no known name is near."""
    meant = nearest_word(word, known)
    return f"; did you mean '{meant}'?" if meant else ""


def rate_bps(text: str) -> float:
    """'25 Mbit/s' in bits a second. This and the others raise WrongError with a sentence."""
    return float(parse_rate(text))


def usd(text: str) -> float:
    """'$1,370' in dollars."""
    return parse_money(text)


def gigabytes(text: str) -> float:
    """'20 GB' in gigabytes."""
    return parse_size(text) / 1e9


def hours(text: str) -> float:
    """'100 h' in hours."""
    return parse_duration(text) / 3600.0


def beyond(text: str) -> tuple[float | None, float | None]:
    """What follows a used-up allowance: a rate in bits a second, or dollars per GB; 'stop' is a rate of 0."""
    if text == "stop":
        return 0.0, None
    if text.lstrip().startswith("$"):
        return None, parse_price_per_gb(text)
    try:
        return rate_bps(text), None
    except WrongError:
        expected = 'a rate such as "600 kbit/s", a price such as "$15/GB", or "stop"'
        raise WrongError(f"expected {expected}, not {shown(text)}") from None
