"""A start that cannot be: a sentence, an exit code, and nothing left behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from secondpath.daemon.start import PROBLEM, USAGE, _sentence, run

CONFIG = """
[[uplink]]
name = "cable"
interface = "wan0"
[[network]]
name = "staff"
interface = "lan0"
"""


def test_a_bad_configuration_ends_with_2_and_all_its_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "office.toml"
    config.write_text(CONFIG.replace("interface", "interfce"))
    assert run(config, tmp_path / "state", tmp_path / "run", "text") == USAGE
    assert capsys.readouterr().err.count("interfce") >= 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("which", ["run", "state"])
def test_a_directory_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    config = tmp_path / "office.toml"
    config.write_text(CONFIG)
    (tmp_path / which).write_text("a file")
    assert run(config, tmp_path / "state", tmp_path / "run", "text") == PROBLEM
    said = capsys.readouterr().err
    assert said == f"secondpath cannot start: {tmp_path / which} cannot be used (File exists).\n"


def test_missing_rights_are_said_with_what_would_be_right() -> None:
    said = _sentence(OSError(errno.EPERM, "open netlink"))
    assert said == "it needs CAP_NET_ADMIN and CAP_NET_RAW, as root and its unit have them (open netlink)."
