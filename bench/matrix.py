"""Does it name what is wrong? Labelled faults in three kinds of office, each several times: what the gateway says.

The settings are the shipped ones. A fault is put in place while people work; what counts is the verdict once it has
stood for a while, and when traffic moved, if it did. Then the fault is healed, the office is well again and goes
home. Several offices of each kind stand side by side; which of them meets which fault is chance.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.figures import Distribution, seconds, table
from bench.ground import (
    ENDED,
    FAMILIES,
    PREFERRED,
    Answer,
    Ground,
    Workday,
    a_gateway,
    an_office,
    converse,
    written_down,
)
from secondpath.lab.box import TAX_PORTAL, Box, config_of
from secondpath.lab.errors import LabError
from secondpath.lab.gaps import Sample, of_stream, outage
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import INTERNET_HOST, SERVERS_IPV4, find_topology
from secondpath.model import Transition
from secondpath.wire.messages import Verb

TOPOLOGIES = ("wired", "cgnat", "three")
SIDE_BY_SIDE = 2
"""Offices of each topology at once: nearly all of a run is waiting. Three keep two cores so busy (96 %) that packets of
the lab wait for a processor, which is a fault of its own."""
PEOPLE = [Wish(kind, family, 0.1) for kind in ("new-udp", "new-tcp", "dns") for family in FAMILIES]
SHOWS = {"dns-dead": "dns", "tcp-dead": "new-tcp", "captive": "new-tcp"}
"""The stream that shows a fault; all others show in new UDP flows, but for those in SLOW."""
SLOW = ("loss", "delay", "jitter", "tls", "big")
"""Faults of which people feel something now and then: what counts is when new flows leave the line."""
STANDS_S = 3.0
"""A verdict counts when it has stood for so long."""
APART_S = 12.0
"""Traffic that filled the line in the run before has nothing to do with this one's."""
WELL_S, LEARNED_S, WRITTEN_S = 120.0, 120.0, 10.0
BOTH, IPV4, IPV6, NOBODY = ("ipv4", "ipv6"), ("ipv4",), ("ipv6",), ()
ANYBODY = ("whoever",)
"""A line without an address for a moment may be left: its flows are over in any case."""
ALONE = ("application",)
"""One application and nobody else."""

PORTAL = SERVERS_IPV4[1]
Strike = tuple[str, str]
"""A fault of the lab, and where: "preferred", "standby", "everywhere" (every uplink), "" for one that has no place."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A fault and the truth about it: the verdict, who must move, and how long that may take to be known."""

    name: str
    strikes: tuple[Strike, ...]
    verdict: str
    moves: tuple[str, ...]
    within_s: float = 10.0
    load: str = ""
    """"up" or "down": staff fill the line as well as they can."""
    people: bool = True
    only: tuple[str, ...] = TOPOLOGIES


def _one(fault: str, verdict: str, moves: tuple[str, ...], within_s: float = 10.0) -> Labelled:
    return Labelled(fault, ((fault, "preferred"),), verdict, moves, within_s)


def _target(fault: str) -> Labelled:
    """One operator's address, over both families."""
    strikes = tuple((f"{fault}:{address}", "") for address in ("192.0.2.1", "2001:db8:ff::1"))
    return Labelled(fault, strikes, "ok", NOBODY)


