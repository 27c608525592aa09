"""Lines examined side by side: every part of every line is a task, and the clock ends them all.

A part that is not finished when the time is over is cancelled and named; what it had found out by then is lost, what
the others found is not. Nothing that is found goes to the engine: an examination informs people and moves nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from secondpath import clock
from secondpath.examine.results import Anchor, Asked, Denial, LineReport, Nat, NextHop, PathMtu, Report, Resolver, Spent
from secondpath.model import (
    Endpoint,
    Family,
    InterfaceChange,
    IPAddress,
    Line,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Target,
    family_of,
)
from secondpath.sense.attempt import Attempt
from secondpath.sense.examining.binding import ask_servers
from secondpath.sense.examining.denial import ask_denial
from secondpath.sense.examining.echoing import SMALL_BYTES, Echoer
from secondpath.sense.examining.hop import ask_hop
from secondpath.sense.examining.meter import METERED_MOST_BYTES, Meter, MeteredEgress
from secondpath.sense.examining.sizing import find_mtu
from secondpath.sense.prober import answer
from secondpath.sense.refusal import ENDED_HERE

PROBE_TIMEOUT_S = 3.0
"""As judge waits for a probe."""
DATAGRAM_TRIES = 2
"""TCP asks again by itself; of the others one lost packet must not look like a dead service."""
START_GAP_S, START_MOST_S, PARTS = 0.01, 0.5, 12
"""Between the beginnings of two parts; all have begun after half a second. A line has about a dozen."""
ECHO_GAP_S, ECHO_TIMEOUT_S = 0.1, 1.5
ECHOES, ECHOES_METERED = 5, 3
ANCHORS, ANCHORS_METERED = 4, 2
SERVERS_MOST = 4
PROBE_MOST_BYTES = {
    ProbeKind.ICMP: 2 * SMALL_BYTES[Family.IPV6],
    ProbeKind.TCP: 500,
    ProbeKind.DNS: 700,
    ProbeKind.HTTP: 16_384,
    ProbeKind.HTTPS: 16_384,
}
"""What a probe may cost, both ways. DNS without EDNS brings back at most 512 bytes (RFC 1035 section 2.3.4); the web at
most the initial window of 10 segments (RFC 6928), for then the probe has read enough and resets the connection."""
STREAMS = frozenset({ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.HTTPS})
"""These are counted by the kernel in the end."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to examine: a line by its interface and mark, as the interface stands, and whom to ask."""

    line: Line
    interface: str
    mark: int
    metered: bool
    state: InterfaceChange | None
    targets: tuple[Target, ...]
    stun: tuple[Endpoint, ...]

    @property
    def address(self) -> str | None:
        """The address to send from, with its prefix length: the first of the family."""
        addresses = self.state.addresses if self.state is not None else ()
        return next((a for a in addresses if (":" in a) == (self.line.family is Family.IPV6)), None)

    @property
    def hop(self) -> IPAddress | None:
        """The next hop, where there is one."""
        return self.state.gateway(self.line.family) if self.state is not None else None


async def examine(orders: Sequence[Order], limit_s: float) -> Report:
    """Examine all lines at once; complete after `limit_s` seconds, mostly much sooner."""
    begun, pace = clock.now(), _Pace(len(orders))
    lines = await asyncio.gather(*(_Line(order, pace).examined(limit_s) for order in orders))
    return Report(tuple(lines), clock.now() - begun)


class _Pace:
    """Lets the parts of all lines begin one after the other: a burst of ours would be measured as theirs."""

    def __init__(self, lines: int) -> None:
        self._gap_s = min(START_GAP_S, START_MOST_S / max(1, lines * PARTS))
        self._begun = 0

    async def __call__(self, part: Coroutine[Any, Any, None]) -> None:
        self._begun += 1
        try:
            await asyncio.sleep(self._begun * self._gap_s)
        except BaseException:
            part.close()
            raise
        await part


