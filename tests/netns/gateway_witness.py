"""A witness beside the gateway: what systemd hears of it, what its kernel holds, and what people felt meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

from tests.patience import PATIENCE_S

from secondpath.lab.box import Box
from secondpath.lab.gaps import LATE_S, Sample, between, lost, of_stream, outage, resets, worst_gap_s
from secondpath.lab.namespaces import end, links_run, living_in
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.wire.messages import Verb

FAMILIES = ("ipv4", "ipv6")
KINDS = {"lasting-udp": 0.02, "new-udp": 0.05, "lasting-tcp": 0.05, "new-tcp": 0.1, "download": 0.05}
EVERYBODY = [Wish(kind, family, every_s) for family in FAMILIES for kind, every_s in KINDS.items()]
PINGED = {"ipv4": "192.0.2.1", "ipv6": "2001:db8:ff::1"}

HELD = {
    "ruleset": "nft -s list ruleset",
    "rules": "ip -4 rule; echo; ip -6 rule",
    "routes": "ip route show table all | sort",
    "settings": "grep -r . /proc/sys/net/ipv4/ip_forward $(find /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf"
    " -name rp_filter -o -name forwarding -o -name accept_ra) | sort",
}


class Manager:
    """systemd's end of sd_notify(3): a datagram socket, and the instant at which each word came."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while self._open:
            try:
                word = self._socket.recv(4096).decode()
            except TimeoutError:
                continue
            self.heard.append((time.monotonic(), word))

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def instants(self, word: str, since: float = 0.0) -> list[float]:
        return [at for at, said in list(self.heard) if at >= since and word in said.splitlines()]

    def words(self, since: float = 0.0) -> list[str]:
        return [said for at, said in list(self.heard) if at >= since]


class WatchedBox(Box):
    """A gateway that was started by a `Manager`, with these lines in its environment and these arguments more."""

    manager: Manager | None = None
    environment: Sequence[str] = ()
    more: Sequence[str] = ()

    def argv(self, *arguments: str) -> list[str]:
        if arguments[0] != "run":
            return Box.argv(self, *arguments)
        notify = [f"NOTIFY_SOCKET={self.manager.path}"] if self.manager else []
        return ["env", *notify, *self.environment, *Box.argv(self, *arguments, *self.more)]

    def until_ready(self) -> None:
        """Start it, and wait until systemd has heard READY."""
        assert self.manager is not None
        manager, began = self.manager, time.monotonic()
        self.start()
        self.until(lambda: bool(manager.instants("READY=1", began)), PATIENCE_S, "READY=1 is said")
        print(f"READY after {manager.instants('READY=1', began)[0] - began:.3f} s")


MANAGERS: list[Manager] = []


def watched(office: Office, text: str | None = None, **failover: str) -> WatchedBox:
    """A gateway under a manager of its own, not started yet."""
    box = WatchedBox.of(office, text, **failover)
    box.manager = Manager(box.config.parent / "notify.sock")
    MANAGERS.append(box.manager)
    return box


def vacate(office: Office) -> None:
    """Leave a standing office to the next test: nothing broken, no gateway, nothing of it in the kernel or on disk."""
    end(living_in(office.host_netns("gw")))
    office.mend()
    box = Box.of(office)
    assert office.run("gw", box.argv("clear")).returncode == 0
    for manager in [m for m in MANAGERS if m.path.is_relative_to(office.directory)]:
        manager.close()
        MANAGERS.remove(manager)
    for leftover in (box.config.parent, office.directory / "tools"):
        shutil.rmtree(leftover, ignore_errors=True)
    box.until(lambda: links_run(office.host_netns("gw")), PATIENCE_S, "all cables are plugged in")
    office.run("gw", ["sh", "-c", "conntrack -F; conntrack -F -f ipv6"])


