"""Do calls sound well on a backup that everybody fills?

The office runs on its backup, twenty people download, one guest streams, four upload. Calls are RTP as G.711 makes it,
both ways, timed packet by packet by the kernel (lab/calls). On a throttled plan somebody pays by card and somebody
signs in meanwhile. The same once more with a gateway that does not know what the line carries: nothing is shaped.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.figures import table
from bench.ground import STANDBY, Answer, Ground, a_gateway, an_office, runs_on, spawn_bench
from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.switchboard import Heard, Switchboard
from secondpath.lab.topology import Topology, find_topology, with_rates
from secondpath.wire.messages import Verb

DOWNLOADS, UPLOADS, STREAMS = 20, 4, 1
SETTLE_S = 6.0
"""Until twenty downloads have found their places."""
TERMINAL, PORTAL = "192.0.2.12", "192.0.2.11"
APPLICATIONS = f"""
[[application]]
name = "Phones"
class = "voice"
match = {{ servers = ["192.0.2.10"], ports = ["udp/10000-20000"] }}
test = "sips://192.0.2.10:5061"

[[application]]
name = "Card terminal"
class = "payments"
match = {{ servers = ["{TERMINAL}"], ports = ["tcp/443"] }}
test = "tcp://{TERMINAL}:443"

[[application]]
name = "Tax portal"
class = "line-of-business"
match = {{ servers = ["{PORTAL}"], ports = ["tcp/443"] }}
test = "tcp://{PORTAL}:443"
"""
PAYMENT = (TERMINAL, "/bytes/2000")
SIGN_IN = (PORTAL, "/login", "/bytes/20000", "/bytes/20000")


@dataclass(frozen=True, slots=True)
class Trial:
    """One line to fill."""

    words: str
    key: str
    bps: int
    calls: int
    errands: bool = False


TRIALS = (
    Trial("4 Mbit/s, 20 calls", "backup", 4_000_000, 20),
    Trial("600 kbit/s, 3 calls", "low", 600_000, 3, errands=True),
)


def office_text(topology: Topology, bps: int | None) -> str:
    rates = f'down = "{bps // 1000} kbit/s"\nup = "{bps // 1000} kbit/s"\n' if bps else ""
    return config_of(topology).replace(f'name = "{STANDBY}"\n', f'name = "{STANDBY}"\n{rates}') + APPLICATIONS


@contextmanager
def on_the_backup(trial: Trial, *, shaped: bool) -> Iterator[tuple[Office, Box, Switchboard]]:
    topology = with_rates(find_topology("office"), STANDBY, down_bps=trial.bps, up_bps=trial.bps)
    text = office_text(topology, trial.bps if shaped else None)
    with an_office(topology) as office, a_gateway(office, text) as box, Switchboard(office) as board:
        box.until(lambda: all(a["addresses"] for a in box.status()["applications"]), 20.0, "applications are known")
        box.order(Verb.FAILOVER, uplink=STANDBY)
        box.until(lambda: runs_on(box, STANDBY), 5.0, "traffic runs on the backup")
        board.load(DOWNLOADS, UPLOADS)
        board.load(STREAMS, host="guest")
        time.sleep(SETTLE_S)
        yield office, box, board


def errand(office: Office, words: tuple[str, ...]) -> float:
    """The seconds that it took."""
    process = spawn_bench(office, "staff", "errand", *words, out=subprocess.PIPE)
    said, _ = process.communicate(timeout=120.0)
    return float(said)


def hear(trial: Trial, lasts_s: float, *, shaped: bool) -> tuple[Heard, dict[str, float], str]:
    with on_the_backup(trial, shaped=shaped) as (office, box, board):
        calls = board.call(trial.calls)
        until_s, took = time.monotonic() + lasts_s, {}
        if trial.errands:
            took = {"payment": errand(office, PAYMENT), "sign-in": errand(office, SIGN_IN)}
        time.sleep(max(0.0, until_s - time.monotonic()))
        heard = calls.end()
        still = next(u for u in box.status()["uplinks"] if u["name"] == STANDBY)
        shaping: dict[str, Any] = still["shaping"] or {}
        return heard, took, (shaping.get("down") or {}).get("by", "nothing")


def ask(ground: Ground) -> Answer:
    said, lasts_s = Answer(), float(ground.pick(12, 30))
    rows = []
    for trial in TRIALS:
        for shaped in (True, False):
            ground.tell(f"voice: {trial.words}, {'shaped' if shaped else 'not shaped'}")
            heard, took, by = hear(trial, lasts_s, shaped=shaped)
            sounds = (*heard.up, *heard.down)
            figures = {
                "loss": max(sound.loss_ratio for sound in sounds),
                "jitter": max(sound.jitter_p95_s for sound in sounds),
                "opinion": heard.worst.opinion,
                **took,
            }
            errands = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
            rows.append(
                [trial.words, by, f"{figures['loss'] * 100:.2f} %", f"{figures['jitter'] * 1e3:.1f} ms",
                 f"{figures['opinion']:.2f}", errands]
            )  # fmt: skip
            said.data[f"{trial.key}/{'shaped' if shaped else 'bare'}"] = figures
            if shaped:
                said.measured |= {f"voice/{trial.key}/{name}": value for name, value in figures.items()}
    said.lines = table(["the worst call of", "shaped by", "loss", "jitter p95", "MOS", "meanwhile"], rows)
    return said
