"""What the daemon knows at one instant, and the words that tell found for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from secondpath.model import (
    Family,
    FlowKind,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Override,
    Shaped,
    Site,
    Stage,
    Steering,
    Straggler,
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
class Finishing:
    """How many connections of each kind are in progress on a line that the office has left, and for how long yet."""

    counts: Mapping[FlowKind, int]
    left_s: float


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of an uplink's data allowance is used.

    `runs_out_at` is when it would be used up at the present rate, where that is before it begins anew; `hurried` says
    that it is squeezed for that reason. `pace_bps` is the mean rate at which what is left lasts until the office
    closes.
    """

    used_bytes: int
    data_bytes: int
    stage: Stage
    renews_at: datetime
    lifted: bool = False
    hurried: bool = False
    runs_out_at: datetime | None = None
    rate_bps: int = 0
    pace_bps: int = 0


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
    usages: Mapping[str, Usage] = field(default_factory=dict)
    """By uplink, where its plan has a limit."""
    shaped: tuple[Shaped, ...] = ()
    """What became of each uplink's shape."""
    evidence: Mapping[str, Any] | None = None
    """What act and record can show: generations, epochs, flows left, trouble with the book."""
    left: Mapping[Line, Finishing] = field(default_factory=dict)
    """What finishes on the lines that the office has gone home from."""
    stragglers: tuple[Straggler, ...] = ()
    """The last few that were where nobody should be."""

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
    verdict_technical: str = ""
    override: str = ""
    events: tuple[str, ...] = ()
    finishing: Mapping[str, str] = field(default_factory=dict)
    """What finishes where it is, by uplink."""
    usages: Mapping[str, str] = field(default_factory=dict)
    """How far the data of an uplink is used."""
