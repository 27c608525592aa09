"""The suspicion that precedes DOWN: a burst of questions under way."""

from __future__ import annotations

import math
from dataclasses import dataclass

from secondpath.judge.traffic import Trigger
from secondpath.model import Instant

SLACK_S = 1e-6


@dataclass(slots=True)
class Suspicion:
    """A burst under way: since when, and the numbers of the questions asked for it, wave by wave.

    One that traffic raised (`trigger`) begins *quiet*, with one wave more: that goes to this line alone, and only if it
    is not answered in the time of a round trip do the others become involved. So an office whose traffic looks odd all
    day costs its metered standby nothing.
    """

    at: Instant
    numbers: list[int]
    waves_left: int
    next_wave_at: Instant
    trigger: Trigger | None = None
    quiet: bool = False
    shared: bool = False
    """Whether the other uplinks have been asked to prove themselves for it."""
    heard: bool = False
    """Whether anything was answered since it began, late or not: then the line is alive."""

    def spreads(self, now: Instant) -> bool:
        """Whether the other family of the uplink is to be doubted too, with the wave that is due now."""
        if self.quiet:
            return bool(self.numbers) and now >= self.next_wave_at - SLACK_S
        return not self.numbers

    def concerns_others(self, now: Instant, answer_s: float) -> bool:
        """Whether other uplinks are to be asked with this wave.

        They are when the first wave has had the time of an answer, or when there will be no other: so a line that loses
        a packet now and then costs a metered standby nothing.
        """
        return not self.quiet and bool(self.numbers) and (now >= self.at + answer_s or self.waves_left <= 1)


@dataclass(slots=True)
class Proof:
    """What a standby owes while another line is doubted: since when, and how long it may take to answer."""

    asked_at: Instant = -math.inf
    until: Instant = -math.inf
