"""The switch itself: from the decision to the kernel's commit, and until a thousand connections know of it.

Two measurements. First the real hand on the real kernel, in the gateway's namespace, with 10,000 tracked flows and a
foreign table with an interval set of 50,000 elements on the box: every switch moves all classes of both families and
retires the epochs of the line left. Beside each switch stands the floor: one transaction of one element.

Then the whole gateway: 1,000 connections of staff, half of them silent, half to a server behind a firewall that never
sends a reset; a black hole; and the instant at which each client learns that its connection is gone.
"""

from __future__ import annotations

import json
import math
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from bench.figures import Distribution, ratios, seconds, table, three
from bench.ground import (
    PREFERRED,
    STANDBY,
    Answer,
    Ground,
    a_gateway,
    an_office,
    converse,
    go_home,
    runs_on,
    written_down,
)
from bench.oracle import interfaces_of
from secondpath.act.hand import Hand
from secondpath.act.kernel.box import Box as Kernel
from secondpath.act.plane import Change, DataPlane
from secondpath.act.tree import Abilities
from secondpath.config.reader import load
from secondpath.decide.policy import Choice, lanes_of
from secondpath.lab.box import Box, config_of
from secondpath.lab.namespaces import inside, nft
from secondpath.lab.office import Office
from secondpath.lab.topology import (
    FIREWALLED_IPV4,
    FIREWALLED_IPV6,
    GATEWAY_HOST,
    SERVERS_IPV4,
    SERVERS_IPV6,
    find_topology,
    without_delay,
)
from secondpath.model import CLASSES, Family, Line, Site, Steering, Why
from secondpath.netlink.nftables import AddElement, DelElement, Nft, mark_bytes

FLOWS, MANY_FLOWS = 10_000, 20_000
APPLICATIONS = "".join(
    f'[[application]]\nname = "portal {n}"\nclass = "{name}"\ntest = "https://portal{n}.example.com/"\n'
    f'match = {{ domains = ["portal{n}.example.com"], servers = ["198.18.{n}.0/24"] }}\n'
    for n, name in zip(range(50), cycle(name for name in CLASSES if name != "guest"), strict=False)
)
"""Fifty that are told apart, each with lanes of its own: a switch moves all of them with their classes."""
ELEMENTS = 50_000
CONNECTIONS = 1_000
FLOOR_TABLE = "bench_floor"
COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")


@dataclass(slots=True)
class Timed:
    """The real kernel, with a stopwatch: how long each kind of change took."""

    kernel: Kernel
    took_s: dict[str, list[float]] = field(default_factory=dict)

    def read(self) -> DataPlane:
        return self.kernel.read()

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        return self.kernel.inside_prefixes(interfaces)

    def abilities(self) -> Abilities:
        return self.kernel.abilities()

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            family = getattr(getattr(change, "route", None), "family", "")
            began_s = time.perf_counter()
            self.kernel.apply([change])
            name = f"{type(change).__name__} {family}".strip()
            self.took_s.setdefault(name, []).append(time.perf_counter() - began_s)


