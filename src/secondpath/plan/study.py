"""Everything about one office in one value: the plan worked through, ready to be printed, served or explained."""

from dataclasses import dataclass, replace

import numpy as np

from secondpath.plan.allowance import DataUse, month_of
from secondpath.plan.build import options_of, site_of
from secondpath.plan.choose import Advice, advise
from secondpath.plan.deadlines import Deadline, misses_per_year
from secondpath.plan.drivers import Driver, ranked
from secondpath.plan.duration import Duration
from secondpath.plan.estimate import Band, Floats, Tag, band
from secondpath.plan.impact import columns, loss_of
from secondpath.plan.inputs import Plan, Shelf
from secondpath.plan.learn import Learned
from secondpath.plan.means import Means, means_of
from secondpath.plan.options import Lived, Option
from secondpath.plan.paths import Diversity
from secondpath.plan.people import draw_workplace, estimates
from secondpath.plan.sizing import Fit, Sizing, fit, size
from secondpath.plan.supply import Supply, supply_of
from secondpath.plan.timeline import Site
from secondpath.plan.years import belief_scores, draw_people, live

IMPACT_DRAWS = 4096
FULL_YEARS = 20_000
QUICK_YEARS = 2_000
QUICK_DRAWS = 1_024
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Impact:
    """What an outage costs. Bands by duration (`hours`), for ordinary weeks and seasons, in the total and cash view."""

    hours: tuple[float, ...]
    ordinary: tuple[Band, ...]
    season: tuple[Band, ...]
    ordinary_cash: tuple[Band, ...]
    season_cash: tuple[Band, ...]
    curve_h: Floats
    curve: tuple[Band, ...]
    curve_season: tuple[Band, ...]
    parts: dict[str, float]
    drivers: tuple[Driver, ...]
    naive_usd: tuple[float, ...]
    unacceptable_after_h: tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Study:
    """The whole answer for one office."""

    plan: Plan
    site: Site
    impact: Impact
    lived: tuple[Lived, ...]
    advice: Advice
    means: tuple[Means, ...]
    deadlines: tuple[tuple[Deadline, float, float], ...]
    sizing: Sizing
    fits: tuple[Fit, ...]
    data: tuple[DataUse, ...]
    supply: Supply
    learned: dict[str, Learned]

    @property
    def tags(self) -> set[Tag]:
        """Kinds of inputs behind the money figures."""
        found = {estimate.tag for _, estimate in estimates(self.plan.workplace)}
        return found | ({Tag.MEASURED} if self.learned else set())


def full_day_h(plan: Plan) -> float:
    """Business hours of the longest ordinary day."""
    return max(span[1] - span[0] for span in plan.week if span)


def impact_of(plan: Plan, seed: int = SEED, draws: int = IMPACT_DRAWS) -> Impact:
    """Impact of 30 minutes, 2 hours, half a day and a full day, the whole curve, parts, drivers."""
    day_h = full_day_h(plan)
    asked = (0.5, 2.0, day_h / 2.0, day_h)
    curve_h = np.linspace(0.0, day_h, 46)
    drawn = draw_workplace(plan.workplace, seed, draws)
    wide = columns(drawn)
    at = np.concatenate((asked, curve_h))
    ordinary = loss_of(plan.workplace, at, np.zeros(at.size), wide)
    season = loss_of(plan.workplace, at, np.ones(at.size), wide)
    total, cash = _bands(ordinary.total), _bands(ordinary.cash)
    in_season, in_season_cash = _bands(season.total), _bands(season.cash)
    parts = {name: float(getattr(ordinary, name)[:, 1].mean()) for name in _PARTS}
    return Impact(
        hours=asked,
        ordinary=total[:4],
        season=in_season[:4],
        ordinary_cash=cash[:4],
        season_cash=in_season_cash[:4],
        curve_h=curve_h,
        curve=total[4:],
        curve_season=in_season[4:],
        parts=parts,
        drivers=ranked(drawn, ordinary.total[:, 1]),
        naive_usd=tuple(naive_usd_per_h(plan) * h for h in asked),
        unacceptable_after_h=_crossings(curve_h, total[4:], plan.owner.unacceptable_usd),
    )


_PARTS = ("billable", "payroll", "overtime", "calls", "sales", "manage", "call_out")


