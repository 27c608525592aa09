"""`why` and `replay`, on a real book and real files."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from tests.office import CABLE4, World, ask, interface, office
from tests.unit.replay.tapes import CABLE, Taped, black_hole, content

from secondpath import clock
from secondpath.cli.main import main
from secondpath.cli.story import clean
from secondpath.engine.mind import Engine
from secondpath.model import Step
from secondpath.record.store import Book
from secondpath.record.tape import Cut, Tape, pack

BEGAN = clock.wall().replace(year=2026, month=11, day=22, hour=17, minute=40, second=0, microsecond=0)


class Kept:
    """An office with a book, whose wall clock goes with its own time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.book = Book(folder / "book.db")
        self.book.remember("timezone", "America/Los_Angeles")
        self.tape = Tape(self.book.keep)
        self.world: World = office()
        self.world.engine = cast(Engine, Taped(self.world.engine, self.tape, self._write_down))
        monkeypatch.setattr(clock, "wall", lambda: BEGAN + timedelta(seconds=self.world.now))

    def _write_down(self, step: Step) -> None:
        for told in step.transitions:
            self.book.append(told, clock.wall())

    def close(self) -> None:
        self.tape.close()
        assert self.book.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setenv("COLUMNS", "80")
    found = Kept(tmp_path, monkeypatch)
    found.world.run_for(30.0)
    return found


def run(folder: Path, *words: str) -> int:
    return main(["--run-dir", str(folder), "--state-dir", str(folder), *words])


