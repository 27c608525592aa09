"""Small words of the form: the nearest known name, and quantities with their units as people write them."""

import difflib
import re

_RATE = re.compile(r"^\s*([\d.]+)\s*([kMG]?)bit/s\s*$")
_USD = re.compile(r"^\s*\$\s*([\d,]+(?:\.\d+)?)\s*$")
_USD_PER_GB = re.compile(r"^\s*\$\s*([\d.]+)\s*/\s*GB\s*$")
_DATA = re.compile(r"^\s*([\d.]+)\s*([MGT]B)\s*$")
_HOURS = re.compile(r"^\s*([\d.]+)\s*h\s*$")
_FACTOR = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_GIGA = {"MB": 1e-3, "GB": 1.0, "TB": 1e3}


def nearest(word: str, known: list[str]) -> str:
    """A hint such as "; did you mean 'carrier'?", or nothing if no known name is near."""
    found = difflib.get_close_matches(word.casefold(), [k.casefold() for k in known], n=1, cutoff=0.6)
    original = next((k for k in known if found and k.casefold() == found[0]), None)
    return f"; did you mean '{original}'?" if original else ""


def rate_bps(text: str) -> float | None:
    """'25 Mbit/s' in bits a second; None if it is no rate."""
    found = _RATE.match(text)
    return _number(found.group(1), _FACTOR[found.group(2)]) if found else None


def usd(text: str) -> float | None:
    """'$1,370' in dollars; None if it is no amount."""
    found = _USD.match(text)
    return _number(found.group(1).replace(",", ""), 1.0) if found else None


def usd_per_gb(text: str) -> float | None:
    """'$15/GB' in dollars; None if it is no such price."""
    found = _USD_PER_GB.match(text)
    return _number(found.group(1), 1.0) if found else None


def gigabytes(text: str) -> float | None:
    """'20 GB' in gigabytes; None if it is no amount of data."""
    found = _DATA.match(text)
    return _number(found.group(1), _GIGA[found.group(2)]) if found else None


def hours(text: str) -> float | None:
    """'100 h' in hours; None if it is no such span."""
    found = _HOURS.match(text)
    return _number(found.group(1), 1.0) if found else None


def _number(digits: str, factor: float) -> float | None:
    try:
        return float(digits) * factor
    except ValueError:
        return None
