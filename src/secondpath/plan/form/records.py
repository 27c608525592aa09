"""Measured records: outages, drills, power, usage, the times that were watched at all, and the gateway's own events.

JSON lines, or the one document of `secondpath events --json`. `kind` is one of watched, gap, outage, drill, failover,
power, usage; an object with `event` is the gateway's (see `events`); all else is counted and left alone, so that a
fuller export can be read. Times are RFC 3339. docs/planning.md has the table of fields.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from secondpath.plan.evidence import Evidence, SeenDrill, SeenOutage
from secondpath.plan.form.events import event_problem, is_event, moment_of, rows_of
from secondpath.plan.inputs import Plan

_YEAR_S = 8766 * 3600.0
_LONGEST_LINE = 100_000


@dataclass(slots=True)
class _Pile:
    plan: Plan
    outages: list[SeenOutage] = field(default_factory=list)
    drills: list[SeenDrill] = field(default_factory=list)
    watched_s: dict[str, float] = field(default_factory=dict)
    first: dict[str, datetime] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)
    starts: dict[str, list[datetime]] = field(default_factory=dict)
    runtimes_h: list[float] = field(default_factory=list)
    usage_gb: dict[str, list[float]] = field(default_factory=dict)
    ignored: int = 0


def read_file(text: str, plan: Plan) -> tuple[Evidence, tuple[str, ...]]:
    """The evidence in a file: one document (as `events --json` prints it, over one line or many), or JSON lines."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return read_records(text.splitlines(), plan)
    events = whole.get("events") if isinstance(whole, dict) else None
    if not isinstance(events, list):
        return read_records([json.dumps(whole)], plan)
    return read_records((json.dumps(event) for event in events), plan, "event")


