"""How long are people without service? Per fault: our gateway, an oracle that only switches, the usual ping script.

One office is shared by turns between our gateway and the oracle, which adopt each other's kernel state: a block of all
faults with one, then with the other. The script has offices of its own, beside it, since most of its time is waiting.

The *outage* of a stream is lab.gaps' (from the fault to the first question of a lasting series of good answers). What
is due to noticing and what to switching is told apart by the instant `moved`: the gateway's own decision, the oracle's
order, or, for the script, the first new flow that works.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

from bench.figures import Distribution, table, three
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
from secondpath.lab.gaps import Sample, between, of_stream, outage, worst_gap_s
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import GATEWAY_HOST, Topology, find_topology, with_staff

FAULTS: dict[str, tuple[str, ...]] = {
    "cable-cut": ("cable-cut",),
    "next-hop-dead": ("next-hop-dead",),
    "blackhole": ("blackhole",),
    "one-way": ("blackhole-in", "blackhole-out"),  # by turns
}
GATEWAYS = ("secondpath", "oracle", "ping script")
FINE_S, COARSE_S = 0.005, 0.05
AFTER_S = 1.35  # looked on after the move; an end of an outage has to last a second
SCRIPT_AFTER_S = 3.0
HOME_S = 1.3
NEW = ("new-udp", "new-tcp")
LASTING = {"lasting-udp": 0.01, "lasting-tcp": 0.02, "download": 0.05}


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
class Run:
    """One fault and the way home, as instants; what people felt comes later."""

    gateway: str
    fault: str
    at_s: float
    tracked: int = 0  # connections in the gateway's memory when it began
    moved_s: dict[str, float] = field(default_factory=dict)  # by family: when the gateway decided
    judged_s: dict[str, float] = field(default_factory=dict)
    told_s: float | None = None  # when the kernel announced the lost carrier
    mended_s: float = math.inf
    home_s: float = math.inf
    end_s: float = math.inf
    felt: Future[list[Sample]] | None = None
    seen: dict[str, float] = field(default_factory=dict)  # what it amounts to, see `measure`


def measure(run: Run, samples: Sequence[Sample], fine_s: float) -> dict[str, float]:
    """One run in numbers: `outage/KIND/FAMILY/INTERVAL`, and `after`, `reset`, `home` `/KIND/FAMILY`."""
    away, home = between(samples, run.at_s - 1.0, run.mended_s), between(samples, run.home_s - 0.1, run.end_s)
    seen: dict[str, float] = {}
    for family in FAMILIES:
        for kind in NEW:
            for name, every_s in (("fine", fine_s), ("50 ms", COARSE_S)):
                seen[f"outage/{kind}/{family}/{name}"] = _outage_s(of_stream(away, kind, family, every_s), run.at_s)
        works_s = run.at_s + seen[f"outage/new-udp/{family}/fine"]
        moved_s = run.moved_s.get(family, works_s)
        seen[f"noticed/{family}"] = moved_s - run.at_s
        seen[f"carried out/{family}"] = works_s - moved_s
        later = [s for s in of_stream(away, "new-tcp", family, fine_s) if s.sent_s > max(works_s, moved_s) + 0.05]
        seen[f"stumbles/{family}"] = sum(not s.good() for s in later)
        seen[f"begun/{family}"] = len(later)
        for kind in LASTING:
            mine = of_stream(away, kind, family)
            length_s = _outage_s(mine, run.at_s)
            seen[f"outage/{kind}/{family}"] = length_s
            seen[f"after/{kind}/{family}"] = run.at_s + length_s - moved_s
            if kind != "lasting-udp":
                seen[f"reset/{kind}/{family}"] = _reset_s(mine, run.at_s) - moved_s
        for kind in (*NEW, *LASTING):
            mine = of_stream(home, kind, family, fine_s if kind in NEW else None)
            seen[f"home/{kind}/{family}"] = worst_gap_s(mine) if mine else math.nan
    return seen


def _outage_s(samples: Sequence[Sample], at_s: float) -> float:
    if not samples:
        return math.inf
    found = outage(samples, at_s)
    if found is None:
        return 0.0
    return math.inf if found.end_s is None else found.end_s - at_s


def _reset_s(samples: Sequence[Sample], at_s: float) -> float:
    """The instant at which the client learned that its connection is gone.

    A download's break is a sample of its own; a request stream tells with its next tick that it has no connection.
    """
    download = samples and samples[0].stream.startswith("download.")
    notes = {"reset", "refused"} if download else {"no connection"}
    marked = [s.sent_s for s in samples if s.sent_s >= at_s and s.answered_s is None and s.note in notes]
    return min(marked, default=math.inf)


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


def pooled(runs: Iterable[Run], *keys: str) -> Distribution:
    """The values of several keys of several runs in one distribution."""
    return Distribution.of(run.seen[key] for run in runs for key in keys if not math.isnan(run.seen[key]))


def _both(kind: str) -> tuple[str, ...]:
    return tuple(kind.format(family) for family in FAMILIES)


ROWS: dict[str, tuple[str, ...]] = {
    "new UDP flows": _both("outage/new-udp/{}/fine"),
    "new TCP flows": _both("outage/new-tcp/{}/fine"),
    "new UDP, each 50 ms": _both("outage/new-udp/{}/50 ms"),
    "new TCP, each 50 ms": _both("outage/new-tcp/{}/50 ms"),
    "lasting UDP flow": _both("outage/lasting-udp/{}"),
    "TCP requests": _both("outage/lasting-tcp/{}"),
    "TCP download": _both("outage/download/{}"),
    "  noticed after": _both("noticed/{}"),
    "  then switched in": _both("carried out/{}"),
    "  then UDP flows on": _both("after/lasting-udp/{}"),
    "  then TCP is reset": (*_both("reset/lasting-tcp/{}"), *_both("reset/download/{}")),
    "  then TCP works": (*_both("after/lasting-tcp/{}"), *_both("after/download/{}")),
}
HOME_ROWS: dict[str, tuple[str, ...]] = {
    "new UDP flows": _both("home/new-udp/{}"),
    "new TCP flows": _both("home/new-tcp/{}"),
    "lasting UDP flow": _both("home/lasting-udp/{}"),
    "TCP requests": _both("home/lasting-tcp/{}"),
    "TCP download": _both("home/download/{}"),
}


def answer(runs: list[Run]) -> Answer:
    """Tables for people, distributions for the file, numbers for the bounds."""
    said = Answer()
    for fault in FAULTS:
        rows = [_row(words, [_of(runs, g, fault) for g in GATEWAYS], keys) for words, keys in ROWS.items()]
        counts = ", ".join(str(len(_of(runs, g, fault))) for g in GATEWAYS)
        stumbles = "; ".join(f"{g} {_stumbles(_of(runs, g, fault))}" for g in GATEWAYS)
        said.lines += ["", f"{fault}: median, p95, worst in seconds ({counts} runs, both families)", *_gaps_table(rows)]
        said.lines.append(f"new TCP failing after that: {stumbles}")
    rows = [
        _row(words, [[r for r in runs if r.gateway == g] for g in GATEWAYS], keys) for words, keys in HOME_ROWS.items()
    ]
    said.lines += ["", "failback, longest time without service: median, p95, worst in seconds", *_gaps_table(rows)]
    tracked = Distribution.of(float(run.tracked) for run in runs)
    said.lines += ["", f"never: not within {SCRIPT_AFTER_S:g} s after the move. Flows tracked by the gateways when the "
                   f"fault began:", f"median {tracked.median:.0f}, most {tracked.worst:.0f}"]  # fmt: skip
    told = Distribution.of(run.told_s - run.at_s for run in runs if run.told_s is not None)
    if told.n:
        said.lines += ["", f"cable-cut: the kernel announced the lost carrier after {' '.join(three(told))}"]
    said.data = {
        "runs": [_run_json(run) for run in runs],
        "carrier_announced_s": told.json(),
        "distributions": {
            g: {f: {k: pooled(_of(runs, g, f), k).json() for k in _keys(runs)} for f in FAULTS} for g in GATEWAYS
        },
    }
    for fault in FAULTS:
        ours = _of(runs, "secondpath", fault)
        new = pooled(ours, *ROWS["new UDP flows"], *ROWS["new TCP flows"])
        said.measured |= {f"gaps/{fault}/new/median": new.median, f"gaps/{fault}/new/p95": new.p95}
    ours = [run for run in runs if run.gateway == "secondpath"]
    udp, reset = (pooled(ours, *ROWS[name]) for name in ("  then UDP flows on", "  then TCP is reset"))
    for name, found in (("udp", udp), ("reset", reset)):
        said.measured |= {f"gaps/after/{name}/{at}": getattr(found, at) for at in ("median", "p95", "worst")}
    return said


def _of(runs: list[Run], gateway: str, fault: str) -> list[Run]:
    return [run for run in runs if (run.gateway, run.fault) == (gateway, fault)]


def _stumbles(runs: Sequence[Run]) -> str:
    """Of the new TCP flows begun after new flows worked again, those that did not."""
    failed, begun = (
        sum(run.seen.get(f"{key}/{f}", 0.0) for run in runs for f in FAMILIES) for key in ("stumbles", "begun")
    )
    return f"{failed:.0f} of {begun:.0f}"


def _row(words: str, runs: Sequence[Sequence[Run]], keys: tuple[str, ...]) -> list[str]:
    return [words, *(" ".join(f"{cell:>5}" for cell in figures(pooled(some, *keys))) for some in runs)]


def figures(found: Distribution) -> list[str]:
    """Median, p95, worst in seconds, five characters each."""
    return [_figure(value) for value in (found.median, found.p95, found.worst)]


def _figure(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "never" if math.isinf(value) else f"{value:.3f}" if abs(value) < 9.9995 else f"{value:.1f}"


def _gaps_table(rows: list[list[str]]) -> list[str]:
    return table(["", *GATEWAYS], rows)


def _keys(runs: list[Run]) -> list[str]:
    return sorted({key for run in runs for key in run.seen})


def _run_json(run: Run) -> dict[str, Any]:
    seen = {key: None if math.isinf(v) or math.isnan(v) else round(v, 4) for key, v in run.seen.items()}
    judged = {family: round(at - run.at_s, 4) for family, at in run.judged_s.items()}
    told = None if run.told_s is None else round(run.told_s - run.at_s, 4)
    return {
        "gateway": run.gateway,
        "fault": run.fault,
        "tracked": run.tracked,
        "judged_s": judged,
        "carrier_told_s": told,
        "seen": seen,
    }
