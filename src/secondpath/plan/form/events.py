"""What the gateway's own events say, as the records that `records` reads: outages, failovers, watched time.

An event is one object of `secondpath events --json` (wire.status.event_json). An uplink is out while every family it
has ever served is down; one family alone is a nuisance, not an outage. docs/planning.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]

SERVING = frozenset({"up", "degraded"})
FIRST_YEAR = 2020  # a gateway without a clock battery boots in 1970
ONE_FAILOVER_S = 60.0  # both families leave a dead line within that time
MISSED_AFTER_S = 120.0  # an outage that a healthy backup did not carry for so long is a failover that did not come


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as far as it matters here."""

    at: datetime
    room: str
    of: str
    before: str
    after: str
    reason: str


@dataclass(slots=True)
class Down:
    """A span in which an uplink was out; `end` None: still."""

    uplink: str
    start: datetime
    end: datetime | None = None
    carried: bool = False
    missed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Office:
    """The gateway as its events tell it so far."""

    health: dict[tuple[str, str], str] = field(default_factory=dict)
    served: set[tuple[str, str]] = field(default_factory=set)
    active: dict[str, str] = field(default_factory=dict)
    down: dict[str, Down] = field(default_factory=dict)
    spans: list[Down] = field(default_factory=list)
    moves: list[tuple[datetime, str]] = field(default_factory=list)
    stopped: datetime | None = None
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)


def is_event(row: Row) -> bool:
    """True for an event of the gateway, False for a record of the planner's own."""
    return "kind" not in row and "event" in row and "subject" in row and "at" in row


def event_problem(row: Row) -> str:
    """What keeps an event from being understood, as a sentence; empty if nothing does."""
    try:
        moment_of(row, "at")
    except ValueError as err:
        return f"event: {err}"
    return ""


def moment_of(row: Row, key: str) -> datetime:
    """The time at a key, in UTC. Raises KeyError or ValueError with a sentence."""
    value = datetime.fromisoformat(str(row[key]).replace("Z", "+00:00"))
    if value.tzinfo is None:
        raise ValueError(f"{key}: expected a time with its zone, such as 2026-03-02T10:32:00Z")
    return value.astimezone(UTC)


def rows_of(events: Iterable[Row]) -> list[Row]:
    """The records in these events, in any order and even twice (two exports that overlap)."""
    told = _in_order(events)
    if not told:
        return []
    office = Office()
    for one in told:
        _happens(office, one)
    names = sorted({uplink for uplink, _ in (*office.health, *office.served)})
    first, last = told[0].at, told[-1].at
    watched = [{"kind": "watched", "uplink": n, "from": _said(first), "to": _said(last)} for n in names if last > first]
    gaps = [{"kind": "gap", "uplink": n, "from": _said(a), "to": _said(b)} for n in names for a, b in office.gaps]
    return [*watched, *gaps, *(_outage(span) for span in office.spans), *_failovers(office)]


def _in_order(events: Iterable[Row]) -> list[Told]:
    seen: dict[tuple[str, str, str], tuple[datetime, int, Told]] = {}
    for place, row in enumerate(events):
        at = moment_of(row, "at")
        if at.year < FIRST_YEAR:
            continue
        room, _, of = str(row["subject"]).partition(":")
        said = (str(row.get(key) or "") for key in ("before", "after", "reason"))
        number = row["number"] if isinstance(row.get("number"), int) else place
        key = (str(row["at"]), str(row["subject"]), str(row.get("after")))
        seen[key] = (at, number, Told(at, room, of, *said))
    return [told for _, _, told in sorted(seen.values(), key=lambda found: found[:2])]


def _happens(office: Office, told: Told) -> None:
    if told.room == "line":
        _line(office, told)
    elif told.room == "steering":
        _steering(office, told)
    elif told.room == "daemon" and told.after == "stopped":
        office.stopped = told.at
    elif told.room == "daemon" and told.before == "stopped" and office.stopped is not None:
        if told.at > office.stopped:
            office.gaps.append((office.stopped, told.at))
        office.stopped = None


def _line(office: Office, told: Told) -> None:
    """An uplink goes out with the last of its families, and comes back with the first."""
    uplink, _, family = told.of.partition("/")
    if {told.before, told.after} & SERVING:
        office.served.add((uplink, family))
    if told.after == "unknown":  # a restart or an unplugged modem: nobody knows, so nothing ends
        return
    office.health[uplink, family] = told.after
    if _is_out(office, uplink):
        if uplink not in office.down:
            office.down[uplink] = Down(uplink, told.at)
            office.spans.append(office.down[uplink])
            office.down[uplink].carried = _is_elsewhere(office, uplink)
    elif (span := office.down.pop(uplink, None)) is not None:
        span.end = told.at
        _settle(office, span, told.at)


def _is_out(office: Office, uplink: str) -> bool:
    families = {f for u, f in office.served if u == uplink} or {f for u, f in office.health if u == uplink}
    return all(office.health.get((uplink, family)) == "down" for family in families)


def _is_elsewhere(office: Office, uplink: str) -> bool:
    """True if traffic of some family travels over another uplink, and that one is not out."""
    return any(used and used != uplink and used not in office.down for used in office.active.values())


def _settle(office: Office, span: Down, end: datetime) -> None:
    """Nobody carried a long outage of the line in use, although another was well: those did not take over."""
    in_use = span.uplink in office.active.values()
    if in_use and not span.carried and end - span.start >= timedelta(seconds=MISSED_AFTER_S):
        others = {uplink for uplink, _ in office.served} - {span.uplink}
        span.missed = {o for o in others if not _is_out(office, o) and not _was_out(office, o, span.start)}


def _was_out(office: Office, uplink: str, since: datetime) -> bool:
    return any(s.uplink == uplink and (s.end is None or s.end > since) for s in office.spans)


def _steering(office: Office, told: Told) -> None:
    office.active[told.of] = told.after
    if told.after and told.reason == "better" and told.before:
        latest = max((at for at, target in office.moves if target == told.after), default=None)
        if latest is None or (told.at - latest).total_seconds() > ONE_FAILOVER_S:
            office.moves.append((told.at, told.after))
    for uplink, span in office.down.items():
        span.carried = span.carried or _is_elsewhere(office, uplink)


def _outage(span: Down) -> Row:
    end = None if span.end is None else _said(span.end)
    offline = not span.carried
    return {"kind": "outage", "uplink": span.uplink, "start": _said(span.start), "end": end, "office_offline": offline}


def _failovers(office: Office) -> list[Row]:
    came = [{"kind": "failover", "uplink": target, "result": "passed"} for _, target in office.moves]
    missed = [{"kind": "failover", "uplink": o, "result": "failed"} for s in office.spans for o in sorted(s.missed)]
    return [*came, *missed]


def _said(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