FAULTS = (
    _one("cable-cut", "cable", BOTH),
    _one("next-hop-dead", "next-hop", BOTH),
    _one("blackhole", "upstream", BOTH),
    Labelled("blackhole, nobody at work", (("blackhole", "preferred"),), "upstream", BOTH, people=False),
    _one("blackhole-in", "upstream", BOTH),
    _one("blackhole-out", "upstream", BOTH),
    _one("blackhole-v4", "one-family", IPV4),
    _one("blackhole-v6", "one-family", IPV6),
    _one("address-gone", "address", BOTH),
    _one("gateway-changed", "ok", ANYBODY),
    _one("loss-60", "brown-out", BOTH, 15.0),
    _one("loss-30", "brown-out", BOTH, 30.0),
    _one("loss-in-30", "brown-out", BOTH, 30.0),
    _one("loss-out-30", "brown-out", BOTH, 30.0),
    _one("loss-15", "brown-out", BOTH, 90.0),
    _one("loss-5", "ok", NOBODY, 20.0),
    _one("dns-dead", "dns", BOTH, 15.0),
    _one("tcp-dead", "tcp", BOTH, 15.0),
    _one("tls-stall", "tls", BOTH, 15.0),
    _one("big-packets", "path-mtu", BOTH, 15.0),
    _one("captive", "captive", BOTH, 15.0),
    _target("target-dead"),
    _target("target-refused"),
    _target("target-refuses-icmp"),
    _target("target-slow"),
    _one("delay+300", "brown-out", BOTH, 15.0),
    _one("jitter-150", "brown-out", BOTH, 15.0),
    _one("delay+100", "ok", NOBODY),
    Labelled("one address dead on this path", (("app-dead:192.0.2.1", "preferred"),), "ok", NOBODY),
    Labelled("application dead on this path", ((f"app-dead:{PORTAL}", "preferred"),), "application", ALONE, 30.0),
    Labelled("application dead for everybody", ((f"target-dead:{PORTAL}", ""),), "everywhere", NOBODY, 40.0),
    Labelled("everything upstream dead", (("blackhole", "everywhere"),), "common-cause", NOBODY),
    Labelled("names dead everywhere", (("dns-dead", "everywhere"),), "everywhere", NOBODY),
    Labelled("standby's cable cut", (("cable-cut", "standby"),), "backup-not-ready", NOBODY),
    Labelled("standby's address gone", (("address-gone", "standby"),), "backup-not-ready", NOBODY),
    Labelled("standby dead upstream", (("blackhole", "standby"),), "backup-not-ready", NOBODY, only=("wired",)),
    Labelled("standby loses 30 %", (("loss-30", "standby"),), "brown-out", NOBODY, 60.0, only=("wired",)),
    Labelled("own upload fills a short queue", (("rate-8", "preferred"),), "ok", NOBODY, 12.0, "up"),
    Labelled("own download fills a short queue", (("rate-8", "preferred"),), "ok", NOBODY, 12.0, "down"),
    Labelled("own upload fills a long queue", (("bloat-2", "preferred"),), "saturated", NOBODY, 12.0, "up"),
    Labelled("own download fills a long queue", (("bloat-2", "preferred"),), "saturated", NOBODY, 12.0, "down"),
    Labelled("the gateway itself frozen for 2 s", (("frozen", "gateway"),), "ok", NOBODY),
)


@dataclass(slots=True)
class Run:
    """One fault met once: what was said, who moved, and after how many seconds the last of them was served again."""

    fault: Labelled
    topology: str
    said: str
    moved: tuple[str, ...]
    after_s: float | None
    told: tuple[str, ...] = ()
    """What the gateway wrote down, seconds since the fault first."""

    @property
    def well(self) -> bool:
        return self.right and self.moved_rightly

    @property
    def right(self) -> bool:
        return self.said == self.fault.verdict

    @property
    def moved_rightly(self) -> bool:
        moves = set(self.fault.moves)
        if moves & {*BOTH}:  # an application that was tried meanwhile may have gone before
            return set(self.moved) - {*ALONE} == moves
        return self.fault.moves == ANYBODY or set(self.moved) == moves


def knows(box: Box, line: str) -> bool:
    """Whether the gateway has learned who answers what on a line, and all of it is well."""
    rungs = box.status()["evidence"]["rungs"].get(line, {})
    return rungs.keys() >= {"dns", "tcp", "tls", "size"} and "failing" not in rungs.values()


def well(box: Box) -> bool:
    status = box.status()
    at_home = all(status["steering"]["office"][family] == PREFERRED for family in FAMILIES)
    return at_home and status["verdict"]["code"] == "ok"


def recover(box: Box) -> None:
    """Until everything is as before the fault. Raises LabError with what is not."""
    try:
        _recover(box)
    except LabError as error:
        status = box.status()
        what = {k: status[k] for k in ("verdict", "steering")} | {"rungs": status["evidence"]["rungs"]}
        apart = box.order(Verb.APPLICATIONS).data
        raise LabError(f"{str(error)[:80]} … {what}, {apart} … {str(error)[-1500:]}") from error


def _recover(box: Box) -> None:
    box.until_well(WELL_S)
    box.until(lambda: all(knows(box, f"{PREFERRED}/{f}") for f in FAMILIES), LEARNED_S, "the ladder is good")
    if not well(box):
        box.until(lambda: box.order(Verb.FAILBACK).ok or well(box), WELL_S, "home again")
        box.until(lambda: well(box), WELL_S, "all is well")


