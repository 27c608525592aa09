"""From the states of all lines to one verdict: what is wrong at the site.

Thin on purpose, and deep enough to be true: it says no more than link state and probes can prove. Each rule reads the
states and returns a verdict or None; the first that speaks wins, so the order is the order of importance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from secondpath.model import Cause, Health, Line, LineState, Verdict, VerdictCode

States: TypeAlias = Mapping[Line, LineState]
NOTHING: Mapping[Line, str] = {}


def _verdict(code: VerdictCode, *states: LineState) -> Verdict:
    return Verdict(code, tuple(s.line for s in states), states)


def _by_uplink(states: States) -> dict[str, list[LineState]]:
    uplinks: dict[str, list[LineState]] = {}
    for state in states.values():
        if state.offered:
            uplinks.setdefault(state.line.uplink, []).append(state)
    return uplinks


def _starting(states: States) -> Verdict | None:
    known = [s for s in states.values() if s.health is not Health.UNKNOWN]
    return None if known else _verdict(VerdictCode.STARTING)


def _all_down(states: States) -> Verdict | None:
    there = [s for s in states.values() if s.offered]
    if any(s.health in (Health.UP, Health.DEGRADED, Health.UNKNOWN) for s in there):
        return None
    return _verdict(VerdictCode.ALL_DOWN, *there)


FACTS: Mapping[Cause, VerdictCode] = {
    Cause.CARRIER: VerdictCode.CABLE,
    Cause.ABSENT: VerdictCode.INTERFACE,
    Cause.DISABLED: VerdictCode.INTERFACE,
    Cause.NO_ADDRESS: VerdictCode.ADDRESS,
    Cause.NO_GATEWAY: VerdictCode.ADDRESS,
    Cause.MODEM: VerdictCode.MODEM,
    Cause.ACCESS: VerdictCode.ACCESS,
    Cause.NEXT_HOP: VerdictCode.NEXT_HOP,
    Cause.CAPTIVE: VerdictCode.CAPTIVE,
}
"""The cause of a line that is down, and what it says of the site; anything else is somewhere upstream."""


RUNGS: Mapping[Cause, VerdictCode] = {
    Cause.DNS: VerdictCode.DNS,
    Cause.TCP: VerdictCode.TCP,
    Cause.TLS: VerdictCode.TLS,
    Cause.PATH_MTU: VerdictCode.PATH_MTU,
    Cause.CAPTIVE: VerdictCode.CAPTIVE,
}
"""What fails on a line that answers."""


def _first_uplink_down(states: States) -> Verdict | None:
    """The most preferred uplink of which no family works, and why."""
    for lines in _by_uplink(states).values():
        down = [s for s in lines if s.health is Health.DOWN]
        if down and len(down) == len(lines):
            return _verdict(FACTS.get(down[0].cause, VerdictCode.UPSTREAM), *down)
    return None


def _one_family(states: States) -> Verdict | None:
    down = [s for s in states.values() if s.health is Health.DOWN]
    return _verdict(VerdictCode.ONE_FAMILY, *down) if down else None


def _brown_out(states: States) -> Verdict | None:
    """The first uplink that is poor, and what is poor about it."""
    poor = [s for s in states.values() if s.health is Health.DEGRADED]
    same = [s for s in poor if s.cause is poor[0].cause]
    return _verdict(RUNGS.get(poor[0].cause, VerdictCode.BROWN_OUT), *same) if poor else None


def _backup_not_ready(states: States) -> Verdict | None:
    """The first uplink is well, another is not."""
    uplinks = list(_by_uplink(states).values())
    if not uplinks or any(s.health is not Health.UP for s in uplinks[0]):
        return None
    down = [s for lines in uplinks[1:] for s in lines if s.health is Health.DOWN]
    return _verdict(VerdictCode.BACKUP_NOT_READY, *down) if down else None


def _saturated(states: States) -> Verdict | None:
    full = [s for s in states.values() if s.cause is Cause.SATURATED]
    return _verdict(VerdictCode.SATURATED, *full) if full else None


def _everywhere(states: States, alike: Mapping[Line, str]) -> Verdict | None:
    """What fails over every line alike; the lines are those on which that was found out."""
    if not alike:
        return None
    what = next(iter(alike.values()))
    lines = [state for line, state in states.items() if alike.get(line) == what]
    return replace(_verdict(VerdictCode.EVERYWHERE, *lines), what=what)


RULES: tuple[Callable[[States], Verdict | None], ...] = (
    _starting,
    _all_down,
    _backup_not_ready,
    _first_uplink_down,
    _one_family,
    _brown_out,
    _saturated,
)


def verdict_of(states: States, alike: Mapping[Line, str] = NOTHING) -> Verdict:
    """The verdict on the site; `states` must come in the order of the office's preference.

    `alike` is what fails on a line and over all others too, as judge/trials has found.
    """
    for rule in RULES:
        verdict = rule(states)
        if verdict is not None:
            return verdict
    return _everywhere(states, alike) or _verdict(VerdictCode.OK)
