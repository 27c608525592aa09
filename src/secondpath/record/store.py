"""The book: hand it something and go on; a thread of its own writes it down.

    book = Book(state_dir / "book.db")
    book.append(transition, wall); book.remember("steering", text); book.measure(wall, states)
    book.keep(cut)              # an incident (record/tape)
    book.recall(timeout_s)      # what was remembered, at the start
    book.trouble                # a sentence while it cannot write, else ""
    book.close()

The disk may be slow, full, read-only or broken: the caller never notices more than `trouble`. What could not be
written waits in memory, the newest QUEUE entries of it, and is written when the disk is well again.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from secondpath import clock
from secondpath.model import LineState, Transition
from secondpath.record.ledger import Entry, Ledger, is_corrupt, move_aside
from secondpath.record.rollup import Minutes, add_looks, take_finished
from secondpath.record.tape import Cut, Packed, pack
from secondpath.wire.snapshot import Event

QUEUE = 10_000
"""Entries that may wait for the disk; beyond them the oldest are let go, and counted."""
INCIDENTS_WAITING = 8
"""Incidents that may wait for it; they are larger."""
BATCH = 1000
RETRY_S = 30.0
MINUTES_EVERY_S = 600.0
"""Minutes are committed this seldom, so that idle flash is written six times an hour."""

CORRUPT = {"event": "book.corrupt"}

log = logging.getLogger(__name__)


class Book:
    """The record of one gateway, in one file."""

    def __init__(self, path: Path, retry_s: float = RETRY_S) -> None:
        self.path = path
        self.trouble = ""
        self.lost = 0
        self._retry_s = retry_s
        self._inbox: queue.SimpleQueue[Entry | Cut | None] = queue.SimpleQueue()
        self._waiting: deque[Entry] = deque()
        self._incidents: dict[datetime, Packed] = {}
        self._minutes: Minutes = {}
        self._minutes_due_at = clock.now() + MINUTES_EVERY_S
        self._memory: dict[str, str] = {}
        self._opened = threading.Event()
        self._ledger: Ledger | None = None
        self._writer = threading.Thread(target=self._write_until_closed, name="book", daemon=True)
        self._writer.start()

    # what the daemon calls; none of it waits

    def append(self, transition: Transition, wall: datetime) -> None:
        """Write a transition down. On the disk as soon as the disk allows, whatever happens to us afterwards."""
        self._put(Event(0, wall, transition))

    def remember(self, key: str, value: str) -> None:
        """Keep a small thing over a restart."""
        self._put((key, value))

    def keep(self, cut: Cut) -> None:
        """Keep an incident, in place of an earlier account of the same one."""
        self._put(cut)

    def measure(self, wall: datetime, states: Iterable[LineState]) -> None:
        """Take one look at the lines into the history of minutes."""
        add_looks(self._minutes, wall, states)
        if clock.now() >= self._minutes_due_at:
            self._minutes_due_at = clock.now() + MINUTES_EVERY_S
            for minute in take_finished(self._minutes, wall):
                self._put(minute)

    def recall(self, timeout_s: float = 2.0) -> Mapping[str, str]:
        """What was remembered when the book was opened; nothing, if the disk takes longer than that."""
        self._opened.wait(timeout_s)
        return dict(self._memory)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write what is left and close the file. False if the disk would not have it in time."""
        for minute in self._minutes.values():
            self._put(minute)
        self._minutes = {}
        self._inbox.put(None)
        self._writer.join(timeout_s)
        return not self._writer.is_alive() and not self._waiting and not self._incidents

    def _put(self, entry: Entry | Cut) -> None:
        if self._inbox.qsize() >= QUEUE:
            self.lost += 1
        else:
            self._inbox.put(entry)

    # the writer's thread

    def _write_until_closed(self) -> None:
        open_for_more = True
        self._flush()
        self._opened.set()
        while open_for_more:
            open_for_more = self._gather()
            self._flush()
        if self._ledger is not None:
            self._ledger.close()

    def _gather(self) -> bool:
        """Wait for something to write, and take all there is. False when the book is to be closed."""
        timeout_s = self._retry_s if self._waiting or self._incidents or self.trouble else None
        try:
            entry = self._inbox.get(timeout=timeout_s)
            while entry is not None:
                self._keep(entry)
                entry = self._inbox.get_nowait()
        except queue.Empty:
            return True
        return False

    def _keep(self, entry: Entry | Cut) -> None:
        if isinstance(entry, Cut):
            self._pack(entry)
            return
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(entry)

    def _pack(self, cut: Cut) -> None:
        try:
            packed = pack(cut)
        except (TypeError, ValueError) as why:  # something new in an observation: events matter more
            log.error("an incident cannot be written down: %s", why, extra={"event": "tape.broken"})
            return
        self._incidents[packed.wall] = packed
        while len(self._incidents) > INCIDENTS_WAITING:
            del self._incidents[next(iter(self._incidents))]

    def _flush(self) -> None:
        """Write what waits. Whatever SQLite or the file system says, it is only ever noted."""
        try:
            ledger = self._ledger or self._open()
            while self._waiting:
                batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
                ledger.write(batch)
                for _ in batch:
                    self._waiting.popleft()
            for wall, packed in [*self._incidents.items()]:
                ledger.keep(packed)
                del self._incidents[wall]
        except (sqlite3.Error, OSError) as why:
            self._note_trouble(why)
        else:
            self._note_recovery()

    def _open(self) -> Ledger:
        ledger = Ledger(self.path)
        if ledger.moved_to is not None:
            log.error("the book could not be read and was moved to %s", ledger.moved_to, extra=CORRUPT)
            self._keep(_event("corrupt", "new", str(ledger.moved_to)))
        self._memory = ledger.memory()
        self._ledger = ledger
        return ledger

    def _note_trouble(self, why: sqlite3.Error | OSError) -> None:
        """Say once what is wrong, and let the file go: the next try opens it again, or begins a new one."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
            if isinstance(why, sqlite3.Error) and is_corrupt(why):
                log.error("the book broke and was moved to %s", move_aside(self.path), extra=CORRUPT)
        if not self.trouble:
            log.error("nothing can be written to %s: %s", self.path, why, extra={"event": "book.failing"})
            self._keep(_event("failing", "failing", str(why)))
        self.trouble = f"Nothing can be written to {self.path}: {why}."

    def _note_recovery(self) -> None:
        if self.trouble:
            log.warning("the book %s is written again", self.path, extra={"event": "book.mended"})
            self.trouble = ""
            self._keep(_event("mended", "well", f"{self.lost} entries lost" if self.lost else ""))
            self._flush()


def _event(reason: str, after: str, detail: str) -> Event:
    return Event(0, clock.wall(), Transition(clock.now(), "book", "", after, reason, {"detail": detail}))