def places(office: Office, where: str) -> list[str | None]:
    names: list[str | None] = [u.name for u in office.topology.uplinks]
    found: dict[str, list[str | None]] = {
        "preferred": names[:1],
        "standby": names[1:2],
        "everywhere": names[::-1],  # the one in use last: when it fails, the others are dead already
        "": [None],
    }
    return found[where]


def strike(office: Office, box: Box, fault: Labelled) -> Callable[[], None]:
    """Put it in place; what heals it comes back."""
    if fault.strikes == (("frozen", "gateway"),):
        assert box.process is not None
        box.process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        box.process.send_signal(signal.SIGCONT)
        return lambda: None
    done: list[tuple[str, str | None]] = []
    for name, where in fault.strikes:
        for uplink in places(office, where):
            office.inject(name, uplink)
            done.append((name, uplink))

    def heal() -> None:
        for name, uplink in done:
            office.heal(name, uplink)

    return heal


def listen(box: Box, fault: Labelled) -> str:
    """The verdict once it has stood for STANDS_S and whoever must move has moved; or as it is after the time given."""
    code, since_s = "ok", time.monotonic()
    until_s = since_s + fault.within_s
    while True:
        status, now_s = box.status(), time.monotonic()
        said = status["verdict"]["code"]
        if said != code:
            code, since_s = said, now_s
        stood = now_s - since_s >= STANDS_S
        waited_for = set(fault.moves) & {f for f in FAMILIES if status["steering"]["office"][f] == PREFERRED}
        if (stood and code not in ("ok", "starting") and not waited_for) or (
            now_s >= until_s and (stood or code == "ok")
        ):
            return str(code)
        time.sleep(0.05)


def all_told(box: Box, last: int) -> list[Transition]:
    """What was written down since; whoever has moved by now is in it (the book is written a moment later)."""
    away = {family for family in FAMILIES if box.status()["steering"]["office"][family] != PREFERRED}
    box.until(lambda: away <= {*families_moved(written_down(box, last)[0])}, WRITTEN_S, "the book knows who moved")
    return written_down(box, last)[0]


def families_moved(told: Sequence[Transition]) -> list[str]:
    """The families that left the preferred uplink."""
    moves = (t for t in told if t.subject.startswith("steering:") and t.before == PREFERRED)
    return sorted({t.subject.partition(":")[2] for t in moves})


def meet(office: Office, box: Box, fault: Labelled) -> Run:
    people = Workday(office, PEOPLE) if fault.people else None
    if people is not None:
        people.until_working()
    time.sleep(APART_S if fault.load else 2.0)
    last, began_s = written_down(box)[1], time.monotonic()
    heal = strike(office, box, fault)
    try:
        with flooded(office, fault.load):
            said = listen(box, fault)
            told = all_told(box, last)
    finally:
        samples = people.leave().result() if people is not None else []
        heal()
    moves = [t for t in told if t.subject.startswith("steering:") and t.before == PREFERRED]
    apart = [t for t in told if t.subject.startswith("application:") and t.before == PREFERRED]
    families = families_moved(told)
    moved = (*families, *(ALONE if apart else ()))
    after_s = max((t.at - began_s for t in moves or apart), default=None)
    if moves and samples and not fault.name.startswith(SLOW):
        after_s = max(out_for(samples, SHOWS.get(fault.name, "new-udp"), family, began_s) for family in families)
    recover(box)
    written = tuple(
        f"{t.at - began_s:.2f} {t.subject} {t.before} > {t.after} {t.reason} {dict(t.detail)}" for t in told
    )
    return Run(fault, office.topology.name, said, moved, after_s, written)


@contextmanager
def flooded(office: Office, way: str) -> Iterator[None]:
    """Staff fill the line, one way, as long as this lasts."""
    ends = [(INTERNET_HOST, ("serve",)), ("staff", ("move", SERVERS_IPV4[0], way, "8"))] if way else []
    processes = []
    try:
        for host, arguments in ends:
            processes.append(converse(office, host, "flood", *arguments))
            assert processes[-1].stdout is not None
            processes[-1].stdout.readline()
        yield
    finally:
        for process in reversed(processes):
            process.communicate(timeout=10.0)


