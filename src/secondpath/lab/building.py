"""Builds an office from its topology, and clears away whatever is left of one.

Few processes, in an order that needs no waiting twice: hosts, cables, then relays and the internet's servers start
while addresses and routers are put in place. Each step is announced by its name to `watch`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import secondpath
from secondpath.lab import namespaces, state, wiring
from secondpath.lab.errors import LabError
from secondpath.lab.topology import INTERNET_HOST, Topology, Uplink

START_LIMIT_S = 15.0
ETC_NETNS = Path("/etc/netns")
RESOLVERS = "nameserver 192.0.2.3\nnameserver 2001:db8:ff::3\n"
Process = subprocess.Popen[Any]


@dataclass(frozen=True, slots=True)
class Site:
    """Where an office is being built, and who writes down the processes that are started for it."""

    name: str
    topology: Topology
    remember: Callable[[Process], None]

    def netns(self, host: str) -> str:
        """The namespace of a host."""
        return wiring.netns_of(self.name, host)

    @property
    def directory(self) -> Path:
        """The office's files."""
        return state.directory_of(self.name)


def build(name: str, topology: Topology, remember: Callable[[Process], None], watch: Callable[[str], None]) -> None:
    """Build everything; returns when all of it works."""
    site = Site(name, topology, remember)
    watch("hosts")
    namespaces.batch("ip", wiring.hosts(name, topology))
    for host in topology.hosts:  # before there are interfaces, for these inherit
        namespaces.write_sysctls(site.netns(host), wiring.sysctls(topology, host))
    watch("cables")
    namespaces.batch("ip", wiring.cables(name, topology))
    watch("processes")
    relays = [start_relay(site, uplink) for uplink in topology.uplinks if uplink.delay_s is not None]
    world = start_world(site)
    for control, process in relays:
        await_ready(control, process)
    watch("addresses")
    for host in reversed(topology.hosts):
        namespaces.batch("ip", wiring.host_lines(topology, host), site.netns(host))
    watch("routers")
    set_up_routers(site)
    write_resolvers(site)
    watch("internet")
    await_ready(*world)
    await_links(site)


def set_up_routers(site: Site) -> None:
    """Packet filters, counters and rates of the ISPs and the internet."""
    for uplink in site.topology.uplinks:
        namespaces.nft(wiring.isp_ruleset(uplink), site.netns(uplink.isp))
        if rates := wiring.shape_lines(uplink):
            namespaces.batch("tc", rates, site.netns(uplink.isp))
    namespaces.nft(wiring.internet_ruleset(), site.netns(INTERNET_HOST))


def write_resolvers(site: Site) -> None:
    """`ip netns exec` shows /etc/netns/NAME/resolv.conf to what it runs: names work in `shell`."""
    for host in site.topology.hosts[: 1 + len(site.topology.insides)]:
        directory = ETC_NETNS / site.netns(host)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "resolv.conf").write_text(RESOLVERS)


def start_relay(site: Site, uplink: Uplink) -> tuple[Path, Process]:
    """The upstream path of one ISP."""
    control = site.directory / f"relay-{uplink.name}.sock"
    ends = ["--near", site.netns(uplink.isp), wiring.CORE, "--far", site.netns(INTERNET_HOST), uplink.isp]
    arguments = [*ends, "--delay-s", str(uplink.delay_s), "--control", str(control)]
    return control, start(site, "relay", uplink.isp, arguments, control.with_suffix(".log"))


def start_world(site: Site) -> tuple[Path, Process]:
    """The internet's servers."""
    portals = [f"--portal={site.netns(uplink.isp)}" for uplink in site.topology.uplinks]
    control = site.directory / "world.sock"
    arguments = ["--home", str(site.directory), *portals]
    return control, start(site, "world", INTERNET_HOST, arguments, control.with_suffix(".log"))


def start(site: Site, module: str, host: str, arguments: list[str], log_path: Path) -> Process:
    """A process of the lab, in a host's namespace: there `clear` finds it even if nobody came to write it down."""
    argv = [sys.executable, "-m", f"secondpath.lab.{module}", *arguments]
    with log_path.open("w") as log, namespaces.inside(site.netns(host)):
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=python_environment(),
        )
    site.remember(process)
    return process


def python_environment() -> dict[str, str]:
    """An environment in which a child Python finds this very package."""
    return {**os.environ, "PYTHONPATH": str(Path(secondpath.__file__).parent.parent)}


def await_ready(control: Path, process: Process) -> None:
    """Wait until a process of the lab has opened its control socket: its way of saying it is ready."""
    until_s = time.monotonic() + START_LIMIT_S
    while not control.exists():
        if process.poll() is not None or time.monotonic() > until_s:
            said = control.with_suffix(".log").read_text().strip()[-800:]
            raise LabError(f"The lab's process for {control.stem} did not start: {said}")
        time.sleep(0.002)


def await_links(site: Site) -> None:
    """Wait until the kernel has seen every link come up: it looks at most once a second."""
    until_s = time.monotonic() + START_LIMIT_S
    for host in site.topology.hosts:
        while not namespaces.links_run(site.netns(host)):
            if time.monotonic() > until_s:
                raise LabError(f"The links of {host} do not come up.")
            time.sleep(0.005)


def standing_hosts(name: str, topology: Topology) -> list[str]:
    """Which of an office's namespaces exist."""
    there = namespaces.existing()
    return [netns for host in topology.hosts if (netns := wiring.netns_of(name, host)) in there]


def clear(name: str, topology: Topology) -> None:
    """Remove whatever there is of an office: processes, namespaces, files."""
    hosts = standing_hosts(name, topology)
    namespaces.end([pid for pid, born in _written_down(name) if namespaces.born(pid) == born])
    namespaces.end([pid for netns in hosts for pid in namespaces.living_in(netns)])
    if hosts:
        namespaces.batch("ip", [f"netns del {netns}" for netns in hosts], force=True)
    for host in topology.hosts:
        shutil.rmtree(ETC_NETNS / wiring.netns_of(name, host), ignore_errors=True)
    with suppress(OSError):
        ETC_NETNS.rmdir()
    state.forget(name)


def _written_down(name: str) -> list[tuple[int, int]]:
    try:
        return state.read(name).processes
    except (LabError, ValueError):
        return []
