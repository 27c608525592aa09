"""The one place where numbers become words: two significant digits, ranges, tags. No false precision leaves here."""

import math

from secondpath.plan.estimate import Band, Tag

DISCLAIMER = "planning estimate, not legal, tax or insurance advice"


def two_digits(value: float) -> float:
    """Rounded to two significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{round(value / step) * step:.10g}")


def usd(value: float) -> str:
    """'$1,600'; cents never, and below ten dollars whole ones."""
    rounded = two_digits(value)
    whole = round(rounded) if abs(value) >= 10 else round(value)
    return f"-${-whole:,}" if whole < 0 else f"${whole:,}"


def plain(value: float) -> str:
    """Two digits without a unit: 4.4, 0.045, 1,600."""
    rounded = two_digits(value)
    if rounded == 0:
        return "0"
    if abs(rounded) >= 10:
        return f"{round(rounded):,}"
    places = max(0, 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{places}f}"


def hours(value_h: float) -> str:
    """Hours, or minutes below an hour: '4.4 h', '27 min'."""
    if value_h <= 0:
        return "0 h"
    if value_h < 1.0:
        minutes = value_h * 60.0
        return "under 1 min" if minutes < 0.95 else f"{plain(minutes)} min"
    return f"{plain(value_h)} h"


def span(value_h: float) -> str:
    """A length that was asked for, not estimated: '30 min', '2 h', '4.5 h'."""
    return f"{value_h * 60:g} min" if value_h < 1 else f"{round(value_h, 2):g} h"


def mbps(value_bps: float) -> str:
    """Megabits a second: '3.4 Mbit/s'."""
    return f"{plain(value_bps / 1e6)} Mbit/s"


def chance(ratio: float) -> str:
    """A probability in percent without the nines: '22 %', 'under 1 %', 'over 99 %'."""
    if ratio < 0.01:
        return "under 1 %"
    return "over 99 %" if ratio > 0.99 else f"{two_digits(100.0 * ratio):.0f} %"


def usd_band(band: Band) -> str:
    """'$1,600 ($1,200 to $2,100)'."""
    return f"{usd(band.p50)} ({usd(band.p10)} to {usd(band.p90)})"


def hours_band(band: Band) -> str:
    """'4.4 h (0.0 to 11 h)'."""
    return f"{hours(band.p50)} ({hours(band.p10)} to {hours(band.p90)})"


def tags(found: set[Tag]) -> str:
    """'E+P': the kinds of inputs behind a figure, the office's own first."""
    order = (Tag.MEASURED, Tag.ESTIMATE, Tag.PUBLISHED)
    return "+".join(tag.value for tag in order if tag in found) or Tag.PUBLISHED.value