def _bands(values: Floats) -> tuple[Band, ...]:
    low, mid, high = np.percentile(values, (10.0, 50.0, 90.0), axis=0)
    return tuple(Band(float(a), float(b), float(c)) for a, b, c in zip(low, mid, high, strict=True))


def _crossings(
    at_h: Floats, curve: tuple[Band, ...], limit_usd: float
) -> tuple[float | None, float | None, float | None]:
    """When the P10, P50 and P90 curve reach the unacceptable loss; None if they do not within a day."""

    def crossing(values: Floats) -> float | None:
        return float(np.interp(limit_usd, values, at_h)) if values[-1] >= limit_usd else None

    low, mid, high = (np.array([getattr(b, name) for b in curve]) for name in ("p10", "p50", "p90"))
    return crossing(low), crossing(mid), crossing(high)


def naive_usd_per_h(plan: Plan) -> float:
    """What common calculators do: wages plus billings, linear in time. Shown only to explain why ours is smaller."""
    total = 0.0
    for role in plan.workplace.roles:
        total += role.count * role.loaded_usd_per_h.likely
        if role.billing:
            parts = (role.billing.usd_per_h, role.billing.utilisation, role.billing.realisation)
            total += role.count * parts[0].likely * parts[1].likely * parts[2].likely
    return total


def study_of(
    plan: Plan,
    shelf: Shelf,
    years: int = FULL_YEARS,
    learned: dict[str, Learned] | None = None,
    seed: int = SEED,
    draws: int = IMPACT_DRAWS,
) -> Study:
    """Work the whole plan through."""
    known = learned or {}
    site = site_of(plan, shelf, years, seed, known)
    sizing = size(plan.telephones, plan.applications, shelf)
    fits = tuple(fit(uplink, sizing, shelf, plan.telephones.codec) for uplink in plan.uplinks[1:])
    options = options_of(plan, shelf, fits, known)
    people = draw_people(plan.workplace, site)
    means = tuple(means_of(site, option) for option in options)
    lived = tuple(
        live(site, plan.workplace, people, _with_verdict(option, one))
        for option, one in zip(options, means, strict=True)
    )
    advice = advise(lived, belief_scores(site, plan.workplace, people), plan.owner.longest_h, plan.owner.tolerance)
    supply = supply_of(plan, shelf)
    return Study(
        plan=plan,
        site=site,
        impact=impact_of(plan, seed, draws),
        lived=lived,
        advice=advice,
        means=means,
        deadlines=tuple(_deadline(d, site, advice.best) for d in plan.deadlines),
        sizing=sizing,
        fits=fits,
        data=_data_uses(plan, shelf, sizing, lived),
        supply=supply,
        learned=known,
    )


def _with_verdict(option: Option, means: Means) -> Option:
    """A pair that is NOT REDUNDANT must not be advised, however cheap."""
    if means.verdict is not Diversity.NOT_REDUNDANT:
        return option
    return replace(option, wanting=(*option.wanting, "NOT REDUNDANT: it fails together with the main line"))


def _deadline(deadline: Deadline, site: Site, best: Lived | None) -> tuple[Deadline, float, float]:
    """Misses a year without a backup, and with the advised option (in proportion to the hours it leaves)."""
    prior = site.primary
    alone = misses_per_year(deadline, ((prior.rate_per_year, Duration(prior.median_h, prior.sigma, prior.cap_h)),))
    left = float(best.down_h.mean()) / (prior.rate_per_year * prior.duration.mean_h) if best else 1.0
    return deadline, alone, alone * min(left, 1.0)


def _data_uses(plan: Plan, shelf: Shelf, sizing: Sizing, lived: tuple[Lived, ...]) -> tuple[DataUse, ...]:
    """One row per backup with an allowance, under the option that uses it most."""
    rows = []
    for uplink in plan.uplinks[1:]:
        users = [one for one in lived if any(b.key == uplink.key for b in one.option.backups)]
        metered = uplink.data_plan.allowance_gb is not None or uplink.data_plan.allowance_h is not None
        if users and metered:
            one = max(users, key=lambda one: one.option.care.drills_per_year)
            rows.append(month_of(uplink, full_day_h(plan), shelf, sizing, one))
    return tuple(rows)


def middle(values: Floats) -> Band:
    """P10, P50, P90 of yearly values."""
    return band(values)
