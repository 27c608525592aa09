"""Does it cry wolf in a day? A whole day of a trouble that must move nobody, in simulated time.

The engine takes the time as an argument, so a day of the real engine takes some minutes: its own questions, answers
lost and late as the trouble has it, people at work. Nothing else is simulated: settings are the shipped ones.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.office import CABLE4, CABLE6, TARGETS, World, office, working_office

from bench.figures import table
from bench.ground import Answer, Ground
from secondpath.model import Line, Outcome

HOUR_S, LOOK_S = 3600.0, 60.0
BOTH = (CABLE4, CABLE6)
ADDRESSES = tuple(dict.fromkeys(str(target.address) for target in TARGETS))
Trouble = Callable[[World], None]


def loses(ratio: float, lines: tuple[Line, ...], world: World) -> None:
    world.loss = dict.fromkeys(lines, ratio)


def takes(rtt_s: float, world: World) -> None:
    world.rtt_s = dict.fromkeys(BOTH, rtt_s)


def is_dead(address: str, world: World) -> None:
    world.dead_addresses = {address}


@dataclass(frozen=True, slots=True)
class Day:
    """A trouble, and for how many hours it lasts; `since_always`: it was there before the gateway was."""

    words: str
    key: str
    hours: float
    trouble: Trouble
    since_always: bool = False


DAYS = (
    Day("5 % loss of both families", "5 % loss, both", 24, partial(loses, 0.05, BOTH)),
    Day("5 % loss of one family", "5 % loss, one", 24, partial(loses, 0.05, (CABLE4,))),
    Day("900 ms round trip (satellite)", "900 ms", 24, partial(takes, 0.9), since_always=True),
    *(Day(f"{address} dead for everybody", f"{address} dead", 1, partial(is_dead, address)) for address in ADDRESSES),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine did in that time."""

    hours: float
    moves: int
    states: Counter[str]
    questions: int
    lost: int
    took_s: float


def live(day: Day, hours: float) -> Found:
    """So many hours of a day. What the world wrote down is taken from it now and then: a day is millions of lines."""
    began_s = time.monotonic()
    world = office() if day.since_always else working_office()
    if day.since_always:
        world.hum(BOTH)
    day.trouble(world)
    world.transitions, questions, lost = [], 0, 0
    until = world.now + hours * HOUR_S
    while world.now < until:
        world.run_for(min(LOOK_S, until - world.now))
        questions += len(world.sent)
        lost += sum(getattr(told, "outcome", None) is Outcome.TIMEOUT for _, told in world.log)
        world.sent.clear()
        world.log.clear()
    moves = [t for t in world.transitions if t.subject.startswith(("steering:", "application:"))]
    states = Counter(t.after for t in world.transitions if t.subject.startswith("line:"))
    return Found(hours, len(moves), states, questions, lost, time.monotonic() - began_s)


def ask(ground: Ground) -> Answer:
    said, rows = Answer(), []
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        hours = [day.hours / ground.pick(24, 1) for day in DAYS]
        for day, found in zip(DAYS, pool.map(live, DAYS, hours), strict=True):
            ground.tell(f"days: {day.words}: {found.moves} moves in {found.hours:g} h, {found.took_s:.0f} s")
            rows.append(
                [day.words, f"{found.hours:.3g} h", str(found.moves), str(found.states["degraded"]),
                 str(found.states["down"]), f"{found.questions:,}", f"{found.lost:,}"]
            )  # fmt: skip
            said.data[day.key] = {"hours": found.hours, "moves": found.moves, "states": dict(found.states)}
            said.measured[f"days/{day.key}"] = found.moves
    said.measured["days/moves"] = sum(said.measured.values())
    said.lines = table(["simulated", "for", "moves", "poor", "down", "questions", "unanswered"], rows)
    return said
