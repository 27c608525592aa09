"""What people type, and what they meant."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.cli.main import main
from secondpath.cli.parser import build, command_in, parse
from secondpath.cli.span import seconds_in, since
from secondpath.cli.table import COMMANDS

SUNDAY = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("faliover lte", "secondpath: there is no command 'faliover'; did you mean 'failover'?"),
        ("stats", "secondpath: there is no command 'stats'; did you mean 'status'?"),
        ("xyzzy", "secondpath: there is no command 'xyzzy'\n"),
        ("status --jsno", "secondpath status: there is no option '--jsno'; did you mean '--json'?"),
        ("events --sinc=2h", "secondpath events: there is no option '--sinc'; did you mean '--since'?"),
        ("--statedir /x status", "secondpath: there is no command '/x'"),
        ("status now", "secondpath status: 'now' is one argument too many"),
        ("failover", "secondpath failover: UPLINK is missing"),
        ("hold", "secondpath hold: DURATION is missing"),
        ("hold soon", "secondpath hold: 'soon' is no duration; write for example 30min, 2h or 1h30min"),
        ("hold 8d", "secondpath hold: a hold lasts more than nothing and at most 7 days"),
        ("events --limit none", "secondpath events: 'none' is no number of events"),
        ("events --since soon", "secondpath events: 'soon' is no moment"),
        ("--json", "secondpath: there is no option '--json'"),
    ],
)
def test_a_slip_is_met_with_a_hint_and_exit_code_2(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(typed.split())
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize(
    "typed", ["--run-dir /a status --json", "status --run-dir /a --json", "status --json --run-dir=/a"]
)
def test_global_options_stand_before_or_after_the_command(typed: str) -> None:
    args = parse(typed.split())
    assert (args.run_dir, args.state_dir, args.json) == (Path("/a"), Path("/var/lib/secondpath"), True)


@given(st.lists(st.text(max_size=8), max_size=4))
def test_the_command_is_never_an_option_or_its_value(words: list[str]) -> None:
    command = command_in(["--run-dir", "status", *words])
    assert command is None or (command in words and not command.startswith("-"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_names_the_global_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse([name, "--help"])
    assert end.value.code == 0
    assert "--run-dir" in capsys.readouterr().out


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert "3  the daemon cannot be reached" in told
    assert all(f"    {name} " in told for name in COMMANDS)
    assert max(map(len, told.splitlines())) <= 90


def test_the_whole_tree_can_be_built_and_every_command_has_a_handler() -> None:
    parser = build(COMMANDS)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            assert set(action.choices) == set(COMMANDS)


def test_version_and_run_need_neither_rich_nor_sqlite() -> None:
    script = (
        "import sys; from secondpath.cli.parser import parse; parse(['run', '--config', '/x']); "
        "print([m for m in ('rich', 'shtab', 'sqlite3', 'secondpath.tell') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30min", 1800),
        ("30m", 1800),
        ("2h", 7200),
        ("1h30min", 5400),
        ("1 h 30 min", 5400),
        ("1.5h", 5400),
        ("1d", 86400),
    ],
)
def test_durations_are_understood(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@given(st.text(max_size=12))
def test_what_is_no_duration_is_refused_with_a_sentence(text: str) -> None:
    try:
        assert seconds_in(text) >= 0
    except argparse.ArgumentTypeError as wrong:
        assert "write for example" in str(wrong)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", SUNDAY - timedelta(hours=2)),
        ("today", datetime(2026, 11, 22, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 21, tzinfo=UTC)),
        ("9:30", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T10:42", datetime(2026, 11, 20, 10, 42, tzinfo=UTC)),
        ("2026-11-20T10:42:00-08:00", datetime(2026, 11, 20, 18, 42, tzinfo=UTC)),
    ],
)
def test_moments_are_understood(text: str, moment: datetime) -> None:
    assert since(text, SUNDAY) == moment


@given(st.text(alphabet="0123456789:-dhTZ ", max_size=20))
def test_what_is_no_moment_is_refused_with_a_sentence(text: str) -> None:
    try:
        assert since(text, SUNDAY).tzinfo is not None
    except argparse.ArgumentTypeError as wrong:
        assert "no moment" in str(wrong)
