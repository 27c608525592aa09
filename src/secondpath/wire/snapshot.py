"""What the daemon knows at one instant, and the words that tell found for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from secondpath.model import (
    Family,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Override,
    Site,
    Steering,
    Transition,
    Verdict,
    Why,
)


@dataclass(frozen=True, slots=True)
class Event:
    """A transition with its number in the book and the wall-clock time at which it was written."""

    number: int
    wall: datetime
    transition: Transition


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that there is to tell at one instant. `wall` is the wall-clock time of `at`, in UTC."""

    site: Site
    at: Instant
    wall: datetime
    started_at: Instant
    steering: Steering
    steering_since: Mapping[Family, Instant]
    lines: Mapping[Line, LineState]
    verdict: Verdict
    override: Override | None = None
    override_left_s: float | None = None
    hold_left_s: Mapping[Line, float] = field(default_factory=dict)
    """Seconds until traffic may go home to a line that is well again."""
    interfaces: Mapping[str, InterfaceChange] = field(default_factory=dict)
    recent: tuple[Event, ...] = ()
    """The last few events, oldest first."""
    evidence: Mapping[str, Any] | None = None
    """What act and record can show: generations, epochs, flows left, trouble with the book."""

    def wall_of(self, instant: Instant) -> datetime:
        """The wall-clock time of an instant, by the clock as it stands now."""
        return self.wall - timedelta(seconds=self.at - instant)


@dataclass(frozen=True, slots=True)
class Texts:
    """The words which tell found for a snapshot; `events` are those of `Snapshot.recent`."""

    summary: str
    verdict: str
    advice: str
    reasons: Mapping[str, str]
    notes: Mapping[Line, str]
    technical: Mapping[Line, str]
    whys: Mapping[Why, str]
    speakers: Mapping[str, Line]
    """The line whose state stands for its uplink."""
    override: str = ""
    events: tuple[str, ...] = ()
