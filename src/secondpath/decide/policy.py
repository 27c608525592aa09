"""Which uplink a family uses, and what may travel on it. Functions of their arguments alone.

The order of preference is the order in the configuration. Leaving a line needs a reason (it is down, or it is poor)
and a proven better one to go to; going home needs the whole hold served. What is merely unknown is neither left nor
taken, except at the very start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from secondpath.decide.treatment import lane_on
from secondpath.model import (
    CLASSES,
    Cause,
    Family,
    Health,
    Lane,
    Line,
    LineState,
    Site,
    Stage,
    Steering,
    Why,
)

QUICKER_S = 0.1
"""How much quicker a line must answer, to be worth leaving another for its lateness alone."""
NONE: Mapping[tuple[str, Family], Choice] = {}
NO_STAGES: Mapping[str, Stage] = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """The uplink that a family uses, and why. None only where no uplink speaks the family."""

    uplink: str | None
    why: Why


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one line for the choice.

    `trusted`: its hold is served. `doubted`: a burst is under way, so it is no proof of anything at this moment.
    `rtt_s`: the round trip to its nearest target, where it is known.
    """

    state: LineState
    trusted: bool
    doubted: bool
    rtt_s: float | None = None

    @property
    def proven(self) -> bool:
        """Whether traffic may be moved here: it is up, and nobody doubts it."""
        return self.state.health is Health.UP and not self.doubted


def choose(
    order: tuple[Outlook, ...], used: str | None, pinned: str | None, at_rest: bool, stays_if_poor: bool = False
) -> Choice:
    """The uplink for one family, of all classes that choose in the same manner.

    `order` has the lines of that family, most preferred first. `used` is where traffic goes now, `pinned` what a
    person asked for, `at_rest` that a person asked us not to move unless we must, `stays_if_poor` that the office does.
    """
    there = [o for o in order if o.state.offered]
    by_name = {o.state.line.uplink: o for o in there}
    if pinned in by_name and by_name[pinned].state.health is not Health.DOWN:
        return Choice(pinned, Why.ASKED)
    current = by_name.get(used or "")
    if current is None:
        return _first_choice(there)
    if current.state.health is Health.DOWN:
        better = _best(there, but=current)
        return Choice(better, Why.BETTER) if better else Choice(used, Why.NOTHING_BETTER)
    if current.state.health is Health.DEGRADED and not at_rest and not stays_if_poor:
        proven = [o for o in there if o.proven and _quicker(o, current)]
        if proven:
            return Choice(proven[0].state.line.uplink, Why.BETTER)
    return _go_home(there, current, at_rest)


def _quicker(other: Outlook, current: Outlook) -> bool:
    """Whether another line is better where lateness is what ails the one in use; a satellite would not be."""
    if current.state.cause is not Cause.DELAY or other.rtt_s is None or current.rtt_s is None:
        return True
    return other.rtt_s <= current.rtt_s - QUICKER_S


def _first_choice(there: list[Outlook]) -> Choice:
    """At the start: the most preferred line, unless it is known to be down and another one is not."""
    usable = [o for o in there if o.state.health is not Health.DOWN] or there
    if not usable:
        return Choice(None, Why.NO_UPLINK)
    first = usable[0]
    return Choice(first.state.line.uplink, Why.PREFERRED if first is there[0] else Why.BETTER)


def _best(there: list[Outlook], but: Outlook) -> str | None:
    """The most preferred proven line; else a poor one that answers: it is better than a dead one."""
    for acceptable in (Health.UP, Health.DEGRADED):
        for outlook in there:
            if outlook is not but and outlook.state.health is acceptable and not outlook.doubted:
                return outlook.state.line.uplink
    return None


def _go_home(there: list[Outlook], current: Outlook, at_rest: bool) -> Choice:
    """Stay, unless a more preferred line has earned our trust."""
    for outlook in there:
        if outlook is current:
            break
        if outlook.proven and outlook.trusted and not at_rest:
            return Choice(outlook.state.line.uplink, Why.PREFERRED)
    used = current.state.line.uplink
    if current is there[0]:
        return Choice(used, Why.PREFERRED if current.state.health is not Health.DEGRADED else Why.NOTHING_BETTER)
    return Choice(used, Why.STAYS)


def lanes_of(
    site: Site,
    choices: Mapping[Family, Choice],
    own: Mapping[tuple[str, Family], Choice] = NONE,
    stages: Mapping[str, Stage] = NO_STAGES,
) -> dict[tuple[str, Family], Lane]:
    """The lane of every class and family; what is blocked where it would travel has none.

    `own` are the choices of classes that choose in a manner of their own, `stages` those of the uplinks' allowances.
    """
    lanes = {}
    for family, common in choices.items():
        for name in CLASSES:
            choice = own.get((name, family), common)
            stage = stages.get(choice.uplink or "", Stage.AMPLE)
            unled = Lane(None, choice.why)
            lanes[name, family] = lane_on(site, name, choice.uplink, choice.why, stage) if choice.uplink else unled
    return lanes


def flows_to_give_up(line: Line, state: LineState, used: str | None, used_health: Health, over: bool) -> bool:
    """Whether the flows on a line must end: it is down and another line carries the family, or their time is `over`."""
    if used is None or used == line.uplink or used_health is Health.DOWN:
        return False
    return over or state.health is Health.DOWN


def carries(steering: Steering, line: Line) -> bool:
    """Whether any class of that family travels on that line."""
    return any(lane.uplink == line.uplink for (_, family), lane in steering.lanes.items() if family is line.family)
