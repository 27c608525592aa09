"""How long are people without service? Per fault: our gateway, an oracle that only switches, the usual ping script.

One office is shared by turns between our gateway and the oracle, which adopt each other's kernel state: a block of all
faults with one, then with the other. The script has offices of its own, beside it, since most of its time is waiting.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from subprocess import Popen

from bench.felt import COARSE_S, FAULTS, FINE_S, LASTING, NEW, SCRIPT_AFTER_S, Run, answer, measure
from bench.ground import (
    FAMILIES,
    LINKS,
    PREFERRED,
    STANDBY,
    Answer,
    Ground,
    Told,
    Workday,
    an_office,
    go_home,
    runs_on,
    tracked_flows,
    written_down,
)
from secondpath.lab.box import Box
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import GATEWAY_HOST, Topology, find_topology, with_staff

AFTER_S = 1.35  # looked on after the move; an end of an outage has to last a second
HOME_S = 1.3
PEOPLE = 64


def wishes(run: int, topology: Topology, fine_s: float = FINE_S) -> list[Wish]:
    """All that people do in one run, each from an address that nobody used in the runs just before: a gateway remembers
    a UDP flow for 30 s and a closed connection for two minutes, and what comes from the same port again is no new flow.
    """
    staff = next(inside for inside in topology.insides if inside.host == "staff")
    found = []
    for family in FAMILIES:
        mine = [a.partition("/")[0] for a in staff.addresses if (":" in a) == (family == "ipv6")]
        one, other = (mine[(2 * run + k) % PEOPLE] for k in (0, 1))
        found += [Wish(kind, family, fine_s, source=one) for kind in NEW]
        found += [Wish(kind, family, COARSE_S, source=other) for kind in NEW]
        port = 30_000 + run % 20_000
        for kind, every_s in LASTING.items():
            found.append(Wish(kind, family, every_s, source=other, port=port if kind == "lasting-udp" else None))
    return found


@dataclass(slots=True)
class Lane:
    """One office and the runs in it."""

    office: Office
    ground: Ground
    fine_s: float = FINE_S
    runs: list[Run] = field(default_factory=list)

    def begin(self) -> Workday:
        """People come to work and have been at it for a moment, at a random phase of whatever beats in the gateway."""
        people = Workday(self.office, wishes(len(self.runs), self.office.topology, self.fine_s))
        people.until_working()
        time.sleep(0.6 + random.random() * 0.5)
        return people

    def strike(self, gateway: str, fault: str, then: Callable[[], None] = lambda: None) -> Run:
        """The fault happens; `then` follows at once."""
        variants, tracked = FAULTS[fault], tracked_flows(self.office)
        variant = variants[len([r for r in self.runs if (r.gateway, r.fault) == (gateway, fault)]) % len(variants)]
        with LINKS.hush(rest=True) if fault == "cable-cut" else nullcontext():
            run = Run(gateway, fault, self.office.inject(variant, PREFERRED), tracked)
            then()
            if fault == "cable-cut":
                time.sleep(0.4)
        self.runs.append(run)
        return run

    def mend(self, run: Run) -> None:
        with LINKS.hush() if run.fault == "cable-cut" else nullcontext():
            run.mended_s = time.monotonic()
            self.office.mend()

    def finish(self, run: Run, people: Workday) -> None:
        run.end_s = time.monotonic()
        run.felt = people.leave()
        self.settle(all_but=1)

    def settle(self, all_but: int = 0) -> None:
        """Turn samples into numbers as soon as they are there, so that they need not be kept."""
        for run in self.runs[: len(self.runs) - all_but]:
            if run.felt is not None:
                run.seen = measure(run, run.felt.result(), self.fine_s)
                run.felt = None


# ── The three gateways ───────────────────────────────────────────────────────────────────────────────────────


def run_ours(lane: Lane, box: Box, fault: str, announced: Path) -> None:
    """One run with the real gateway. It is asked seldom: a status costs it a millisecond."""
    people = lane.begin()
    number = written_down(box)[1]
    run = lane.strike("secondpath", fault)
    time.sleep(max(0.0, run.at_s + 0.7 - time.monotonic()))
    while not runs_on(box, STANDBY) and time.monotonic() < run.at_s + 12.0:
        time.sleep(0.15)
    time.sleep(AFTER_S)
    lane.mend(run)
    for told in written_down(box, number)[0]:
        subject, _, family = told.subject.partition(":")
        if subject == "steering" and told.after == STANDBY and told.at >= run.at_s - 0.05:
            run.moved_s.setdefault(family, told.at)
        if told.subject == f"line:{PREFERRED}/{family.rpartition('/')[2]}" and told.after == "down":
            run.judged_s.setdefault(family.rpartition("/")[2], told.at)
    run.told_s = carrier_lost(announced, run.at_s) if fault == "cable-cut" else None
    run.home_s = go_home(box)
    time.sleep(max(0.0, run.home_s + HOME_S - time.monotonic()))
    lane.finish(run, people)


def run_oracle(lane: Lane, oracle: Told, fault: str) -> None:
    """One run with somebody who is told."""
    people = lane.begin()
    told: dict[str, float] = {}
    run = lane.strike("oracle", fault, lambda: told.update(oracle.order("away")))
    run.moved_s = dict.fromkeys(FAMILIES, told["decided_s"])
    time.sleep(AFTER_S)
    lane.mend(run)
    time.sleep(0.4)
    run.home_s = oracle.order("home")["decided_s"]
    time.sleep(HOME_S)
    lane.finish(run, people)


def run_script(lane: Lane, log: Path, fault: str) -> None:
    """One run with the script; what it prints says where it is."""
    people = lane.begin()
    run = lane.strike("ping script", fault)
    standby, preferred = (lane.office.topology.uplink(name).interface for name in (STANDBY, PREFERRED))
    _until_script_uses(log, standby)
    time.sleep(SCRIPT_AFTER_S)
    lane.mend(run)
    _until_script_uses(log, preferred)
    run.home_s = time.monotonic() - 0.3
    time.sleep(HOME_S)
    lane.finish(run, people)


def _until_script_uses(log: Path, interface: str, limit_s: float = 20.0) -> None:
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        lines = log.read_text().split("\n")[:-1]
        if lines and lines[-1].startswith(interface):
            return
        time.sleep(0.05)
    raise TimeoutError(f"the ping script does not move to {interface}")


def start_script(office: Office) -> Path:
    """The script in place of a gateway."""
    log = office.directory / "ping_script.log"
    first, second = office.topology.uplink(PREFERRED), office.topology.uplink(STANDBY)
    lines = [(u.interface, *(h.partition("/")[0] for h in u.next_hops)) for u in (first, second)]
    argv = ["bash", str(Path(__file__).with_name("ping_script.sh")), "192.0.2.1", *lines[0], *lines[1]]
    with log.open("w") as out:
        office.spawn(GATEWAY_HOST, argv, out=out, err=out, own_session=True)
    _until_script_uses(log, first.interface)
    return log


@contextmanager
def link_announcements(office: Office) -> Iterator[Path]:
    """What the kernel says of links in the gateway, with the time of day at which it said so."""
    log = office.directory / "links.log"
    with log.open("w") as out:
        watcher: Popen[str] = office.spawn(GATEWAY_HOST, ["ip", "-ts", "-o", "monitor", "link"], out=out, err=out)
    try:
        yield log
    finally:
        watcher.terminate()
        watcher.wait()


def carrier_lost(log: Path, at_s: float) -> float | None:
    """The monotonic instant of the first announcement of a lost carrier after `at_s`."""
    offset_s = time.time() - time.monotonic()
    for line in log.read_text().splitlines():
        if "NO-CARRIER" not in line or not line.startswith("["):
            continue
        stamp = datetime.fromisoformat(line[1:].partition("]")[0]).timestamp()
        if stamp - offset_s > at_s - 0.2:
            return stamp - offset_s
    return None


# ── The question ─────────────────────────────────────────────────────────────────────────────────────────────


def forget_sooner(office: Office) -> None:
    """Four hundred connections a second are more than people make, and each is remembered for two minutes when over.
    With twenty seconds there are some 10,000 tracked flows, as many as a busy office has.
    """
    with inside(office.host_netns(GATEWAY_HOST)):
        Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait").write_text("20")


def main_lane(ground: Ground, rounds: int, oracle_rounds: int) -> list[Run]:
    """Our gateway and the oracle by turns in one office."""
    with an_office(with_staff(find_topology("office"), PEOPLE)) as office, link_announcements(office) as announced:
        forget_sooner(office)
        lane = Lane(office, ground)
        oracle_at = {round(rounds * (k + 0.5) / oracle_rounds) for k in range(oracle_rounds)}
        box = Box.of(office)
        for number in range(rounds):
            with box:
                box.until_well()
                for fault in FAULTS:
                    run_ours(lane, box, fault, announced)
            ground.tell(f"gaps: secondpath, round {number + 1} of {rounds}")
            if number in oracle_at or oracle_rounds >= rounds:
                with Told(office, box.config) as oracle:
                    for fault in FAULTS:
                        run_oracle(lane, oracle, fault)
        lane.settle()
        return lane.runs


def script_lane(ground: Ground, faults: Sequence[str], rounds: int) -> list[Run]:
    """The script in an office of its own, with people who ask a little less often."""
    with an_office(with_staff(find_topology("office"), PEOPLE)) as office:
        log = start_script(office)
        lane = Lane(office, ground, fine_s=0.05)
        for _ in range(rounds):
            for fault in faults:
                run_script(lane, log, fault)
        lane.settle()
        return lane.runs


def ask(ground: Ground) -> Answer:
    """All gateways, all faults."""
    rounds, oracle_rounds = ground.pick(5, 20), ground.pick(1, 10)
    found: list[list[Run]] = []
    halves = (("cable-cut", "blackhole"), ("next-hop-dead", "one-way"))
    lanes = [threading.Thread(target=lambda f=f: found.append(script_lane(ground, f, rounds))) for f in halves]
    for one in lanes:
        one.start()
    runs = main_lane(ground, rounds, oracle_rounds)
    for one in lanes:
        one.join()
    runs += [run for some in found for run in some]
    if len(found) < len(lanes):
        raise RuntimeError("a lane of the ping script came to grief: see above")
    return answer(runs)
