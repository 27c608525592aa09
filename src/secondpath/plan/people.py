"""Who works in the office and what an outage does to their work: the inputs of the impact review."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from secondpath.plan.estimate import Estimate, Floats, stream

LOADED_FACTOR = 1.0 / 0.702  # BLS ECEC June 2025: wages are 70.2 % of what an hour of work costs


@dataclass(frozen=True, slots=True)
class Billing:
    """What a billable hour brings in: dollars an hour, share of time billed, share of that collected."""

    usd_per_h: Estimate
    utilisation: Estimate
    realisation: Estimate


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of staff. Ratios 0..1.

    `present`: share at their desks; `stops`: share of their work that needs the internet (kappa); `aside_first` and
    `aside_later`: share of that which can be filled with other work at first and after a while (phi0, phiInf), fading
    with `aside_fade_h` (tau). `billing` None: valued at loaded cost. `overtime_ratio`: share of these
    people who are paid extra for extra hours.
    """

    key: str
    title: str
    count: int
    loaded_usd_per_h: Estimate
    present: Estimate
    stops: Estimate
    aside_first: Estimate
    aside_later: Estimate
    aside_fade_h: Estimate
    billing: Billing | None = None
    overtime_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Callers who do not get through, and do not try again. `season_factor` multiplies the calls in a season."""

    per_h: Estimate
    missed: Estimate
    no_retry: Estimate
    margin_usd: Estimate
    season_factor: Estimate


@dataclass(frozen=True, slots=True)
class Sales:
    """Card payments, bookings, filings: some are abandoned (margin lost), some only delayed (cost of the delay)."""

    per_h: Estimate
    abandoned: Estimate
    margin_usd: Estimate
    delayed: Estimate
    delay_usd: Estimate
    season_factor: Estimate


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Work made up later: share at first in an ordinary week and in a season (rho0), fading with `fade_h` (D_r)."""

    ordinary: Estimate
    season: Estimate
    fade_h: Estimate


@dataclass(frozen=True, slots=True)
class Upset:
    """What every real outage costs besides: restarting work, managing it, calling someone."""

    restart_h: Estimate
    manage_first_h: Estimate
    manage_share: Estimate
    manager_usd_per_h: Estimate
    call_out_usd: Estimate


@dataclass(frozen=True, slots=True)
class Workplace:
    """All that the impact of an outage depends on."""

    roles: tuple[Role, ...]
    calls: Calls
    sales: Sales
    catch_up: CatchUp
    upset: Upset

    @property
    def headcount(self) -> int:
        """People in all roles."""
        return sum(role.count for role in self.roles)


Draws = dict[str, Floats]


def estimates(part: object, path: str = "") -> Iterator[tuple[str, Estimate]]:
    """Every estimate inside a workplace with its path, such as `role.staff.stops` or `calls.no_retry`."""
    if isinstance(part, Estimate):
        yield path, part
    elif isinstance(part, tuple):
        for role in part:
            yield from estimates(role, f"role.{role.key}")
    elif is_dataclass(part):
        for field in fields(part):
            name = field.name if field.name != "roles" else ""
            yield from estimates(getattr(part, field.name), ".".join(filter(None, (path, name))))


def draw_workplace(workplace: Workplace, seed: int, count: int) -> Draws:
    """`count` draws of every estimate, each from its own stream, so that common draws serve all options."""
    return {path: estimate.draw(stream(seed, path), count) for path, estimate in estimates(workplace)}


def rows(draws: Draws, index: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Draws:
    """The draws of chosen rows, such as the simulated year of each outage."""
    return {path: values[index] for path, values in draws.items()}