def out_for(samples: Sequence[Sample], kind: str, family: str, began_s: float) -> float:
    """How long a stream was out, of a fault that began then."""
    felt = outage(of_stream(samples, kind, family), began_s)
    return 0.0 if felt is None else felt.length_s


@dataclass(slots=True)
class Matrix:
    """All that is to be met, and what was."""

    ground: Ground
    waiting: dict[str, queue.SimpleQueue[Labelled]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def attend(self, topology: str) -> None:
        """One office of a topology, as long as there are faults to meet."""
        tasks, met = self.waiting[topology], "before the first fault"
        while not (tasks.empty() or ENDED.is_set()):
            try:
                place = find_topology(topology)
                with an_office(place) as office, a_gateway(office, config_of(place) + TAX_PORTAL) as box:
                    recover(box)
                    while True:
                        fault = tasks.get_nowait()
                        met = fault.name
                        run = meet(office, box, fault)
                        self.runs.append(run)
                        self.ground.tell("\n    ".join([_words(run), *(() if run.well else run.told)]))
            except queue.Empty:
                return
            except Exception as error:  # noqa: BLE001 - told, and a new office is built for what is left
                self.trouble.append(f"{topology}, {met}: {error}")
                self.ground.tell(self.trouble[-1])


def _words(run: Run) -> str:
    when = "" if run.after_s is None else f" after {run.after_s:.2f} s"
    verdict = "" if run.well else "  <-- WRONG"
    return f"{run.topology}: {run.fault.name}: {run.said}, moved {'+'.join(run.moved) or 'nobody'}{when}{verdict}"


def ask(ground: Ground) -> Answer:
    matrix = Matrix(ground)
    for topology in TOPOLOGIES:
        matrix.waiting[topology] = queue.SimpleQueue()
        for _ in range(ground.pick(1, 5)):
            for fault in FAULTS:
                if topology in fault.only:
                    matrix.waiting[topology].put(fault)
    offices = [threading.Thread(target=matrix.attend, args=(t,)) for t in TOPOLOGIES for _ in range(SIDE_BY_SIDE)]
    for one in offices:
        one.start()
    for one in offices:
        one.join()
    return told(matrix)


def told(matrix: Matrix) -> Answer:
    """The rows by fault, and where what was said is not the truth."""
    by_fault: dict[str, list[Run]] = defaultdict(list)
    for run in matrix.runs:
        by_fault[run.fault.name].append(run)
    rows, wrong, times_found = [], Counter[tuple[str, str]](), dict[str, float]()
    for fault in FAULTS:
        runs = by_fault[fault.name]
        for run in runs:
            if not run.right:
                wrong[fault.verdict, run.said] += 1
        right, moved = sum(r.right for r in runs), sum(r.moved_rightly for r in runs)
        after = Distribution.of(r.after_s for r in runs if r.after_s is not None)
        times = [seconds(after.median), seconds(after.p95)] if after.n else ["", ""]
        rows.append([fault.name, fault.verdict, f"{right}/{len(runs)}", f"{moved}/{len(runs)}", *times])
        if after.n:
            times_found |= {f"out/{fault.name}/median": after.median, f"out/{fault.name}/p95": after.p95}
    runs = matrix.runs
    said = Answer()
    said.lines = table(["fault", "the truth", "said", "moved", "median", "p95"], rows)
    right, moved = sum(r.right for r in runs), sum(r.moved_rightly for r in runs)
    said.lines += ["", f"{right} of {len(runs)} named rightly, {moved} moved whom they should and nobody else"]
    for (truth, words), times_ in wrong.most_common():
        said.lines.append(f"  {truth} called {words}: {times_}")
    said.lines += [f"  not measured: {words}" for words in matrix.trouble]
    said.data = {
        "runs": [
            {"fault": r.fault.name, "topology": r.topology, "truth": r.fault.verdict, "said": r.said,
             "moved": list(r.moved), "after_s": r.after_s, "told": [] if r.well else list(r.told)}
            for r in runs
        ],
        "trouble": matrix.trouble,
    }  # fmt: skip
    must_not = [r for r in runs if not r.fault.moves]
    said.measured = {
        "matrix/right": right / len(runs) if runs else 0.0,
        "matrix/moved wrongly": sum(bool(r.moved) for r in must_not),
        "matrix/not measured": len(matrix.trouble),
        **times_found,
    }
    return said
