"""Where a printed number comes from: its formula, its inputs, and for each input the source and its grade."""

from collections.abc import Iterator
from dataclasses import dataclass

from secondpath.plan import rounding as r
from secondpath.plan.causes import Prior
from secondpath.plan.choose import break_even_usd_per_h
from secondpath.plan.cited import Input, inputs_below, prior_input, standing_input
from secondpath.plan.estimate import Band
from secondpath.plan.inputs import Shelf
from secondpath.plan.options import Lived
from secondpath.plan.study import Study

DURATIONS = ("30min", "2h", "half-day", "full-day")
_IMPACT = "staff idle x value x (1 - made up later) + overtime + lost calls + lost sales + management + call-out"
_YEARS = "mean over simulated years; in each, every outage's business hours go through the impact formula"


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed number: `shown` as printed, `value` in full, how it is made and from what."""

    key: str
    title: str
    shown: str
    value: float
    tag: str
    formula: str
    inputs: tuple[Input, ...]


def figures_of(study: Study, shelf: Shelf) -> tuple[Figure, ...]:
    """Every figure of the review."""
    return (
        *_impact(study, shelf),
        *_options(study, shelf),
        *_availability(study, shelf),
        *_deadlines(study, shelf),
        *_sizing(study, shelf),
        *_power(study, shelf),
        *_plain_inputs(study, shelf),
    )


def find(figures: tuple[Figure, ...], asked: str) -> tuple[Figure, ...]:
    """The figures with that key, else those below it, else those printed like that."""
    exact = tuple(f for f in figures if f.key == asked)
    if exact:
        return exact
    below = tuple(f for f in figures if f.key.startswith(asked + "."))
    if below:
        return below
    bare = _bare(asked)
    return tuple(f for f in figures if bare and bare in {_bare(word) for word in f.shown.replace("(", " ").split()})


def _bare(word: str) -> str:
    return word.strip("$%(),;").replace(",", "")


def _band(key: str, title: str, band: Band, formula: str, inputs: tuple[Input, ...], tag: str) -> Figure:
    return Figure(key, title, r.usd_band(band), band.p50, tag, formula, inputs)


def _impact(study: Study, shelf: Shelf) -> Iterator[Figure]:
    found = study.impact
    inputs = inputs_below(study.plan, shelf, ("role", "calls", "sales", "catch_up", "upset"))
    tag = r.tags(study.tags)
    views = (
        ("ordinary", "an ordinary week", found.ordinary, "total"),
        ("season", "a deadline season", found.season, "total"),
        ("ordinary.cash", "an ordinary week, cash view", found.ordinary_cash, "cash"),
        ("season.cash", "a deadline season, cash view", found.season_cash, "cash"),
    )
    for view, words, bands, kind in views:
        without = "" if kind == "total" else " without idle payroll and management"
        for name, hours, band in zip(DURATIONS, found.hours, bands, strict=True):
            title = f"loss of an outage of {r.span(hours)} in {words}"
            yield _band(
                f"impact.{view}.{name}",
                title,
                band,
                f"P50 (P10 to P90) of 4,096 draws of: {_IMPACT}{without}",
                inputs,
                tag,
            )


def _options(study: Study, shelf: Shelf) -> Iterator[Figure]:
    tag = r.tags(study.tags)
    without = next((one for one in study.lived if not one.option.backups), study.lived[0])
    for one in study.lived:
        yield from _option(one, without, study, shelf, tag)


def _option(one: Lived, without: Lived, study: Study, shelf: Shelf, tag: str) -> Iterator[Figure]:
    key, title = f"option.{one.option.key}", one.option.title
    believed = _beliefs(one, study, shelf)
    spread = tuple(standing_input(shelf, name) for name in ("interest", "contract_years", "hardware_years"))
    prices = inputs_below(
        study.plan, shelf, (f"option.{one.option.key}", *(f"uplink.{b.key}.plan" for b in one.option.backups))
    )
    cost = one.option.yearly_cost_usd
    formula = "12 monthly + set-up x CRF(r, contract) + equipment x CRF(r, hardware) + upkeep"
    yield Figure(f"{key}.cost", f"{title}: cost a year", r.usd(cost), cost, tag, formula, (*prices, *spread))
    loss = one.mean_loss_usd
    yield Figure(f"{key}.loss", f"{title}: expected loss a year", r.usd(loss), loss, tag, _YEARS, believed)
    p90 = one.loss_percentile_usd(90.0)
    yield Figure(
        f"{key}.loss-p90",
        f"{title}: loss of a bad year (P90)",
        r.usd(p90),
        p90,
        tag,
        "90th percentile of the same years",
        believed,
    )
    total = one.mean_total_usd
    yield Figure(
        f"{key}.total",
        f"{title}: cost and expected loss",
        r.usd(total),
        total,
        tag,
        "cost + expected loss",
        (*prices, *believed),
    )
    hours = float(one.open_down_h.mean())
    yield Figure(
        f"{key}.hours", f"{title}: business hours offline a year", r.hours(hours), hours, tag, _YEARS, believed
    )
    longer = one.chance_longer(4.0)
    yield Figure(
        f"{key}.over-4h",
        f"{title}: chance of an outage over 4 business hours in a year",
        r.chance(longer),
        longer,
        tag,
        "share of simulated years with such an outage",
        believed,
    )
    pays = break_even_usd_per_h(one, without)
    if pays is not None and one.option.backups:
        words = "extra cost / business hours avoided"
        yield Figure(f"{key}.break-even", f"{title}: pays if an hour costs more", r.usd(pays), pays, tag, words, prices)


def _beliefs(one: Lived, study: Study, shelf: Shelf) -> tuple[Input, ...]:
    priors: list[Prior] = [
        study.site.primary,
        *study.site.local,
        *study.site.mains,
        *(b.prior for b in one.option.backups),
    ]
    standing = (
        "coverage_good",
        "coverage_bad",
        "switch_s",
        "manual_h",
        "hidden_per_year",
        "seen_ratio",
        "hidden_repair_h",
    )
    extra = tuple(standing_input(shelf, name) for name in standing) if one.option.backups else ()
    return (*(prior_input(prior, shelf, study.learned) for prior in priors), *extra)


def _availability(study: Study, shelf: Shelf) -> Iterator[Figure]:
    for one, lived in zip(study.means, study.lived, strict=True):
        believed, key = _beliefs(lived, study, shelf), f"availability.{one.option}"
        hours = one.down_h_per_year
        formula = "U = sum over states of causes; hours = 8766 U (exact for independent renewal causes)"
        yield Figure(
            f"{key}.hours",
            f"{lived.option.title}: hours offline a year, day and night",
            r.hours(hours),
            hours,
            "P",
            formula,
            believed,
        )
        if one.verdict:
            gained = one.effectiveness
            yield Figure(
                f"{key}.effectiveness",
                f"{lived.option.title}: share of the main line's downtime it takes away",
                r.chance(gained),
                gained,
                "P",
                "RE = 1 - U(all uplinks) / U(main line); diverse from 90 %, partial from 50 %",
                believed,
            )


def _deadlines(study: Study, shelf: Shelf) -> Iterator[Figure]:
    believed = (prior_input(study.site.primary, shelf, study.learned),)
    for i, (deadline, alone, backed) in enumerate(study.deadlines, 1):
        inputs = (*inputs_below(study.plan, shelf, ("deadline",)), *believed)
        formula = "deadlines x rate / 8766 x E[(D - window)+]"
        yield Figure(
            f"deadline.{i}.none",
            f"misses a year without backup: {deadline.name}",
            f"{r.plain(alone)}",
            alone,
            "P",
            formula,
            inputs,
        )
        scaled = formula + ", scaled by the hours the advised option leaves"
        yield Figure(
            f"deadline.{i}.advised",
            f"misses a year with the advised option: {deadline.name}",
            r.plain(backed),
            backed,
            "P",
            scaled,
            inputs,
        )


def _sizing(study: Study, shelf: Shelf) -> Iterator[Figure]:
    size = study.sizing
    inputs = (
        *inputs_below(study.plan, shelf, ("application", "calls")),
        standing_input(shelf, "headroom"),
        standing_input(shelf, "blocking_target"),
    )
    rows = (
        ("critical-down", "critical work, down", size.critical_down_bps, "1.25 x sum of 95th percentiles"),
        ("critical-up", "critical work, up", size.critical_up_bps, "1.25 x sum of 95th percentiles"),
        ("full-down", "everything, down", size.full_down_bps, "1.25 x (sum of means + root of squared excesses)"),
        ("full-up", "everything, up", size.full_up_bps, "1.25 x (sum of means + root of squared excesses)"),
    )
    for key, title, value, formula in rows:
        yield Figure(f"size.{key}", title, r.mbps(value), value, "P", formula, inputs)
    yield Figure(
        "size.lines",
        "calls at once",
        str(size.lines),
        size.lines,
        "P",
        "Erlang B: smallest N with blocking at most 1 %",
        inputs,
    )
    for use in study.data:
        formula = "tests + drills + 0.45 GB per Mbit/s and hour x simulated hours on backup"
        for name, value in (("expected", use.expected_gb), ("p90", use.p90_gb), ("p99", use.p99_gb)):
            yield Figure(
                f"data.{use.uplink}.{name}",
                f"{use.uplink}: gigabytes a month, {name}",
                f"{r.plain(value)} GB",
                value,
                "P",
                formula,
                inputs,
            )


def _power(study: Study, shelf: Shelf) -> Iterator[Figure]:
    names = ("ups_efficiency", "ups_discharge", "ups_end_of_life")
    inputs = (*inputs_below(study.plan, shelf, ("power",)), *(standing_input(shelf, name) for name in names))
    hours = study.supply.ups_h
    tag = "M" if study.supply.measured else "P"
    yield Figure(
        "power.runtime",
        "UPS runtime at the battery's end of life",
        r.hours(hours),
        hours,
        tag,
        "Wh x efficiency x depth x rate x age / W",
        inputs,
    )
    dark = study.supply.office_dark_h
    yield Figure(
        "power.dark",
        "hours a year without mains beyond the UPS",
        r.hours(dark),
        dark,
        "P",
        "sum of rate x E[(D - R)+]",
        inputs,
    )


def _plain_inputs(study: Study, shelf: Shelf) -> Iterator[Figure]:
    for item in inputs_below(study.plan, shelf, ("role", "calls", "sales", "catch_up", "upset")):
        yield Figure(
            item.path, item.path, item.shown, item.likely, item.tag, "typed or taken from the profile", (item,)
        )
    for key, standing in shelf.standing.items():
        yield Figure(
            f"model.{key}",
            standing.title,
            r.plain(standing.value),
            standing.value,
            "P",
            "a number of the model",
            (standing_input(shelf, key),),
        )
    for key, prior in shelf.priors.items():
        words = "outages a year ~ Gamma, hours ~ LogNormal with an uncertain median, cut at a cap"
        item = prior_input(prior, shelf, {})
        yield Figure(f"prior.{key}", prior.title, item.shown, prior.rate_per_year, "P", words, (item,))
