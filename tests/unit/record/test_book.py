"""The book, on a real file: nothing handed to it is lost, and nobody waits for the disk."""

from __future__ import annotations

import logging
import os
import queue
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from logging.handlers import QueueHandler
from pathlib import Path

import pytest

from secondpath.model import Cause, Family, Health, Line, LineState, Measurement, Transition
from secondpath.record import query, store
from secondpath.record.store import Book

WALL = datetime(2026, 11, 22, 17, 42, 0, 123456, tzinfo=UTC)
CABLE = Line("cable", Family.IPV4)


def told(number: int, subject: str = "line:cable/ipv4") -> Transition:
    return Transition(float(number), subject, "up", "down", "carrier", {"loss_ratio": 0.5, "number": number})


def eventually(what: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until something is so; the writer's thread says nothing by itself."""
    tick, end = threading.Event(), datetime.now(UTC) + timedelta(seconds=limit_s)
    while not what():
        assert datetime.now(UTC) < end, "not in time"
        tick.wait(0.005)


def test_what_is_appended_can_be_read_word_for_word(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.append(told(1), WALL)
    assert book.close()
    (event,) = query.events(tmp_path / "book.db")
    assert (event.number, event.wall, event.transition) == (1, WALL, told(1))


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        book = Book(tmp_path / "book.db")
        book.append(told(number), WALL)
        assert book.close()
    assert [e.number for e in query.events(tmp_path / "book.db")] == [1, 2, 3]


def test_an_appended_transition_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    script = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from secondpath.model import Transition
from secondpath.record import query
from secondpath.record.store import Book
path = Path(sys.argv[1])
book = Book(path)
book.append(Transition(1.0, "verdict", "ok", "upstream", "cable/ipv4"), datetime.now(UTC))
book.recall()
while True:
    try:
        if query.events(path):
            os.kill(os.getpid(), 9)
    except query.Unreadable:
        pass
"""
    source = str(Path(query.__file__).parents[2])
    command, environment = [sys.executable, "-c", script, str(path)], os.environ | {"PYTHONPATH": source}
    assert subprocess.run(command, env=environment, timeout=30, check=False).returncode == -9
    assert [e.transition.after for e in query.events(path)] == ["upstream"]
    book = Book(path)
    book.append(told(2), WALL)
    assert book.close()
    assert [e.number for e in query.events(path)] == [1, 2]


def test_small_things_are_remembered_over_a_restart_and_the_last_word_counts(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.remember("timezone", "UTC")
    book.remember("timezone", "America/Los_Angeles")
    assert book.close()
    again = Book(tmp_path / "book.db")
    assert again.recall()["timezone"] == "America/Los_Angeles"
    assert again.close()


def test_the_caller_does_not_wait_for_a_disk_that_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    book = Book(path)
    book.recall()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(1000):
        book.append(told(number), WALL)  # returns though nobody can write
    assert query.events(path) == []
    other.execute("COMMIT")
    other.close()
    assert book.close()
    assert len(query.events(path, limit=5000)) == 1000


def test_events_can_be_asked_for_by_time_number_and_count(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    for hour in range(10):
        book.append(told(hour), WALL + timedelta(hours=hour))
    assert book.close()
    path = tmp_path / "book.db"
    assert [e.number for e in query.events(path, limit=3)] == [8, 9, 10]
    assert [e.number for e in query.events(path, after=8)] == [9, 10]
    assert [e.number for e in query.events(path, since=WALL + timedelta(hours=7))] == [8, 9, 10]


def test_minutes_are_kept_when_the_book_is_closed(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    up = LineState(CABLE, Health.UP, Cause.WELL, 0.0, Measurement(10, 0.0, 0.02, 0.001))
    for second in range(60):
        book.measure(WALL.replace(second=0) + timedelta(seconds=second), [up])
    assert book.close()
    (minute,) = query.minutes(tmp_path / "book.db", CABLE, WALL - timedelta(hours=1), WALL + timedelta(hours=1))
    assert minute.at == WALL.replace(second=0, microsecond=0)
    assert (minute.looks, minute.down_ratio) == (60, 0.0)
    assert minute.rtt_s == pytest.approx(0.02)


# ── Trouble ──────────────────────────────────────────────────────────────────────────


def test_a_book_that_cannot_be_read_is_moved_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    path.write_bytes(b"this is no database" * 1000)
    book = Book(path)
    book.append(told(1), WALL)
    assert book.close()
    (aside,) = tmp_path.glob("book.db.corrupt-*")
    assert aside.read_bytes().startswith(b"this is no database")
    events = query.events(path)
    assert [e.transition.subject for e in events] == ["book", "line:cable/ipv4"]
    assert events[0].transition.detail["detail"] == str(aside)


def test_a_page_broken_by_a_power_cut_is_noticed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    book = Book(path)
    for number in range(3000):
        book.append(told(number), WALL)
    assert book.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    path.with_name("book.db-wal").touch()  # nobody closed it
    again = Book(path)
    again.append(told(1), WALL)
    assert again.close()
    assert len(list(tmp_path.glob("book.db.corrupt-*"))) >= 1
    assert [e.transition.reason for e in query.events(path)] == ["corrupt", "carrier"]


def test_without_a_disk_the_daemon_goes_on_and_says_so_once(tmp_path: Path) -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = QueueHandler(records)
    store.log.addHandler(listener)
    folder = tmp_path / "gone"
    book = Book(folder / "book.db", retry_s=0.01)
    for number in range(5):
        book.append(told(number), WALL)
    eventually(lambda: bool(book.trouble))
    assert "Nothing can be written" in book.trouble
    folder.mkdir()  # the disk is back
    eventually(lambda: not book.trouble)
    assert book.close()
    reasons = [e.transition.reason for e in query.events(folder / "book.db")]
    assert sorted(reasons) == sorted(["carrier"] * 5 + ["failing", "mended"])
    store.log.removeHandler(listener)
    assert [vars(records.get())["event"] for _ in range(records.qsize())] == ["book.failing", "book.mended"]


FILL = """
import resource, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from secondpath.model import Transition
from secondpath.record.store import Book

path, tick = Path(sys.argv[1]), threading.Event()
book = Book(path, retry_s=0.01)
book.recall()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))  # from now on the disk is full
for number in range(3000):
    book.append(Transition(float(number), "verdict", "ok", "upstream", "cable/ipv4"), datetime.now(UTC))
