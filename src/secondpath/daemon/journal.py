"""What happened: written into the book and the log, and the last of it kept at hand."""

from __future__ import annotations

import logging
from collections import deque

from secondpath import clock
from secondpath.model import Site, Transition
from secondpath.record.store import Book
from secondpath.tell.words import event_text
from secondpath.wire.snapshot import Event
from secondpath.wire.status import event_name

RECENT = 20

log = logging.getLogger(__name__)


class Journal:
    """Writes transitions down, in the words of one site."""

    def __init__(self, book: Book, site: Site) -> None:
        self.site = site
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self._book = book
        self._told = 0

    def note(self, subject: str, before: str, after: str, reason: str, **detail: str | int | float | None) -> None:
        """Something happened just now."""
        self.write(Transition(clock.now(), subject, before, after, reason, detail))

    def write(self, transition: Transition) -> None:
        """Write one transition down."""
        wall = clock.wall()
        self._book.append(transition, wall)
        self._told += 1
        self.recent.append(Event(self._told, wall, transition))
        fields = {"subject": transition.subject, "before": transition.before, "after": transition.after}
        more = {"event": event_name(transition), "fields": fields}
        log.info("%s", event_text(transition, self.site), extra=more)