@dataclass(slots=True)
class _Line:
    """One line under examination, and what was found so far."""

    order: Order
    pace: _Pace
    hop: NextHop | None = None
    asked: dict[Target, Asked] = field(default_factory=dict)
    anchors: dict[IPAddress, Anchor] = field(default_factory=dict)
    mtu: PathMtu | None = None
    denials: dict[Target, Denial] = field(default_factory=dict)
    nat: Nat = field(default_factory=Nat)
    meter: Meter = field(init=False)
    alive: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.meter = Meter(METERED_MOST_BYTES if self.order.metered else None)

    async def examined(self, limit_s: float) -> LineReport:
        """The whole look at the line, within the limit."""
        if not self._can_ask():
            return self._report(())
        egress = self._egress()
        with closing(egress), Echoer(egress, self.meter) as echoer:
            parts = dict(self._parts(egress, echoer))
            tasks = {asyncio.create_task(self.pace(part), name=name): name for name, part in parts.items()}
            try:
                done, late = await asyncio.wait(tasks, timeout=limit_s)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()  # a bug is not to be swallowed
        return self._report(tuple(sorted(tasks[task] for task in late)))

    def _can_ask(self) -> bool:
        state = self.order.state
        if state is None or not (state.present and state.admin_up and state.carrier):
            return False
        return self.order.address is not None and (self.order.hop is not None or state.point_to_point)

    def _egress(self) -> MeteredEgress:
        return MeteredEgress(self.order.line, self.order.interface, self.order.mark, self.meter)

    # the parts

    def _parts(self, egress: MeteredEgress, echoer: Echoer) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        order = self.order
        parts = [(target.uri, self._ask(target)) for target in self._targets()]
        parts += [(f"echoes to {address}", self._echo(echoer, address)) for address in self._addresses()]
        parts += [
            (f"an impossible name of {target.address}", self._deny(egress, target))
            for target in self._targets()
            if target.kind is ProbeKind.DNS
        ]
        parts.append(("packet sizes", self._size(echoer)))
        if order.hop is not None:
            parts.append(("the gateway", self._reach(egress, echoer, order.hop)))
        if self._servers():
            parts.append(("address translation", self._bind(egress)))
        return parts

    def _targets(self) -> tuple[Target, ...]:
        """Whom to ask: all; on a metered line one of each kind."""
        if not self.order.metered:
            return self.order.targets
        return tuple({target.kind: target for target in reversed(self.order.targets)}.values())[::-1]

    def _addresses(self) -> tuple[IPAddress, ...]:
        addresses = tuple(dict.fromkeys(target.address for target in self.order.targets))
        return addresses[: ANCHORS_METERED if self.order.metered else ANCHORS]

    def _servers(self) -> tuple[Endpoint, ...]:
        servers = tuple(s for s in self.order.stun if family_of(s.address) is self.order.line.family)
        return servers[: 2 if self.order.metered else SERVERS_MOST]

    async def _ask(self, target: Target) -> None:
        """One configured target, as the prober asks it, with an egress of its own so that it can be counted."""
        most_bytes = PROBE_MOST_BYTES[target.kind]
        if not self.meter.may(most_bytes):
            self.asked[target] = Asked(target, Outcome.UNSENT, None, "it would cost more than is allowed here")
            return
        egress = self._egress()
        try:
            result = await self._answer(target, egress)
            self.asked[target] = Asked(target, result.outcome, result.rtt_s, result.detail)
        finally:
            if target.kind in STREAMS:
                egress.settle()
                self.meter.add(-most_bytes)
            egress.close()

    async def _answer(self, target: Target, egress: MeteredEgress) -> ProbeResult:
        """The answer; datagrams are asked twice, and so is what the gateway itself cut off as it gave the line up."""
        until, first_s = clock.now() + PROBE_TIMEOUT_S, PROBE_TIMEOUT_S
        if target.kind not in STREAMS:
            first_s /= 2
        result = await answer(Attempt(Probe(0, self.order.line, target, first_s), egress))
        left_s = until - clock.now()
        again = target.kind not in STREAMS or result.detail == ENDED_HERE
        if result.outcome is Outcome.TIMEOUT and again and left_s > 0:
            result = await answer(Attempt(Probe(0, self.order.line, target, left_s), egress))
        return result

    async def _echo(self, echoer: Echoer, address: IPAddress) -> None:
        """A few echoes, a tenth of a second apart; the first that comes back anywhere starts the search for sizes."""
        count = ECHOES_METERED if self.order.metered else ECHOES
        self.anchors[address] = Anchor(address, count)
        trips = await asyncio.gather(*(self._one_echo(echoer, address, number) for number in range(count)))
        self.anchors[address] = Anchor(address, count, tuple(rtt_s for rtt_s in trips if rtt_s is not None))

    async def _one_echo(self, echoer: Echoer, address: IPAddress, number: int) -> float | None:
        await asyncio.sleep(number * ECHO_GAP_S)
        try:
            back = await echoer.ask(address, ECHO_TIMEOUT_S)
        except OSError:
            return None
        if back.rtt_s is not None and not self.anchors[address].round_trips_s:
            self.anchors[address] = Anchor(address, self.anchors[address].sent, (back.rtt_s,))
            self.alive.set()
        return back.rtt_s

    async def _size(self, echoer: Echoer) -> None:
        order = self.order
        assert order.state is not None
        self.mtu = PathMtu(order.state.mtu)
        try:
            async with asyncio.timeout(ECHO_TIMEOUT_S):
                await self.alive.wait()
        except TimeoutError:
            return  # nobody answers small echoes, so large ones prove nothing
        await asyncio.sleep(ECHO_GAP_S / 2)  # so that a second anchor may have answered
        living = [(anchor.address, anchor.round_trips_s[0]) for anchor in self.anchors.values() if anchor.round_trips_s]
        try:
            self.mtu = await find_mtu(echoer, living, order.line.family, order.state.mtu, metered=order.metered)
        except OSError:
            return  # the line went away in the middle; the other parts say so

    async def _reach(self, egress: MeteredEgress, echoer: Echoer, hop: IPAddress) -> None:
        self.hop = await ask_hop(egress, echoer, hop, self.order.address or "")

    async def _deny(self, egress: MeteredEgress, target: Target) -> None:
        for _ in range(DATAGRAM_TRIES):
            self.denials[target] = await ask_denial(egress, target, self.meter, PROBE_TIMEOUT_S / DATAGRAM_TRIES)
            if self.denials[target] is not Denial.SILENT:
                break

    async def _bind(self, egress: MeteredEgress) -> None:
        self.nat = await ask_servers(egress, self.order.address or "", self._servers(), self.meter)

    # the report

    def _report(self, unfinished: tuple[str, ...]) -> LineReport:
        order = self.order
        hop = self.hop or (NextHop(order.hop) if order.hop is not None else None)
        asked = [self.asked.get(t) or Asked(t, Outcome.TIMEOUT, None, "not finished") for t in self._targets()]
        resolvers = [
            Resolver(
                a.target.address,
                a.target.host or ".",
                a.outcome,
                a.rtt_s,
                a.detail,
                self.denials.get(a.target, Denial.SILENT),
            )
            for a in asked
            if a.target.kind is ProbeKind.DNS
        ]
        return LineReport(
            line=order.line,
            interface=order.interface,
            metered=order.metered,
            state=order.state,
            address=order.address,
            hop=hop,
            asked=tuple(asked) if self._can_ask() else (),
            anchors=tuple(self.anchors.values()),
            mtu=self.mtu,
            resolvers=tuple(resolvers) if self._can_ask() else (),
            nat=self.nat,
            spent=Spent(self.meter.octets, self.meter.limit_bytes),
            unfinished=unfinished,
        )
