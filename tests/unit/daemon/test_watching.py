"""What is done to connections in progress, and what is told of them: on a table of paper, with a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import cast

from tests.office import LTE4, site
from tests.unit.act.offices import interfaces, steering
from tests.unit.daemon.test_retiring import JumpingLoop

from secondpath.act.hand import Hand
from secondpath.act.kernel.flows import Flows
from secondpath.act.paper import Paper
from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT, NOT_TCP, lane_mark
from secondpath.daemon.watching import CONFIRM_S, PACE_S, SHARE, Watching
from secondpath.model import (
    CLASSES,
    FlowKind,
    FlowsReading,
    Line,
    RateReading,
    Site,
    Steering,
    Straggler,
    TrafficSample,
)
from secondpath.netlink.flow import Flow
from secondpath.sense.flows import FlowWalk

DESK, OTHER = bytes((10, 44, 10, 7)), bytes((10, 44, 10, 8))
G711, SILENCE = (50.0, 200.0), (0.0, 0.0)
VOICE, BULK, OFFICE = (CLASSES[name].ident for name in ("voice", "bulk", "office"))


@dataclass
class Talk:
    """A flow of the table of paper, and what passes on it: packets a second and bytes of each, both ways alike."""

    flow: Flow
    way: tuple[float, float]
    hidden: bool = False


@dataclass
class Table:
    """A kernel's table: what passes is counted by the loop's clock; who walks it, marks, ends."""

    site: Site = field(default_factory=site)
    hand: Hand = field(default_factory=lambda: Hand(Paper()))
    talks: list[Talk] = field(default_factory=list)
    told: list[FlowsReading] = field(default_factory=list)
    astray: list[Straggler] = field(default_factory=list)
    ended: list[tuple[float, int]] = field(default_factory=list)
    walks: list[tuple[float, int, int]] = field(default_factory=list)
    midway: Callable[[], None] | None = None
    cost_s: float = 0.001
    torn: bool = False
    home: bool = True
    left: bool = False
    brown_out: bool = False

    def __post_init__(self) -> None:
        self.hand.reconcile(self.site, steering(self.site, "cable", "cable"), interfaces(self.site))

    @property
    def steering(self) -> Steering:
        used = "cable" if self.home else "lte"
        return replace(steering(self.site, used, used), left=frozenset({LTE4} if self.left else ()))

    def going_home(self) -> frozenset[Line]:
        return frozenset() if self.brown_out else self.steering.left

    def deliver(self, observation: FlowsReading | RateReading) -> None:
        assert isinstance(observation, FlowsReading), "nothing is shaped here"
        self.told.append(observation)

    def found(self, straggler: Straggler) -> None:
        self.astray.append(straggler)

    def add(
        self, port: int, way: tuple[float, float], source: bytes = DESK, proto: int = 17, ident: int = OFFICE
    ) -> Talk:
        mark = lane_mark(self.hand.epochs[LTE4], self.hand.numbers["lte"], ident) | (NOT_TCP if proto == 17 else 0)
        server = bytes((192, 0, 2, 99))
        flow = Flow(2, proto, source, 30_000, server, port, server, port, source, 30_000, mark,
                    14, 3 if proto == 6 else None, 300, len(self.talks))  # fmt: skip
        self.talks.append(Talk(flow, way))
        return self.talks[-1]

    # the kernel's side

    def start(self, mark: int, mask: int, see: Callable[[Flow], None], done: Callable[[float, bool], None]) -> None:
        now = asyncio.get_running_loop().time()
        self.walks.append((now, mark, mask))
        for place, talk in enumerate(list(self.talks)):
            if place == 1 and self.midway is not None:
                self.midway()  # the loop had its turn between two slices
            if talk.flow.mark & mask == mark and not talk.hidden and not self.torn:
                packets = round(talk.way[0] * (now - 1000.0))
                octets = round(packets * talk.way[1])
                sent = replace(talk.flow, out_packets=packets, out_bytes=octets)
                see(replace(sent, in_packets=packets, in_bytes=octets))
        done(self.cost_s, not self.torn)

    def close(self) -> None:
        """Nothing to give back."""

    def mark_class(self, flows: Iterable[Flow], ident: int) -> None:
        for flow in flows:
            talk = next(t for t in self.talks if t.flow.ident == flow.ident)
            talk.flow = replace(talk.flow, mark=talk.flow.mark & ~CLASS_MASK | ident << CLASS_SHIFT)

    def of_classes(self, uplink: int, idents: Iterable[int]) -> list[Flow]:
        wanted = {lane_mark(0, uplink, ident) for ident in idents}
        return [t.flow for t in self.talks if t.flow.mark & (CLASS_MASK | 0x7F) in wanted]

    def send_home(self, flows: Iterable[Flow]) -> Iterator[int]:
        for flow in flows:
            self.ended.append((round(asyncio.get_running_loop().time() - 1000.0, 2), flow.dport))
            self.talks = [t for t in self.talks if t.flow.ident != flow.ident]
            yield 1

    def live(self, *acts: tuple[float, Callable[[Watching], None]], until_s: float) -> None:
        """Watch for so long; at some moments something happens."""

        async def life() -> None:
            watching = Watching(self, cast(Flows, self), cast(FlowWalk, self))
            watching.start()
            loop = asyncio.get_running_loop()
            for at_s, act in acts:
                loop.call_later(at_s, act, watching)
            await asyncio.sleep(until_s)
            watching.close()

        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(life())

    def goes_home(self, watching: Watching) -> None:
        self.home = self.left = True
        watching.left([LTE4], self.going_home())

    def class_of(self, talk: Talk) -> int:
        return (talk.flow.mark & CLASS_MASK) >> CLASS_SHIFT


def test_on_a_backup_a_call_is_marked_at_the_second_look_and_a_transfer_at_once() -> None:
    table = Table(home=False)
    call, transfer = table.add(17_000, G711), table.add(443, (2000.0, 1400.0), proto=6)
    table.live(until_s=1.9)
    assert table.class_of(call) == OFFICE
    table.live(until_s=2.1)
    assert table.class_of(call) == VOICE
    assert table.class_of(transfer) == BULK
    assert table.ended == []


def test_on_the_way_home_everything_ends_when_it_should() -> None:
    table = Table(home=False)
    table.add(17_000, G711)
    table.add(5060, (0.5, 400.0))
    table.add(5061, (0.5, 400.0), OTHER, proto=6)
    table.add(8080, SILENCE, proto=6)
    table.add(8081, (20.0, 300.0), proto=6)
    table.add(22, SILENCE, proto=6)
    table.add(80, SILENCE, proto=6, ident=BULK)
    table.add(51820, (20.0, 300.0))
    table.live((5.0, table.goes_home), until_s=20.0)
    assert (5.0, 80) in table.ended, "bulk, in the turn of the switch"
    assert (5.0, 5061) in table.ended, "a phone without a call"
    assert {port: at for at, port in table.ended}[8080] <= 5.0 + PACE_S, "a connection that rests"
    assert {t.flow.dport for t in table.talks} == {17_000, 5060, 8081, 22, 51820}
    last = table.told[-1]
    assert last.counts == {FlowKind.CALL: 1, FlowKind.OFFICE: 1, FlowKind.SESSION: 1, FlowKind.TUNNEL: 1}
    assert last.calling == (ip_address(DESK),)


def test_a_line_left_for_a_brown_out_keeps_all_but_the_signalling_of_phones_that_rest() -> None:
    table = Table(home=False, brown_out=True)
    for source, calls in ((DESK, True), (OTHER, False)):
        table.add(5060, (0.5, 400.0), source)
        if calls:
            table.add(17_000, G711, source)
    table.add(8080, SILENCE, proto=6)
    table.add(80, SILENCE, proto=6, ident=BULK)
    table.live((5.0, table.goes_home), until_s=20.0)
    assert [port for _, port in table.ended] == [5060]
    assert {(t.flow.source, t.flow.dport) for t in table.talks if t.flow.proto == 17} == {(DESK, 5060), (DESK, 17_000)}
    assert table.told[-1].calling == (ip_address(DESK),)


def test_the_phone_follows_its_last_call() -> None:
    table = Table(home=False)
    call = table.add(17_000, G711)
    table.add(5060, (0.5, 400.0))

    def hang_up(_: Watching) -> None:
        table.talks.remove(call)

    table.live((5.0, table.goes_home), (10.0, hang_up), until_s=20.0)
    (ended_s,) = (at for at, port in table.ended if port == 5060)
    assert 10.0 < ended_s <= 10.0 + PACE_S + CONFIRM_S + 0.1
    assert table.told[-1] == FlowsReading(LTE4)


def test_a_call_that_one_look_misses_is_not_over() -> None:
    table = Table(home=False)
    call = table.add(17_000, G711)
    table.add(5060, (0.5, 400.0))

    def hide(_: Watching) -> None:
        call.hidden = True

    def show(_: Watching) -> None:
        call.hidden = False

    table.live((4.5, table.goes_home), (7.9, hide), (8.1, show), until_s=20.0)
    assert [r.calling for r in table.told] == [(ip_address(DESK),)] * len(table.told)
    assert table.ended == []


def test_of_half_a_look_nothing_follows() -> None:
    table = Table(home=False)
    table.add(17_000, G711)

    def tear(_: Watching) -> None:
        table.torn = True

    table.live((5.0, table.goes_home), (6.0, tear), until_s=30.0)
    assert all(reading.calling for reading in table.told)


def test_a_call_on_a_line_that_is_left_while_a_look_goes_on_is_no_straggler() -> None:
    table = Table(home=False)
    table.add(8081, (20.0, 300.0), proto=6)
    table.add(17_000, G711)

    def home_during_a_look(watching: Watching) -> None:
        def midway() -> None:
            table.midway = None
            table.goes_home(watching)

        table.midway = midway

    table.live((5.0, home_during_a_look), until_s=20.0)
    assert table.left
    assert table.astray == []
    assert table.ended == []
    assert table.told[-1].counts == {FlowKind.CALL: 1, FlowKind.OFFICE: 1}


def test_what_rests_on_a_line_that_is_taken_again_while_a_look_goes_on_stays() -> None:
    table = Table(home=False)
    table.add(8080, SILENCE, proto=6)
    table.add(17_000, G711)

    def back_during_the_look(watching: Watching) -> None:
        def midway() -> None:
            table.midway = None
            table.home = table.left = False

        table.midway = midway
        table.goes_home(watching)

    table.live((5.0, back_during_the_look), until_s=20.0)
    assert not table.left
    assert table.ended == []


def test_a_call_too_young_to_be_known_keeps_its_phone() -> None:
    table = Table(home=False)
    table.add(5060, (0.5, 400.0))

    def ring(_: Watching) -> None:
        table.add(17_000, G711)

    table.live((4.9, ring), (5.0, table.goes_home), until_s=12.0)
    assert [port for _, port in table.ended] == []
    assert table.told[0].unknown >= 1
    assert table.told[-1].counts == {FlowKind.CALL: 1}


def test_at_home_nobody_looks_until_packets_pass_at_the_rhythm_of_a_call() -> None:
    table = Table()
    table.live(until_s=30.0)
    assert table.walks == []

    def passing(watching: Watching) -> None:
        watching.saw(TrafficSample(Line("cable", LTE4.family), out=500, in_=500))

    table.live((3.0, passing), until_s=30.0)
    number = table.hand.numbers["cable"]
    assert {(mark, mask) for _, mark, mask in table.walks} == {(number | NOT_TCP, 0x7F | NOT_TCP)}


def test_whoever_moves_on_the_metered_standby_is_named_and_ended() -> None:
    table = Table()
    table.add(4711, (20.0, 100.0))

    def passing(watching: Watching) -> None:
        watching.saw(TrafficSample(LTE4, out=20))

    table.live(*((float(second), passing) for second in range(20)), until_s=20.0)
    (one,) = table.astray
    assert (one.line, one.device, one.destination) == (LTE4, "10.44.10.7", "192.0.2.99:4711")
    assert one.traffic_class == "office"
    assert one.octets > 1000
    assert [port for _, port in table.ended] == [4711]


def test_looking_takes_no_more_than_its_share() -> None:
    table = Table(home=False, cost_s=0.35)
    table.add(17_000, G711)
    table.live(until_s=100.0)
    assert len(table.walks) <= 1 + 100.0 * SHARE / 0.35
