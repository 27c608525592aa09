"""One cast for all tests: Hartwell & Lowe with cable and lte, and a world that answers their probes.

`World` is the engine's counterpart: a clock that jumps from event to event, lines that answer, delay, lose or swallow.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import pickle
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import cast

from secondpath.engine.mind import Engine
from secondpath.model import (
    Failover,
    Family,
    Health,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Network,
    Observation,
    Outcome,
    Override,
    OverrideKind,
    Probe,
    ProbeKind,
    ProbeResult,
    Site,
    Steering,
    Target,
    TrafficSample,
    Transition,
    Uplink,
    family_of,
)

OVER_TCP = frozenset({ProbeKind.TCP, ProbeKind.TLS, ProbeKind.HTTP, ProbeKind.HTTPS})


def target(uri: str, kind: ProbeKind, address: str, port: int = 0) -> Target:
    return Target(uri, kind, ip_address(address), port)


TARGETS = (
    target("icmp://192.0.2.1", ProbeKind.ICMP, "192.0.2.1"),
    target("tcp://192.0.2.2:443", ProbeKind.TCP, "192.0.2.2", 443),
    target("dns://192.0.2.3/probe.example", ProbeKind.DNS, "192.0.2.3", 53),
    target("http://192.0.2.4/generate_204", ProbeKind.HTTP, "192.0.2.4", 80),
    target("icmp://[2001:db8:ff::1]", ProbeKind.ICMP, "2001:db8:ff::1"),
    target("tcp://[2001:db8:ff::2]:443", ProbeKind.TCP, "2001:db8:ff::2", 443),
)

CABLE4, CABLE6 = Line("cable", Family.IPV4), Line("cable", Family.IPV6)
LTE4, LTE6 = Line("lte", Family.IPV4), Line("lte", Family.IPV6)


def site(**changes: object) -> Site:
    values: dict[str, object] = {
        "name": "Hartwell & Lowe, CPAs",
        "timezone": "America/Los_Angeles",
        "profile": "cpa",
        "hours": {},
        "uplinks": (Uplink("cable", "wan0"), Uplink("lte", "wwan0", metered=True)),
        "networks": (Network("staff", "lan0"), Network("guest", "guest0", "guest")),
        "targets": TARGETS,
        "failover": Failover(),
    }
    return Site(**(values | changes))  # type: ignore[arg-type]


def interface(uplink: str, *, carrier: bool = True, ipv6: bool = True, present: bool = True) -> InterfaceChange:
    number = {"cable": 1, "lte": 2}.get(uplink, 3)
    addresses = [f"198.51.{number}.2/24"] + ([f"2001:db8:{number}::2/64"] if ipv6 else [])
    gateways = [f"198.51.{number}.1"] + ([f"2001:db8:{number}::1"] if ipv6 else [])
    return InterfaceChange(
        uplink, present, present, present and carrier, tuple(addresses), tuple(ip_address(g) for g in gateways)
    )


HUM_S = 5.0
TRIPS = {ProbeKind.TLS: 4, ProbeKind.HTTP: 2, ProbeKind.HTTPS: 5}
"""Round trips until an answer is complete, where it is more than one: TLS 1.2 with a long chain of certificates.
A result tells the first alone."""


@dataclass
class World:
    """Drives an engine against lines whose behaviour can be changed at any instant."""

    engine: Engine
    now: Instant = 0.0
    seed: int = 1
    rtt_s: dict[Line, float] = field(default_factory=dict)
    jitter_s: dict[Line, float] = field(default_factory=dict)
    loss: dict[Line, float] = field(default_factory=dict)
    dead: set[Line] = field(default_factory=set)
    dead_targets: set[str] = field(default_factory=set)
    dead_addresses: set[str] = field(default_factory=set)
    dead_kinds: dict[Line, set[ProbeKind]] = field(default_factory=dict)
    redirected: set[Line] = field(default_factory=set)
    near: dict[str, bool] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dead_ways: set[tuple[Line, str]] = field(default_factory=set)
    tcp_again: bool = False
    """Whether a lost segment of TCP is sent again after a second, twice, as kernels do."""
    hops: dict[Line, tuple[str, ...]] = field(default_factory=dict)
    cut: dict[Line, int] = field(default_factory=dict)
    eaten: dict[Line, set[str]] = field(default_factory=dict)
    forbidden: set[Line] = field(default_factory=set)
    transitions: list[Transition] = field(default_factory=list)
    sent: list[tuple[Instant, Probe]] = field(default_factory=list)
    steering: Steering | None = None
    log: list[tuple[Instant, Observation | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._queue: list[tuple[Instant, int, Observation]] = []
        self._count = itertools.count()

    def tell(self, observation: Observation) -> None:
        """Something happens right now."""
        self._step(observation)

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self._next_event(end)

    def _next_event(self, end: Instant) -> None:
        """Jump to whatever comes next: an answer, the engine's deadline, or the end."""
        at = min(self._queue[0][0] if self._queue else end, self.engine.deadline(), end)
        self.now = max(self.now, at)
        if self._queue and self._queue[0][0] <= self.now:
            observation = self._as_it_came(heapq.heappop(self._queue)[2])
            self._step(observation)
            if isinstance(observation, TrafficSample):
                self._later(HUM_S, observation)
        elif self.now < end:
            self._step(None)

    def _as_it_came(self, observation: Observation) -> Observation:
        """What takes several round trips does not end well if the line has died meanwhile."""
        if isinstance(observation, ProbeResult) and observation.outcome is Outcome.OK:
            probe = observation.probe
            if TRIPS.get(probe.target.kind, 1) > 1 and probe.line in self.dead:
                return ProbeResult(probe, Outcome.TIMEOUT)
        return observation

    def hum(self, lines: Iterable[Line]) -> None:
        """From now on something moves on these lines every HUM_S, as it does where people are at work."""
        for line in lines:
            self._later(HUM_S, TrafficSample(line, out=1, in_=1))

    def _later(self, seconds: float, observation: Observation) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._count), observation))

    def run_until(self, condition: Callable[[], bool], limit_s: float = 60.0) -> float:
        """Let time pass until the condition holds; the seconds that it took."""
        start = self.now
        while not condition():
            assert self.now - start < limit_s, f"not within {limit_s} s; {self.recent()}"
            self._next_event(start + limit_s + 1)
        return self.now - start

    def run_until_used(self, uplink: str, limit_s: float = 60.0) -> float:
        """Let time pass until IPv4 traffic of the office uses an uplink; the seconds that it took."""
        return self.run_until(lambda: self.uses() == uplink, limit_s)

    def another(self) -> World:
        """The same world once more, for another future; what has been written down is shared, for nothing alters it."""
        twin = copy.copy(self)
        twin.transitions, twin.sent, twin.log = [], [], []
        twin = cast(World, pickle.loads(pickle.dumps(twin)))  # plain as it all is: quicker than a deep copy
        twin.transitions, twin.sent, twin.log = list(self.transitions), list(self.sent), list(self.log)
        return twin

    def recent(self) -> str:
        return "; ".join(f"{t.at:.3f} {t.subject} {t.before}>{t.after} {t.reason}" for t in self.transitions[-12:])

    def uses(self, family: Family = Family.IPV4, traffic_class: str = "office") -> str | None:
        return self.engine.steering().lane(traffic_class, family).uplink

    def state(self, line: Line) -> LineState:
        return self.engine.states(self.now)[line]

    def switches(self, family: Family = Family.IPV4) -> int:
        return sum(t.subject == f"steering:{family}" for t in self.transitions)

    def _step(self, observation: Observation | None) -> None:
        self.log.append((self.now, observation))
        step = self.engine.step(self.now, observation)
        self.steering = step.steering
        self.transitions += step.transitions
        for probe in step.probes:
            self.sent.append((self.now, probe))
            self._answer(probe)

    def _is_lost(self, probe: Probe) -> bool:
        tries = 3 if self.tcp_again and probe.target.kind in OVER_TCP else 1
        return all(self._random.random() < self.loss.get(probe.line, 0.0) for _ in range(tries))

    def _walk(self, probe: Probe, ttl: int) -> None:
        """An echo that comes `ttl` hops far. Behind the hops stands the target; a dead line ends after `cut` hops."""
        hops = self.hops.get(probe.line, ())
        silent = probe.line in self.dead and ttl > self.cut.get(probe.line, 0)
        by = hops[ttl - 1] if ttl <= len(hops) else ""
        if silent or by == "*":
            self._later(probe.timeout_s, ProbeResult(probe, Outcome.TIMEOUT))
        elif by:
            self._later(0.01, ProbeResult(probe, Outcome.EXPIRED, by=ip_address(by)))
        else:
            self._later(0.02, ProbeResult(probe, Outcome.OK, 0.02))

    def _answer(self, probe: Probe) -> None:
        if probe.ttl is not None:
            self._walk(probe, probe.ttl)
            return
        address = str(probe.target.address)
        lost = (
            probe.line in self.dead
            or probe.target.uri in self.dead_targets
            or address in self.dead_addresses
            or probe.target.kind in self.dead_kinds.get(probe.line, ())
            or (probe.line, address) in self.dead_ways
            or self._is_lost(probe)
        )
        if address in self.near:
            lost = not self.near[address]
        rtt_s = self.rtt_s.get(probe.line, 0.03) * self._random.uniform(0.95, 1.1)
        rtt_s += sum(self._random.uniform(0.0, self.jitter_s.get(probe.line, 0.0)) for _ in range(2))
        if probe.line in self.forbidden and probe.target.kind in (ProbeKind.ICMP, ProbeKind.DNS):
            result, after = ProbeResult(probe, Outcome.FORBIDDEN), 0.0
        elif probe.line in self.forbidden:  # of a connection the kernel does not tell
            result, after = ProbeResult(probe, Outcome.TIMEOUT), probe.timeout_s
        elif not lost and address in self.eaten.get(probe.line, ()):
            outcome, after = (Outcome.EATEN, rtt_s + 0.05) if probe.watched else (Outcome.TIMEOUT, probe.timeout_s)
            result = ProbeResult(probe, outcome, rtt_s if probe.watched else None)
        elif probe.line in self.redirected and probe.target.kind is ProbeKind.HTTP:
            result, after = ProbeResult(probe, Outcome.REDIRECTED, rtt_s), rtt_s
        elif lost:
            result, after = ProbeResult(probe, Outcome.TIMEOUT), probe.timeout_s
        else:
            told = tuple(map(ip_address, self.names.get(probe.target.host, ())))
            of = {"A": Family.IPV4, "AAAA": Family.IPV6}.get(probe.target.path)
            told = tuple(a for a in told if family_of(a) is of) if probe.target.kind is ProbeKind.NAME else ()
            after = rtt_s * TRIPS.get(probe.target.kind, 1)
            result = ProbeResult(probe, Outcome.OK, rtt_s, addresses=told)
            if after > probe.timeout_s:
                result, after = ProbeResult(probe, Outcome.TIMEOUT, rtt_s), probe.timeout_s
        self._later(after, result)


