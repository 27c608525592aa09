"""The book's connection to its file. Lives in the writer's thread alone, and may wait for the disk as long as it likes.

A file that cannot be read is moved aside, never deleted: it may be the only record of an outage somebody disputes.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TypeAlias

from secondpath import clock
from secondpath.record.rollup import Minute
from secondpath.record.tape import Packed
from secondpath.wire.snapshot import Event
from secondpath.wire.status import event_name

Memory: TypeAlias = tuple[str, str]
Entry: TypeAlias = Event | Memory | Minute
"""What is written: an event (its number is given here), something to remember, or a minute."""

INCIDENTS = 200
INCIDENTS_BYTES = 16 << 20
"""So many incidents are kept, and no more than this of them; the newest always."""
LOOK_BACK = 10_000
"""Among so many of the newest events those are looked for which an incident explains."""
CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_EPOCH_US = datetime(1970, 1, 1, tzinfo=UTC)


class TooNew(sqlite3.Error):
    """The book was written by a newer secondpath, so this one leaves it alone."""


class Ledger:
    """An open book."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.moved_to: Path | None = None
        self._db = self._open()
        self._number = self._last_number()

    def memory(self) -> dict[str, str]:
        """All that was remembered."""
        return dict(self._db.execute("SELECT key, value FROM memory"))

    def write(self, entries: Sequence[Entry]) -> None:
        """Write all of them, or none; on return they have reached the disk."""
        number = self._number
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                if isinstance(entry, Event):
                    number += 1
                    self._db.execute(_PUT_TRANSITION, _transition_row(number, entry))
                elif isinstance(entry, Minute):
                    self._db.execute(_PUT_MINUTE, _minute_row(entry))
                else:
                    self._db.execute(_PUT_MEMORY, entry)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._number = number

    def keep(self, packed: Packed) -> None:
        """Write an incident down, in place of an earlier account of it; let the oldest go where there are too many."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            row = wall_us(packed.wall), packed.steps, packed.record
            number = self._db.execute(_PUT_INCIDENT, row).fetchone()[0]
            floor = self._number - LOOK_BACK
            self._db.executemany(_EXPLAIN, ((number, floor, at, subject) for at, subject in packed.explains))
            self._db.execute(_LET_GO, (INCIDENTS, INCIDENTS_BYTES))
            self._db.execute("DELETE FROM explained WHERE incident NOT IN (SELECT number FROM incident)")
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and let it go."""
        self._db.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return _ready(self.path)
        except sqlite3.DatabaseError as why:
            if not is_corrupt(why):
                raise
        self.moved_to = move_aside(self.path)
        return _ready(self.path)

    def _last_number(self) -> int:
        number = self._db.execute("SELECT coalesce(max(number), 0) FROM transition").fetchone()[0]
        return int(number)


def is_corrupt(why: sqlite3.Error) -> bool:
    """Whether an error means that the file itself is broken, rather than the disk full or the rights missing."""
    return getattr(why, "sqlite_errorcode", 0) & 0xFF in CORRUPT


def move_aside(path: Path) -> Path:
    """Rename a book that cannot be read, with what belongs to it."""
    aside = path.with_name(f"{path.name}.corrupt-{clock.wall():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _ready(path: Path) -> sqlite3.Connection:
    """A connection to a book of our version, checked as a whole when it was not closed in peace."""
    left_open = path.with_name(path.name + "-wal").exists()
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if left_open and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise _corrupt("the check after a crash found a broken page")
        _migrate(db)
        db.execute("INSERT OR IGNORE INTO memory VALUES ('epoch', ?)", (str(secrets.randbits(63)),))
    except BaseException:
        db.close()
        raise
    return db


def _corrupt(sentence: str) -> sqlite3.DatabaseError:
    why = sqlite3.DatabaseError(sentence)
    why.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return why


def _migrate(db: sqlite3.Connection) -> None:
    steps = _steps()
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise TooNew(f"the book has schema {version}, this secondpath knows {len(steps)}")
    for number, step in enumerate(steps[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;")


def _steps() -> list[str]:
    """The schema's steps, in the order of their numbers: 0001.sql first."""
    folder = resources.files("secondpath.record") / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [f.read_text("utf-8") for f in files]


# ── Rows ─────────────────────────────────────────────────────────────────────────────

_PUT_TRANSITION = "INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_MEMORY = "INSERT INTO memory VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_PUT_MINUTE = "INSERT OR REPLACE INTO minute VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_INCIDENT = """
INSERT INTO incident (wall_us, steps, record) VALUES (?, ?, ?)
ON CONFLICT (wall_us) DO UPDATE SET steps = excluded.steps, record = excluded.record RETURNING number
"""
_EXPLAIN = """
INSERT OR REPLACE INTO explained SELECT number, ? FROM transition WHERE number > ? AND at_s = ? AND subject = ?
"""
_LET_GO = """
DELETE FROM incident WHERE number IN (
    SELECT number FROM (
        SELECT number, row_number() OVER newest AS place, sum(length(record)) OVER newest AS bytes
        FROM incident WINDOW newest AS (ORDER BY number DESC)
    ) WHERE place > ? OR (bytes > ? AND place > 1)
)
"""


def wall_us(wall: datetime) -> int:
    """Microseconds since 1970, exact."""
    passed = wall - _EPOCH_US
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds


def _transition_row(number: int, event: Event) -> tuple[object, ...]:
    told = event.transition
    detail = json.dumps(dict(told.detail), separators=(",", ":"))
    head = number, wall_us(event.wall), told.at, event_name(told)
    return *head, told.subject, told.before, told.after, told.reason, detail


def _minute_row(minute: Minute) -> tuple[object, ...]:
    key = minute.line.uplink, minute.line.family.value, minute.minute, minute.looks
    shares = (minute.share(count) for count in (minute.down, minute.degraded, minute.unknown))
    seen = minute.loss_ratio, minute.loss_worst_ratio, minute.rtt_s, minute.rtt_worst_s, minute.jitter_s
    return *key, *shares, *seen
