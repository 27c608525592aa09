"""The log: one line for each transition, to standard output. systemd keeps it; we keep no files."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import TextIO

from secondpath import clock

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog priorities (RFC 5424, section 6.2.1), as sd-daemon(3) wants them in front of a line."""


class Journal(logging.Formatter):
    """`<6>event=… words`: the priority is for the journal, the event name is stable."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; of several (a traceback) each, since the journal makes an entry of each."""
        head = f"<{PRIORITIES.get(record.levelno, 6)}>event={_event(record)} "
        return head + super().format(record).replace("\n", f"\n{head}")


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields = {
            "time": clock.wall().isoformat(),
            "level": record.levelname.lower(),
            "event": _event(record),
            "message": super().format(record),
        }
        return json.dumps(fields | getattr(record, "fields", {}), ensure_ascii=False)


class Plain(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return f"{clock.wall().astimezone():%H:%M:%S} {super().format(record)}"


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", record.name.removeprefix("secondpath.")))


def set_up(log_format: str, stream: TextIO = sys.stdout) -> None:
    """Log to `stream` as "text", "json", or "auto": for the journal when systemd is listening."""
    under_systemd = log_format == "auto" and "JOURNAL_STREAM" in os.environ
    formatter = Json() if log_format == "json" else Journal() if under_systemd else Plain()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger("secondpath")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
