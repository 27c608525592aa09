"""The demo and the lab on the real kernel: what they show, and that they leave nothing, however they end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.netns.conftest import a_name
from tests.netns.test_lab_up_down import remains, until
from tests.patience import PATIENCE_S

from secondpath.lab import state
from secondpath.lab.building import python_environment

pytestmark = pytest.mark.netns
CHANCE = random.Random(22)
MOMENTS = [(number, CHANCE.uniform(*span)) for span in ((0.1, 1.2), (1.2, 2.5), (2.5, 6.0)) for number in (2, 15, 1)]
"""SIGINT, SIGTERM and SIGHUP at random in building, in the gateway's start, and while the story plays."""
SCREEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def name() -> Iterator[str]:
    """An office's name; whatever the test did, nothing of that name is left behind."""
    office = a_name()
    yield office
    if office in state.standing():
        secondpath("lab", "down", "--name", office)


def secondpath(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv(*words), env=environment(), capture_output=True, text=True, timeout=300, check=False)


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "secondpath", *words]


def environment() -> dict[str, str]:
    return {**python_environment(), "PYTHONUNBUFFERED": "1", "TERM": "xterm-256color", "LANG": "C.UTF-8"}


class Terminal:
    """The demo's live view at a terminal of 80 by 24."""

    def __init__(self, *words: str) -> None:
        self.shown = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *argv(*words)], stdin=slave, stdout=slave, stderr=slave, env=environment()
        )
        os.close(slave)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def shows(self, text: str, limit_s: float = 2 * PATIENCE_S) -> bool:
        """Whether a text comes to the screen."""
        self.shown = ""

        def seen() -> bool:
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += SCREEN.sub("", self.read())
            return text in re.sub(r"\s+", " ", self.shown)

        return until(seen, limit_s)

    def read(self) -> str:
        try:
            return os.read(self.master, 1 << 16).decode(errors="replace")
        except OSError:  # the other side has closed
            return ""

    def end(self) -> str:
        """Everything until the process has ended."""
        last, until_s = "", time.monotonic() + 2 * PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < until_s, f"it does not end: {last[-2000:]}"
            if select.select([self.master], [], [], 0.1)[0]:
                last += self.read()
        return last


# ── The story without a terminal ─────────────────────────────────────────────────────────────────────────────


def test_a_story_measures_for_programs_and_leaves_the_office_only_when_asked(name: str) -> None:
    done = secondpath("demo", "--story", "second-dies-during-failover", "--json", "--keep", "--name", name)
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["held"] else 1)
    assert document["settings"] == {"hold": "10s"}
    [run] = document["runs"]
    assert len(run["steps"]) == 4
    assert all(step["effect_s"] >= step["at_s"] for step in run["steps"]), "nothing happens before its time"
    assert all({"text", "measure", "value", "held"} <= set(finding) for finding in run["findings"])
    assert secondpath("status", "--run-dir", str(state.RUN_DIR / name / "gateway" / "run")).returncode in (0, 1), (
        "it answers"
    )
    assert secondpath("lab", "down", "--name", name).returncode == 0
    assert remains(name) == []


