"""What do our rules cost the traffic? Forwarded TCP and small packets, with our table, rules and routes, over the same
with a bare masquerade.

Two offices of the same build stand side by side, one gateway with ours, the other with the bare masquerade, and one
process sends by turns of some milliseconds through the one and the other (pump.py): the ratio is taken within each pair
of turns, so that whatever else the machine does is in both. After every round they change places and connect anew.

What is told is the median of all pairs, and the range that holds the true one 19 times of 20: on a machine with other
work to do one pair is off by a fifth, so TCP needs about a thousand of them before the ratio stands to a hundredth.
Hence turns of 4 MiB: in shorter ones the pump's own waiting for the last byte would count, longer ones are too few.
Pairs are taken as independent; the medians of the rounds, in the file, show whether they were. The floor is bare
against bare, in the same rounds and half as long: where its range does not hold 1, the machine was too restless.

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
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from subprocess import Popen
from typing import Any

from bench.figures import Distribution, finite, ratios, table
from bench.ground import PREFERRED, ROOT, Answer, Ground, an_office, converse
from bench.oracle import interfaces_of
from bench.switch import steering
from secondpath.act.hand import Hand
from secondpath.act.kernel.box import Box as Kernel
from secondpath.act.kernel.clear import clear
from secondpath.config.reader import load
from secondpath.decide.shaping import shapes_of
from secondpath.lab.box import Box, config_of
from secondpath.lab.building import python_environment
from secondpath.lab.namespaces import batch, inside, nft
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST, INTERNET_HOST, find_topology, without_delay
from secondpath.model import CLASSES, IPAddress, RateReading, Site

BARE = """table inet people {{
  chain out {{
    type nat hook postrouting priority srcnat;
    oifname "{wan}" masquerade
  }}
}}
"""
RECOGNISED = "[resolver]\n" + "".join(
    f'[[application]]\nname = "{name}"\nclass = "{name}"\nmatch = {{ domains = ["{name}.example"] }}\n'
    for name in CLASSES
    if name != "guest"
)
NO_LIMIT = 65535
MORE_THAN_ALL_BPS = 200_000_000_000
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
    _tcp("TCP, one stream", 1, NO_LIMIT, 4),
    _tcp("TCP, eight streams", 8, NO_LIMIT, 4),
    _tcp("TCP, packet by packet", 1, 1, 1),
    Way(f"UDP, {UDP_BYTES} bytes", ("udp", str(UDP_BYTES)), 1, UDP_TURN / 1e3, "kpkt/s"),
)
SHAPED = (*WAYS[:2], WAYS[3])


@dataclass(slots=True)
class Side:
    """One office, whose gateway gets our rules or the bare masquerade; the other goes."""

    office: Office
    box: Box
    entries: int = 0

    def ours(self, *, shaped: bool = False) -> None:
        """Ours; with `shaped`, as if lines carried far more than this machine: all of the cost, none of the limit."""
        netns = self.office.host_netns(GATEWAY_HOST)
        nft("add table inet people\ndelete table inet people\n", netns)
        site = load(self.box.config)
        with inside(netns):
            kernel = Kernel(self.box.run_dir)
            hand = Hand(kernel)
            hand.adopt(site)
            hand.reads = bool(self.entries)
            wanted = replace(steering(site, PREFERRED, {}), destinations=_spread(site, self.entries))
            if shaped:
                found = {u.name: RateReading(u.name, MORE_THAN_ALL_BPS, MORE_THAN_ALL_BPS) for u in site.uplinks}
                wanted = replace(wanted, shapes=shapes_of(site, wanted.lanes, found))
            hand.reconcile(site, wanted, interfaces_of(self.office.topology))
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


def _spread(site: Site, entries: int) -> dict[str, frozenset[IPAddress]]:
    """So many addresses, dealt out to the applications; half of them IPv6."""
    every: list[IPAddress] = [IPv4Address("203.0.112.0") + n for n in range(entries - entries // 2)]
    every += [IPv6Address("2001:db8:ff:2::") + n for n in range(entries // 2)]
    return {a.name: frozenset(every[n :: len(site.applications)]) for n, a in enumerate(site.applications)}


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


def a_side(stack: ExitStack, entries: int) -> Side:
    office = stack.enter_context(an_office(without_delay(find_topology("office"))))
    stack.enter_context(a_sink(office))
    box = Box.of(office, config_of(office.topology) + (RECOGNISED if entries else ""))
    box.run_dir.mkdir(exist_ok=True)
    return Side(office, box, entries)


@dataclass(slots=True)
class Pairs:
    """The turns of one way, and the median ratio of each round; `first` went through ours, or through a bare one."""

    first: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)

    def add(self, took: tuple[list[float], list[float]]) -> None:
        self.first += took[0]
        self.bare += took[1]
        self.rounds.append(ratios(took[1], took[0]).median)

    @property
    def ratio(self) -> Distribution:
        """Of rates: the inverse of that of times."""
        return ratios(self.bare, self.first)

    def json(self) -> dict[str, Any]:
        low, high = self.ratio.median_range()
        return {**self.ratio.json(), "median_range": [finite(low), finite(high)], "rounds": self.rounds}


def ask(ground: Ground) -> Answer:
    return _ask(ground, "throughput", WAYS, 0)


def ask_recognised(ground: Ground) -> Answer:
    """The same where every class, sets and a thousand addresses are in the table, and DNS answers are read."""
    return _ask(ground, "recognised", WAYS[:2], 1000)


def _ask(ground: Ground, name: str, ways: tuple[Way, ...], entries: int) -> Answer:
    rounds, lasts_s = ground.pick(4, 12), 1.5
    ours = {way: Pairs() for way in ways}
    shaped = {way: Pairs() for way in SHAPED}
    floor = {way: Pairs() for way in ways}
    with ExitStack() as stack:
        sides = (a_side(stack, entries), a_side(stack, entries))
        for side in sides:
            side.bare()
        for number in range(rounds):
            first, second = sides if number % 2 == 0 else sides[::-1]
            for way in ways:
                floor[way].add(race((first, second), way, lasts_s / 2))
            first.ours()
            for way in ways:
                ours[way].add(race((first, second), way, lasts_s))
            first.ours(shaped=True)
            for way in SHAPED:
                shaped[way].add(race((first, second), way, lasts_s))
            first.bare()
            ground.tell(f"{name}: round {number + 1} of {rounds}")
    said = Answer(data={"rounds": rounds, "seconds": lasts_s})
    rows = []
    for way, pairs in shaped.items():
        said.measured[f"{name}/shaped/{way.words}"] = pairs.ratio.median
        said.data[f"shaped/{way.words}"] = pairs.json()
        rates = [way.amount / Distribution.of(took).median for took in (pairs.first, pairs.bare)]
        shown = [f"{rates[0]:.1f}", f"{rates[1]:.1f}", way.unit, ranged(pairs.ratio), "", str(pairs.ratio.n)]
        rows.append([f"{way.words}, shaped", *shown])
    for way in ways:
        ratio, even = ours[way].ratio, floor[way].ratio
        rates = [way.amount / Distribution.of(took).median for took in (ours[way].first, ours[way].bare)]
        cells = [f"{rates[0]:.1f}", f"{rates[1]:.1f}", way.unit, ranged(ratio), ranged(even), str(ratio.n)]
        rows.append([way.words, *cells])
        said.data[way.words] = {
            "ratio": ours[way].json(),
            "rates": rates,
            "unit": way.unit,
            "floor": floor[way].json(),
        }
        said.measured[f"{name}/{way.words}"] = ratio.median
    said.lines = table(["medians of turns", "ours", "bare", "", "ratio", "bare/bare", "pairs"], rows)
    return said


def ranged(ratio: Distribution) -> str:
    """The median and half the width of the range it lies in."""
    low, high = ratio.median_range()
    return f"{ratio.median:.3f} ±{(high - low) / 2:.3f}"