def office(
    a_site: Site | None = None, adopted: Steering | None = None, *, dead: Iterable[Line] = (), seed: int = 1
) -> World:
    """An office whose interfaces have just been seen."""
    a_site = a_site or site()
    world = World(Engine(a_site, 0.0, adopted), dead=set(dead), seed=seed)
    for uplink in a_site.uplinks:
        world.tell(interface(uplink.name))
    return world


def settled_office(a_site: Site | None = None, *, seed: int = 1) -> World:
    """An office at work: everything is known to be well."""
    return _settled(a_site, seed) if a_site is not None else _usual_office(seed).another()


@cache
def _usual_office(seed: int) -> World:
    return _settled(site(), seed)


def working_office(seed: int = 1) -> World:
    """An office where people have been at work long enough for the engine to know who answers what, and how fast."""
    return _worked_for_a_while(seed).another()


@cache
def _worked_for_a_while(seed: int) -> World:
    world = settled_office(seed=seed)
    world.hum([CABLE4, CABLE6])
    world.run_for(90.0)
    return world


def _settled(a_site: Site, seed: int) -> World:
    world = office(a_site, seed=seed)
    world.run_until(lambda: all(s.health is Health.UP for s in world.engine.states(world.now).values()))
    world.run_for(10.0)
    return world


def ask(kind: str, uplink: str | None = None, duration_s: float = 0.0) -> Override:
    return Override(OverrideKind(kind), uplink, duration_s, "test")
