"""The unit's promise on the real kernel: the daemon is nobody with two capabilities, and gets no more."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.netns.gateway_witness import reaches, uses
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.office import Office

pytestmark = pytest.mark.netns

NOBODY = 65534
TWO = 1 << 12 | 1 << 13
"""CAP_NET_ADMIN and CAP_NET_RAW (capabilities(7))."""
AS_THE_UNIT_DOES = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+net_admin,+net_raw",
    "--ambient-caps=-all,+net_admin,+net_raw",
    "--bounding-set=-all,+net_admin,+net_raw",
    "--no-new-privs",
)


class UnprivilegedBox(Box):
    """A gateway that is started as secondpath.service starts it."""

    def argv(self, *arguments: str) -> list[str]:
        return [*AS_THE_UNIT_DOES, *Box.argv(self, *arguments)]


def credentials(pid: int) -> dict[str, str]:
    """What the kernel says of a process (proc(5))."""
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


@pytest.fixture
def unprivileged(office: Office) -> Iterator[Box]:
    box = UnprivilegedBox.of(office)
    for folder in (box.run_dir, box.state_dir):
        folder.mkdir(mode=0o750)
        os.chown(folder, NOBODY, NOBODY)
    with box:
        box.until_well()
        yield box


def test_the_daemon_is_nobody_with_two_capabilities_and_can_get_no_more(unprivileged: Box) -> None:
    assert unprivileged.process is not None
    told = credentials(unprivileged.process.pid)
    assert told["Uid"].split() == [str(NOBODY)] * 4
    assert told["Groups"].split() == []
    assert [int(told[kind], 16) for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb")] == [TWO] * 4
    assert told["NoNewPrivs"] == "1"


def test_without_root_a_cut_cable_still_moves_the_office(unprivileged: Box) -> None:
    unprivileged.office.inject("cable-cut", "cable")
    unprivileged.until(lambda: uses(unprivileged, "lte"), PATIENCE_S, "all on lte")
    assert reaches(unprivileged.office)


def test_without_root_a_restart_adopts_and_a_flushed_table_is_mended(unprivileged: Box) -> None:
    unprivileged.stop()
    unprivileged.start()
    unprivileged.until_well()
    unprivileged.office.run("gw", ["nft", "flush", "ruleset"], check=True)
    unprivileged.until(lambda: "secondpath" in tables(unprivileged), PATIENCE_S, "the table is back")


def tables(box: Box) -> str:
    return box.office.run("gw", ["nft", "list", "tables"], check=True).stdout


def test_status_works_for_root_and_the_socket_is_closed_to_others(unprivileged: Box) -> None:
    done = unprivileged.office.run("gw", Box.argv(unprivileged, "status"))
    assert done.returncode == 0, done.stderr
    assert "Online on cable" in done.stdout
    assert stat.S_IMODE((unprivileged.run_dir / "control.sock").stat().st_mode) == 0o660


def test_root_can_clear_what_nobody_has_made(unprivileged: Box) -> None:
    unprivileged.stop()
    done = unprivileged.office.run("gw", Box.argv(unprivileged, "clear"))
    assert done.returncode == 0, done.stderr
    assert "table inet secondpath is gone" in done.stdout
    assert tables(unprivileged) == ""
