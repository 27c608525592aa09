"""Live one office's simulated years under each option, with the same outages, the same luck and the same people."""

from dataclasses import dataclass

import numpy as np

from secondpath.plan.causes import HOURS_PER_YEAR, Prior
from secondpath.plan.estimate import Floats, stream
from secondpath.plan.hours import BusinessClock
from secondpath.plan.impact import loss_of
from secondpath.plan.options import MANUAL, MOST_BACKUPS, Backup, Kind, Lived, Option
from secondpath.plan.paths import Element
from secondpath.plan.people import Draws, Workplace, draw_workplace, rows
from secondpath.plan.simulate import (
    HELD_YEARS,
    Outages,
    believed_h,
    blocks,
    dead_spans,
    held,
    outages_of,
    yearly,
    yearly_max,
)
from secondpath.plan.spans import Spans, merged, no_spans, overlap, union, without


@dataclass(frozen=True, slots=True)
class Site:
    """What all options of an office have in common.

    `elements`: the primary's elements with their share of its downtime, in a fixed order. `local` causes take the
    office offline whatever its uplinks do; `mains` causes do so once `ups_h` has run out.
    """

    primary: Prior
    elements: tuple[tuple[Element, float], ...]
    primary_battery_h: float | None
    local: tuple[Prior, ...]
    mains: tuple[Prior, ...]
    ups_h: float
    workplace: Workplace
    clock: BusinessClock
    years: int
    seed: int


@dataclass(frozen=True, slots=True)
class World:
    """The drawn years of a site: everything random that no option changes."""

    site: Site
    primary: Outages
    primary_down: Spans
    local_down: Spans
    mains: Spans
    switch_luck: Floats
    switch_open_h: Floats
    draws: Draws


def draw_world(site: Site) -> World:
    """All outages of the primary, of power and of local gear, and all draws of people and calls."""
    primary = outages_of(site.primary, site.seed, "uplink:primary", site.years)
    mains = union(*(outages_of(p, site.seed, f"mains:{p.key}", site.years).spans for p in site.mains))
    gear = [outages_of(p, site.seed, f"local:{p.key}", site.years).spans for p in site.local]
    primary_down = union(primary.spans, _behind_battery(mains, site.primary_battery_h))
    luck = stream(site.seed, "switch")
    return World(
        site=site,
        primary=primary,
        primary_down=primary_down,
        local_down=union(mains.later(site.ups_h), *gear),
        mains=mains,
        switch_luck=luck.random((MOST_BACKUPS, primary_down.start_h.size)),
        switch_open_h=MANUAL.median_h * np.exp(MANUAL.sigma * luck.standard_normal(primary_down.start_h.size)),
        draws={
            path: held(v, site.years)
            for path, v in draw_workplace(site.workplace, site.seed, blocks(site.years)).items()
        },
    )


def belief_scores(world: World) -> Floats:
    """How costly each belief expects the primary to be: rate, median and the cost of two hours. Shape (beliefs,)."""
    site = world.site
    once = {path: values[::HELD_YEARS] for path, values in world.draws.items()}
    two_h = loss_of(site.workplace, np.full(1, 2.0), np.zeros(1), once).total
    return np.asarray(believed_h(site.primary, site.seed, "uplink:primary", site.years) * two_h)


def _behind_battery(mains: Spans, battery_h: float | None) -> Spans:
    """When a connection is down because the carrier's own battery in the street or tower is empty."""
    return no_spans() if battery_h is None else mains.later(battery_h)


def live(world: World, option: Option) -> Lived:
    """The years of `world` under `option`."""
    clock, years = world.site.clock, world.site.years
    uncarried = _uncarried(world, option)
    offline = union(world.local_down, uncarried)
    carried = without(world.primary_down, offline)
    open_h, carried_open_h = _open_h(clock, offline), _open_h(clock, carried)
    loss, cash = _losses(world, offline, open_h)
    rough, rough_cash = _rough_losses(world, option, carried, carried_open_h)
    return Lived(
        option=option,
        loss_usd=loss + rough,
        cash_usd=cash + rough_cash,
        open_down_h=yearly(offline.start_h, open_h, years),
        down_h=yearly(offline.start_h, offline.length_h, years),
        outages=yearly(offline.start_h, np.ones(offline.start_h.size), years),
        longest_open_h=yearly_max(offline.start_h, open_h, years),
        on_backup_open_h=yearly(carried.start_h, carried_open_h, years),
        on_backup_h=yearly(carried.start_h, carried.length_h, years),
        month_on_backup_open_h=_by_month(carried.start_h, carried_open_h, years),
    )


def _open_h(clock: BusinessClock, spans: Spans) -> Floats:
    return np.asarray(clock.elapsed_h(spans.end_h) - clock.elapsed_h(spans.start_h))


def _uncarried(world: World, option: Option) -> Spans:
    """When the primary is down and no backup carries the office: all dead, or not (yet) switched."""
    if not option.backups:
        return world.primary_down
    dead = [_backup_down(world, option, backup) for backup in option.backups]
    none_left = world.primary_down
    for spans in dead:
        none_left = overlap(none_left, spans)
    return union(none_left, _switching(world, option))


