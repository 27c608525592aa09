"""Reading the book from another process: the commands, the page, the reports.

Trap: a WAL database can be read only by somebody who may write its `-shm` file, unless the writer holds it open. So
an unprivileged reader of a stopped daemon's book opens it as immutable. What a crash left in the write-ahead log is not
seen then; the next start of the daemon, or a reader with the right to write, brings it back. Where there is no log the
book was closed in peace, and is opened as immutable by everyone: a reader with rights would leave files of its own.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from secondpath.model import Family, Line, Transition
from secondpath.record.ledger import wall_us
from secondpath.wire.incident import LIMIT_BYTES
from secondpath.wire.snapshot import Event


class Unreadable(Exception):  # noqa: N818
    """The book cannot be read; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """A minute of a line, as it was kept."""

    line: Line
    at: datetime
    looks: int
    down_ratio: float
    degraded_ratio: float
    unknown_ratio: float
    loss_ratio: float
    loss_worst_ratio: float
    rtt_s: float | None
    rtt_worst_s: float | None
    jitter_s: float | None


def events(path: Path, *, since: datetime | None = None, after: int = 0, limit: int = 50) -> list[Event]:
    """The newest events, oldest first: at most `limit`, none before `since`, none numbered `after` or less."""
    floor = wall_us(since) if since is not None else -(2**62)
    with _reading(path) as db:
        rows = db.execute(_EVENTS, (after, floor, limit)).fetchall()
    return [_event(row) for row in reversed(rows)]


def minutes(path: Path, line: Line, since: datetime, until: datetime) -> list[MinuteRow]:
    """The minutes of one line in a span of time, in order."""
    span = line.uplink, line.family.value, int(since.timestamp() // 60), int(until.timestamp() // 60)
    with _reading(path) as db:
        rows = db.execute(_MINUTES, span).fetchall()
    return [_minute(row) for row in rows]


def incident(path: Path, event: int) -> bytes | None:
    """The file of the incident which explains an event; None when there is none."""
    with _reading(path) as db:
        row = db.execute(_INCIDENT, (event,)).fetchone() if _keeps_incidents(db) else None
    return None if row is None else _unpacked(path, row[0])


def explained(path: Path, limit: int = 50) -> list[Event]:
    """The newest events that an incident explains, oldest first."""
    with _reading(path) as db:
        rows = db.execute(_EXPLAINED, (limit,)).fetchall() if _keeps_incidents(db) else []
    return [_event(row) for row in reversed(rows)]


def event(path: Path, number: int) -> Event | None:
    """The event of that number."""
    with _reading(path) as db:
        row = db.execute(_EVENT, (number,)).fetchone()
    return None if row is None else _event(row)


def last_switches(path: Path, limit: int) -> list[Event]:
    """The newest events of traffic that moved, oldest first."""
    with _reading(path) as db:
        rows = db.execute(_SWITCHES, (limit,)).fetchall()
    return [_event(row) for row in reversed(rows)]


def _keeps_incidents(db: sqlite3.Connection) -> bool:
    """Whether the daemon that wrote the book did already keep incidents."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'explained'").fetchone() is not None


def _unpacked(path: Path, record: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(record, LIMIT_BYTES)
    except zlib.error as why:
        raise Unreadable(_sentence(path, why)) from None


def memory(path: Path) -> dict[str, str]:
    """What the daemon remembers."""
    with _reading(path) as db:
        return dict(db.execute("SELECT key, value FROM memory"))


_EVENTS = """
SELECT number, wall_us, at_s, subject, before, after, reason, detail FROM transition
WHERE number > ? AND wall_us >= ? ORDER BY number DESC LIMIT ?
"""
_EVENT = "SELECT number, wall_us, at_s, subject, before, after, reason, detail FROM transition WHERE number = ?"
_INCIDENT = (
    "SELECT record FROM incident JOIN explained ON explained.incident = incident.number WHERE explained.event = ?"
)
_SWITCHES = """
SELECT number, wall_us, at_s, subject, before, after, reason, detail FROM transition
WHERE event IN ('steering.failover', 'steering.failback') ORDER BY number DESC LIMIT ?
"""
_EXPLAINED = """
SELECT number, wall_us, at_s, subject, before, after, reason, detail
FROM transition JOIN explained ON explained.event = transition.number ORDER BY number DESC LIMIT ?
"""
_MINUTES = """
SELECT * FROM minute WHERE uplink = ? AND family = ? AND minute BETWEEN ? AND ? ORDER BY minute
"""


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        db = _opened(path)
    except (sqlite3.Error, OSError) as why:
        raise Unreadable(_sentence(path, why)) from None
    try:
        yield db
    except sqlite3.Error as why:
        raise Unreadable(_sentence(path, why)) from None
    finally:
        db.close()


def _opened(path: Path) -> sqlite3.Connection:
    with path.open("rb"):
        pass  # says whether it is missing or forbidden, which SQLite does not
    if path.with_name(path.name + "-wal").exists():
        with suppress(sqlite3.OperationalError):
            return _tried(path, "mode=ro")
    return _tried(path, "mode=ro&immutable=1")


def _tried(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=2.0)
    try:
        db.execute("SELECT 1 FROM transition LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def _sentence(path: Path, why: Exception) -> str:
    if isinstance(why, FileNotFoundError):
        return f"there is no book at {path} yet"
    if isinstance(why, PermissionError):
        return f"you may not read {path}: use sudo, or join the group secondpath"
    return f"the book {path} cannot be read: {why}"


def _event(row: Sequence[object]) -> Event:
    number, wall, at, subject, before, after, reason, detail = row
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(str(wall)))
    told = Transition(float(str(at)), str(subject), str(before), str(after), str(reason), json.loads(str(detail)))
    return Event(int(str(number)), moment, told)


def _minute(row: Sequence[object]) -> MinuteRow:
    uplink, family, number, looks, *seen = row
    at = datetime.fromtimestamp(int(str(number)) * 60, UTC)
    down, degraded, unknown, loss, worst = (float(str(value)) for value in seen[:5])
    rtt, rtt_worst, jitter = (None if value is None else float(str(value)) for value in seen[5:])
    line = Line(str(uplink), Family(str(family)))
    return MinuteRow(line, at, int(str(looks)), down, degraded, unknown, loss, worst, rtt, rtt_worst, jitter)
