"""The real gateway in an office: `secondpath run` as its own process on host gw, spoken to over its control socket."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from secondpath.control.client import Unreachable, ask
from secondpath.lab.building import python_environment
from secondpath.lab.errors import LabError
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST, STUN_IPV4, STUN_IPV6, Topology
from secondpath.wire.messages import Request, Response, Verb

START_LIMIT_S = 20.0
POLL_S = 0.01


def config_of(topology: Topology, **failover: str) -> str:
    """The office.toml of a topology: its uplinks (all but the first metered) and networks; failover keys as given."""
    lines = ['[office]\nname = "The virtual office"\n']
    for place, uplink in enumerate(topology.uplinks):
        metered = "metered = true\n" if place and uplink.interface.startswith("ww") else ""
        modem = f'modem = "{uplink.modem}"\n' if uplink.modem else ""
        lines.append(f'[[uplink]]\nname = "{uplink.name}"\ninterface = "{uplink.interface}"\n{metered}{modem}')
    for inside in topology.insides:
        kind = 'class = "guest"\n' if inside.host == "guest" else ""
        lines.append(f'[[network]]\nname = "{inside.host}"\ninterface = "{inside.interface}"\n{kind}')
    lines.append(f"[reachability]\ntargets = [{', '.join(map(repr, TARGETS))}]\n".replace("'", '"'))
    lines[-1] += f"stun = [{', '.join(map(repr, STUN))}]\n".replace("'", '"')
    if failover:
        lines.append("[failover]\n" + "".join(f'{key} = "{value}"\n' for key, value in failover.items()))
    return "\n".join(lines)


TARGETS = (
    "icmp://192.0.2.1",
    "tcp://192.0.2.2:443",
    "dns://192.0.2.3/probe.example",
    "http://192.0.2.4/generate_204",
    "icmp://[2001:db8:ff::1]",
    "tcp://[2001:db8:ff::2]:443",
    "dns://[2001:db8:ff::3]/probe.example",
    "http://[2001:db8:ff::4]/generate_204",
)
"""The anchors of the lab's internet: four operators' worth, each asked in its own way, over both families."""


TAX_PORTAL = """
[[application]]
name = "Tax portal"
class = "line-of-business"
match = { domains = ["tax.example.com"] }
test = "https://tax.example.com/login"
"""
"""An application of the office: a name of the lab's internet, at the second of its servers. To follow a `config_of`."""


STUN = (*(f"{a}:3478" for a in STUN_IPV4), *(f"[{a}]:3478" for a in STUN_IPV6))
"""What tells a gateway which address the internet sees."""


@dataclass(slots=True)
class Box:
    """The gateway's process and its directories. A context manager: leaving it ends the process only."""

    office: Office
    config: Path
    process: subprocess.Popen[str] | None = None
    starts: int = field(default=0)

    @classmethod
    def of(cls, office: Office, text: str | None = None, **failover: str) -> Self:
        """A gateway for an office, not started yet; `text` is its office.toml."""
        home = office.directory / "gateway"
        home.mkdir(exist_ok=True)
        config = home / "office.toml"
        config.write_text(text if text is not None else config_of(office.topology, **failover))
        return cls(office, config)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def run_dir(self) -> Path:
        """Where the control socket is."""
        return self.config.parent / "run"

    @property
    def state_dir(self) -> Path:
        """Where the book is."""
        return self.config.parent / "state"

    @property
    def log(self) -> Path:
        """What the gateway printed."""
        return self.config.parent / "gateway.log"

    def argv(self, *arguments: str) -> list[str]:
        """A secondpath command line for this gateway."""
        program = [sys.executable, "-m", "secondpath", "--run-dir", str(self.run_dir)]
        return [*program, "--state-dir", str(self.state_dir), *arguments]

    def start(self, limit_s: float = START_LIMIT_S) -> float:
        """Start it and wait until it answers; the seconds that took."""
        began_s = time.monotonic()
        with self.log.open("a") as log:
            self.process = self.office.spawn(
                GATEWAY_HOST,
                self.argv("run", "--config", str(self.config)),
                out=log,
                err=log,
                own_session=True,
                env={**os.environ, **python_environment()},
            )
        self.starts += 1
        self.until(self._answers, limit_s, "the gateway answers")
        return time.monotonic() - began_s

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise LabError(f"The gateway ended at once: {self.log.read_text()[-2000:]}")
        try:
            return ask(self.run_dir / "control.sock", Request(Verb.STATUS)).ok
        except Unreachable:
            return False

    def stop(self, number: int = signal.SIGTERM, limit_s: float = 15.0) -> int:
        """End it (`number` is the signal: SIGKILL is a crash) and wait; its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(limit_s)
        self.process = None
        return code

    def order(self, verb: Verb, **arguments: str | float) -> Response:
        """Ask something of the running gateway."""
        return ask(self.run_dir / "control.sock", Request(verb, arguments))

    def status(self) -> Mapping[str, Any]:
        """The document of `status --json`."""
        return self.order(Verb.STATUS).data

    def uses(self, family: str = "ipv4", traffic_class: str = "office") -> str | None:
        """The uplink that a class travels on."""
        uplink: str | None = self.status()["steering"][traffic_class][family]
        return uplink

    def health(self, uplink: str, family: str = "ipv4") -> str:
        """An uplink's health."""
        return next(str(u["health"][family]) for u in self.status()["uplinks"] if u["name"] == uplink)

    def until_well(self, limit_s: float = 20.0) -> None:
        """Wait until every uplink is up in every family that it has."""
        self.until(
            lambda: (
                all(h in ("up", "unknown") for u in self.status()["uplinks"] for h in u["health"].values())
                and all("up" in u["health"].values() for u in self.status()["uplinks"])
            ),
            limit_s,
            "all uplinks are up",
        )

    def until(self, condition: Callable[[], bool], limit_s: float, words: str) -> float:
        """Wait for a condition; the seconds it took. LabError, with the gateway's last words, if it does not come."""
        began_s = time.monotonic()
        while not condition():
            if time.monotonic() - began_s > limit_s:
                raise LabError(f"Not within {limit_s:g} s: {words}. The gateway's log: {self.log.read_text()[-3000:]}")
            time.sleep(POLL_S)
        return time.monotonic() - began_s
