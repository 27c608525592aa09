"""What staff feel, from the samples of people at their desks: working or stalled, how fast, interrupted for how long.

Pure functions and records of `now` and samples; an interruption ends with the first good answer that lasts (gaps.py
has the definition; what a key press cost is measured by it, in demo_effect.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from secondpath.lab.gaps import LASTING_S, LATE_LASTING_TCP_S, LATE_S, Sample
from secondpath.lab.habit import PATIENCE_S
from secondpath.lab.seat import Wish

FAMILIES = ("ipv4", "ipv6")
PROGRAMS = 6
"""Programs with a lasting connection, of each family; their rhythms differ, so that each is a stream of its own."""
KEPT_S = 120
RECENT_S = 5.0
PATCHY_RATIO = 0.08
STALLED_S = 1.7
"""People write down what they felt once a second: silence is noticed this long after the last good answer."""
LATE = {"lasting-tcp": LATE_LASTING_TCP_S, "web": PATIENCE_S}
"""An answer later than this is as bad as none; a page takes its time."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One thing people do: its name, the streams that make it up, at which host."""

    name: str
    host: str
    wishes: tuple[Wish, ...]


def _each(kind: str, every_s: float) -> tuple[Wish, ...]:
    return tuple(Wish(kind, family, every_s) for family in FAMILIES)


DESKS = (
    Desk("Web pages", "staff", _each("web", 0.5)),
    Desk("Connecting", "staff", (*_each("new-udp", 0.04), *_each("new-tcp", 0.05))),
    Desk("Phone call", "staff", (Wish("call", "ipv4", 0.02),)),
    Desk("Programs", "staff", tuple(w for n in range(PROGRAMS) for w in _each("lasting-tcp", 0.2 + n / 100))),
    Desk("Download", "staff", (Wish("download", "ipv4", 0.1),)),
    Desk("DNS", "staff", _each("dns", 0.2)),
    Desk("Guest Wi-Fi", "guest", _each("web", 0.5)),
)
"""The office at work, in the order in which it is shown."""


def name_of(wish: Wish) -> str:
    """The name that a wish's samples carry."""
    return f"{wish.kind}.{wish.family}.{round(wish.every_s * 1000)}ms"


@dataclass(slots=True)
class Interruption:
    """From the first bad question to the first good one after the last bad one."""

    begin_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.begin_s


@dataclass(slots=True)
class Flow:
    """One stream as it was felt so far."""

    every_s: float
    late_s: float
    born_s: float
    good_s: float = 0.0  # when the last good answer came
    last: Interruption | None = None
    recent: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=600))
    waits: dict[int, list[float]] = field(default_factory=dict)
    note: str = ""

    def take(self, sample: Sample) -> None:
        """One sample more."""
        good = sample.good(self.late_s)
        self.recent.append((sample.sent_s, good))
        if sample.answered_s is not None:
            self.note = sample.note
            self.waits.setdefault(int(sample.sent_s), []).append(sample.answered_s - sample.sent_s)
        if good:
            self.good_s = max(self.good_s, sample.answered_s or 0.0)
        else:
            self._worsen(sample.sent_s, max(sample.sent_s + self.every_s, sample.answered_s or 0.0))

    def _worsen(self, begin_s: float, end_s: float) -> None:
        if self.last is not None and begin_s <= self.last.end_s + LASTING_S:
            self.last.begin_s = min(self.last.begin_s, begin_s)
            self.last.end_s = max(self.last.end_s, end_s)
        else:
            self.last = Interruption(begin_s, end_s)

    def forget(self, before_s: float) -> None:
        """Keep no more than is shown."""
        for second in [s for s in self.waits if s < before_s]:
            del self.waits[second]

    def stalled_s(self, now_s: float) -> float:
        """How long nothing has come back, 0 while all is well."""
        silent_s = now_s - max(self.good_s, self.born_s)
        return silent_s if silent_s > STALLED_S + self.every_s else 0.0

    def lost_ratio(self, now_s: float) -> float:
        """The part of the last few seconds' questions that had no good answer; a short cut that is over is none."""
        if self.last is None or self.last.length_s < LASTING_S or self.last.end_s < now_s - RECENT_S:
            return 0.0
        mine = [good for sent_s, good in self.recent if sent_s > now_s - RECENT_S]
        return 1.0 - sum(mine) / len(mine) if mine else 0.0


