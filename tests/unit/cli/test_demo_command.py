"""`secondpath demo` and `secondpath lab` as they are typed; nothing is built here."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys

import pytest

from secondpath.cli.demo_end import SIGNALS, Ended, Ending
from secondpath.cli.demo_findings import value_text
from secondpath.cli.demo_story import settings_of
from secondpath.cli.main import main
from secondpath.cli.parser import parse
from secondpath.lab.faults import FAULTS
from secondpath.lab.stories import STORIES
from secondpath.lab.story import Expect
from secondpath.lab.topology import TOPOLOGIES


def test_the_list_has_every_story_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(story.name in told and story.words in told for story in STORIES.values())
    assert main(["demo", "--list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [story["name"] for story in document["stories"]] == list(STORIES)


def test_an_unknown_story_gets_the_nearest_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--story", "cable-ct"]) == 2
    assert "Did you mean 'cable-cut'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lab brek", "secondpath lab: there is no command 'brek'; did you mean 'break'?"),
        ("lab", "secondpath lab: COMMAND is missing"),
        ("lab break", "secondpath lab break: FAULT is missing"),
        ("lab up --topolgy x", "secondpath lab: there is no option '--topolgy'"),
        ("demo --runs none", "secondpath demo: 'none' is no number of runs"),
        ("demo --stroy x", "secondpath demo: there is no option '--stroy'; did you mean '--story'?"),
    ],
)
def test_a_slip_is_met_with_a_hint(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(typed.split())
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("typed", ["lab", "lab break", "lab mend"])
def test_help_lists_every_fault_with_its_words(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*typed.split(), "--help"])
    told = capsys.readouterr().out
    assert all(name in told and fault.words in told for name, fault in FAULTS.items())


def test_help_lists_topologies_and_hosts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["lab", "--help"])
    told = capsys.readouterr().out
    assert all(t.words in told and ", ".join(t.hosts) in told for t in TOPOLOGIES.values())


@pytest.mark.parametrize("typed", ["lab shell staff -- ping -c 1 --help", "lab shell staff ping -c 1 --help"])
def test_the_command_of_a_shell_is_not_ours_to_understand(typed: str) -> None:
    args = parse(typed.split())
    assert (args.host, args.argv[-4:]) == ("staff", ["ping", "-c", "1", "--help"])


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("outage_s", 0.048, "0.05 s"),
        ("outage_s", math.inf, "never again"),
        ("answered_ratio", math.nan, "nothing asked"),
        ("answered_ratio", 0.25, "25 %"),
        ("switches", 2.0, "2"),
        ("leaves_by", "lte", "lte"),
    ],
)
def test_a_measured_value_is_said_with_its_unit(measure: str, value: float | str, text: str) -> None:
    assert value_text(Expect("words", measure, at_most=1.0), value) == text


def test_a_story_says_where_the_gateway_is_not_as_shipped() -> None:
    assert settings_of(STORIES["cable-cut"]) == {"hold": "10s"}
    assert settings_of(STORIES["flapping"]) == {}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_raises_a_flag_that_wakes_who_waits(number: signal.Signals) -> None:
    with Ending() as ending:
        signal.raise_signal(number)
        assert ending.wait(10.0)
        assert ending.exit_code == 128 + number


def test_a_signal_breaks_into_building_but_only_once() -> None:
    with Ending() as ending:
        with pytest.raises(Ended), ending.breaking_in():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Ended), ending.breaking_in():
            pytest.fail("who was told to end begins to build")


def test_what_was_ignored_stays_ignored() -> None:
    script = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from secondpath.cli.demo_end import Ending\n"
        "with Ending() as ending: signal.raise_signal(signal.SIGHUP); print(ending.is_set())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
