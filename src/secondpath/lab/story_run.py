"""Plays a story in a standing office whose gateway somebody else has started, and says what held."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from secondpath.lab.measures import Evidence, Finding, judge
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat
from secondpath.lab.story import INJECT, Step, Story

SETTLE_S = 2.0
"""People are at work this long before the story's second 0."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a story showed."""

    story: Story
    evidence: Evidence
    findings: tuple[Finding, ...]
    statuses: tuple[tuple[float, object], ...]

    @property
    def held(self) -> bool:
        """Whether everything held."""
        return all(finding.held for finding in self.findings)

    def sentences(self) -> list[str]:
        """One line for each expectation."""
        return [finding.sentence() for finding in self.findings]


def run_story(
    office: Office,
    story: Story,
    *,
    tell: Callable[[str], None] = lambda _words: None,
    status: Callable[[], object] | None = None,
    stop: threading.Event | None = None,
) -> Report:
    """Play a story to its end (or until `stop`): people sit down, things happen, people leave, all is mended.

    `tell` gets a sentence for each step as it happens; `status` is asked for the gateway's view just before each
    step and at the end, and what it says is kept in the report.
    """
    stopped = stop or threading.Event()
    before = _wrong_source(office)
    seats: dict[str, Seat] = {}
    try:
        for host, wishes in story.desks:
            seats[host] = Seat.take(office, host, wishes)
        start_s = time.monotonic() + SETTLE_S
        instants, statuses = [], []
        for step in sorted(story.steps, key=lambda s: s.at_s):
            if _sleeps_until(start_s + step.at_s, stopped):
                statuses.append((step.at_s, status() if status else None))
                tell(f"{step.at_s:5.1f} s  {step.words}")
                instants.append((step.at_s, _happen(office, step)))
        _sleeps_until(start_s + story.lasts_s, stopped)
        end_s = time.monotonic()
        statuses.append((end_s - start_s, status() if status else None))
        felt = {host: tuple(seat.leave()) for host, seat in seats.items()}
    finally:
        for seat in seats.values():
            if seat.process.poll() is None:
                seat.leave()
        office.mend()
    wrong = {isp: count - before[isp] for isp, count in _wrong_source(office).items()}
    evidence = Evidence(office.topology, start_s, end_s, tuple(instants), felt, wrong)
    return Report(story, evidence, tuple(judge(evidence, e) for e in story.expects), tuple(statuses))


def _happen(office: Office, step: Step) -> float:
    act = office.inject if step.does == INJECT else office.heal
    return act(step.fault, step.uplink)


def _sleeps_until(at_s: float, stopped: threading.Event) -> bool:
    """Wait until an instant; False when the story was stopped meanwhile."""
    return not stopped.wait(max(0.0, at_s - time.monotonic()))


def _wrong_source(office: Office) -> dict[str, int]:
    return {u.isp: office.counters(u.isp)["wrong_source"].packets for u in office.topology.uplinks}
