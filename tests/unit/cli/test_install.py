"""Installing below a folder: what is put there, what is left alone, and what is refused."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from secondpath.cli.install import program
from secondpath.cli.installation import hidden
from secondpath.cli.main import main

CONFIG = "etc/secondpath/secondpath.toml"
SERVICE = "etc/systemd/system/secondpath.service"
GOOD = """
[[uplink]]
name = "cable"
interface = "wan0"
[[network]]
name = "staff"
interface = "lan0"
"""


def install(prefix: Path, *words: str) -> int:
    return main(["install", "--prefix", str(prefix), *words])


def tree(prefix: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below, with its rights and contents."""
    found = {}
    for path in sorted(prefix.rglob("*")):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(prefix))] = (path.lstat().st_mode, content)
    return found


def test_everything_is_put_in_its_place_with_the_real_paths(tmp_path: Path) -> None:
    assert install(tmp_path) == 0
    unit = (tmp_path / SERVICE).read_text()
    assert f"\nExecStart={program()} run --config /{CONFIG}\n" in unit
    assert "@" not in unit.replace("@system-service", "").replace("@privileged @resources", "").replace("@chown", "")
    assert (tmp_path / "usr/local/bin/secondpath").readlink() == program()
    assert "u secondpath " in (tmp_path / "etc/sysusers.d/secondpath.conf").read_text()
    assert (tmp_path / "usr/local/share/man/man8/secondpath.8").read_text().startswith(".TH SECONDPATH 8")
    for place in ("bash-completion/completions/secondpath", "zsh/site-functions/_secondpath"):
        assert "failover" in (tmp_path / "usr/local/share" / place).read_text()


def test_configuration_and_its_folder_are_closed_to_strangers(tmp_path: Path) -> None:
    assert install(tmp_path) == 0
    assert stat.S_IMODE((tmp_path / CONFIG).stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / CONFIG).parent.stat().st_mode) == 0o750


def test_a_second_time_changes_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path) == 0
    before = tree(tmp_path)
    capsys.readouterr()
    assert install(tmp_path) == 0
    assert tree(tmp_path) == before
    assert "Nothing to change." in capsys.readouterr().out


def test_a_unit_that_somebody_changed_is_put_right_and_the_lines_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(tmp_path) == 0
    unit = tmp_path / SERVICE
    text = unit.read_text()
    unit.write_text(text.replace("WatchdogSec=30", "WatchdogSec=3"))
    capsys.readouterr()
    assert install(tmp_path) == 0
    told = capsys.readouterr().out
    assert f"~ {unit}  (changed)\n    -WatchdogSec=3\n    +WatchdogSec=30\n" in told
    assert unit.read_text() == text


def test_a_dry_run_says_the_same_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path, "--dry-run") == 0
    told = capsys.readouterr().out
    assert f"+ {tmp_path / SERVICE}  (new)" in told
    assert "nothing was" in told
    assert tree(tmp_path) == {}


def test_the_example_says_what_to_do_and_is_refused_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(tmp_path) == 0
    assert "Next: describe the office" in capsys.readouterr().out
    assert main(["check", str(tmp_path / CONFIG)]) == 2
    assert install(tmp_path, "--enable") == 2


def test_the_example_without_its_marks_is_a_good_configuration(tmp_path: Path) -> None:
    assert install(tmp_path) == 0
    lines = (tmp_path / CONFIG).read_text().splitlines()
    words = ("# [", "# name", "# timezone", "# interface", "# metered", "# class", "# port", "# from")
    keys = [line[2:] for line in lines if line.startswith(words)]
    (tmp_path / CONFIG).write_text("\n".join(keys))
    assert main(["check", str(tmp_path / CONFIG)]) == 0


def test_a_configuration_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / CONFIG).parent.mkdir(parents=True)
    (tmp_path / CONFIG).write_text(GOOD)
    assert install(tmp_path) == 0
    assert (tmp_path / CONFIG).read_text() == GOOD


def test_a_bad_configuration_is_refused_with_all_that_is_wrong_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CONFIG).parent.mkdir(parents=True)
    (tmp_path / CONFIG).write_text(GOOD.replace("name", "nmae"))
    before = tree(tmp_path)
    assert install(tmp_path) == 2
    told = capsys.readouterr()
    assert told.err.count('did you mean "name"?') == 2
    assert tree(tmp_path) == before
    assert install(tmp_path, "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"], len(document["problems"]) >= 2) == (1, False, True)


def test_removing_leaves_configuration_and_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path) == 0
    assert install(tmp_path, "--remove", "--dry-run") == 0
    assert (tmp_path / SERVICE).exists()
    assert install(tmp_path, "--remove") == 0
    files = [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert files == [tmp_path / CONFIG]
    capsys.readouterr()
    assert install(tmp_path, "--remove") == 0
    assert "Nothing to change." in capsys.readouterr().out


def test_a_command_of_that_name_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    command = tmp_path / "usr/local/bin/secondpath"
    command.parent.mkdir(parents=True)
    command.write_text("somebody else's")
    assert install(tmp_path) == 0
    assert install(tmp_path, "--remove") == 0
    assert command.read_text() == "somebody else's"


def test_json_tells_files_commands_and_what_is_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert {"path": str(tmp_path / SERVICE), "fate": "new", "lines": []} in document["files"]
    assert document["commands"] == []
    assert "systemctl enable --now secondpath" in document["next"]


def test_contradictions_and_half_paths_are_wrong_usage(tmp_path: Path) -> None:
    assert install(tmp_path, "--remove", "--enable") == 2
    assert install(tmp_path, "--config", "office.toml") == 2


def test_a_program_that_the_sandbox_hides_is_noticed() -> None:
    assert list(hidden([Path("/opt/secondpath"), Path("/home/ann/venv"), Path("/root/.pyenv")])) == [
        Path("/home/ann/venv"),
        Path("/root/.pyenv"),
    ]


def test_without_root_installing_is_refused_in_a_sentence(tmp_path: Path) -> None:
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_nobody, program(), "install"], capture_output=True, text=True, check=False, cwd=tmp_path.anchor
    )
    assert done.returncode == 1
    assert done.stderr.startswith("secondpath: installing needs root: use sudo")


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs this machine")
def test_without_systemd_people_are_told_how_to_run_it_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("is refused for another reason")
    assert main(["install"]) == 1
    assert f"{program()} run --config" in capsys.readouterr().err
