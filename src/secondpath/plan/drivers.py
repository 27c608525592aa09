"""What moves the figure: one input at a time, from its lowest tenth to its highest, and how to measure it."""

from dataclasses import dataclass

import numpy as np

from secondpath.plan.estimate import Floats
from secondpath.plan.people import Draws

MEASURE = {
    "calls.no_retry": "call back a week of missed callers and note how many went elsewhere",
    "calls.margin_usd": "average fee of last year's new clients, less the cost of the work",
    "calls.per_h": "count a week of incoming calls in the telephone system",
    "calls.missed": "ask the telephone provider what callers hear when the office is offline",
    "catch_up.ordinary": "after the next outage, ask how much of the work was made up by Friday",
    "catch_up.season": "ask the same in the season: is there any later?",
    "catch_up.fade_h": "ask for the longest outage you could still make up within a week",
    "upset.restart_h": "time one person finding the way back in after an outage",
    "upset.call_out_usd": "last IT invoices for outages",
    "upset.manage_first_h": "hours the manager spent on the last outage",
    "upset.manage_share": "hours the manager spent on the last outage",
    "sales.per_h": "the till's or booking system's count for an ordinary hour",
    "sales.abandoned": "note walk-outs in the next outage",
    "sales.margin_usd": "margin of an average sale from the books",
}
_BY_END = {
    "stops": "ask three of them: of ten hours, how many stop without internet?",
    "aside_first": "ask three of them what they would do in the first half hour",
    "aside_later": "ask three of them what is left to do after half a day",
    "aside_fade_h": "ask three of them how long other work lasts",
    "utilisation": "practice software: billed hours over paid hours",
    "realisation": "practice software: collected over billed",
}


@dataclass(frozen=True, slots=True)
class Driver:
    """One input.

    How far the loss swings between its lowest and highest tenth, its rank correlation, how to measure it.
    """

    path: str
    swing_usd: float
    rank_correlation: float
    measure: str


def ranked(draws: Draws, loss_usd: Floats, most: int = 5) -> tuple[Driver, ...]:
    """The inputs that move the loss most. `draws` and `loss_usd` have shape (draws,)."""
    places = np.argsort(np.argsort(loss_usd)).astype(np.float64)
    found = [_driver(path, values, loss_usd, places) for path, values in draws.items() if np.ptp(values) > 0]
    return tuple(sorted(found, key=lambda driver: -abs(driver.swing_usd))[:most])


def _driver(path: str, values: Floats, loss_usd: Floats, places: Floats) -> Driver:
    order = np.argsort(values, kind="stable")
    tenth = max(1, values.size // 10)
    swing = float(loss_usd[order[-tenth:]].mean() - loss_usd[order[:tenth]].mean())
    correlation = float(np.corrcoef(np.argsort(order).astype(np.float64), places)[0, 1])
    return Driver(path, swing, correlation, measure_of(path))


def measure_of(path: str) -> str:
    """How to replace a guess by a count."""
    return MEASURE.get(path) or _BY_END.get(path.rpartition(".")[2], "ask the people concerned, or count a week")