def document(capsys: pytest.CaptureFixture[str], name: str) -> Any:
    """What was printed, found to be as its schema says."""
    printed = json.loads(capsys.readouterr().out)
    schema = json.loads((resources.files("secondpath.wire") / "schema" / f"{name}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(printed)
    return printed


def test_a_black_hole_is_explained_from_the_first_lost_question_to_the_verdict(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.world.dead |= CABLE
    kept.world.run_for(5.0)
    kept.close()
    assert run(tmp_path, "why") == 0
    told = capsys.readouterr().out
    head, _, rest = told.partition("\n\n")
    assert re.fullmatch(r"\d+: IPv4 traffic moved from cable to lte: nothing beyond your provider's\n.*", head)
    flat = re.sub(r"\s+", " ", rest)
    links = (
        "was asked, and no answer came within 200 ms.",
        "cable (IPv4) was",
        "192.0.2.1 (ping) no answer (2 times)",
        "lte (IPv4) was proven to work: 192.0.2.",
        "None of 6 questions to 3 addresses was answered: cable (IPv4) does not work.",
        "cable is down: nothing beyond your provider's equipment answers.",
        "Nothing beyond your provider's equipment answers on cable.",
        "Traffic moved from cable to lte",
        "Connections left behind on cable were ended",
        "The engine decided the same again.",
    )
    places = [flat.index(link) for link in links]
    assert places == sorted(places)
    assert "09:40:3" in told
    assert all(len(line) <= 80 for line in told.splitlines())


def test_each_link_is_there_as_json(tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.world.dead |= CABLE
    kept.world.run_for(5.0)
    kept.close()
    assert run(tmp_path, "why", "--json") == 0
    told = document(capsys, "why")
    assert told["event"]["event"] == "steering.failover"
    kinds = [link["kind"] for link in told["chain"]]
    assert kinds[:4] == ["unanswered", "doubted", "proven", "convicted"]
    lost = told["chain"][0]["questions"][0]
    assert (lost["line"].partition("/")[0], lost["outcome"], lost["patience_s"]) == ("cable", None, 0.2)
    assert {q["outcome"] for q in told["chain"][2]["questions"]} == {"ok"}
    assert told["replay"]["same"] is True
    assert told["replay"]["differences"] == []


@pytest.mark.slow
def test_facts_wishes_brown_outs_and_homecomings_are_explained_too(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    world = kept.world
    world.tell(interface("cable", carrier=False))
    world.run_for(30.0)
    world.tell(interface("cable"))
    world.run_for(400.0)
    world.tell(ask("failover", "lte"))
    world.run_for(400.0)
    world.tell(ask("failback"))
    world.run_for(400.0)
    world.loss = {CABLE4: 0.35}
    world.run_until(lambda: world.uses() == "lte", 60.0)
    world.run_for(1.0)
    kept.close()
    assert run(tmp_path, "why", "--list", "--json") == 0
    switches = [e for e in document(capsys, "why")["events"] if e["subject"] == "steering:ipv4"]
    said = []
    for event in switches:
        assert run(tmp_path, "why", str(event["number"])) == 0
        said.append(re.sub(r"\s+", " ", capsys.readouterr().out))
    fact, home, wish, back, brown = said
    assert "nothing is connected at the other end of wan0. That is a fact, and needs no questions." in fact
    assert "cable (IPv4) had then been good for 1 min, and had to be for 1 min." in home
    assert "cable (IPv4) answered again: " in home
    assert "test asked for lte." in wish
    assert "test asked to go home." in back
    assert re.search(r"cable \(IPv4\) lost \d+ of \d+ questions in the last minute", brown)
    assert all("decided the same again." in each for each in said)


def test_what_can_be_explained_is_listed_with_its_number(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.close()
    assert run(tmp_path, "why", "--list") == 0
    assert re.match(r"1  22 Nov 09:40:0\d  \w+ \(IPv\d\) is up\.", capsys.readouterr().out)


def test_what_cannot_be_explained_is_a_sentence(tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.close()
    assert run(tmp_path, "why") == 1
    assert "traffic has never been moved" in capsys.readouterr().err
    assert run(tmp_path, "why", "4711") == 1
    assert "there is no event 4711" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        run(tmp_path, "why", "yesterday")
    assert end.value.code == 2


def test_an_event_whose_record_was_let_go_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = office()
    world.run_for(5.0)
    book = Book(tmp_path / "book.db")
    book.append(world.transitions[0], BEGAN)
    assert book.close()
    assert run(tmp_path, "why", "1") == 1
    assert "its record has been let go" in capsys.readouterr().err


def test_an_event_that_has_only_just_happened_is_not_taken_for_an_older_one(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.world.tell(ask("failover", "lte"))
    kept.world.run_for(100.0)
    kept.world.tell(ask("failback"))
    kept.book.recall()
    assert kept.book.close()  # before the tape has handed over the second
    assert run(tmp_path, "why") == 1
    assert "has only just happened" in capsys.readouterr().err


def test_no_book_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "why") == 1
    assert "there is no book" in capsys.readouterr().err


def test_an_exported_incident_is_replayed(tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    kept.world.dead |= CABLE
    kept.world.run_for(5.0)
    kept.close()
    file = tmp_path / "black hole.jsonl"
    assert run(tmp_path, "why", "--export", str(file)) == 0
    assert str(file) in capsys.readouterr().out.replace("\n", "")
    assert run(tmp_path, "replay", str(file)) == 0
    told = capsys.readouterr().out
    assert "Traffic moved from cable to lte" in re.sub(r"\s+", " ", told)
    assert told.endswith("The engine decided the same\nagain.\n") or "same again" in told.replace("\n", " ")
    assert run(tmp_path, "replay", str(file), "--json") == 0
    printed = document(capsys, "replay")
    assert (printed["same"], printed["office"]) == (True, "Hartwell & Lowe, CPAs")
    assert [t["event"] for t in printed["transitions"]].count("steering.failover") == 2


def test_an_altered_incident_ends_with_1_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "altered"
    file.write_bytes(content(black_hole()[1]).replace(b'"better"', b'"asked"'))
    assert run(tmp_path, "replay", str(file)) == 1
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "decided otherwise than recorded:" in told
    assert "recorded: IPv4 traffic moved from cable to lte: a person asked for it. Now: IPv4 traffic" in told
    assert run(tmp_path, "replay", str(file), "--json") == 1
    assert len(document(capsys, "replay")["differences"]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "it cannot be read (No such file or directory)"),
        (b"", "it is no incident of secondpath"),
        (b"\x00\xff" * 100, "it is no incident of secondpath"),
        (zlib.compress(b"{}"), "it is no incident of secondpath"),
    ],
)
def test_a_bad_file_ends_with_2(
    tmp_path: Path, text: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "file").write_bytes(text)
    assert run(tmp_path, "replay", str(tmp_path / "file")) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_a_transition_that_makes_no_sentence_is_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = content(black_hole()[1]).replace(b'"samples",', b'"samples","many","more",')
    (tmp_path / "file").write_bytes(text)
    assert run(tmp_path, "replay", str(tmp_path / "file")) == 2
    assert "makes no sentence" in capsys.readouterr().err


def test_a_strangers_file_cannot_write_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = content(black_hole()[1]).replace(b'"cable"', b'"\\u001b[2Jcable"')
    (tmp_path / "file").write_bytes(text)
    assert run(tmp_path, "replay", str(tmp_path / "file")) in (0, 1, 2)
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert clean("a\x1b[2J\x9bb\nc") == "a?[2J?b?c"


def test_a_record_in_the_book_that_is_broken_is_a_sentence(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.world.tell(ask("failover", "lte"))
    kept.close()
    with sqlite3.connect(tmp_path / "book.db") as db:
        db.execute("UPDATE incident SET record = ?", (zlib.compress(b"{}"),))
    db.close()
    assert run(tmp_path, "why") == 1
    assert "cannot be replayed: it is no incident" in capsys.readouterr().err


def test_the_cut_of_a_record_is_small() -> None:
    cut: Cut = black_hole()[1]
    assert len(pack(cut).record) < 30_000
