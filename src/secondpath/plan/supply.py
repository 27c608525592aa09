"""Power for one office: how long its UPS lasts, what each size would leave, which size to buy."""

from dataclasses import dataclass

import numpy as np

from secondpath.plan.build import battery_of, mains_of, ups_h
from secondpath.plan.hours import business_clock
from secondpath.plan.impact import columns, loss_of
from secondpath.plan.inputs import Plan, Shelf
from secondpath.plan.people import draw_workplace
from secondpath.plan.power import Mains, UpsChoice, best_ups, needed_va, runtime_h

_SIZES_WH = (108.0, 216.0, 432.0, 648.0, 864.0, 1296.0, 1728.0, 2592.0)
_RUNTIMES_H = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Supply:
    """The office's power.

    `dark`: (runtime hours, hours a year that outlast it), over all hours, major events included.
    """

    ups_h: float
    measured: bool
    needed_va: float
    useful_h: float
    dark: tuple[tuple[float, float], ...]
    office_dark_h: float
    choices: tuple[tuple[float, UpsChoice], ...]


def supply_of(plan: Plan, shelf: Shelf) -> Supply:
    """Runtime at the battery's end of life, the curve of what is left, and sizes ranked by cost and remaining loss."""
    both = tuple(shelf.priors[key] for key in ("power-ordinary", "power-major"))
    counted = Mains(tuple((p.rate_per_year, p.duration) for p in mains_of(plan, shelf)))
    area = Mains(tuple((p.rate_per_year, p.duration) for p in both))
    useful_h = shelf.batteries_h.get(plan.primary.technology, 24.0)
    sizes = {wh: runtime_h(battery_of(plan, shelf, wh), plan.power.load_w) for wh in _SIZES_WH}
    offers = tuple((hours, wh * plan.power.usd_per_wh_year) for wh, hours in sizes.items())
    by_hours = {hours: wh for wh, hours in sizes.items()}
    best = best_ups(counted, offers, _usd_per_dark_h(plan), useful_h)
    now_h = ups_h(plan, shelf)
    return Supply(
        ups_h=now_h,
        measured=plan.power.measured_runtime_h is not None,
        needed_va=needed_va(plan.power.load_w),
        useful_h=useful_h,
        dark=tuple((hours, area.dark_h_per_year(hours)) for hours in _RUNTIMES_H),
        office_dark_h=counted.dark_h_per_year(now_h),
        choices=tuple((by_hours[choice.runtime_h], choice) for choice in best),
    )


def _usd_per_dark_h(plan: Plan) -> float:
    """Dollars of an hour without network, over all hours of the year.

    An ordinary business hour times the share open.
    """
    draws = columns(draw_workplace(plan.workplace, 1, 512))
    loss = loss_of(plan.workplace, np.ones(1), np.zeros(1), draws).total
    return float(loss.mean()) * business_clock(plan.week, plan.seasons).share
