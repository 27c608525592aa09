"""The tape and the incidents in the book: bounded, keyed to events, and never in anybody's way."""

from __future__ import annotations

import sqlite3
import timeit
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from tests.office import World, ask, interface, office
from tests.unit.replay.tapes import CABLE, Taped, incident_of, taped_office

from secondpath import clock
from secondpath.engine.mind import Engine
from secondpath.model import Instant, Observation, Step, Transition
from secondpath.record import ledger, query, store, tape
from secondpath.record.store import Book
from secondpath.record.tape import Cut, Tape, of_weight
from secondpath.replay.rerun import rerun
from secondpath.wire.incident import parse


def recorded(path: Path, seed: int = 1) -> tuple[World, Tape, Book]:
    """An office whose tape and transitions go into a book, as the daemon has it."""
    book = Book(path)
    world, a_tape = office(seed=seed), Tape(book.keep)

    def write_down(step: Step) -> None:
        for told in step.transitions:
            book.append(told, clock.wall())

    world.engine = cast(Engine, Taped(world.engine, a_tape, write_down))
    return world, a_tape, book


def test_a_switch_is_kept_and_found_by_the_number_of_its_event(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    world, a_tape, book = recorded(path)
    world.run_for(30.0)
    world.dead |= CABLE
    world.run_for(5.0)
    a_tape.close()
    assert book.close()
    told = {event.number: event.transition for event in query.explained(path)}
    assert list(told.values()) == world.transitions
    (moved,) = [n for n, t in told.items() if t.subject == "steering:ipv4"]
    replay = rerun(parse(query.incident(path, moved) or b""))
    assert replay.same
    assert told[moved] in replay.transitions
    assert query.event(path, moved) is not None
    assert query.incident(path, 4711) is None


@pytest.mark.slow
def test_a_first_account_is_there_at_once_and_the_whole_takes_its_place(tmp_path: Path) -> None:
    world, a_tape, book = recorded(tmp_path / "book.db")
    world.run_for(100.0)
    world.dead |= CABLE
    world.run_for(200.0)
    a_tape.close()
    assert book.close()
    with sqlite3.connect(tmp_path / "book.db") as db:
        assert db.execute("SELECT count(*), count(DISTINCT wall_us) FROM incident").fetchone() == (2, 2)
        assert db.execute("SELECT count(*) FROM explained").fetchone() == (len(world.transitions),)
    cuts = handed_over(lambda w: w.run_for(200.0))
    soon_s, whole_s = (c.parts[-1][0].entries[c.parts[-1][1] - 1][0] - c.began for c in cuts[-2:])
    assert 2.0 <= soon_s < 5.0
    assert 60.0 <= whole_s < 65.0, "a minute after the last change, which comes seconds after the first"


def handed_over(then: object) -> list[Cut]:
    world, _, cuts = taped_office()
    world.run_for(100.0)
    world.dead |= CABLE
    then(world)  # type: ignore[operator]
    return cuts


@pytest.mark.slow
def test_changes_near_each_other_are_one_incident_and_a_long_story_is_several() -> None:
    world, _, cuts = taped_office()
    world.run_for(400.0)
    cuts.clear()
    for _ in range(20):
        world.tell(interface("cable", carrier=False))
        world.run_for(20.0)
        world.tell(interface("cable"))
        world.run_for(20.0)
    world.run_for(100.0)
    began = sorted({cut.began for cut in cuts})
    assert 2 <= len(began) <= 4
    assert all(later - earlier >= tape.LONGEST_S for earlier, later in pairwise(began))
    assert len(cuts) <= len(began) * (tape.LONGEST_S / tape.AGAIN_S + 2)


@pytest.mark.slow
def test_the_ring_reaches_back_five_minutes_and_not_much_further() -> None:
    world, a_tape, _ = taped_office()
    for _ in range(30):
        world.run_for(60.0)
        reach_s = world.now - a_tape._segments[0].began
        assert min(tape.BEFORE_S, world.now - 1.0) <= reach_s <= tape.BEFORE_S + 2 * tape.RENEW_S + 1.0


@pytest.mark.slow
def test_the_ring_is_bounded_by_count_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "SEGMENT_STEPS", 100)
    monkeypatch.setattr(tape, "RING_STEPS", 500)
    world, a_tape, cuts = taped_office()
    world.run_for(900.0)
    assert sum(len(segment.entries) for segment in a_tape._segments) <= 600
    monkeypatch.setattr(tape, "RING_BYTES", 1)
    world.run_for(60.0)
    assert len(a_tape._segments) == 1
    world.tell(ask("failover", "lte"))
    a_tape.close()
    assert rerun(incident_of(cuts[-1])).same


