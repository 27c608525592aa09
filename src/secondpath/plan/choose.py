"""Which option to advise: hard filters first, then the lowest yearly total, and the courage to say that none wins."""

from dataclasses import dataclass, replace

import numpy as np

from secondpath.plan.estimate import Floats
from secondpath.plan.options import Lived
from secondpath.plan.simulate import HELD_YEARS

CLOSE_RATIO = 0.10
SURE_CHANCE = 0.60
GROUPS = 100
LIMIT_MARK = "stays likelier in a year than you accept"


@dataclass(frozen=True, slots=True)
class Advice:
    """`ranked`: options that pass the filters, cheapest in total first, then the others.

    `best` None: nothing passes; `nearest` is then the cheapest that fails only the owner's limit on long outages.
    """

    ranked: tuple[Lived, ...]
    best: Lived | None
    runner_up: Lived | None
    nearest: Lived | None
    clear: bool
    chance_best: float
    ahead_ratio: float


def advise(lived: tuple[Lived, ...], scores: Floats, longest_h: float, tolerance: float) -> Advice:
    """Rank by filters, then by mean yearly total. Clear only if 10 % ahead and cheaper under 60 % of the beliefs.

    `scores` orders the beliefs by how costly they expect the primary to be (see `years.belief_scores`).
    """
    judged = tuple(_judged(one, longest_h, tolerance) for one in lived)
    order = tuple(sorted(judged, key=lambda one: (bool(one.option.wanting), one.mean_total_usd)))
    fit = [one for one in order if not one.option.wanting]
    if not fit:
        return Advice(order, None, None, _nearest(order), False, 0.0, 0.0)
    best, second = fit[0], fit[1] if len(fit) > 1 else None
    if second is None:
        return Advice(order, best, None, None, True, 1.0, 1.0)
    chance = chance_better(best, second, scores)
    ahead = (second.mean_total_usd - best.mean_total_usd) / max(best.mean_total_usd, 1e-9)
    return Advice(order, best, second, None, ahead >= CLOSE_RATIO and chance >= SURE_CHANCE, chance, ahead)


def _nearest(order: tuple[Lived, ...]) -> Lived | None:
    only_limit = [one for one in order if all(LIMIT_MARK in reason for reason in one.option.wanting)]
    return min(only_limit, key=lambda one: one.mean_total_usd, default=None)


def _judged(one: Lived, longest_h: float, tolerance: float) -> Lived:
    chance = one.chance_longer(longest_h)
    if chance <= tolerance:
        return one
    reason = f"an outage over {longest_h:g} business hours {LIMIT_MARK}"
    return replace(one, option=replace(one.option, wanting=(*one.option.wanting, reason)))


def spans_of(values: Floats) -> Floats:
    """Sums over spans in which one belief held. Shape (years / HELD_YEARS,)."""
    whole = values.size // HELD_YEARS * HELD_YEARS
    return np.asarray(values[:whole].reshape(-1, HELD_YEARS).sum(axis=1))


def chance_better(one: Lived, other: Lived, scores: Floats) -> float:
    """Share of the beliefs under which `one` is expected to cost less in total; the same outages hit both.

    Beliefs alike in their score are pooled, which averages chance out and leaves what we do not know. The least that
    one tells is one part in GROUPS.
    """
    gain = spans_of(other.total_usd) - spans_of(one.total_usd)
    groups = np.array_split(gain[np.argsort(scores[: gain.size], kind="stable")], min(GROUPS, gain.size))
    return float(np.mean([group.mean() > 0 for group in groups]))


def break_even_usd_per_h(one: Lived, without: Lived) -> float | None:
    """The option pays if a business hour offline costs more than this; None if it avoids no hours."""
    avoided = float(without.open_down_h.mean() - one.open_down_h.mean())
    if avoided <= 0:
        return None
    return (one.option.yearly_cost_usd - without.option.yearly_cost_usd) / avoided


def dominated(one: Lived, all_lived: tuple[Lived, ...]) -> bool:
    """True if another option costs no more and leaves no more hours offline, and is better in one of them."""
    cost, hours = one.option.yearly_cost_usd, float(one.open_down_h.mean())
    for other in all_lived:
        other_cost, other_hours = other.option.yearly_cost_usd, float(other.open_down_h.mean())
        if other_cost <= cost and other_hours <= hours and (other_cost < cost or other_hours < hours):
            return True
    return False
