"""The tape: every step of the engine, as it happens, so that what it decided can be explained exactly.

    tape = Tape(book.keep)
    step = tape.step(engine, now, observation)      # instead of engine.step(now, observation)
    tape.close()                                    # what is open is handed over now

The last minutes lie in memory as segments: the engine's state at the beginning of each, then what came, untouched. When
something of weight changes, an incident opens. A first account is handed over soon after (somebody may ask already, and
we may be killed), the whole a minute after the last change. Handing over copies references; the book's thread does the
rest. The state is written down in a quiet moment (a good answer came), for that takes some milliseconds.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from secondpath import __version__, clock
from secondpath.model import Instant, Observation, Outcome, ProbeResult, Site, Step, Transition
from secondpath.wire.incident import Header, StepLines, header_line, state_text

BEFORE_S = 300.0
"""An incident tells at least this much of what was before it ..."""
AFTER_S = 60.0
"""... and this much of what came after the last change of weight ..."""
LONGEST_S = 300.0
"""... but ends so long after the first: what goes on then is another incident."""
SOON_S = 2.0
"""When a first account of an incident is handed over, and, if more happens, how much later another one."""
AGAIN_S = 15.0
RENEW_S = 120.0
"""How often the engine's state is written down."""
SEGMENT_STEPS = 5000
RING_STEPS = 20_000
RING_BYTES = 16 << 20
STEP_BYTES = 512
"""What a step takes in memory, about: its tuple, a result, a probe."""

OF_WEIGHT = frozenset({"steering", "application", "flows", "verdict"})

log = logging.getLogger(__name__)


class Stepping(Protocol):
    """What an engine is to a tape."""

    site: Site

    def step(self, now: Instant, observation: Observation | None = None) -> Step:
        """One step."""


Entry: TypeAlias = tuple[Instant, Observation | None, Step]


@dataclass(slots=True)
class Segment:
    """The engine's state at an instant, and the steps since. `anew`: it does not go on where the last one ended."""

    began: Instant
    state: str
    anew: bool
    entries: list[Entry] = field(default_factory=list)

    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return len(self.state) + STEP_BYTES * len(self.entries)


@dataclass(frozen=True, slots=True)
class Cut:
    """Some segments, each with the number of its steps that count: those after are the future of this cut."""

    began: Instant
    wall: datetime
    site: Site
    parts: tuple[tuple[Segment, int], ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """An incident as the book keeps it; `explains` are transitions by instant and subject, `wall` is its beginning."""

    wall: datetime
    steps: int
    explains: tuple[tuple[Instant, str], ...]
    record: bytes


class Tape:
    """Records one engine. Costs little: a step is a tuple more."""

    def __init__(self, hand_over: Callable[[Cut], None]) -> None:
        self._hand_over = hand_over
        self._segments: deque[Segment] = deque()
        self._entries: list[Entry] = []
        self._engine: Stepping | None = None
        self._broken = False
        self._renew_at: Instant = -math.inf
        self._due: Instant = math.inf
        self._began: Instant | None = None
        self._wall = clock.wall()
        self._closes: Instant = math.inf
        self._handed_over: Instant = -math.inf

    def step(self, engine: Stepping, now: Instant, observation: Observation | None = None) -> Step:
        """Have the engine step, and remember it."""
        if now >= self._due:
            self._account(now)
        if engine is not self._engine or now >= self._renew_at or len(self._entries) >= SEGMENT_STEPS:
            self._mind_segment(engine, now, observation)
        step = engine.step(now, observation)
        self._entries.append((now, observation, step))
        if step.transitions and any(map(of_weight, step.transitions)):
            self._open(now)
        return step

    def close(self) -> None:
        """Hand over what has begun."""
        if self._began is not None:
            self._account(math.inf)

    # segments

    def _mind_segment(self, engine: Stepping, now: Instant, observation: Observation | None) -> None:
        anew = engine is not self._engine
        quiet = isinstance(observation, ProbeResult) and observation.outcome is Outcome.OK
        if not (anew or quiet or now >= self._renew_at + RENEW_S or len(self._entries) >= 2 * SEGMENT_STEPS):
            return
        self._engine, self._renew_at, self._entries = engine, now + RENEW_S, []
        if self._broken:
            return
        try:
            segment = Segment(now, state_text(engine), anew, self._entries)
        except (TypeError, ValueError, AttributeError, RecursionError) as why:
            self._broken = True  # the office matters more than its record
            self._segments.clear()
            log.error("decisions cannot be recorded: %s", why, extra={"event": "tape.broken"})
            return
        self._segments.append(segment)
        self._let_go(self._began if self._began is not None else now)

    def _let_go(self, wanted: Instant) -> None:
        """Let the oldest segments go: those that nobody wants, and those for which there is no room."""
        steps = sum(len(segment.entries) for segment in self._segments)
        size_bytes = sum(segment.size_bytes() for segment in self._segments)
        while len(self._segments) > 1:
            unwanted = self._segments[1].began <= wanted - BEFORE_S
            if not unwanted and steps <= RING_STEPS - SEGMENT_STEPS and size_bytes <= RING_BYTES:
                return
            gone = self._segments.popleft()
            steps, size_bytes = steps - len(gone.entries), size_bytes - gone.size_bytes()

    # incidents

    def _open(self, now: Instant) -> None:
        if self._broken:
            return
        if self._began is None:
            self._began, self._wall, self._handed_over = now, clock.wall(), -math.inf
        self._closes = min(now + AFTER_S, self._began + LONGEST_S)
        self._due = min(self._closes, max(now + SOON_S, self._handed_over + AGAIN_S))

    def _account(self, now: Instant) -> None:
        """Hand over what is known of the open incident; at its end, close it."""
        if self._began is not None and self._engine is not None:
            parts = tuple((segment, len(segment.entries)) for segment in self._segments)
            self._hand_over(Cut(self._began, self._wall, self._engine.site, parts))
        self._due, self._handed_over = self._closes, now
        if now >= self._closes:
            self._began, self._due, self._closes = None, math.inf, math.inf


def of_weight(transition: Transition) -> bool:
    """Whether a transition is one that people will ask about."""
    room = transition.subject.partition(":")[0]
    return room in OF_WEIGHT or (room == "line" and transition.before != transition.after)


# ── In the book's thread ─────────────────────────────────────────────────────────────


def pack(cut: Cut) -> Packed:
    """The incident as it is kept: the lines of its file, compressed."""
    header = Header(__version__, cut.site.name, cut.site.timezone, cut.began, cut.wall)
    entries = [entry for segment, count in cut.parts for entry in segment.entries[:count]]
    told = (t for at, _, step in entries if at >= cut.began for t in step.transitions)
    explains = tuple((t.at, t.subject) for t in told)
    return Packed(cut.wall, len(entries), explains, zlib.compress("".join(_lines(header, cut)).encode(), 6))


def _lines(header: Header, cut: Cut) -> Iterable[str]:
    yield header_line(header)
    steps = StepLines()
    for number, (segment, count) in enumerate(cut.parts):
        if number == 0 or segment.anew:
            yield segment.state
            steps = StepLines()
        for at, observation, step in segment.entries[:count]:
            yield steps.line(at, observation, step)
