"""When the office is offline and when a backup carries it, over all simulated years: no dollars yet.

Kept apart from the dollars because people, calls and prices change with every keystroke of an interview, and the
outages do not: the same site and option give the same time line, so it is drawn once.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from secondpath.plan.causes import HOURS_PER_YEAR, Prior
from secondpath.plan.estimate import Floats, stream
from secondpath.plan.failover import Coverage
from secondpath.plan.hours import BusinessClock
from secondpath.plan.options import MANUAL, MOST_BACKUPS, Backup, Care, Kind
from secondpath.plan.paths import Element
from secondpath.plan.simulate import Outages, blocks, dead_spans, held, outages_of
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
    clock: BusinessClock
    years: int
    seed: int


@dataclass(frozen=True, slots=True)
class World:
    """The drawn years of a site: all outages and luck that no option changes."""

    site: Site
    primary: Outages
    primary_down: Spans
    local_down: Spans
    mains: Spans
    switch_luck: Floats
    switch_open_h: Floats


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Spans offline and spans carried by a backup, with their business hours and seasons (arrays like the spans)."""

    offline: Spans
    offline_open_h: Floats
    offline_season: Floats
    carried: Spans
    carried_open_h: Floats
    carried_season: Floats


@lru_cache(maxsize=4)
def draw_world(site: Site) -> World:
    """All outages of the primary, of power and of local gear."""
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
    )


@lru_cache(maxsize=48)
def time_line(site: Site, backups: tuple[Backup, ...], care: Care) -> TimeLine:
    """The time line of a site with these backups, looked after like this."""
    world = draw_world(site)
    offline = union(world.local_down, _uncarried(world, backups, care))
    carried = without(world.primary_down, offline) if backups else no_spans()
    return TimeLine(
        offline,
        _open_h(site.clock, offline),
        site.clock.season_at(offline.start_h),
        carried,
        _open_h(site.clock, carried),
        site.clock.season_at(carried.start_h),
    )


def _open_h(clock: BusinessClock, spans: Spans) -> Floats:
    return np.asarray(clock.elapsed_h(spans.end_h) - clock.elapsed_h(spans.start_h))


def year_of(site: Site, spans: Spans) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The simulated year in which each span starts."""
    return np.clip((spans.start_h // HOURS_PER_YEAR).astype(np.intp), 0, site.years - 1)


def _behind_battery(mains: Spans, battery_h: float | None) -> Spans:
    """When a connection is down because the carrier's own battery in the street or tower is empty."""
    return no_spans() if battery_h is None else mains.later(battery_h)


def _uncarried(world: World, backups: tuple[Backup, ...], care: Care) -> Spans:
    """When the primary is down and no backup carries the office: all dead, or not (yet) switched."""
    if not backups:
        return world.primary_down
    dead = [_backup_down(world, care, backup) for backup in backups]
    none_left = world.primary_down
    for spans in dead:
        none_left = overlap(none_left, spans)
    return union(none_left, _switching(world, backups, care))


def _backup_down(world: World, care: Care, backup: Backup) -> Spans:
    """When a backup could not carry: its own outages, the primary's shared elements, its battery, its hidden deaths.

    Its own stream is thinned by what it shares with the primary, so that a shared failure is counted once.
    """
    site = world.site
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
    """The primary's outages that began in an element which the backup shares, and the floor of what always is."""
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


def _switching(world: World, backups: tuple[Backup, ...], care: Care) -> Spans:
    """From the start of each primary outage until the office is on a backup.

    A covered switch takes seconds. If every backup refuses, a person switches, in business hours. By hand, a person
    is the only way, and one who cannot do it leaves the office offline to the end.
    """
    down, clock, site = world.primary_down, world.site.clock, world.site
    year = year_of(site, down)
    done_h = clock.moment_h(clock.elapsed_h(down.start_h) + world.switch_open_h)
    quick_h = down.start_h + care.switch_s / 3600.0
    end_h = done_h
    for luck, backup in zip(world.switch_luck, backups, strict=False):
        works = luck < _coverage_by_year(care, backup, site)[year]
        by_hand = backup.kind is Kind.BY_HAND
        end_h = np.where(works, done_h, down.end_h) if by_hand else np.where(works, quick_h, end_h)
    return merged(down.start_h, np.minimum(end_h, down.end_h))


def _coverage_by_year(care: Care, backup: Backup, site: Site) -> Floats:
    """One coverage per belief, by rank: the same luck with more good drills never gives a worse one."""
    grid = (np.arange(200) + 0.5) / 200.0
    rank = stream(site.seed, f"rank:{backup.key}").random(blocks(site.years))
    return held(np.interp(rank, grid, _coverage_quantiles(care.coverage, site.seed)), site.years)


@lru_cache(maxsize=32)
def _coverage_quantiles(coverage: Coverage, seed: int) -> Floats:
    grid = (np.arange(200) + 0.5) / 200.0
    return np.asarray(np.quantile(stream(seed, "coverage").beta(coverage.good, coverage.bad, 4000), grid))
