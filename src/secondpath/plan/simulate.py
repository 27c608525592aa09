"""Years of outages drawn from what is believed: the tails and the business hours that no closed form gives.

Each simulated year draws its parameters (what we do not know) and then its events (chance), so the result is the
predictive distribution. Every stream is drawn by name: two options differ only in what differs between them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from secondpath.plan.causes import HOURS_PER_YEAR, Cause, Prior, Structure
from secondpath.plan.duration import Duration
from secondpath.plan.estimate import Floats, stream
from secondpath.plan.spans import Spans, arrivals, merged, no_spans, overlap, union

HELD_YEARS = 5  # one belief lasts about as long as the equipment bought on it


def blocks(years: int) -> int:
    """How many different beliefs so many simulated years are drawn from."""
    return -(-years // HELD_YEARS)


def held(values: Floats, years: int) -> Floats:
    """One value per belief spread over its years. Shape (years,)."""
    return np.repeat(values, HELD_YEARS)[:years]


@dataclass(frozen=True, slots=True)
class Outages:
    """Outages of one thing over all years.

    `mark` in 0..1 is drawn once per outage and says, for any split of the cause into elements, which element failed.
    """

    spans: Spans
    mark: Floats

    def marked_below(self, share: float) -> Spans:
        """The outages whose cause lies in the first `share` of the elements."""
        return self.spans.chosen(self.mark < share)


@lru_cache(maxsize=48)
def outages_of(prior: Prior, seed: int, key: str, years: int) -> Outages:
    """`years` years of outages of a thing of that class; `key` names the thing.

    What we do not know stays the same for HELD_YEARS in a row: an office with a bad line has it until it is changed.
    Kept, because the page asks for the same outages at every keystroke; nobody may write into what is returned.
    """
    rng = stream(seed, key)
    rate, log_median = _beliefs(prior, rng, years)
    return _outages(rng, held(rate, years), held(log_median, years), prior.sigma, prior.cap_h)


def believed_h(prior: Prior, seed: int, key: str, years: int) -> Floats:
    """Rate times median of every belief that `outages_of` draws with the same key.

    How bad the thing is believed to be.
    """
    rate, log_median = _beliefs(prior, stream(seed, key), years)
    return np.asarray(rate * np.exp(log_median))


def _beliefs(prior: Prior, rng: np.random.Generator, years: int) -> tuple[Floats, Floats]:
    rate = rng.gamma(prior.shape, 1.0 / prior.years, blocks(years))
    return rate, np.log(prior.median_h) + prior.median_log_sd * rng.standard_normal(blocks(years))


def outages_at(rate_per_year: float, duration: Duration, seed: int, key: str, years: int) -> Outages:
    """`years` years of outages with known rate and duration."""
    log_median = np.full(years, np.log(duration.median_h))
    return _outages(stream(seed, key), np.full(years, rate_per_year), log_median, duration.sigma, duration.cap_h)


def _outages(rng: np.random.Generator, rate: Floats, log_median: Floats, sigma: float, cap_h: float) -> Outages:
    year = np.repeat(np.arange(rate.size), rng.poisson(rate))
    start_h = (year + rng.random(year.size)) * HOURS_PER_YEAR
    length_h = np.minimum(np.exp(log_median[year] + sigma * rng.standard_normal(year.size)), cap_h)
    mark = rng.random(year.size)
    order = np.argsort(start_h, kind="stable")
    start_h, length_h, mark = start_h[order], length_h[order], mark[order]
    keep = arrivals(start_h, length_h)
    return Outages(Spans(start_h[keep], start_h[keep] + length_h[keep]), mark[keep])


@lru_cache(maxsize=48)
def dead_spans(
    per_year: float, seen_ratio: float, drills_per_year: float, wait_h: float, seed: int, key: str, years: int
) -> Spans:
    """Times at which a backup lies dead without anybody knowing, or while it is repaired.

    A share `seen_ratio` shows at once and takes `wait_h` (notice and repair); the rest waits for the next drill first.
    Drills fall on equal parts of the year, so that a denser schedule is never later than a sparser one it divides.
    """
    rng = stream(seed, key)
    start_h = np.sort(rng.random(rng.poisson(per_year * years))) * years * HOURS_PER_YEAR
    every_h = HOURS_PER_YEAR / max(drills_per_year, 1.0)
    to_drill_h = np.ceil(start_h / every_h) * every_h - start_h
    length_h = np.where(rng.random(start_h.size) < seen_ratio, 0.0, to_drill_h) + wait_h
    return merged(start_h, start_h + length_h)


def offline_spans(streams: tuple[tuple[Cause, Spans], ...], structure: Structure) -> Spans:
    """When a structure is offline, given when each of its causes was active."""
    local = union(*(spans for cause, spans in streams if cause.hits & structure.local))
    uplinks: Spans | None = None
    for thing in sorted(structure.uplinks):
        down = union(*(spans for cause, spans in streams if thing in cause.hits))
        uplinks = down if uplinks is None else overlap(uplinks, down)
    return union(local, uplinks or no_spans())


def yearly(start_h: Floats, values: Floats, years: int) -> Floats:
    """Sum of `values` per simulated year, by the year in which each starts. Shape (years,)."""
    year = np.clip((start_h // HOURS_PER_YEAR).astype(np.intp), 0, years - 1)
    return np.bincount(year, weights=values, minlength=years).astype(np.float64)


def yearly_max(start_h: Floats, values: Floats, years: int) -> Floats:
    """Largest of `values` (each at least 0) per simulated year. Shape (years,)."""
    year = np.clip((start_h // HOURS_PER_YEAR).astype(np.intp), 0, years - 1)
    largest = np.zeros(years)
    np.maximum.at(largest, year, values)
    return largest