def held(office: Office, *parts: str) -> dict[str, str]:
    """What the gateway's kernel holds, ours and everybody's, as text."""
    chosen = {part: HELD[part] for part in parts} if parts else HELD
    return {part: office.run("gw", ["sh", "-c", script], check=True).stdout for part, script in chosen.items()}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What came into the kernel and what went, a line each."""
    lines = [line for part in before for line in unified_diff(before[part].splitlines(), after[part].splitlines(), n=0)]
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def masked(kernel: dict[str, str]) -> dict[str, str]:
    """The same without the serial numbers of epochs, elements in order."""
    text = re.sub(r"0x[0-9a-f]{4}(?=[0-9a-f]{4}\b)", "0x....", kernel["ruleset"])
    return kernel | {"ruleset": re.sub(r"elements = \{([^}]*)\}", _in_order, text)}


def _in_order(elements: re.Match[str]) -> str:
    return "elements = { " + ", ".join(sorted(e.strip() for e in elements[1].split(","))) + " }"


def live_marks(office: Office) -> set[int]:
    """The marks that our table still routes."""
    listed = office.run("gw", ["nft", "-j", "list", "map", "inet", "secondpath", "route_of"], check=True).stdout
    found = next(entry["map"] for entry in json.loads(listed)["nftables"] if "map" in entry)
    return {int(element[0]) for element in found.get("elem", [])}


def flow_marks(office: Office) -> list[int]:
    """The connection marks of all flows, both families."""
    script = "conntrack -L 2>/dev/null; conntrack -L -f ipv6 2>/dev/null"
    listed = office.run("gw", ["sh", "-c", script]).stdout
    return [int(mark) for mark in re.findall(r"mark=(\d+)", listed)]


def orphans(office: Office) -> list[int]:
    """The marks of flows that carry an epoch nobody routes any more."""
    live = live_marks(office)
    return [mark for mark in flow_marks(office) if mark >> 16 and mark & 0xFF and mark & 0xFFFF00FF not in live]


def at_work(box: Box, wishes: Sequence[Wish] = EVERYBODY) -> tuple[Seat, float]:
    """People at work, and since when all of their work flows."""
    seat = Seat.take(box.office, "staff", wishes)
    box.until(
        lambda: sum(m & 0xFF > 0 for m in flow_marks(box.office)) > 2 * len(wishes), PATIENCE_S, "people are at work"
    )
    return seat, time.monotonic() + 0.1


def work_on(box: Box, seconds: float) -> None:
    """People work for a while; nothing else is awaited."""
    until = time.monotonic() + seconds
    box.until(lambda: time.monotonic() >= until, seconds + PATIENCE_S, "people have worked on")


def felt_by(box: Box, seat: Seat, since: float) -> list[Sample]:
    """What people asked from then until now; what they ask later is not waited for, so it may be unanswered."""
    until = time.monotonic()
    box.until(
        lambda: any(sample.sent_s > until + LATE_S for sample in seat.samples()[-1:]),
        PATIENCE_S,
        "people have heard the last answers",
    )
    return between(seat.leave(), since, until)


def hurt(samples: Sequence[Sample], gap_s: float = 3.0) -> list[str]:
    """Everything that people felt: lost questions, resets, gaps; a sentence each.

    What the kernel drops is lost at once, every 20 ms; a gap may also be people who had to wait for a processor.
    """
    said = []
    for family in FAMILIES:
        for kind in KINDS:
            mine = of_stream(samples, kind, family)
            if not mine:
                continue
            if kind != "download" and lost(mine):
                said.append(f"{kind}.{family}: {lost(mine)} of {len(mine)} lost")
            if resets(mine):
                said.append(f"{kind}.{family}: {resets(mine)} resets")
            if worst_gap_s(mine) > gap_s:
                said.append(f"{kind}.{family}: {worst_gap_s(mine):.2f} s without service")
    return said


def until_served(box: Box, seat: Seat, wishes: Sequence[Wish], at: float) -> list[Sample]:
    """People work until whatever befell each stream of theirs at that instant is over; everything they felt."""

    def is_over(mine: Sequence[Sample]) -> bool:
        felt = outage(mine, at)
        return bool(mine) and mine[-1].sent_s > at + 2.0 and (felt is None or felt.end_s is not None)

    def is_served() -> bool:
        samples = seat.samples()
        return all(is_over(of_stream(samples, wish.kind, wish.family)) for wish in wishes)

    box.until(is_served, PATIENCE_S, "everybody is served again")
    samples = seat.leave()
    for wish in wishes:
        felt = outage(of_stream(samples, wish.kind, wish.family), at)
        print(f"{wish.kind}.{wish.family}: {felt.length_s if felt else 0:.2f} s")
    return samples


def uses(box: Box, uplink: str | None) -> bool:
    """Whether both families of the class office travel by that uplink."""
    lanes = box.status()["steering"]["office"]
    return all(lanes[family] == uplink for family in FAMILIES)


def is_up(box: Box, uplink: str) -> bool:
    """Whether an uplink is up in both families."""
    return all(box.health(uplink, family) == "up" for family in FAMILIES)


def reaches(office: Office, host: str = "staff", families: Sequence[str] = FAMILIES) -> bool:
    """Whether a host can reach the internet."""
    return all(
        office.run(host, ["ping", "-c", "2", "-i", "0.2", "-W", "1", PINGED[f]]).returncode == 0 for f in families
    )


def source_seen(office: Office, family: str = "ipv4", host: str = "staff") -> str:
    """By which uplink a new flow of that host leaves, told by the address the internet sees; "" when none does."""
    address = {"ipv4": "192.0.2.10", "ipv6": "2001:db8:ff::10"}[family]
    code = (
        "import socket,sys\n"
        "s=socket.create_connection((sys.argv[1],7001),9);s.sendall(b'?\\n');print(s.recv(200).split()[0].decode())"
    )
    seen = office.run(host, ["python3", "-c", code, address]).stdout.strip()
    return (office.topology.uplink_of(seen) or seen) if seen else ""


def go_home(box: Box, limit_s: float = PATIENCE_S) -> None:
    """Ask for a failback until it is granted: a line that has just come back may be doubted for a moment."""
    box.until(lambda: box.order(Verb.FAILBACK).ok, limit_s, "a failback is granted")
    box.until(lambda: uses(box, "cable"), limit_s, "traffic is at home")
