"""People's traffic on one line in pure time, as the counters of the kernel see it: the hostile profiles.

`People` makes packets by a schedule of its own and answers them as the line would; `look` tells what was counted since
the last look. Times and sizes are made up, but everything that once looked like a fault is in it: connections that end
with a lone acknowledgement, downloads that stop, streams that nobody answers, loss with retransmissions.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from secondpath.model import Line, TrafficSample
from tests.office import World

LOOK_S = 0.1


@dataclass
class People:
    """Whoever works through `line`. `dead_out`: nothing that they send arrives any more; `dead_in`: nothing comes."""

    line: Line
    seed: int = 1
    rtt_s: float = 0.03
    spread_s: float = 0.005
    loss: float = 0.0
    now: float = 0.0
    dead_out: bool = False
    dead_in: bool = False
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay_s, next(self._count), what))

    def look(self, until: float) -> TrafficSample | None:
        """Let people work until then; what the counters counted meanwhile."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, what = heapq.heappop(self._queue)
            what()
        self.now = until
        counted, self.counted = self.counted, Counter()
        return TrafficSample(self.line, **counted) if counted else None

    # packets

    def send(self, then: Callable[[], None] | None = None, **also: int) -> None:
        """One packet out; `then` happens when its answer is there (half of the trip later nothing is counted)."""
        self.counted.update(out=1, **also)
        arrives = not self.dead_out and self.random.random() >= self.loss
        if then is not None and arrives:
            self.after(max(0.001, self.random.gauss(self.rtt_s, self.spread_s)), then)

    def come(self, then: Callable[[], None] | None = None, **also: int) -> None:
        """One packet in, and what it makes happen."""
        if self.dead_in or self.random.random() < self.loss:
            return
        self.counted.update(in_=1, **also)
        if then is not None:
            then()

    def insist(self, send: Callable[[], None], done: list[bool], rto_s: float) -> None:
        """Send, and again with doubled patience until it is done (RFC 6298)."""
        if done:
            return
        send()
        if rto_s < 20.0:
            self.after(rto_s, lambda: self.insist(send, done, 2 * rto_s))

    # what people do

    def every(self, seconds: Callable[[], float], what: Callable[[], None]) -> None:
        def again() -> None:
            what()
            self.after(seconds(), again)

        self.after(seconds(), again)

    def ask_name(self) -> None:
        done: list[bool] = []
        answered = lambda: self.come(lambda: done.append(True), dnsr=1)  # noqa: E731
        self.insist(lambda: self.send(answered, dnsq=1), done, 1.0)

    def connect(self, packets: int) -> None:
        """A connection: handshake, request, so many packets of an answer, acknowledged by twos; then both close."""
        done: list[bool] = []

        def opened() -> None:
            if not done:
                done.append(True)
                self.request(packets)

        self.insist(lambda: self.send(lambda: self.come(opened, synack=1), syn=1), done, 1.0)

    def request(self, packets: int) -> None:
        done: list[bool] = []

        def answered() -> None:
            if not done:
                done.append(True)
                for number in range(packets):
                    self.after(number * 0.001, self.packet)
                self.after(packets * 0.001 + 0.05, self.close)

        self.send()
        self.insist(lambda: self.send(lambda: self.come(answered)), done, max(0.2, 2 * self.rtt_s))

    def packet(self) -> None:
        if self.random.random() < 0.5:
            self.come(self.send)
        else:
            self.come()

    def close(self) -> None:
        done: list[bool] = []

        def closed() -> None:
            done.append(True)
            self.send()

        self.insist(lambda: self.send(lambda: self.come(closed)), done, max(0.2, 2 * self.rtt_s))

    def page(self) -> None:
        for _ in range(self.random.randint(2, 4)):
            self.ask_name()
        for _ in range(self.random.randint(4, 16)):
            self.after(self.random.uniform(0.04, 0.6), lambda: self.connect(self.random.randint(2, 60)))

    def download(self) -> None:
        """Ten packets a second for a while."""
        for number in range(self.random.randint(50, 600)):
            self.after(number * 0.1 + self.random.uniform(0, 0.02), lambda: self.come(self.send))


def web(people: People, a_second: float = 10.0) -> None:
    people.every(lambda: people.random.expovariate(a_second), lambda: people.connect(people.random.randint(2, 30)))


def bursty(people: People) -> None:
    people.every(lambda: 1.0 + people.random.expovariate(0.2), people.page)


def call(people: People) -> None:
    people.every(lambda: 0.02, people.send)
    people.every(lambda: 0.02, people.come)


def downloads(people: People) -> None:
    people.every(lambda: 60.0 + people.random.expovariate(0.1), people.download)


def keep_alive(people: People) -> None:
    people.every(lambda: 15.0, lambda: people.send(people.come))


def one_way(people: People, a_second: float) -> None:
    people.every(lambda: 1 / a_second, people.send)


def rtp_and_web(people: People) -> None:
    call(people)
    web(people)


def at_work(world: World, line: Line, habit: Callable[[People], None], **how: float) -> People:
    """People who begin to work now; the world's own line gets the same round trip and loss."""
    people = People(line, seed=world.seed, now=world.now, **how)  # type: ignore[arg-type]
    if "loss" in how:
        world.loss[line] = 1 - (1 - how["loss"]) ** 2
    if "rtt_s" in how:
        world.rtt_s[line] = how["rtt_s"]
    habit(people)
    return people


def work(world: World, people: People, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
    """Let time pass, and the counters be looked at, until the condition holds; the seconds that it took."""
    start = world.now
    while world.now < start + seconds - 1e-9 and not until():
        sample = people.look(world.now + LOOK_S)
        world.run_for(LOOK_S)
        if sample is not None:
            world.tell(sample)
    return world.now - start
