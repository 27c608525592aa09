"""How an examination looks in 80 columns: `tests/golden/check-path/*.json`, found in the virtual office, as `*.txt`.

SECONDPATH_GOLDEN=write draws them anew.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from secondpath.cli.main import main
from secondpath.cli.path_view import examination, octets
from secondpath.cli.screen import FINE, THEME, show
from secondpath.control.peer import Peer
from secondpath.control.server import serve
from secondpath.wire.messages import Request, Response, Verb, refuse

GOLDEN = Path(__file__).parents[2] / "golden" / "check-path"
FOUND = sorted(path.stem for path in GOLDEN.glob("*.json"))


def document(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def drawn(name: str, width: int = 80, **options: Any) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, theme=THEME, highlight=False, **options)
    show(console, examination(document(name), FINE))
    return file.getvalue()


@contextmanager
def daemon(folder: Path, answer: Response) -> Iterator[list[Request]]:
    """A daemon that has examined already."""
    asked: list[Request] = []

    async def handle(request: Request, peer: Peer) -> Response:
        del peer
        asked.append(request)
        return answer

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(folder / "control.sock", handle), loop).result(10)
    try:
        yield asked
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(folder: Path, *words: str) -> int:
    return main(["--run-dir", str(folder), "check-path", *words])


@pytest.mark.parametrize("name", FOUND)
def test_it_looks_as_it_did(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        path.write_text(drawn(name), "utf-8")
    assert drawn(name) == path.read_text("utf-8")


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_nothing_is_wider_than_the_terminal_nor_padded(name: str, width: int) -> None:
    assert all(len(line) <= width and line == line.rstrip() for line in drawn(name, width).splitlines())


@pytest.mark.parametrize("name", FOUND)
def test_it_ends_with_a_sentence_for_every_line(name: str) -> None:
    words = " ".join(drawn(name).split())
    for uplink in document(name)["uplinks"]:
        for line in uplink["lines"].values():
            assert " ".join(line["text"].split()) in words


def test_colour_says_nothing_that_words_do_not_say() -> None:
    assert "\x1b[" not in drawn("captive")
    assert "\x1b[" in drawn("captive", force_terminal=True, color_system="standard")


@pytest.mark.parametrize(("name", "code"), [("well", 0), ("captive", 1), ("cable-cut", 1)])
def test_it_ends_with_1_when_anything_is_wrong(
    tmp_path: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(tmp_path, Response(True, document(name))) as asked:
        assert run(tmp_path) == code
        assert capsys.readouterr().out == (GOLDEN / f"{name}.txt").read_text("utf-8")
        assert run(tmp_path, "cable", "--json") == code
        assert json.loads(capsys.readouterr().out) == document(name)
    assert asked == [Request(Verb.CHECK_PATH), Request(Verb.CHECK_PATH, {"uplink": "cable"})]


def test_an_unknown_uplink_is_one_sentence_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon(tmp_path, refuse("There is no uplink named cabel; did you mean cable?", exit_code=2)):
        assert run(tmp_path, "cabel") == 2
    assert capsys.readouterr().err == "secondpath: There is no uplink named cabel; did you mean cable?\n"


def test_bytes_are_told_as_people_read_them() -> None:
    assert [octets(count) for count in (0, 999, 1000, 27_300)] == ["0 bytes", "999 bytes", "1 kB", "27 kB"]
