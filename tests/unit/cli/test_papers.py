"""The manual page and the completions, as the programs that read them see them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from secondpath.cli.main import main
from secondpath.cli.table import COMMANDS
from secondpath.cli.troff import escaped


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_has_nothing_to_say_about_the_manual_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "man")
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8"], input=page.encode(), capture_output=True, check=True)
    assert done.stderr == b""


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
def test_mandoc_has_nothing_to_say_about_the_manual_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "man")
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning"], input=page.encode(), capture_output=True, check=False)
    assert done.stdout == b""


def test_the_manual_page_tells_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "man")
    assert all(f".SS {escaped(name)}" in page for name in COMMANDS)
    assert ".SH EXIT STATUS" in page
    assert "{" not in page.replace("\\(", "")


def test_what_troff_would_take_for_itself_is_escaped() -> None:
    assert escaped(".SH 'x' --a\\b") == "\\&.SH \\(aqx\\(aq \\-\\-a\\eb"


def test_bash_accepts_its_completion(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "completion", "bash")
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    asked = (
        f"{text}\nCOMP_WORDS=(secondpath fail); COMP_CWORD=1; {_function(text)}; "
        'for w in "${COMPREPLY[@]}"; do echo "$w"; done'
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert {"failover", "failback"} <= {word.strip() for word in done.stdout.splitlines()}


def _function(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("complete ") and "-F" in line]
    return line.split("-F", 1)[1].split()[0]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_know_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "completion", shell)
    assert all(name in text for name in COMMANDS)
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=text, text=True, check=True)


def test_fish_completes_files_where_files_are_meant(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "completion", "fish").splitlines()
    assert "complete -c secondpath -n '__fish_seen_subcommand_from check' -F" in lines
    assert lines[0] == "complete -c secondpath -f"