while not book.trouble:
    tick.wait(0.005)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while book.trouble:
    tick.wait(0.005)
print(book.close(), book.lost)
"""


def test_what_came_while_the_disk_was_full_is_written_when_it_has_room(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILL, str(tmp_path / "book.db")]
    environment = os.environ | {"PYTHONPATH": str(Path(query.__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True", "0"]
    events = query.events(tmp_path / "book.db", limit=10_000)
    numbers = [e.transition.at for e in events if e.transition.subject == "verdict"]
    assert numbers == [float(number) for number in range(3000)]
    assert {e.transition.reason for e in events if e.transition.subject == "book"} == {"failing", "mended"}


def test_what_the_disk_will_not_take_is_kept_in_bounds_and_what_is_let_go_is_counted(tmp_path: Path) -> None:
    book = Book(tmp_path / "missing" / "book.db", retry_s=0.01)
    eventually(lambda: bool(book.trouble))
    for number in range(10_050):
        book.append(told(number), WALL)
    eventually(lambda: book.lost >= 50 or len(book._waiting) >= 10_000)
    assert not book.close()
    assert book.lost >= 50


def test_a_book_from_a_newer_secondpath_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    Book(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    book = Book(path, retry_s=0.01)
    book.append(told(1), WALL)
    eventually(lambda: bool(book.trouble))
    assert "schema 99" in book.trouble
    assert not book.close()
    assert path.read_bytes() == before


# ── Readers ──────────────────────────────────────────────────────────────────────────

READ = """
import os
from pathlib import Path
from secondpath.record import query
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(len(query.events(Path("book.db"))))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "running"])
def test_somebody_without_rights_can_read_the_book_of_a_daemon_that_is(stopped: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        book = Book(folder / "book.db")
        book.append(told(1), WALL)
        book.recall()
        eventually(lambda: len(query.events(folder / "book.db")) == 1)
        assert not stopped or book.close()
        environment = os.environ | {"PYTHONPATH": str(Path(query.__file__).parents[2])}
        command = [sys.executable, "-c", READ]
        done = subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.stdout.strip() == "1"
        assert stopped or book.close()


def test_a_reader_leaves_no_file_behind(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.append(told(1), WALL)
    assert book.close()
    query.events(tmp_path / "book.db")
    assert [p.name for p in tmp_path.iterdir()] == ["book.db"]


def test_no_book_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(query.Unreadable, match="there is no book"):
        query.events(tmp_path / "book.db")
