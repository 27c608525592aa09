"""From the states of all lines to one verdict: what is wrong at the site.

Thin on purpose, and deep enough to be true: it says no more than link state and probes can prove. Each rule reads the
states and returns a verdict or None; the first that speaks wins, so the order is the order of importance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from secondpath.model import Cause, Confidence, Health, Line, LineState, Verdict, VerdictCode

States: TypeAlias = Mapping[Line, LineState]
SAME_MOMENT_S = 10.0
"""Lines that fail within so long of each other are likely to have failed of one cause."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the states of lines.

    `alike` is what fails on a line and over all others too (judge/trials); `apart` and `nowhere` are the applications
    that work over another line, or over none (judge/applications), by the line of their class; `inside` are the
    networks of the office at which nothing is connected any more.
    """

    alike: Mapping[Line, str] = field(default_factory=dict)
    apart: Mapping[Line, str] = field(default_factory=dict)
    nowhere: Mapping[Line, str] = field(default_factory=dict)
    inside: tuple[str, ...] = ()


ALONE = Beside()
SURE: Mapping[VerdictCode, Confidence] = {
    VerdictCode.CABLE: Confidence.FACT,
    VerdictCode.INTERFACE: Confidence.FACT,
    VerdictCode.ADDRESS: Confidence.FACT,
    VerdictCode.INSIDE: Confidence.FACT,
    VerdictCode.POWER: Confidence.FACT,
    VerdictCode.MODEM: Confidence.LIKELY,
    VerdictCode.ACCESS: Confidence.LIKELY,
    VerdictCode.NEXT_HOP: Confidence.LIKELY,
    VerdictCode.COMMON_CAUSE: Confidence.LIKELY,
}
"""How sure a verdict is; those not named are proven."""


def _verdict(code: VerdictCode, *states: LineState) -> Verdict:
    lines = tuple(s.line for s in states)
    return Verdict(code, lines, states, confidence=SURE.get(code, Confidence.PROVEN))


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
    if there and all(s.cause is Cause.OWN_RULES for s in there):
        return _verdict(VerdictCode.OWN_RULES, *there)
    uplinks = _by_uplink(states).values()
    began = [min(s.since for s in lines) for lines in uplinks]
    together = len(began) > 1 and max(began) - min(began) <= SAME_MOMENT_S
    return _verdict(VerdictCode.COMMON_CAUSE if together else VerdictCode.ALL_DOWN, *there)


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
    Cause.OWN_RULES: VerdictCode.OWN_RULES,
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


def _own_rules(states: States) -> Verdict | None:
    """Lines that are well, but for what this box does to their answers."""
    eaten = [s for s in states.values() if s.cause is Cause.OWN_RULES]
    return _verdict(VerdictCode.OWN_RULES, *eaten) if eaten else None


def _saturated(states: States) -> Verdict | None:
    full = [s for s in states.values() if s.cause is Cause.SATURATED]
    return _verdict(VerdictCode.SATURATED, *full) if full else None


def _of(code: VerdictCode, states: States, found: Mapping[Line, str]) -> Verdict | None:
    """What was found out, the first of it, and on which lines."""
    if not found:
        return None
    what = next(iter(found.values()))
    lines = [state for line, state in states.items() if found.get(line) == what]
    return replace(_verdict(code, *lines), what=what)


RULES: tuple[Callable[[States], Verdict | None], ...] = (
    _starting,
    _all_down,
    _backup_not_ready,
    _first_uplink_down,
    _one_family,
    _brown_out,
    _own_rules,
    _saturated,
)


def _inside(networks: tuple[str, ...]) -> Verdict | None:
    return replace(_verdict(VerdictCode.INSIDE), what=networks[0]) if networks else None


def verdict_of(states: States, beside: Beside = ALONE) -> Verdict:
    """The verdict on the site; `states` must come in the order of the office's preference."""
    for rule in RULES:
        verdict = rule(states)
        if verdict is not None:
            return verdict
    if (own := _inside(beside.inside)) is not None:
        return own
    everywhere = {**beside.nowhere, **beside.alike}
    told = _of(VerdictCode.EVERYWHERE, states, everywhere) or _of(VerdictCode.APPLICATION, states, beside.apart)
    return told or _verdict(VerdictCode.OK)
