"""Spans and moments as people type them: 30min, 1h30min, yesterday, 10:42, 2026-11-22T10:42."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, time, timedelta

_UNITS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*(s|sec|min|m|h|d)(?![a-z])\s*")


def seconds_in(text: str) -> float:
    """The seconds of a span such as 30min or 1h30min."""
    total, at = 0.0, 0
    while at < len(text) and (part := _PART.match(text, at)):
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if at == 0 or at < len(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write for example 30min, 2h or 1h30min")
    return total


def since(text: str, now: datetime) -> datetime:
    """The moment that a text means at `now`: so long ago, or a date, a time or both, by the clock of `now`."""
    midnight = datetime.combine(now.date(), time(), now.tzinfo)
    if text in {"today", "yesterday"}:
        return midnight - timedelta(days=text == "yesterday")
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            clock = time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text.zfill(8))
            return datetime.combine(now.date(), clock, now.tzinfo)
        if re.match(r"\d{4}-", text):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
        return now - timedelta(seconds=seconds_in(text))
    except (ValueError, OverflowError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment; write for example 2h, today, 10:42 or 2026-11-22T10:42"
        ) from None
