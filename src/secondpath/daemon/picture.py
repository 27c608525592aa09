"""What the running gateway knows at one instant, for tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secondpath import clock
from secondpath.daemon.evidence import evidence_of
from secondpath.model import Instant, Line
from secondpath.wire.snapshot import Finishing, Snapshot

if TYPE_CHECKING:
    from secondpath.daemon.shell import Gateway


def picture(gateway: Gateway) -> Snapshot:
    """All that there is to tell at this moment."""
    now = clock.now()
    override, left_s = gateway.engine.word.standing(now)
    return Snapshot(
        site=gateway.site,
        at=now,
        wall=clock.wall(),
        started_at=gateway.started_at,
        steering=gateway.engine.steering(),
        steering_since=dict(gateway.steering_since),
        lines=gateway.engine.states(now),
        verdict=gateway.engine.verdict,
        override=override,
        override_left_s=left_s,
        hold_left_s=gateway.engine.holds(now),
        interfaces=dict(gateway.interfaces),
        recent=tuple(gateway.journal.recent),
        shaped=gateway.hand.shaped,
        usages=gateway.saving.usages(clock.wall()),
        evidence=evidence_of(gateway),
        left=_left(gateway, now),
        stragglers=tuple(gateway.watching.stragglers),
    )


def _left(gateway: Gateway, now: Instant) -> dict[Line, Finishing]:
    """What is in progress on the lines that the office has gone home from, and for how many seconds yet at most."""
    left = gateway.engine.homecoming.lines
    until = gateway.engine.homecoming.going_home()
    told = {line: each.reading.counts if each.reading else {} for line, each in left.items() if line in until}
    return {line: Finishing(counts, max(0.0, until[line] - now)) for line, counts in told.items()}
