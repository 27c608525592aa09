"""An office that stands: namespaces, cables, ISPs, relays and the internet, until `down`."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from secondpath.lab import building, faults, namespaces, state, wiring
from secondpath.lab.building import python_environment
from secondpath.lab.changes import Change, carry_out
from secondpath.lab.errors import LabError, unknown
from secondpath.lab.topology import TOPOLOGIES, Topology


@dataclass(frozen=True, slots=True)
class Count:
    """One nft counter."""

    packets: int
    octets: int


@dataclass(slots=True)
class Office:
    """A handle on a standing office. Use `with Office.up(...) as office:`; `attach` for one that stands already."""

    name: str
    topology: Topology
    children: list[subprocess.Popen[Any]] = field(default_factory=list)

    # ── Building and taking down ────────────────────────────────────────────────────────────────────────────

    @classmethod
    def up(
        cls,
        topology: Topology = TOPOLOGIES["office"],
        name: str = "office",
        *,
        watch: Callable[[str], None] = lambda _step: None,
    ) -> Self:
        """Build an office. When anything goes wrong on the way, even Ctrl-C, nothing of it stays."""
        namespaces.require_root()
        if state.is_stale(name) and not building.standing_hosts(name, topology):
            state.forget(name)  # left by an `up` that was killed before it had built anything
        office = cls(name, topology)
        state.create(name, topology)
        try:
            building.build(name, topology, office.remember, watch)
        except BaseException:
            office.down()
            raise
        return office

    @classmethod
    def attach(cls, name: str) -> Self:
        """A handle on an office that another process built."""
        return cls(name, state.read(name).topology)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def down(self) -> None:
        """Take everything away: processes, namespaces, files. Idempotent; Ctrl-C waits until it is done."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            building.clear(self.name, self.topology)
            for child in self.children:
                child.poll()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def remember(self, process: subprocess.Popen[Any]) -> None:
        """Write a process down, so that whoever takes the office down can end it."""
        self.children.append(process)
        if (born := namespaces.born(process.pid)) is not None:
            with state.changed(self.name) as record:
                record.processes.append((process.pid, born))

    # ── Using it ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def directory(self) -> Path:
        """The office's files: ca.pem, control sockets, logs, state.json."""
        return state.directory_of(self.name)

    def host_netns(self, host: str) -> str:
        """The namespace of a host (`ip netns exec` it), or a sentence."""
        if host not in self.topology.hosts:
            raise unknown("host", host, self.topology.hosts)
        return wiring.netns_of(self.name, host)

    def run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        text_in: str | None = None,
        timeout_s: float = 30.0,
        check: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a host and wait for it, at most `timeout_s`; with `check`, its failure is a LabError."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.host_netns(host), *argv],
            input=text_in,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=env,
        )
        if check and done.returncode != 0:
            raise LabError(f"In {host}, '{' '.join(argv)}' failed: {done.stderr.strip()}")
        return done

    def spawn(
        self,
        host: str,
        argv: Sequence[str],
        *,
        out: int | IO[Any] | None = None,
        err: int | IO[Any] | None = None,
        own_session: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a command in a host; it is ended by `down` at the latest. Its pid is the command's own."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.host_netns(host), *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
            start_new_session=own_session,
            env=env,
        )
        self.remember(process)
        return process

    def spawn_module(
        self, host: str, module: str, arguments: Sequence[str], *, out: int | IO[Any] | None, err: IO[Any] | None
    ) -> subprocess.Popen[str]:
        """Start one of our own modules in a host, in a session of its own so that Ctrl-C does not reach it."""
        argv = [sys.executable, "-m", module, *arguments]
        return self.spawn(host, argv, out=out, err=err, own_session=True, env=python_environment())

    def counters(self, isp: str) -> dict[str, Count]:
        """An ISP's counters: wrong_source, from_office, to_office, to_servers. Takes the ISP's or the uplink's name."""
        host = next((u.isp for u in self.topology.uplinks if isp in (u.isp, u.name)), None)
        if host is None:
            raise unknown("ISP", isp, (u.isp for u in self.topology.uplinks))
        with namespaces.inside(self.host_netns(host)):
            done = subprocess.run(
                ["nft", "-j", "list", "counters", "table", "inet", "lab"],
                capture_output=True,
                text=True,
                check=True,
                timeout=namespaces.COMMAND_LIMIT_S,
            )
        entries = [e["counter"] for e in json.loads(done.stdout)["nftables"] if "counter" in e]
        return {e["name"]: Count(e["packets"], e["bytes"]) for e in entries}

    # ── Breaking and mending ────────────────────────────────────────────────────────────────────────────────

    def inject(self, fault: str, uplink: str | None = None) -> float:
        """Break something; returns the CLOCK_MONOTONIC instant it took effect. Twice is as good as once."""
        place, found = faults.place(self.topology, fault, uplink)
        with state.changed(self.name) as record:
            if (fault, place.uplink_name) not in record.faults:
                record.faults.append((fault, place.uplink_name))
            return self._carry_out(found.inject(place))

    def heal(self, fault: str, uplink: str | None = None) -> float:
        """Undo one fault exactly; returns the instant. Healing what is well changes nothing."""
        place, found = faults.place(self.topology, fault, uplink)
        with state.changed(self.name) as record:
            record.faults = [one for one in record.faults if one != (fault, place.uplink_name)]
            return self._carry_out(found.heal(place))

    def mend(self) -> float:
        """Undo every fault; returns the instant at which all is well."""
        at_s = time.monotonic()
        for fault, uplink in reversed(self.broken()):
            at_s = self.heal(fault, uplink)
        return at_s

    def broken(self) -> list[tuple[str, str | None]]:
        """The faults that are in, oldest first."""
        return state.read(self.name).faults

    def _carry_out(self, changes: Sequence[Change]) -> float:
        """The instant is that of the first change: the rest of a fault is tidying."""
        instants = [carry_out(change, self.name, self.directory) for change in changes]
        return instants[0] if instants else time.monotonic()
