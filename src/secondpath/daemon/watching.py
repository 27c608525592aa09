"""Watches what is in progress where that decides something, and does to single connections what was decided of them.

Looked at are the lines that the office has left, a backup in use, the metered standby that should be silent, and on the
preferred line, while packets pass at the rhythm of a call, what is not TCP. A look is a walk over the kernel's table in
slices; the next comes after PACE_S, or later, so that looking takes no more than a SHARE of one core's time.

What follows from a look (kinds: judge/flows; what may finish: decide/homecoming; why: adr/0021):

    a call without a class, a large transfer     bears its class from now on
    on a line left for home: bulk                ends; what bears such a class already ended in the turn of the switch
                             ordinary            ends in its first pause
                             a phone's dialog    ends when the phone has no call there (so too on a line left otherwise)
                             all the rest        is counted, and told to the engine
    on the metered standby                       is reported by name, and ended

Told is what is there, in one small observation a line; the flows themselves are not written down. How many calls a
shaped line carries is told beside, by what its queue for voice sends (sense/calls).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from secondpath.act.hand import Hand
from secondpath.act.kernel.flows import UPLINK_BITS, Flows, Tracked
from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT, NOT_TCP, epoch_of, is_from_inside, uplink_of
from secondpath.act.recognition import class_of
from secondpath.act.tree import HANDLE
from secondpath.judge.flows import CLOSING, ESTABLISHED, KIND_OF_CLASS, UDP, FlowJudge, Judged
from secondpath.model import (
    CLASSES,
    FINISHING,
    OFFICE,
    Family,
    FlowKind,
    FlowsReading,
    IPAddress,
    Line,
    RateReading,
    Site,
    Steering,
    Straggler,
    TrafficSample,
)
from secondpath.sense.calls import Calls
from secondpath.sense.flows import FlowWalk

PACE_S = 2.0
SHARE = 0.05
"""Of one core, on a backup and on the way home: 20,000 flows there cost 0.35 s, and are looked at every 7 s ..."""
SHARE_AT_HOME = 0.01
"""... and where all is well."""
CALL_PACKETS = 15.0
"""With fewer packets a second either way there is no call on a line."""
CONFIRM_S = 0.3
"""A walk over a table that changes may miss an entry: that something has ended is believed at the second look."""
MOST_PHONES = 200
"""No more are told by name; that many calls at once no office of ours has."""
ANY = {Family.IPV4: bytes(4), Family.IPV6: bytes(16)}
VOICE_QUEUE = HANDLE << 16 | CLASSES["voice"].ident
"""The class that queues voice, wherever something is queued by class (act/tree)."""
REMEMBERED = 5
"""So many stragglers are remembered for `status`."""


class Office(Protocol):
    """What watching must know of the running gateway."""

    site: Site
    hand: Hand

    @property
    def steering(self) -> Steering:
        """As the kernel follows it."""

    def going_home(self) -> frozenset[Line]:
        """The lines that are being left for home."""

    def deliver(self, observation: FlowsReading | RateReading) -> None:
        """The one door."""

    def found(self, straggler: Straggler) -> None:
        """Somebody is where nobody should be."""


log = logging.getLogger(__name__)


@dataclass(slots=True)
class Look:
    """What one look at an uplink has found so far, and the steering by which all of it is judged."""

    steering: Steering
    going_home: frozenset[Line]
    counts: dict[Line, Counter[FlowKind]] = field(default_factory=lambda: defaultdict(Counter))
    calling: dict[Line, set[IPAddress]] = field(default_factory=lambda: defaultdict(set))
    unknown: Counter[Line] = field(default_factory=Counter)
    dialogs: list[tuple[Line, IPAddress, Tracked]] = field(default_factory=list)
    astray: list[tuple[Line, str, Tracked]] = field(default_factory=list)
    ends: list[Tracked] = field(default_factory=list)
    becomes: dict[int, list[Tracked]] = field(default_factory=lambda: defaultdict(list))


class Watching:
    """Looks now and then; `left` says that the steering has changed, `saw` what passes on the lines."""

    def __init__(self, office: Office, flows: Flows, walk: FlowWalk) -> None:
        self._office = office
        self._flows = flows
        self._walk = walk
        self._judges: dict[int, FlowJudge] = defaultdict(FlowJudge)
        self._told: dict[Line, FlowsReading] = {}
        self._passed: Counter[tuple[Line, str]] = Counter()
        self._passed_since = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._doubted: set[Line] = set()
        self._looking = False
        self._again = False
        self._classes: dict[int, str] = {}
        self._applications: dict[int, str] = {}
        self._lines: dict[tuple[int, int, int], Line] = {}
        self.stragglers: deque[Straggler] = deque(maxlen=REMEMBERED)
        self._calls = Calls(office.deliver, VOICE_QUEUE, lambda: office.hand.queues_in)

    def start(self) -> None:
        """Begin."""
        self._later(0.0)
        self._calls.start()

    def close(self) -> None:
        """Look no more. What is under way in the kernel stays as it is."""
        if self._timer is not None:
            self._timer.cancel()
        self._looking = self._again = False
        self._walk.close()
        self._calls.close()

    def saw(self, sample: TrafficSample) -> None:
        """So many packets passed."""
        self._passed[sample.line, "out"] += sample.out
        self._passed[sample.line, "in"] += sample.in_

    def left(self, lines: Iterable[Line], going_home: frozenset[Line]) -> None:
        """The office has left these lines in this very turn: what nobody waits for ends now, the rest is looked at."""
        self._name_classes()
        at_once = [ident for ident, name in self._classes.items() if KIND_OF_CLASS.get(name) is FlowKind.BULK]
        numbers = self._office.hand.numbers
        for uplink in {line.uplink for line in lines if line in going_home} & numbers.keys():
            with _told_if_refused():
                mine = self._flows.of_classes(numbers[uplink], at_once)
                self._end([flow for flow in mine if self._line_of(flow) in going_home])
        self._later(0.0)

    # when, and where

    def _later(self, delay_s: float) -> None:
        if self._looking:
            self._again = True
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._begin)

    def _begin(self) -> None:
        """One look at every uplink that there is something to decide about, one after the other."""
        now = asyncio.get_running_loop().time()
        self._name_classes()
        passed_s = max(now - self._passed_since, 0.1)
        places = list(self._places(passed_s))
        self._passed.clear()
        self._passed_since, self._looking, self._again = now, True, False
        self._told = {line: told for line, told in self._told.items() if line in self._office.steering.left}
        self._doubted &= self._office.steering.left
        self._next(places, 0.0, all(share == SHARE_AT_HOME for _, _, share in places))

    def _places(self, passed_s: float) -> Iterator[tuple[str, int, float]]:
        """The uplinks to look at: name, the bits that are looked for besides its number, the share of a core."""
        steering, site = self._office.steering, self._office.site
        used = {Line(lane.uplink, f) for (_, f), lane in steering.lanes.items() if lane.uplink is not None}
        for place, uplink in enumerate(site.uplinks):
            mine = {Line(uplink.name, family) for family in Family}
            if mine & steering.left or (place and mine & used):
                yield uplink.name, 0, SHARE
            elif mine & used:
                if any(min(self._passed[n, "out"], self._passed[n, "in"]) >= CALL_PACKETS * passed_s for n in mine):
                    yield uplink.name, NOT_TCP, SHARE_AT_HOME
            elif uplink.metered and any(self._passed[n, way] for n in mine for way in ("out", "in")):
                yield uplink.name, 0, SHARE

    def _next(self, places: list[tuple[str, int, float]], cost_s: float, at_home: bool) -> None:
        numbers = self._office.hand.numbers
        while places and places[0][0] not in numbers:
            places.pop(0)
        if not places:
            self._looking = False
            pause_s = max(PACE_S, cost_s / (SHARE_AT_HOME if at_home else SHARE))
            self._later(0.0 if self._again else CONFIRM_S if self._doubted else pause_s)
            return
        name, bits, _ = places.pop(0)
        number, now = numbers[name], asyncio.get_running_loop().time()
        look = Look(self._office.steering, self._office.going_home())
        judge = self._judges[number]

        def see(flow: Tracked) -> None:
            line = self._line_of(flow) if flow.tcp_state not in CLOSING else None
            if line is None:
                return
            if is_from_inside(flow.mark):
                self._see(now, judge, look, line, flow)
            elif line in look.going_home and self._goes_on(now, judge, flow):
                look.counts[line][FlowKind.SESSION] += 1  # somebody outside came in by this line

        def done(seconds: float, whole: bool) -> None:
            if whole:  # of half the flows nothing follows
                judge.turn()
                with _told_if_refused():
                    self._conclude(name, look)
            self._next(places, cost_s + seconds, at_home)

        self._walk.start(number | bits, UPLINK_BITS | bits, see, done)

    # one flow

    def _name_classes(self) -> None:
        """What each number in a mark stands for."""
        site, hand = self._office.site, self._office.hand
        idents = hand.idents
        self._applications = {number: name for name, number in idents.items()}
        self._lines = {
            (hand.numbers[line.uplink], len(ANY[line.family]), epoch): line
            for line, epoch in hand.epochs.items()
            if line.uplink in hand.numbers
        }
        named = {idents[a.name]: class_of(a).name for a in site.applications if a.name in idents}
        self._classes = {c.ident: c.name for c in CLASSES.values()} | named

    def _line_of(self, flow: Tracked) -> Line | None:
        """The line that a flow travels on; None for one of an epoch that is not routed any more."""
        return self._lines.get((uplink_of(flow.mark), len(flow.source), epoch_of(flow.mark)))

    def _see(self, now: float, judge: FlowJudge, look: Look, line: Line, flow: Tracked) -> None:
        ident = (flow.mark & CLASS_MASK) >> CLASS_SHIFT
        traffic_class = self._classes.get(ident, OFFICE.name)
        found = judge.judge(now, flow, traffic_class, recognised=ident != CLASSES[traffic_class].ident)
        if found.becomes is not None:
            look.becomes[found.becomes].append(flow)
        if line in look.steering.left:
            self._see_left(look, line, flow, found)
        elif found.moves and self._is_astray(look.steering, line, traffic_class, ident):
            look.astray.append((line, traffic_class, flow))

    def _goes_on(self, now: float, judge: FlowJudge, flow: Tracked) -> bool:
        """Whether somebody outside is still at work with what came in by this line."""
        rests = judge.judge(now, flow, "remote-access").rests
        return flow.tcp_state == ESTABLISHED if flow.tcp_state is not None else not rests

    def _see_left(self, look: Look, line: Line, flow: Tracked, found: Judged) -> None:
        """A flow on a line that the office has left."""
        if found.kind is FlowKind.DIALOG:
            look.dialogs.append((line, ip_address(flow.source), flow))
            return
        if flow.proto == UDP and flow.answered and not found.known and found.kind is not FlowKind.BULK:
            look.unknown[line] += 1
            look.calling[line].add(ip_address(flow.source))
        elif found.kind is FlowKind.CALL and not found.over:
            look.calling[line].add(ip_address(flow.source))
        if line not in look.going_home:
            return
        rests = found.kind is FlowKind.OFFICE and found.rests
        if found.kind is FlowKind.BULK or rests or (found.kind in FINISHING and found.over and found.known):
            look.ends.append(flow)
        elif not found.over:
            look.counts[line][found.kind] += 1

    def _is_astray(self, steering: Steering, line: Line, traffic_class: str, ident: int) -> bool:
        """Whether nobody has sent a flow of that class this way, on a line that is metered."""
        metered = any(uplink.metered for uplink in self._office.site.uplinks if uplink.name == line.uplink)
        if not metered or line.uplink == steering.lane(traffic_class, line.family).uplink:
            return False
        detour = steering.detours.get((self._applications.get(ident, ""), line.family))
        used = any(lane.uplink == line.uplink for (_, f), lane in steering.lanes.items() if f is line.family)
        return not used and (detour is None or detour.uplink != line.uplink)

    def _report(self, line: Line, flow: Tracked, traffic_class: str) -> None:
        device, dest = str(ip_address(flow.source)), ip_address(flow.dest)
        destination = f"[{dest}]:{flow.dport}" if dest.version == 6 else f"{dest}:{flow.dport}"
        one = Straggler(line, device, destination, traffic_class, flow.out_bytes + flow.in_bytes)
        self.stragglers.append(one)
        self._office.found(one)

    # what follows

    def _conclude(self, uplink: str, look: Look) -> None:
        """First the marks, then what the engine should know; ends come last, when the kernel follows it.

        While the slices of a look were read the office may have moved: a call seen on a backup in use is then on its
        way home, and no straggler. Of such a look only the marks are good; the next one follows at once.
        """
        for ident, flows in look.becomes.items():
            self._flows.mark_class(flows, ident)
        if not self._still_holds(look):
            self._again = True
            return
        for line in look.steering.left:
            if line.uplink == uplink and line in self._office.steering.left:
                self._tell(line, look)
        for line, traffic_class, flow in look.astray:
            self._report(line, flow, traffic_class)
            look.ends.append(flow)
        look.ends += [flow for line, phone, flow in look.dialogs if phone not in look.calling[line]]
        self._end(look.ends)

    def _still_holds(self, look: Look) -> bool:
        """Whether who travels where, and what was left, is as it was when the look began."""
        began, now = look.steering, self._office.steering
        same = (began.lanes, began.detours, began.left) == (now.lanes, now.detours, now.left)
        return same and look.going_home == self._office.going_home()

    def _tell(self, line: Line, look: Look) -> None:
        phones = tuple(sorted(look.calling[line], key=int))[:MOST_PHONES]
        reading = FlowsReading(line, dict(look.counts[line]), phones, look.unknown[line])
        before = self._told.get(line)
        if line not in self._doubted and _is_less(reading, before):
            self._doubted.add(line)
            look.calling[line].update(before.calling if before else ())
            return
        self._doubted.discard(line)
        if before != reading:
            self._told[line] = reading
            self._office.deliver(reading)

    def _end(self, flows: list[Tracked]) -> None:
        if flows:
            self._end_on(self._flows.send_home(flows))

    def _end_on(self, batches: Iterator[int]) -> None:
        """One batch now, the next when the loop has had its turn."""
        with _told_if_refused():
            if next(batches, None) is not None:
                asyncio.get_running_loop().call_soon(self._end_on, batches)


def _is_less(now: FlowsReading, before: FlowsReading | None) -> bool:
    """Whether what may finish, or who is on a call, is less than before; at first: whether nothing is there."""
    if before is None:
        return not any(now.counts.get(kind) for kind in FINISHING)
    fewer = any(now.counts.get(kind, 0) < before.counts.get(kind, 0) for kind in FINISHING)
    return fewer or not set(before.calling) <= set(now.calling)


@contextmanager
def _told_if_refused() -> Iterator[None]:
    """What the kernel refuses is told and never ends the daemon: the next look finds it again."""
    try:
        yield
    except OSError as error:
        log.warning("could not act on connections in progress: %s", error, extra={"event": "flows"})
