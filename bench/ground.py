"""What the questions have in common: how much to do, what an answer is, offices, people, the gateway's own notes."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Self

from secondpath.lab.box import Box
from secondpath.lab.building import python_environment
from secondpath.lab.errors import LabError
from secondpath.lab.gaps import Sample
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import GATEWAY_HOST, Topology, find_topology
from secondpath.model import Transition
from secondpath.netlink.nftables import Nft
from secondpath.record.query import Unreadable, events
from secondpath.wire.messages import Verb

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = ("ipv4", "ipv6")
PREFERRED, STANDBY = "cable", "lte"


@dataclass(frozen=True, slots=True)
class Ground:
    """How much to do, and how to say what is being done."""

    quick: bool
    tell: Callable[[str], None]

    def pick(self, quick: int, full: int) -> int:
        return quick if self.quick else full


@dataclass(slots=True)
class Answer:
    """What one question found: lines for people, `data` for the file, `measured` for the bounds (bounds.py)."""

    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)


def a_name() -> str:
    return f"b{uuid.uuid4().hex[:6]}"


STANDING: list[Office] = []
"""Offices that are up: whoever ends the bench early takes them down."""
ENDED = threading.Event()
"""Somebody has ended the bench: no office is built any more."""


@contextmanager
def an_office(topology: Topology | None = None) -> Iterator[Office]:
    with LINKS.hush():
        if ENDED.is_set():
            raise LabError("the bench is being ended")
        office = Office.up(topology or find_topology("office"), a_name())
        STANDING.append(office)
    try:
        yield office
    finally:
        with LINKS.hush():
            office.down()
            STANDING.remove(office)


@contextmanager
def a_gateway(office: Office, text: str | None = None) -> Iterator[Box]:
    """The gateway with its defaults (or with this office.toml), running, all uplinks up."""
    with Box.of(office, text) as box:
        box.until_well()
        yield box


def spawn_bench(office: Office, host: str, module: str, *arguments: str, **streams: Any) -> Popen[str]:
    """Start one of the bench's own modules in a host."""
    environment = python_environment()
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{ROOT}"
    argv = [sys.executable, "-m", f"bench.{module}", *arguments]
    return office.spawn(host, argv, own_session=True, env=environment, **streams)


class Told:
    """The oracle (oracle.py), held in the hand: `with Told(office, config) as oracle: oracle.order("away")`."""

    def __init__(self, office: Office, config: Path) -> None:
        arguments = ("--config", str(config), "--run-dir", str(config.parent / "run"))
        self._process = converse(office, GATEWAY_HOST, "oracle", *arguments, "--topology", office.topology.name)
        self._answer()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LabError("The oracle is silent for ever: see its words above.")
        found: dict[str, float] = json.loads(line)
        return found

    def order(self, word: str) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()
        self._process.wait(10.0)


def converse(office: Office, host: str, module: str, *arguments: str) -> Popen[str]:
    """Start one of the bench's own modules in a host, to be spoken to by stdin and stdout."""
    environment = python_environment()
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{ROOT}"
    argv = [sys.executable, "-m", f"bench.{module}", *arguments]
    with inside(office.host_netns(host)):
        process = Popen(argv, stdin=PIPE, stdout=PIPE, text=True, start_new_session=True, env=environment)
    office.remember(process)
    return process


class Links:
    """The kernel speaks of lost carriers at most once a second, counted over *all* namespaces of the machine
    (net/core/link_watch.c). So while one office's cable is being cut, no other office of ours touches a link.
    """

    REST_S = 1.1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_since = 0.0

    @contextmanager
    def hush(self, rest: bool = False) -> Iterator[None]:
        """Nobody else of us touches a link meanwhile; with `rest` nobody has for a while."""
        with self._lock:
            if rest:
                time.sleep(max(0.0, self._quiet_since + self.REST_S - time.monotonic()))
            try:
                yield
            finally:
                self._quiet_since = time.monotonic()


LINKS = Links()


class Workday:
    """People at work during one run. Their going home is waited for elsewhere, so the next run can begin."""

    _doors = ThreadPoolExecutor(8, "people")

    def __init__(self, office: Office, wishes: Sequence[Wish], host: str = "staff") -> None:
        self.seat = Seat.take(office, host, wishes)

    def until_working(self, limit_s: float = 10.0) -> None:
        """The seat's file appears with its first page, a second after the first question; its log shows nothing.
        So look at the process: once it has its sockets, it works.
        """
        until_s = time.monotonic() + limit_s
        place = Path(f"/proc/{self.seat.process.pid}/fd")
        while time.monotonic() < until_s:
            try:
                links = [str(one.readlink()) for one in place.iterdir()]
            except OSError:
                links = []
            if sum(link.startswith("socket:") for link in links) > 4:
                return
            time.sleep(0.02)
        raise TimeoutError("people did not begin to work")

    def leave(self) -> Future[list[Sample]]:
        return self._doors.submit(self.seat.leave)


def written_down(box: Box, after: int = 0) -> tuple[list[Transition], int]:
    """What the gateway wrote into its book since event number `after`, and the number of the last."""
    try:
        found = events(box.state_dir / "book.db", after=after, limit=10_000)
    except Unreadable:
        return [], after
    return [event.transition for event in found], (found[-1].number if found else after)


def go_home(box: Box, limit_s: float = 20.0) -> float:
    """Wait until the preferred uplink is up in both families, and order the failback; the instant of the order."""
    box.until(lambda: all(box.health(PREFERRED, f) == "up" for f in FAMILIES), limit_s, f"{PREFERRED} is up again")
    time.sleep(0.2)
    at_s = time.monotonic()
    box.order(Verb.FAILBACK)
    box.until(lambda: runs_on(box, PREFERRED), 3.0, "traffic runs at home")
    return at_s


def runs_on(box: Box, uplink: str) -> bool:
    """Whether both families travel on that uplink."""
    lanes = box.status()["steering"]["office"]
    return all(lanes[family] == uplink for family in FAMILIES)


def guard_counters(office: Office) -> dict[str, int]:
    """Our own table's counters: packets."""
    with inside(office.host_netns(GATEWAY_HOST)), Nft("secondpath") as nft:
        return {name: packets for name, (packets, _bytes) in nft.counters().items()}


def wrong_sources(office: Office) -> dict[str, int]:
    """Packets with a source not its customer's that reached each ISP, and those that our guard held back."""
    seen = {u.isp: office.counters(u.isp)["wrong_source"].packets for u in office.topology.uplinks}
    guard = {name: n for name, n in guard_counters(office).items() if name.startswith("wrong_source")}
    return seen | guard


def tracked_flows(office: Office) -> int:
    """How many connections the gateway's kernel remembers."""
    with inside(office.host_netns(GATEWAY_HOST)):
        return int(Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text())
