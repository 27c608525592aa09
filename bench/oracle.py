"""The floor: a gateway that is told of the fault and only switches. Our own hand, and what follows a switch, unchanged.

    python -m bench.oracle --config OFFICE.TOML --run-dir DIR --topology NAME

In the gateway's namespace. One word a line on stdin, one JSON line back on stdout: the instants of decision and commit.

    away     all classes to the standby; the flows of the preferred uplink are given up
    home     all classes to the preferred uplink; flows on the standby may finish there
    home!    the same, and the flows of the standby are given up
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from ipaddress import ip_address
from pathlib import Path

from secondpath.act.hand import Hand
from secondpath.act.kernel.box import Box
from secondpath.config.reader import load
from secondpath.daemon.retiring import Ending, Retiring
from secondpath.decide.policy import Choice, lanes_of
from secondpath.lab.topology import Topology, find_topology, without_delay
from secondpath.model import Family, InterfaceChange, Line, Site, Steering, Why


def interfaces_of(topology: Topology) -> dict[str, InterfaceChange]:
    """The uplinks' interfaces as sense would tell them when all is well."""
    return {
        u.name: InterfaceChange(
            u.name, True, True, True, u.office, tuple(ip_address(h.partition("/")[0]) for h in u.next_hops)
        )
        for u in topology.uplinks
    }


class Oracle:
    """Decides what it is told. `generations` grow for lines whose flows are given up, as the engine's do."""

    def __init__(self, site: Site, topology: Topology, run_dir: Path) -> None:
        self.site, self.interfaces = site, interfaces_of(topology)
        self.box = Box(run_dir)
        self.hand = Hand(self.box)
        self.hand.adopt(site)
        self.generations = {Line(u.name, f): 0 for u in site.uplinks for f in Family}
        self.retiring = Retiring(self.box.flows, _nobody_listens)
        self.hand.reconcile(site, self.steering(site.uplinks[0].name), self.interfaces)

    def steering(self, uplink: str) -> Steering:
        """Everything by that uplink, as far as the class may."""
        choices = {family: Choice(uplink, Why.ASKED) for family in Family}
        return Steering(lanes_of(self.site, choices), dict(self.generations))

    def go(self, uplink: str, give_up: str | None) -> dict[str, float]:
        """One switch."""
        decided_s = time.monotonic()
        for family in Family:
            if give_up is not None:
                self.generations[Line(give_up, family)] += 1
        report = self.hand.follow(self.site, self.steering(uplink), self.interfaces)
        committed_s = time.monotonic()
        self.retiring.retire(report.retired)
        return {"decided_s": decided_s, "committed_s": committed_s, "done_s": time.monotonic()}

    def obey(self, word: str) -> dict[str, float]:
        first, second = self.site.uplinks[0].name, self.site.uplinks[1].name
        if word == "away":
            return self.go(second, first)
        return self.go(first, second if word == "home!" else None)


def _nobody_listens(_ending: Ending) -> None:
    """What was left is counted by the question itself."""


async def listen(oracle: Oracle) -> None:
    """Until stdin ends."""
    loop = asyncio.get_running_loop()
    words = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    print(json.dumps({"ready_s": time.monotonic()}), flush=True)
    while line := await words.readline():
        print(json.dumps(oracle.obey(line.decode().strip())), flush=True)
    oracle.retiring.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--topology", default="office")
    args = parser.parse_args()
    args.run_dir.mkdir(parents=True, exist_ok=True)
    topology = without_delay(find_topology(args.topology))

    async def run() -> None:
        await listen(Oracle(load(args.config), topology, args.run_dir))

    asyncio.run(run())


if __name__ == "__main__":
    main()