def read_records(lines: Iterable[str], plan: Plan, each: str = "line") -> tuple[Evidence, tuple[str, ...]]:
    """The evidence in these lines, and one sentence per line that could not be read; `each`: what a line is called."""
    pile, problems, events = _Pile(plan), [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            row, problem = _object(line)
            if row is not None and is_event(row):
                problem = event_problem(row)
                events += [] if problem else [row]
            elif row is not None:
                problem = _take(pile, row)
            if problem:
                problems.append(f"{each} {number}: {problem}")
    seen = [_take(pile, row) for row in rows_of(events)]
    return _evidence(pile), (*problems, *dict.fromkeys(f"events: {problem}" for problem in seen if problem))


def _object(line: str) -> tuple[dict[str, Any] | None, str]:
    if len(line) > _LONGEST_LINE:
        return None, f"expected at most {_LONGEST_LINE:,} characters"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    return (row, "") if isinstance(row, dict) else (None, "expected one JSON object")


def _take(pile: _Pile, row: dict[str, Any]) -> str:
    reader = _KINDS.get(str(row.get("kind")))
    if reader is None:
        pile.ignored += 1
        return ""
    try:
        reader(pile, row)
    except (KeyError, ValueError, TypeError, OverflowError) as err:
        what = f"'{err.args[0]}' is missing" if isinstance(err, KeyError) else str(err)
        return f"{row['kind']}: {what}"
    return ""


def _number(row: dict[str, Any], key: str, high: float) -> float:
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise ValueError(f"{key}: expected a number between 0 and {high:g}")
    return float(value)


def _span(row: dict[str, Any], first: str = "from", last: str = "to") -> tuple[datetime, datetime]:
    start, end = moment_of(row, first), moment_of(row, last)
    if end <= start:
        raise ValueError(f"{last}: expected a time after {first}")
    return start, end


def _uplink(pile: _Pile, row: dict[str, Any]) -> str:
    key, known = str(row["uplink"]), [u.key for u in pile.plan.uplinks]
    if key not in known:
        raise ValueError(f"uplink: expected one of {', '.join(known)}")
    return key


def _watched(pile: _Pile, row: dict[str, Any]) -> None:
    key, (start, end) = _uplink(pile, row), _span(row)
    sign = -1.0 if row["kind"] == "gap" else 1.0
    pile.watched_s[key] = pile.watched_s.get(key, 0.0) + sign * (end - start).total_seconds()
    if sign > 0:
        pile.first[key] = min(start, pile.first.get(key, start))
        pile.last[key] = max(end, pile.last.get(key, end))


def _outage(pile: _Pile, row: dict[str, Any]) -> None:
    key, start = _uplink(pile, row), moment_of(row, "start")
    end = _span(row, "start", "end")[1] if row.get("end") is not None else None
    asked = {
        name: int(_number(row, name, 1e6)) if row.get(name) is not None else None
        for name in ("people_stopped", "calls_missed")
    }
    offline = row.get("office_offline", True) is not False
    pile.outages.append(
        SeenOutage(
            uplink=key,
            started=start.isoformat().replace("+00:00", "Z"),
            hours=None if end is None else (end - start).total_seconds() / 3600.0,
            open_h=0.0 if end is None else open_hours(pile.plan, start, end),
            in_season=_in_season(pile.plan, start),
            planned=row.get("planned") is True,
            people_stopped=asked["people_stopped"],
            calls_missed=asked["calls_missed"],
            offline=offline,
        )
    )
    pile.starts.setdefault(key, []).append(start)


def _drill(pile: _Pile, row: dict[str, Any]) -> None:
    key, result = _uplink(pile, row), row["result"]
    if result not in ("passed", "failed"):
        raise ValueError("result: expected passed or failed")
    taken = _number(row, "failover_s", 86_400) if row.get("failover_s") is not None else None
    pile.drills.append(SeenDrill(key, result == "passed", taken))


def _power(pile: _Pile, row: dict[str, Any]) -> None:
    if row.get("runtime_h") is not None:
        pile.runtimes_h.append(max(_number(row, "runtime_h", 1000), 0.01))


def _usage(pile: _Pile, row: dict[str, Any]) -> None:
    pile.usage_gb.setdefault(_uplink(pile, row), []).append(_number(row, "bytes", 1e18) / 1e9)


_KINDS: dict[str, Callable[[_Pile, dict[str, Any]], None]] = {
    "watched": _watched,
    "gap": _watched,
    "outage": _outage,
    "drill": _drill,
    "failover": _drill,
    "power": _power,
    "usage": _usage,
}


def open_hours(plan: Plan, start: datetime, end: datetime) -> float:
    """Business hours between two moments in the office's own time zone, daylight saving included."""
    zone, total_h = ZoneInfo(plan.timezone), 0.0
    day = start.astimezone(zone).date()
    last = min(end, start + timedelta(days=400)).astimezone(zone).date()
    while day <= last:
        span = plan.week[day.weekday()]
        if span:
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            opens, closes = ((midnight + timedelta(hours=h)).astimezone(UTC) for h in span)
            total_h += max(0.0, (min(closes, end) - max(opens, start)).total_seconds() / 3600.0)
        day += timedelta(days=1)
    return total_h


def _in_season(plan: Plan, start: datetime) -> bool:
    day = start.astimezone(ZoneInfo(plan.timezone)).timetuple().tm_yday - 1
    return any(season.holds(day) for season in plan.seasons)


def _evidence(pile: _Pile) -> Evidence:
    return Evidence(
        outages=tuple(sorted(pile.outages, key=lambda o: o.started)),
        drills=tuple(pile.drills),
        watched_years={key: max(seconds, 0.0) / _YEAR_S for key, seconds in pile.watched_s.items()},
        monthly_counts={key: _by_month(pile, key) for key in pile.first},
        ups_runtimes_h=tuple(pile.runtimes_h),
        usage_gb={key: tuple(values) for key, values in pile.usage_gb.items()},
        ignored=pile.ignored,
    )


def _by_month(pile: _Pile, key: str) -> tuple[int, ...]:
    """Outages per calendar month over the watched time, empty months included."""
    first, last = pile.first[key], pile.last[key]
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    counts = [0] * months
    for start in pile.starts.get(key, []):
        place = (start.year - first.year) * 12 + start.month - first.month
        if 0 <= place < months:
            counts[place] += 1
    return tuple(counts)
