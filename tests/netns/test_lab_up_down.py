"""Up is whole; down leaves nothing, also when up was interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S

from secondpath.lab import namespaces, state, verbs
from secondpath.lab.building import ETC_NETNS, python_environment
from secondpath.lab.errors import LabError
from secondpath.lab.office import Office
from secondpath.lab.topology import TOPOLOGIES, Topology, without_delay

pytestmark = pytest.mark.netns
NAME = f"t{os.getpid()}ud"


def remains(name: str) -> list[str]:
    """Everything on this machine that still belongs to an office."""
    found = [n for n in namespaces.existing() if n.startswith(f"sp-{name}-")]
    found += [str(p) for p in (state.RUN_DIR / name, *ETC_NETNS.glob(f"sp-{name}-*")) if p.exists()]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"sp-{name}-" in words or f"/secondpath-lab/{name}/" in words:
            found.append(words.replace("\0", " "))
    return found


def until(holds: object, limit_s: float = PATIENCE_S) -> bool:
    """Wait for a condition (a callable), at most so long."""
    end_s = time.monotonic() + limit_s
    assert callable(holds)
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=lambda t: t.name)
def test_every_office_stands_and_every_uplink_reaches_the_internet(topology: Topology) -> None:
    with Office.up(topology, NAME) as office:
        for uplink in topology.uplinks:
            for version, anchor in ((4, "192.0.2.1"), (6, "2001:db8:ff::1")):
                if uplink.next_hop(version):
                    ping = office.run("gw", ["ping", "-c2", "-i0.2", "-W2", "-I", uplink.interface, anchor])
                    assert ping.returncode == 0, (uplink.name, version, ping.stdout)
    assert remains(NAME) == []


def test_a_fresh_gateway_is_an_ordinary_box_that_does_not_forward() -> None:
    with Office.up(without_delay(TOPOLOGIES["office"]), NAME) as office:
        read = office.run("gw", ["sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]).stdout.split()
        assert read == ["0", "0"]
        assert office.run("gw", ["sysctl", "-n", "net.ipv4.conf.wan0.rp_filter"]).stdout.strip() == "2"
        assert office.run("gw", ["nft", "list", "ruleset"]).stdout == ""
        routes = office.run("gw", ["ip", "route", "show", "default"]).stdout
        assert "via 198.51.100.1 dev wan0 metric 100" in routes
        assert "via 203.0.113.1 dev wwan0 metric 200" in routes
        assert office.run("staff", ["ping", "-c1", "-W0.3", "192.0.2.1"]).returncode != 0


@pytest.mark.parametrize("step", ["hosts", "cables", "processes", "addresses", "routers", "internet"])
@pytest.mark.parametrize("trouble", [KeyboardInterrupt, RuntimeError])
def test_an_up_that_breaks_off_leaves_nothing(step: str, trouble: type[BaseException]) -> None:
    def watch(now: str) -> None:
        if now == step:
            raise trouble

    with pytest.raises(trouble):
        Office.up(TOPOLOGIES["office"], NAME, watch=watch)
    assert remains(NAME) == []


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.12, 0.2])
def test_an_up_that_is_killed_outright_can_be_taken_down_by_name(after_s: float) -> None:
    code = f"from secondpath.lab import verbs; print('go', flush=True); verbs.up({NAME!r})"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=python_environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert until((state.RUN_DIR / NAME / "state.json").exists)
        end_s = time.monotonic() + after_s
        until(lambda: time.monotonic() > end_s)
        process.send_signal(signal.SIGKILL)
    assert until(lambda: not commands_of(process.pid)), "a command that was under way may still add something"
    verbs.down(NAME)
    assert until(lambda: remains(NAME) == [])


def commands_of(group: int) -> list[str]:
    """The ip(8), nft(8) and so on that run in a process group; what was meant to stay is Python."""
    listed = subprocess.run(["ps", "-eo", "pgid=,comm="], capture_output=True, text=True, check=True).stdout
    running = [line.split(None, 1) for line in listed.splitlines()]
    return [command for pgid, command in running if int(pgid) == group and not command.startswith("python")]


def test_ctrl_c_during_up_leaves_nothing() -> None:
    code = f"from secondpath.lab import verbs; verbs.up({NAME!r}, watch=lambda w: print(w, flush=True))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        while process.stdout.readline().strip() != "processes":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) != 0
    assert remains(NAME) == []


def test_down_ends_what_runs_in_the_hosts_and_nothing_outside() -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        with Office.up(without_delay(TOPOLOGIES["office"]), NAME) as office:
            stubborn = office.spawn("gw", ["sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"])
            unknown_to_us = subprocess.Popen(["ip", "netns", "exec", office.host_netns("staff"), "sleep", "60"])
        assert stubborn.poll() is not None
        assert unknown_to_us.wait(PATIENCE_S) != 0
        assert bystander.poll() is None
        bystander.kill()
    assert remains(NAME) == []


def test_down_twice_is_down() -> None:
    office = Office.up(without_delay(TOPOLOGIES["office"]), NAME)
    office.down()
    office.down()
    assert remains(NAME) == []
    with pytest.raises(LabError, match=f"no office called '{NAME}'"):
        verbs.down(NAME)


def test_several_offices_stand_at_once_and_a_name_is_taken_once() -> None:
    plain = without_delay(TOPOLOGIES["office"])
    with Office.up(plain, NAME) as one, Office.up(plain, f"{NAME}-b") as other:
        assert one.host_netns("gw") != other.host_netns("gw")
        assert {NAME, f"{NAME}-b"} <= set(verbs.list_offices())
        with pytest.raises(LabError, match="is up already"):
            Office.up(plain, NAME)
        one.down()
        assert other.run("gw", ["ping", "-c2", "-i0.2", "-W2", "192.0.2.1"]).returncode == 0
    assert remains(NAME) == []


def test_a_state_without_an_office_does_not_hold_its_name_for_ever() -> None:
    plain = without_delay(TOPOLOGIES["office"])
    state.create(NAME, plain)
    with pytest.raises(LabError, match="is up already"):  # it may be another's, just beginning
        Office.up(plain, NAME)
    long_ago_s = time.time() - 60
    os.utime(state.RUN_DIR / NAME / "state.json", (long_ago_s, long_ago_s))
    with Office.up(plain, NAME) as office:
        assert office.run("gw", ["ping", "-c2", "-i0.2", "-W2", "192.0.2.1"]).returncode == 0
    assert remains(NAME) == []


def test_another_process_can_attach_break_and_mend() -> None:
    with Office.up(without_delay(TOPOLOGIES["office"]), NAME) as office:
        code = f"from secondpath.lab import verbs; verbs.break_({NAME!r}, 'blackhole', 'cable')"
        subprocess.run([sys.executable, "-c", code], env=python_environment(), check=True, timeout=2 * PATIENCE_S)
        assert office.broken() == [("blackhole", "cable")]
        assert office.run("gw", ["ping", "-c1", "-W0.3", "192.0.2.1"]).returncode != 0
        assert verbs.list_offices()[NAME] == [("blackhole", "cable")]
        verbs.mend(NAME, "blackhole")
        assert office.broken() == []
        assert office.run("gw", ["ping", "-c2", "-i0.2", "-W2", "192.0.2.1"]).returncode == 0


def test_a_shell_is_in_the_host_and_names_resolve_there() -> None:
    with Office.up(without_delay(TOPOLOGIES["office"]), NAME):
        code = (
            f"from secondpath.lab import verbs; verbs.shell({NAME!r}, 'gw', ('getent', 'ahostsv4', 'tax.example.com'))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=python_environment(),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        assert done.stdout.startswith("192.0.2.11")
        with pytest.raises(LabError, match=r"no host called 'staf'\. Did you mean 'staff'"):
            verbs.shell(NAME, "staf")


def test_who_is_not_root_is_told_so() -> None:
    code = (
        "import os; os.setuid(65534)\n"
        "from secondpath.lab import verbs\nfrom secondpath.lab.errors import LabError\n"
        f"try: verbs.up({NAME!r})\nexcept LabError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import secondpath.lab.verbs\n" + code],
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    assert "needs root" in done.stdout
