"""Live one office's simulated years under each option, with the same outages, the same luck and the same people."""

import numpy as np

from secondpath.plan.causes import HOURS_PER_YEAR
from secondpath.plan.estimate import Floats, stream
from secondpath.plan.impact import loss_of
from secondpath.plan.options import Lived, Option
from secondpath.plan.people import Draws, Workplace, draw_workplace, rows
from secondpath.plan.simulate import HELD_YEARS, believed_h, blocks, held, yearly, yearly_max
from secondpath.plan.timeline import Site, TimeLine, time_line, year_of


def draw_people(workplace: Workplace, site: Site) -> Draws:
    """The draws of people and calls for every simulated year, one belief held for several years."""
    drawn = draw_workplace(workplace, site.seed, blocks(site.years))
    return {path: held(values, site.years) for path, values in drawn.items()}


def belief_scores(site: Site, workplace: Workplace, draws: Draws) -> Floats:
    """How costly each belief expects the primary to be: rate, median and the cost of two hours. Shape (beliefs,)."""
    once = {path: values[::HELD_YEARS] for path, values in draws.items()}
    two_h = loss_of(workplace, np.full(1, 2.0), np.zeros(1), once).total
    return np.asarray(believed_h(site.primary, site.seed, "uplink:primary", site.years) * two_h)


def live(site: Site, workplace: Workplace, draws: Draws, option: Option) -> Lived:
    """The years of a site under `option`; `draws` come from `draw_people`."""
    line, years = time_line(site, option.backups, option.care), site.years
    offline, carried = line.offline, line.carried
    loss, cash = _losses(site, workplace, draws, line)
    rough, rough_cash = _rough_losses(site, workplace, draws, option, line)
    return Lived(
        option=option,
        loss_usd=loss + rough,
        cash_usd=cash + rough_cash,
        open_down_h=yearly(offline.start_h, line.offline_open_h, years),
        down_h=yearly(offline.start_h, offline.length_h, years),
        outages=yearly(offline.start_h, np.ones(offline.start_h.size), years),
        longest_open_h=yearly_max(offline.start_h, line.offline_open_h, years),
        on_backup_open_h=yearly(carried.start_h, line.carried_open_h, years),
        on_backup_h=yearly(carried.start_h, carried.length_h, years),
        month_on_backup_open_h=_by_month(carried.start_h, line.carried_open_h, years),
    )


def _losses(site: Site, workplace: Workplace, draws: Draws, line: TimeLine) -> tuple[Floats, Floats]:
    """Loss in the capacity and cash view per year."""
    hit = line.offline_open_h > 0
    spans = line.offline.chosen(hit)
    drawn = rows(draws, year_of(site, spans))
    loss = loss_of(workplace, line.offline_open_h[hit], line.offline_season[hit], drawn)
    return yearly(spans.start_h, loss.total, site.years), yearly(spans.start_h, loss.cash, site.years)


def _rough_losses(
    site: Site, workplace: Workplace, draws: Draws, option: Option, line: TimeLine
) -> tuple[Floats, Floats]:
    """What poorer quality on the backup costs: (1 - quality) of the running loss of the hours carried."""
    if not option.backups or any(backup.quality.low >= 1.0 for backup in option.backups):
        return np.zeros(site.years), np.zeros(site.years)
    hit = line.carried_open_h > 0
    spans = line.carried.chosen(hit)
    year = year_of(site, spans)
    best = max(option.backups, key=lambda backup: backup.quality.mean)
    quality = best.quality.draw(stream(site.seed, f"quality:{best.key}"), blocks(site.years))
    poor = 1.0 - held(quality, site.years)[year]
    loss = loss_of(workplace, line.carried_open_h[hit], line.carried_season[hit], rows(draws, year))
    running, cash = poor * loss.running, poor * (loss.running - loss.payroll)
    return yearly(spans.start_h, running, site.years), yearly(spans.start_h, cash, site.years)


def _by_month(start_h: Floats, values: Floats, years: int) -> Floats:
    """Sum of `values` per simulated month (a twelfth of a year). Shape (12 years,)."""
    month = np.clip((start_h // (HOURS_PER_YEAR / 12.0)).astype(np.intp), 0, 12 * years - 1)
    return np.bincount(month, weights=values, minlength=12 * years).astype(np.float64)
