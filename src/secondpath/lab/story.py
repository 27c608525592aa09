"""What a story is: steps in time, people at work all the while, and what must hold.

Seconds count from the story's start, when people have been at work for a moment. What must hold is a measure
(measures.py) and a bound; windows leave the gateway the time it is allowed. A story says which `hold` of the
gateway it was written for.
"""

from dataclasses import dataclass

from secondpath.lab.seat import Wish

INJECT, HEAL = "inject", "heal"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    at_s: float
    does: str
    fault: str
    uplink: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Expect:
    """One thing that must hold: a measure of one stream in a window, and its bound (exactly one of three)."""

    words: str
    measure: str
    kind: str = "new-udp"
    family: str | None = None
    host: str = "staff"
    from_s: float = 0.0
    to_s: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    equals: str | float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A day at the office, in a minute."""

    name: str
    words: str
    lasts_s: float
    steps: tuple[Step, ...]
    expects: tuple[Expect, ...]
    staff: tuple[Wish, ...]
    guest: tuple[Wish, ...]
    hold_s: float = 10.0
    topology: str = "office"

    @property
    def desks(self) -> tuple[tuple[str, tuple[Wish, ...]], ...]:
        """Who works at which host."""
        return tuple((host, wishes) for host, wishes in (("staff", self.staff), ("guest", self.guest)) if wishes)
