"""The units that `secondpath install` writes, as systemd itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from secondpath.cli.installation import template

MOST_EXPOSED = 2.2
"""What the sandbox reached when it was designed; systemd-analyze counts from 0 (closed) to 10."""
THREE = "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE"
"""The third for the office's resolver, which answers on port 53 (adr/0019)."""
NEEDED = (
    "Type=notify",
    "WatchdogSec=30",
    "Restart=always",
    "RestartSec=1",
    "StartLimitIntervalSec=0",
    "OOMScoreAdjust=-900",
    "NoNewPrivileges=yes",
    f"AmbientCapabilities={THREE}",
    f"CapabilityBoundingSet={THREE}",
    "ProtectSystem=strict",
    "RuntimeDirectoryPreserve=yes",
    "KillMode=process",
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert shutil.which("systemd-analyze"), "systemd-analyze is not there: apt-get install systemd"
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The service as it is written for this very Python."""
    places = {"@PROGRAM@": sys.executable, "@CONFIG@": "/etc/secondpath/secondpath.toml"}
    path = tmp_path / "secondpath.service"
    path.write_text(template("secondpath.service", places))
    return path


def test_systemd_has_nothing_to_say_about_the_unit(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sandbox_is_as_closed_as_it_was_designed(unit: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED * 10:.0f}", str(unit))
    score = re.search(r"exposure level for \S+ (\d+\.\d+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert done.returncode == 0, f"exposure {score[1]}, more than {MOST_EXPOSED}"
    assert float(score[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("line", NEEDED)
def test_the_unit_keeps_its_promises(unit: Path, line: str) -> None:
    assert line in unit.read_text().splitlines()


def test_no_key_is_written_twice_but_the_filter_of_system_calls(unit: Path) -> None:
    keys = [line.split("=")[0] for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    assert {key for key in keys if keys.count(key) > 1} == {"SystemCallFilter"}


def test_the_user_is_one_that_sysusers_understands(tmp_path: Path) -> None:
    assert shutil.which("systemd-sysusers"), "systemd-sysusers is not there: apt-get install systemd"
    (tmp_path / "etc").mkdir()
    rules = tmp_path / "secondpath.conf"
    rules.write_text(template("secondpath.sysusers"))
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(rules)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "secondpath:" in (tmp_path / "etc/passwd").read_text()
    assert "secondpath:" in (tmp_path / "etc/group").read_text()