@pytest.mark.slow
def test_old_incidents_are_let_go_but_never_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "INCIDENTS", 3)
    path = tmp_path / "book.db"
    world, a_tape, book = recorded(path)
    for _ in range(4):
        world.tell(ask("failover", "lte"))
        world.run_for(400.0)
        world.tell(ask("failback"))
        world.run_for(400.0)
    a_tape.close()
    assert book.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM incident").fetchone() == (3,)
        assert db.execute("SELECT count(DISTINCT incident) FROM explained").fetchone()[0] <= 3
    monkeypatch.setattr(ledger, "INCIDENTS_BYTES", 1)
    world, a_tape, book = recorded(path, seed=2)
    world.run_for(30.0)
    a_tape.close()
    assert book.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM incident").fetchone() == (1,)


def test_a_book_from_before_incidents_is_migrated_and_read(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with sqlite3.connect(path) as db:
        db.executescript(ledger._steps()[0] + "PRAGMA user_version = 1;")
    db.close()
    assert query.explained(path) == []
    assert query.incident(path, 1) is None
    assert Book(path).close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(ledger._steps()),)


@pytest.mark.slow
def test_while_the_disk_will_not_write_few_incidents_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "INCIDENTS_WAITING", 2)
    book = Book(tmp_path / "missing" / "book.db", retry_s=0.01)
    world, a_tape = office(), Tape(book.keep)
    world.engine = cast(Engine, Taped(world.engine, a_tape))
    for _ in range(3):
        world.tell(ask("failover", "lte"))
        world.run_for(400.0)
        world.tell(ask("failback"))
        world.run_for(400.0)
    a_tape.close()
    assert not book.close()
    assert len(book._incidents) == 2


@pytest.mark.parametrize(
    ("subject", "before", "after", "weighs"),
    [
        ("steering:ipv4", "cable", "lte", True),
        ("flows:cable/ipv4", "", "given up", True),
        ("verdict", "ok", "upstream", True),
        ("line:cable/ipv4", "up", "down", True),
        ("line:cable/ipv4", "down", "down", False),
        ("config", "", "The office", False),
        ("override", "", "hold", False),
    ],
)
def test_what_is_of_weight(subject: str, before: str, after: str, weighs: bool) -> None:
    assert of_weight(Transition(0.0, subject, before, after, "")) is weighs


class Idle:
    """An engine that does nothing, so that only the tape is measured."""

    def __init__(self) -> None:
        self.site = office().engine.site
        self._step = office().engine.step(1.0)

    def step(self, now: Instant, observation: Observation | None = None) -> Step:
        return self._step


def test_a_step_costs_little_more_than_without_a_tape() -> None:
    idle, a_tape = Idle(), Tape(lambda cut: None)
    a_tape._engine, a_tape._renew_at = idle, 1e9  # its state is written elsewhere
    steps = tape.SEGMENT_STEPS - 1

    def with_tape() -> None:
        a_tape._entries.clear()
        for _ in range(steps):
            a_tape.step(idle, 1.0)

    took_s = min(timeit.repeat(with_tape, number=1, repeat=5)) / steps
    assert took_s < 10e-6, timedelta(seconds=took_s)
