"""Every line of the log can be read by whoever reads it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from secondpath.daemon.logs import set_up

LOG = logging.getLogger("secondpath.daemon.test")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger("secondpath")
    before = root.handlers[:], root.level, root.propagate
    yield
    root.handlers[:], root.propagate = before[0], before[2]
    root.setLevel(before[1])


def said(log_format: str) -> list[str]:
    stream = io.StringIO()
    set_up(log_format, stream)
    LOG.warning("lte (IPv4) is down.", extra={"event": "line.down", "fields": {"subject": "line:lte/ipv4"}})
    LOG.info("plain – words")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        LOG.critical("a bug", exc_info=True, extra={"event": "bug"})
    return stream.getvalue().splitlines()


def test_json_has_one_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (json.loads(line) for line in said("json"))
    assert (first["level"], first["event"], first["subject"]) == ("warning", "line.down", "line:lte/ipv4")
    assert second["message"] == "plain – words"
    assert "Traceback" in third["message"]


def test_for_the_journal_each_line_has_its_priority_and_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "9:12345")
    lines = said("auto")
    assert lines[0] == "<4>event=line.down lte (IPv4) is down."
    assert lines[1] == "<6>event=daemon.test plain – words"
    assert len(lines) > 4
    assert all(line.startswith("<2>event=bug ") for line in lines[2:]), "of a traceback too"


def test_for_a_person_there_is_a_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert said("auto")[0][8:] == " lte (IPv4) is down."
