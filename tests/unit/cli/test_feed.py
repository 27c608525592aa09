"""`secondpath feed`: a list is kept when it may be; what is kept stays where anything is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secondpath.cli.failure import Failure
from secondpath.cli.feed import latest, run
from secondpath.cli.main import main
from secondpath.cli.parser import parse
from secondpath.config.feed import FeedError
from secondpath.daemon.loading import SNAPSHOT, load_site

OFFICE = '[[uplink]]\nname = "a"\ninterface = "wan0"\n[[network]]\nname = "b"\ninterface = "lan0"\n'
MAIL = '[[application]]\npreset = "microsoft-365"\n'


def a_list(*networks: str) -> str:
    record = {"id": 1, "urls": ["*.example.com"], "ips": networks, "category": "Allow", "required": True}
    return json.dumps([record])


def feed(tmp_path: Path, *arguments: str) -> int:
    return main(["--state-dir", str(tmp_path), "--run-dir", str(tmp_path), "feed", *arguments])


def test_a_list_from_a_file_is_kept_and_the_daemon_loads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, config = tmp_path / "list.json", tmp_path / "office.toml"
    source.write_text(a_list("40.96.0.0/16", "40.97.0.0/16"))
    config.write_text(OFFICE + MAIL)
    assert feed(tmp_path, "--from", str(source)) == 0
    assert "1 names and 2 networks" in capsys.readouterr().out
    match = load_site(config, tmp_path).applications[0].match
    assert "40.97.0.0/16" in match.servers
    assert "example.com" in match.domains


def test_a_very_different_list_is_refused_unless_a_person_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "list.json"
    source.write_text(a_list("40.96.0.0/16"))
    assert feed(tmp_path, "--from", str(source)) == 0
    before = (tmp_path / SNAPSHOT).read_text()
    source.write_text(a_list("41.96.0.0/16"))
    assert feed(tmp_path, "--from", str(source)) == 1
    assert "--accept" in capsys.readouterr().err
    assert (tmp_path / SNAPSHOT).read_text() == before
    assert feed(tmp_path, "--from", str(source), "--accept") == 0
    assert "41.96.0.0/16" in (tmp_path / SNAPSHOT).read_text()


@pytest.mark.parametrize("source", ["http://example.com/list", "ftp://example.com/", "/nowhere/at/all"])
def test_what_is_no_source_is_said(tmp_path: Path, source: str) -> None:
    assert feed(tmp_path, "--from", source) == 2


def test_a_kept_list_that_somebody_spoiled_is_left_out_and_the_office_goes_on(tmp_path: Path) -> None:
    config = tmp_path / "office.toml"
    config.write_text(OFFICE + MAIL)
    plain = load_site(config, tmp_path)
    (tmp_path / SNAPSHOT).parent.mkdir()
    for spoiled in (
        "",
        "[]",
        '{"version": 1}',
        "\x00",
        '{"version":"1","taken":"","names":[],"networks":["0.0.0.0/0"],"media":[]}',
    ):
        (tmp_path / SNAPSHOT).write_text(spoiled)
        assert load_site(config, tmp_path) == plain


def test_the_version_is_a_number() -> None:
    assert latest('{"instance": "Worldwide", "latest": "2026112300"}') == "2026112300"
    for wrong in ("", "{}", '{"latest": "../x"}', "[1]"):
        with pytest.raises(FeedError):
            latest(wrong)


def test_a_failure_says_that_what_is_kept_stays(tmp_path: Path) -> None:
    source = tmp_path / "list.json"
    source.write_text("<html>")
    with pytest.raises(Failure, match="what is kept stays"):
        run(parse(["--state-dir", str(tmp_path), "feed", "--from", str(source)]))
