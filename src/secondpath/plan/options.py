"""The choices before the office, each lived through the same simulated years: what it costs, what it leaves.

An option is a set of backups behind the primary uplink. Coverage (does the switch work) and hidden death of the backup
are simulated as events like any outage, because they matter more than the backup's own uptime.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from secondpath.plan.causes import Prior
from secondpath.plan.duration import Duration
from secondpath.plan.estimate import Estimate, Floats
from secondpath.plan.failover import Coverage
from secondpath.plan.money import recovery_factor
from secondpath.plan.paths import Element

MOST_BACKUPS = 4
MANUAL = Duration(0.6, 0.5)  # hours a person takes to switch by hand, counted in business hours


class Kind(StrEnum):
    """How a backup takes over."""

    AUTOMATIC = "automatic"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup uplink in an option. `shared` lists the primary's elements whose failure takes it down too."""

    key: str
    prior: Prior
    shared: frozenset[Element]
    shared_ratio: float
    battery_h: float | None
    quality: Estimate
    kind: Kind = Kind.AUTOMATIC


@dataclass(frozen=True, slots=True)
class Care:
    """How a backup is looked after: continuous through-path tests or not, drills a year, and what drills have shown."""

    monitored: bool
    drills_per_year: float
    coverage: Coverage
    switch_s: float
    hidden_per_year: float
    seen_ratio: float
    notice_h: float
    repair_h: float


@dataclass(frozen=True, slots=True)
class Price:
    """What an option costs in dollars: monthly, once (contract), once (equipment), and each year by hand."""

    monthly_usd: float = 0.0
    setup_usd: float = 0.0
    equipment_usd: float = 0.0
    yearly_usd: float = 0.0

    def per_year_usd(self, interest_ratio: float, contract_years: float, hardware_years: float) -> float:
        """One year with everything spread: 12 MRC + setup CRF + equipment CRF + upkeep."""
        setup = self.setup_usd * recovery_factor(interest_ratio, contract_years)
        equipment = self.equipment_usd * recovery_factor(interest_ratio, hardware_years)
        return 12.0 * self.monthly_usd + setup + equipment + self.yearly_usd

    @property
    def first_usd(self) -> float:
        """What is paid before the first month."""
        return self.setup_usd + self.equipment_usd


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `wanting`: reasons for which it must not be recommended whatever it costs (empty: none)."""

    key: str
    title: str
    backups: tuple[Backup, ...]
    care: Care
    price: Price
    yearly_cost_usd: float
    wanting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lived:
    """What the simulated years brought under one option; arrays have shape (years,), the monthly one (12 years,)."""

    option: Option
    loss_usd: Floats
    cash_usd: Floats
    open_down_h: Floats
    down_h: Floats
    outages: Floats
    longest_open_h: Floats
    on_backup_open_h: Floats
    on_backup_h: Floats
    month_on_backup_open_h: Floats

    @property
    def total_usd(self) -> Floats:
        """Cost and loss of each year."""
        return self.option.yearly_cost_usd + self.loss_usd

    @property
    def mean_loss_usd(self) -> float:
        """Expected loss of a year."""
        return float(self.loss_usd.mean())

    @property
    def mean_total_usd(self) -> float:
        """Expected cost and loss of a year."""
        return self.option.yearly_cost_usd + self.mean_loss_usd

    def chance_longer(self, open_h: float) -> float:
        """P(some outage of more than `open_h` business hours in a year)."""
        return float(np.mean(self.longest_open_h > open_h))

    def loss_percentile_usd(self, percent: float) -> float:
        """The loss that so many percent of the years stay under."""
        return float(np.percentile(self.loss_usd, percent))