def _backup_down(world: World, option: Option, backup: Backup) -> Spans:
    """When a backup could not carry: its own outages, the primary's shared elements, its battery, its hidden deaths.

    Its own stream is thinned by what it shares with the primary, so that a shared failure is counted once.
    """
    site, care = world.site, option.care
    own = outages_of(backup.prior, site.seed, f"uplink:{backup.key}", site.years)
    hidden = dead_spans(
        care.hidden_per_year,
        care.seen_ratio if care.monitored else 0.0,
        care.drills_per_year,
        care.notice_h + care.repair_h,
        site.seed,
        f"hidden:{backup.key}",
        site.years,
    )
    return union(
        own.marked_below(1.0 - backup.shared_ratio),
        _failed_in(world, backup),
        _behind_battery(world.mains, backup.battery_h),
        hidden,
    )


def _failed_in(world: World, backup: Backup) -> Spans:
    """The primary's outages that began in an element which the backup shares, plus the floor of what is always shared."""
    reach, hit = 0.0, np.zeros(world.primary.mark.size, dtype=np.bool_)
    shared = 0.0
    for element, share in world.site.elements:
        if element in backup.shared:
            hit |= (world.primary.mark >= reach) & (world.primary.mark < reach + share)
            shared += share
        reach += share
    if shared < backup.shared_ratio:  # the floor: a thin slice of the last element
        hit |= world.primary.mark >= 1.0 - (backup.shared_ratio - shared)
    return world.primary.spans.chosen(hit)


def _switching(world: World, option: Option) -> Spans:
    """From the start of each primary outage until the office is on a backup.

    A covered switch takes seconds. If every backup refuses, a person switches, in business hours. By hand, a person
    is the only way, and one who cannot do it leaves the office offline to the end.
    """
    down, clock, site = world.primary_down, world.site.clock, world.site
    year = np.clip((down.start_h // HOURS_PER_YEAR).astype(np.intp), 0, site.years - 1)
    done_h = clock.moment_h(clock.elapsed_h(down.start_h) + world.switch_open_h)
    quick_h = down.start_h + option.care.switch_s / 3600.0
    end_h = done_h
    for luck, backup in zip(world.switch_luck, option.backups, strict=False):
        works = luck < _coverage_by_year(option, backup, site)[year]
        by_hand = backup.kind is Kind.BY_HAND
        end_h = np.where(works, done_h, down.end_h) if by_hand else np.where(works, quick_h, end_h)
    return merged(down.start_h, np.minimum(end_h, down.end_h))


def _coverage_by_year(option: Option, backup: Backup, site: Site) -> Floats:
    """One coverage per belief, by rank: the same luck with more good drills never gives a worse one."""
    care = option.care.coverage
    grid = (np.arange(200) + 0.5) / 200.0
    quantiles = np.quantile(stream(site.seed, "coverage").beta(care.good, care.bad, 4000), grid)
    rank = stream(site.seed, f"rank:{backup.key}").random(blocks(site.years))
    return held(np.interp(rank, grid, quantiles), site.years)


def _losses(world: World, offline: Spans, open_h: Floats) -> tuple[Floats, Floats]:
    """Loss in the capacity and cash view per year."""
    site, hit = world.site, offline.chosen(open_h > 0)
    season = site.clock.season_at(hit.start_h)
    loss = loss_of(site.workplace, open_h[open_h > 0], season, rows(world.draws, _year(world, hit)))
    return yearly(hit.start_h, loss.total, site.years), yearly(hit.start_h, loss.cash, site.years)


def _rough_losses(world: World, option: Option, carried: Spans, open_h: Floats) -> tuple[Floats, Floats]:
    """What poorer quality on the backup costs: (1 - quality) of the running loss of the hours carried."""
    site = world.site
    if not option.backups or all(backup.quality.low >= 1.0 for backup in option.backups):
        return np.zeros(site.years), np.zeros(site.years)
    hit = carried.chosen(open_h > 0)
    year = _year(world, hit)
    best = max(option.backups, key=lambda backup: backup.quality.mean)
    quality = best.quality.draw(stream(site.seed, f"quality:{best.key}"), blocks(site.years))
    poor = 1.0 - held(quality, site.years)[year]
    loss = loss_of(site.workplace, open_h[open_h > 0], site.clock.season_at(hit.start_h), rows(world.draws, year))
    cash = loss.running - loss.payroll
    return yearly(hit.start_h, poor * loss.running, site.years), yearly(hit.start_h, poor * cash, site.years)


def _year(world: World, spans: Spans) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.clip((spans.start_h // HOURS_PER_YEAR).astype(np.intp), 0, world.site.years - 1)


def _by_month(start_h: Floats, values: Floats, years: int) -> Floats:
    """Sum of `values` per simulated month (a twelfth of a year). Shape (12 years,)."""
    month = np.clip((start_h // (HOURS_PER_YEAR / 12.0)).astype(np.intp), 0, 12 * years - 1)
    return np.bincount(month, weights=values, minlength=12 * years)