@pytest.mark.parametrize(("number", "after_s"), MOMENTS)
def test_a_story_that_is_interrupted_leaves_nothing(name: str, number: int, after_s: float) -> None:
    begin_s = time.monotonic()
    with subprocess.Popen(
        argv("demo", "--story", "cable-cut", "--name", name),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        until(lambda: time.monotonic() - begin_s > after_s, after_s)
        os.killpg(process.pid, number)  # as a terminal does: to us and to whatever command we run just now
        said = process.communicate(timeout=2 * PATIENCE_S)[1]
    assert process.returncode in (128 + number, -number), said
    assert "Traceback" not in said
    assert remains(name) == []


@pytest.mark.parametrize("after_s", [CHANCE.uniform(0.3, 1.5), CHANCE.uniform(1.5, 2.5), CHANCE.uniform(2.5, 6.0)])
def test_after_a_demo_that_was_killed_outright_down_leaves_nothing(name: str, after_s: float) -> None:
    with subprocess.Popen(
        argv("demo", "--story", "cable-cut", "--name", name), env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        assert until((state.RUN_DIR / name / "state.json").exists)
        begin_s = time.monotonic()
        until(lambda: time.monotonic() - begin_s > after_s, after_s)
        process.send_signal(signal.SIGKILL)
    again = secondpath("demo", "--story", "cable-cut", "--name", name)
    assert again.returncode == 1
    assert f"take it down with: secondpath lab down --name {name}" in again.stderr
    assert secondpath("lab", "down", "--name", name).returncode == 0
    assert until(lambda: remains(name) == []), remains(name)


def test_who_reads_no_further_ends_the_demo(name: str) -> None:
    with subprocess.Popen(
        argv("demo", "--story", "cable-cut", "--name", name), env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert "cable-cut" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(2 * PATIENCE_S) == 0
    assert remains(name) == []


# ── The live view ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_cuts_the_cable_and_what_it_cost_is_measured(name: str) -> None:
    terminal = Terminal("demo", "--name", name)
    assert terminal.shows("Press a key"), terminal.shown
    assert terminal.shows("Phone call working"), terminal.shown
    terminal.press("c")
    assert terminal.shows("Running on lte"), terminal.shown
    assert terminal.shows("Guest Wi-Fi paused"), terminal.shown
    assert terminal.shows("Cable cut: "), terminal.shown
    assert terminal.shows("connections were reset so that programs reconnected"), terminal.shown
    terminal.press("m")
    assert terminal.shows("traffic goes home in"), terminal.shown
    terminal.press("h")
    assert terminal.shows("Online on cable"), terminal.shown
    terminal.press("q")
    last = terminal.end()
    assert "\x1b[?1049l" in last, "the screen of before is back"
    assert terminal.process.returncode == 0
    assert remains(name) == []


def test_ctrl_c_ends_the_view_and_leaves_nothing(name: str) -> None:
    terminal = Terminal("demo", "--name", name)
    assert terminal.shows("Press a key"), terminal.shown
    terminal.press("\x03")
    assert "nothing of it is left" in terminal.end()
    assert terminal.process.returncode == 130
    assert remains(name) == []


@pytest.mark.parametrize("moment", ["cables", "Press a key"])
def test_a_terminal_that_is_closed_takes_the_office_with_it(name: str, moment: str) -> None:
    terminal = Terminal("demo", "--name", name)
    assert terminal.shows(moment), terminal.shown
    os.close(terminal.master)
    terminal.process.wait(2 * PATIENCE_S)
    assert until(lambda: remains(name) == []), remains(name)


# ── The lab's commands ───────────────────────────────────────────────────────────────────────────────────────


def test_the_lab_is_built_broken_mended_and_taken_down_by_hand(name: str) -> None:
    option = ("--name", name)
    up = secondpath("lab", "up", *option, "--no-delay", "--gateway")
    assert up.returncode == 0, up.stderr
    run_dir = state.RUN_DIR / name / "gateway" / "run"
    assert secondpath("status", "--run-dir", str(run_dir)).returncode == 0
    assert secondpath("lab", "break", *option, "loss-30", "cable").stdout.startswith("loss-30 on cable: 30 % of round")
    [office] = [o for o in json.loads(secondpath("lab", "list", "--json").stdout)["offices"] if o["name"] == name]
    assert office["faults"] == [{"fault": "loss-30", "uplink": "cable"}]
    assert secondpath("lab", "mend", *option).stdout == "loss-30 on cable: mended.\n"
    assert secondpath("lab", "mend", *option).stdout == "Nothing was broken.\n"
    ping = secondpath("lab", "shell", *option, "staff", "--", "ping", "-c1", "-W1", "192.0.2.10")
    assert ping.returncode == 0, ping.stdout + ping.stderr
    assert secondpath("lab", "down", *option).stdout == f"The office '{name}' is gone.\n"
    assert remains(name) == []


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("break", "cabel-cut", "cable"), 2, "Did you mean 'cable-cut'?"),
        (("break", "cable-cut", "cabel"), 2, "Did you mean 'cable'?"),
        (("break", "cable-cut"), 2, "say which one (cable, lte)"),
        (("break", "loss-300", "cable"), 2, "more than 100 % cannot be lost"),
        (("break", "delay+300", "cable"), 1, "needs the delay relay"),
        (("mend", "cabel-cut"), 2, "Did you mean 'cable-cut'?"),
        (("shell", "staf"), 2, "Did you mean 'staff'?"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    standing: str, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    done = secondpath("lab", words[0], "--name", standing, *words[1:])
    assert done.returncode == exit_code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def standing() -> Iterator[str]:
    office = a_name()
    assert secondpath("lab", "up", "--name", office, "--no-delay").returncode == 0
    yield office
    assert secondpath("lab", "down", "--name", office).returncode == 0
    assert not Path(state.RUN_DIR / office).exists()


def test_a_name_that_is_taken_is_said_and_what_stands_there_stays(standing: str) -> None:
    done = secondpath("lab", "up", "--name", standing)
    assert done.returncode == 1
    assert "stands already" in done.stderr
    assert standing in secondpath("lab", "list").stdout


def test_an_office_that_was_never_built_is_not_taken_down() -> None:
    done = secondpath("lab", "down", "--name", "never-built")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no office called 'never-built'" in done.stderr