class State(StrEnum):
    """How it goes at a desk, in the word that is shown."""

    STARTING = "starting"
    WORKING = "working"
    PATCHY = "patchy"
    STALLED = "stalled"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Feeling:
    """One desk at one moment."""

    name: str
    state: State
    stalled_s: float
    lost_ratio: float
    wait_s: float | None
    last: Interruption | None
    only: str  # the one family that suffers, when the other does not
    waits: tuple[float | None, ...]  # by second, the newest last; None: nothing came back


class Office:
    """Everything people felt, by host and stream."""

    def __init__(self, born_s: float, desks: Sequence[Desk] = DESKS) -> None:
        self.desks = desks
        self.born_s = born_s
        self.flows: dict[tuple[str, str], Flow] = {
            (desk.host, name_of(w)): Flow(w.every_s, LATE.get(w.kind, LATE_S), born_s)
            for desk in desks
            for w in desk.wishes
        }

    def take(self, host: str, samples: Iterable[Sample]) -> None:
        """What was written down since the last time."""
        for sample in samples:
            if flow := self.flows.get((host, sample.stream)):
                flow.take(sample)

    def forget(self, now_s: float) -> None:
        """Keep no more than is shown."""
        for flow in self.flows.values():
            flow.forget(now_s - KEPT_S)

    def feelings(self, now_s: float, paused: bool) -> list[Feeling]:
        """Every desk as it is now; `paused`: the gateway keeps guests off the line in use."""
        return [self._feeling(desk, now_s, paused and desk.host == "guest") for desk in self.desks]

    def _feeling(self, desk: Desk, now_s: float, paused: bool) -> Feeling:
        flows = {w: self.flows[desk.host, name_of(w)] for w in desk.wishes}
        stalled = {w: flow.stalled_s(now_s) for w, flow in flows.items()}
        lost = {w: flow.lost_ratio(now_s) for w, flow in flows.items()}
        worst_s, worst = max(stalled.values()), max(lost.values())
        waits = _by_second(flows.values(), now_s)
        state = _state(self.born_s, now_s, worst_s, worst, paused, any(f.good_s for f in flows.values()))
        suffering = {w.family for w in flows if stalled[w] or lost[w] > PATCHY_RATIO}
        ended = [flow.last for flow in flows.values() if flow.last is not None]
        return Feeling(
            desk.name,
            state,
            worst_s,
            worst,
            next((wait for wait in reversed(waits) if wait is not None), None),
            max(ended, key=lambda i: (round(i.end_s / RECENT_S), i.length_s), default=None),
            suffering.pop() if len(suffering) == 1 and len({w.family for w in flows}) == 2 else "",
            waits,
        )


def _state(born_s: float, now_s: float, stalled_s: float, lost: float, paused: bool, ever: bool) -> State:
    if not ever and now_s < born_s + 2 * STALLED_S:
        return State.STARTING
    if stalled_s:
        return State.PAUSED if paused else State.STALLED
    return State.PATCHY if lost > PATCHY_RATIO else State.WORKING


def _by_second(flows: Iterable[Flow], now_s: float) -> tuple[float | None, ...]:
    """The median wait of each of the last seconds that have been written down."""
    mine = list(flows)
    first = max(int(min(f.born_s for f in mine)) + 1, int(now_s) - KEPT_S)
    return tuple(_median([w for f in mine for w in f.waits.get(s, ())]) for s in range(first, int(now_s) - 1))


def _median(waits: Sequence[float]) -> float | None:
    return sorted(waits)[len(waits) // 2] if waits else None


def wishes_of(desks: Sequence[Desk] = DESKS) -> Mapping[str, tuple[Wish, ...]]:
    """What the people of each host do."""
    hosts = dict.fromkeys(desk.host for desk in desks)
    return {host: tuple(w for desk in desks if desk.host == host for w in desk.wishes) for host in hosts}
