"""What do our rules cost the traffic? Forwarded TCP and small packets, with our table, rules and routes, over the same
with a bare masquerade.

Two offices of the same build stand side by side, one gateway with ours, the other with the bare masquerade, and one
process sends by turns of some milliseconds through the one and the other (pump.py): the ratio is taken within each pair
of turns, so that whatever else the machine does is in both. Then they change places. The floor is bare against bare.

Four ways, because they ask different things. TCP in the kernel's own big batches (GSO), as a good network card hands
it up; TCP packet by packet (the batches cut before they reach the gateway), as a poor one does; and small UDP packets,
where the cost of a packet is all there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from bench.figures import Distribution, ratios, table
from bench.ground import PREFERRED, ROOT, Answer, Ground, an_office, converse
from bench.oracle import interfaces_of
from bench.switch import steering
from secondpath.act.hand import Hand
from secondpath.act.kernel.box import Box as Kernel
from secondpath.act.kernel.clear import clear
from secondpath.config.reader import load
from secondpath.lab.box import Box
from secondpath.lab.building import python_environment
from secondpath.lab.namespaces import batch, inside, nft
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST, INTERNET_HOST, find_topology, without_delay

BARE = """table inet people {{
  chain out {{
    type nat hook postrouting priority srcnat;
    oifname "{wan}" masquerade
  }}
}}
"""
NO_LIMIT = 65535
MEBIBYTE = 1 << 20
UDP_BYTES, UDP_TURN = 64, 1200


@dataclass(frozen=True, slots=True)
class Way:
    """One way of measuring: the pump's arguments, how many segments a batch may have, how much a turn moves."""

    words: str
    race: tuple[str, ...]
    batch_segments: int
    amount: float
    unit: str


def _tcp(words: str, streams: int, batch_segments: int, mebibytes: int) -> Way:
    octets = mebibytes * MEBIBYTE
    return Way(words, ("tcp", str(streams), str(octets)), batch_segments, octets * 8 / 1e9, "Gbit/s")


WAYS = (
    _tcp("TCP, one stream", 1, NO_LIMIT, 16),
    _tcp("TCP, eight streams", 8, NO_LIMIT, 16),
    _tcp("TCP, packet by packet", 1, 1, 1),
    Way(f"UDP, {UDP_BYTES} bytes", ("udp", str(UDP_BYTES)), 1, UDP_TURN / 1e3, "kpkt/s"),
)


@dataclass(slots=True)
class Side:
    """One office, whose gateway gets our rules or the bare masquerade; the other goes."""

    office: Office
    box: Box

    def ours(self) -> None:
        netns = self.office.host_netns(GATEWAY_HOST)
        nft("add table inet people\ndelete table inet people\n", netns)
        site = load(self.box.config)
        with inside(netns):
            kernel = Kernel(self.box.run_dir)
            hand = Hand(kernel)
            hand.adopt(site)
            hand.reconcile(site, steering(site, PREFERRED, {}), interfaces_of(self.office.topology))
            kernel.close()
        self.office.run(GATEWAY_HOST, ["conntrack", "-F"])

    def bare(self) -> None:
        netns = self.office.host_netns(GATEWAY_HOST)
        with inside(netns):
            clear(self.box.run_dir, self.box.state_dir)
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        nft("add table inet people\ndelete table inet people\n", netns)
        nft(BARE.format(wan=self.office.topology.uplink(PREFERRED).interface), netns)
        self.office.run(GATEWAY_HOST, ["conntrack", "-F"])


def race(sides: tuple[Side, Side], way: Way, lasts_s: float) -> tuple[list[float], list[float]]:
    """The seconds of each turn through the first and through the second."""
    hosts = [side.office.host_netns("staff") for side in sides]
    for netns in hosts:
        batch("ip", [f"link set eth0 gso_max_segs {way.batch_segments}"], netns)
    environment = python_environment()
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{ROOT}"
    argv = [sys.executable, "-m", "bench.pump", "race", *hosts, *way.race, str(lasts_s)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=lasts_s + 30, check=True)
    first, second = json.loads(done.stdout)
    return first, second


@contextmanager
def a_sink(office: Office) -> Iterator[Popen[str]]:
    sink = converse(office, INTERNET_HOST, "pump", "sink")
    assert sink.stdout is not None and sink.stdin is not None
    sink.stdout.readline()
    try:
        yield sink
    finally:
        sink.stdin.close()
        sink.wait(5.0)
        sink.stdout.close()


def a_side(stack: ExitStack) -> Side:
    office = stack.enter_context(an_office(without_delay(find_topology("office"))))
    stack.enter_context(a_sink(office))
    box = Box.of(office)
    box.run_dir.mkdir(exist_ok=True)
    return Side(office, box)


def ask(ground: Ground) -> Answer:
    rounds, lasts_s = ground.pick(2, 6), 1.5 if ground.quick else 3.0
    ours: dict[str, list[float]] = {way.words: [] for way in WAYS}
    bare: dict[str, list[float]] = {way.words: [] for way in WAYS}
    floor: dict[str, Distribution] = {}
    with ExitStack() as stack:
        sides = (a_side(stack), a_side(stack))
        for side in sides:
            side.bare()
        for way in WAYS:
            floor[way.words] = ratios(*race(sides, way, lasts_s / 2))
        for number in range(rounds):
            first, second = sides if number % 2 == 0 else sides[::-1]
            first.ours()
            second.bare()
            for way in WAYS:
                took = race((first, second), way, lasts_s)
                ours[way.words] += took[0]
                bare[way.words] += took[1]
            ground.tell(f"throughput: round {number + 1} of {rounds}")
    said = Answer(data={"rounds": rounds, "seconds": lasts_s})
    rows = []
    for way in WAYS:
        ratio = ratios(bare[way.words], ours[way.words])  # of times: the inverse is that of rates
        rates = [way.amount / Distribution.of(took[way.words]).median for took in (ours, bare)]
        even = floor[way.words].median
        cells = [f"{rates[0]:.1f}", f"{rates[1]:.1f}", way.unit, f"{ratio.median:.3f}", f"{even:.3f}", str(ratio.n)]
        rows.append([way.words, *cells])
        said.data[way.words] = {
            "ratio": ratio.json(),
            "rates": rates,
            "unit": way.unit,
            "floor": floor[way.words].json(),
        }
        said.measured[f"throughput/{way.words}"] = ratio.median
    said.lines = table(["forwarded (medians of turns)", "ours", "bare", "", "ratio", "bare/bare", "pairs"], rows)
    return said