def fill_conntrack(office: Office, flows: int) -> None:
    """So many flows from staff through the gateway: unanswered UDP to two servers of each family, from one socket."""
    with inside(office.host_netns(GATEWAY_HOST)):
        Path("/proc/sys/net/netfilter/nf_conntrack_udp_timeout").write_text("1200")
    with inside(office.host_netns("staff")):
        for family, servers in ((socket.AF_INET, SERVERS_IPV4[:2]), (socket.AF_INET6, SERVERS_IPV6[:2])):
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                for number in range(flows // 4):
                    for server in servers:
                        sock.sendto(b"?", (server, 20_000 + number))
                    if number % 50 == 0:
                        time.sleep(0.002)  # the path's queues are finite


def foreign_table() -> str:
    """Somebody's list of 50,000 networks, as geo-blocking and crowd-sourced lists have them."""
    networks = ", ".join(f"{100 + n // 65536}.{n // 256 % 256}.{n % 256}.0/25" for n in range(ELEMENTS))
    return (
        "table inet somebody {\n  set listed {\n    type ipv4_addr\n    flags interval\n"
        f"    elements = {{ {networks} }}\n  }}\n"
        "  chain enter {\n    type filter hook input priority 10;\n    ip saddr @listed drop\n  }\n}\n"
    )


def steering(site: Site, uplink: str, generations: dict[Line, int]) -> Steering:
    return Steering(lanes_of(site, {f: Choice(uplink, Why.ASKED) for f in Family}), dict(generations))


@dataclass(slots=True)
class Times:
    """What the switches took, and their floor, in order."""

    follow_s: list[float] = field(default_factory=list)
    floor_s: list[float] = field(default_factory=list)
    parts_s: dict[str, list[float]] = field(default_factory=dict)
    flows: tuple[int, int] = (0, 0)
    forget_s: list[float] = field(default_factory=list)
    list_s: list[float] = field(default_factory=list)


def time_switches(office: Office, config: Path, count: int, flows: int) -> Times:
    """`count` switches there and back; in the gateway's namespace."""
    site = load(config)
    times = Times()
    (config.parent / "run").mkdir(exist_ok=True)
    nft(f"table inet {FLOOR_TABLE} {{ map one {{ type mark : mark; }}; }}\n", office.host_netns(GATEWAY_HOST))
    with inside(office.host_netns(GATEWAY_HOST)):
        kernel = Timed(Kernel(config.parent / "run"))
        hand, floor = Hand(kernel), Nft(FLOOR_TABLE)
        interfaces = interfaces_of(office.topology)
        generations = {Line(u.name, f): 0 for u in site.uplinks for f in Family}
        hand.adopt(site)
        hand.reconcile(site, steering(site, PREFERRED, generations), interfaces)
    fill_conntrack(office, flows)
    with inside(office.host_netns(GATEWAY_HOST)):
        before = int(COUNT.read_text())
        if before < flows:
            raise RuntimeError(f"only {before} flows are tracked, not {flows}")
        kernel.took_s.clear()
        for number in range(count):
            there, left = (STANDBY, PREFERRED) if number % 2 == 0 else (PREFERRED, STANDBY)
            for family in Family:
                generations[Line(left, family)] += 1
            wanted = steering(site, there, generations)
            began_s = time.perf_counter()
            hand.follow(site, wanted, interfaces)
            done_s = time.perf_counter()
            one = AddElement("one", mark_bytes(1), mark_bytes(2))
            floor.transaction([DelElement("one", one.key) if number % 2 else one])
            times.floor_s.append(time.perf_counter() - done_s)
            times.follow_s.append(done_s - began_s)
        times.parts_s = kernel.took_s
        times.flows = before, int(COUNT.read_text())
        for _ in range(20):
            began_s = time.perf_counter()
            kernel.kernel.flows.forget(0xFFFE, 1)  # an epoch nobody has: the walk over the table is what costs
            between_s = time.perf_counter()
            kernel.kernel.flows.to_reset([(0xFFFE, 1)])
            times.forget_s.append(between_s - began_s)
            times.list_s.append(time.perf_counter() - between_s)
        kernel.kernel.close()
        floor.close()
    return times


GROUPS = (
    (SERVERS_IPV4[0], 0.0, "IPv4, silent client"),
    (FIREWALLED_IPV4, 0.0, "IPv4, silent client, silent server"),
    (FIREWALLED_IPV4, 0.5, "IPv4, asking, silent server"),
    (SERVERS_IPV6[0], 0.5, "IPv6, asking"),
    (FIREWALLED_IPV6, 0.0, "IPv6, silent client, silent server"),
)


def time_resets(office: Office, box: Box, rounds: int) -> tuple[list[dict[str, object]], int]:
    """One entry for each connection: its group, and how long after the decision its client was told.

    Also how many of them had not opened within some seconds after the last round.
    """
    found: list[dict[str, object]] = []
    shut_out = 0
    for number in range(rounds):
        out = office.directory / f"crowd-{number}.jsonl"
        each = CONNECTIONS // len(GROUPS)
        groups = [str(x) for server, talk_s, _ in GROUPS for x in (server, 7001, each, talk_s)]
        crowd = converse(office, "staff", "crowd", "--out", str(out), *groups)
        assert crowd.stdout is not None and crowd.stdin is not None
        word, _, opened = crowd.stdout.readline().partition(" ")
        if word != "ready":
            raise RuntimeError("the crowd does not get in")
        shut_out += CONNECTIONS - int(opened)
        time.sleep(1.0)
        last = written_down(box)[1]
        office.inject("blackhole", PREFERRED)
        box.until(lambda: runs_on(box, STANDBY), 15.0, "traffic runs on the standby")
        try:
            crowd.wait(12.0)
        except subprocess.TimeoutExpired:
            crowd.stdin.close()
            crowd.wait(5.0)
        moved = {
            t.subject.partition(":")[2]: t.at
            for t in written_down(box, last)[0]
            if t.subject.startswith("steering:") and t.after == STANDBY
        }
        for row in map(json.loads, out.read_text().splitlines()):
            family = "ipv6" if ":" in row["server"] else "ipv4"
            after_s = math.inf if row["reset_s"] is None else row["reset_s"] - moved[family]
            words = next(w for server, talk_s, w in GROUPS if (server, talk_s) == (row["server"], row["talk_s"]))
            found.append({"round": number, "group": words, "after_s": after_s, "how": row["how"]})
        office.mend()
        go_home(box)
    return found, shut_out


def ask(ground: Ground) -> Answer:
    said = Answer()
    with an_office(without_delay(find_topology("office"))) as office:
        nft(foreign_table(), office.host_netns(GATEWAY_HOST))
        times = time_switches(office, Box.of(office).config, ground.pick(2_000, 6_000), FLOWS)
    place = without_delay(find_topology("office"))
    with an_office(place) as office:
        busy = Box.of(office, config_of(place) + APPLICATIONS).config
        many = time_switches(office, busy, ground.pick(300, 1_000), MANY_FLOWS)
    ground.tell("switch: the hand is timed; now a thousand connections")
    with an_office() as office, a_gateway(office) as box:
        resets, shut_out = time_resets(office, box, ground.pick(1, 4))
    switches, floor = Distribution.of(times.follow_s), Distribution.of(times.floor_s)
    rows = [["a switch, decision to commit", *_four(switches)]]
    rows += [[f"  of it {name}", *_four(Distribution.of(t))] for name, t in times.parts_s.items()]
    applied = Distribution.of(many.follow_s)
    rows += [[f"the same, 50 applications, {many.flows[1]} flows", *_four(applied)]]
    rows += [["floor: one element, bare", *_four(floor)]]
    ratio = ratios(times.follow_s, times.floor_s)
    said.lines += [
        f"{switches.n} switches, all classes, both families; {times.flows[1]} flows, {ELEMENTS} foreign elements:",
        *table(["", "median", "p95", "p99", "max"], rows),
        f"a switch over its floor: median {ratio.median:.0f} times",
        f"afterwards, in the same turn: forget {' '.join(three(Distribution.of(times.forget_s)))}, "
        f"list {' '.join(three(Distribution.of(times.list_s)))}",
        "",
    ]
    every = Distribution.of(float(str(r["after_s"])) for r in resets)
    by_group = [
        (words, Distribution.of(float(str(r["after_s"])) for r in resets if r["group"] == words))
        for *_, words in GROUPS
    ]
    said.lines += [
        f"{every.n} connections at a black hole: from the decision to the reset seen by the client",
        *table(["", "n", "median", "p95", "worst"], [[w, str(d.n), *three(d)] for w, d in [("all", every), *by_group]]),
        f"{shut_out} more did not open within 8 s, seconds after the round before",
    ]
    said.data = {
        "switch_s": switches.json(), "floor_s": floor.json(), "ratio": ratio.json(),
        "applications_s": applied.json(),
        "parts_s": {name: Distribution.of(t).json() for name, t in times.parts_s.items()},
        "flows": list(times.flows), "shut_out": shut_out, "foreign_elements": ELEMENTS,
        "forget_s": Distribution.of(times.forget_s).json(), "list_s": Distribution.of(times.list_s).json(),
        "resets_s": {"all": every.json(), **{w: d.json() for w, d in by_group}},
        "how": {how: sum(r["how"] == how for r in resets) for how in sorted({str(r["how"]) for r in resets})},
    }  # fmt: skip
    said.measured = {
        "switch/median": switches.median, "switch/p99": switches.p99, "switch/applications/worst": applied.worst,
        "switch/1000 resets/worst": every.worst, "switch/1000 resets/median": every.median,
        "switch/flows": float(times.flows[1]),
    }  # fmt: skip
    return said


def _four(found: Distribution) -> list[str]:
    return [seconds(v) for v in (found.median, found.p95, found.p99, found.worst)]
