"""The unit's promise on the real kernel: the daemon is nobody with three capabilities, and gets no more."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.netns.gateway_witness import reaches, uses
from tests.patience import PATIENCE_S

from secondpath.lab.box import TAX_PORTAL, Box, config_of
from secondpath.lab.office import Office

pytestmark = pytest.mark.netns

NOBODY = 65534
THREE = 1 << 12 | 1 << 13 | 1 << 10
"""CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE (capabilities(7))."""
AS_THE_UNIT_DOES = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+net_admin,+net_raw,+net_bind_service",
    "--ambient-caps=-all,+net_admin,+net_raw,+net_bind_service",
    "--bounding-set=-all,+net_admin,+net_raw,+net_bind_service",
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


def test_the_daemon_is_nobody_with_three_capabilities_and_can_get_no_more(unprivileged: Box) -> None:
    assert unprivileged.process is not None
    told = credentials(unprivileged.process.pid)
    assert told["Uid"].split() == [str(NOBODY)] * 4
    assert told["Groups"].split() == []
    assert [int(told[kind], 16) for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb")] == [THREE] * 4
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


def test_without_root_the_resolver_answers_and_fills_the_sets(office: Office) -> None:
    box = UnprivilegedBox.of(office, config_of(office.topology) + TAX_PORTAL + "[resolver]\n")
    for folder in (box.run_dir, box.state_dir):
        folder.mkdir(mode=0o750)
        os.chown(folder, NOBODY, NOBODY)
    ask = (
        "import dns.message,dns.query\n"
        "a=dns.query.udp(dns.message.make_query('www.tax.example.com','A'),'10.44.10.1',timeout=3)\n"
        "print(a.answer[0][0].address)"
    )
    with box:
        box.until_well()
        pid_file = box.run_dir / "resolver" / "dnsmasq.pid"
        box.until(pid_file.exists, PATIENCE_S, "the resolver was begun")
        told = credentials(int(pid_file.read_text()))
        assert told["Uid"].split() == [str(NOBODY)] * 4
        asked = office.run("staff", [sys.executable, "-c", ask])
        assert asked.stdout.split() == ["192.0.2.11"], asked.stderr
        sets = office.run("gw", ["nft", "list", "set", "inet", "secondpath", "fresh4_application_16"]).stdout
        assert "192.0.2.11" in sets
    done = office.run("gw", Box.argv(box, "clear"))
    assert "the office's resolver has ended" in done.stdout
    assert not Path(f"/proc/{int(told['Pid'])}").exists() or "Z" in credentials(int(told["Pid"]))["State"]
