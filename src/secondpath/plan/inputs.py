"""A whole plan as the arithmetic sees it: what `form` has read, checked and filled up from a profile."""

from dataclasses import dataclass, field

from secondpath.plan.causes import Prior
from secondpath.plan.data_use import DataPlan
from secondpath.plan.deadlines import Deadline
from secondpath.plan.estimate import Estimate
from secondpath.plan.hours import Season, Week
from secondpath.plan.options import Price
from secondpath.plan.paths import Path
from secondpath.plan.people import Workplace
from secondpath.plan.voice import Codec


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a connection really delivered at its worst tenth of the time, measured."""

    down_bps: float
    up_bps: float
    delay_s: float
    loss_ratio: float


@dataclass(frozen=True, slots=True)
class Uplink:
    """One connection: what it is, what it promises, what it delivered, what it costs."""

    key: str
    technology: str
    path: Path
    down_bps: float
    up_bps: float
    price: Price
    data_plan: DataPlan
    delivered: Delivered | None = None
    support_phone: str = ""
    support_account: str = ""
    repair_h: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One option as written: which uplinks back the first one up, and how they are looked after."""

    key: str
    title: str
    backups: tuple[str, ...]
    by_hand: bool
    monitored: bool
    drills_per_year: float
    yearly_usd: float
    drills_passed: int = 0
    drills_failed: int = 0


@dataclass(frozen=True, slots=True)
class Application:
    """Something people use: `use` names a row of the rate table; `active_ratio` of `users` are busy at once."""

    key: str
    title: str
    use: str
    users: int
    active_ratio: float
    critical: bool


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """The UPS and how mains outages count. `usd_per_wh_year`: price of battery, to choose a size.

    `one_switch`: one switch or access point carries everybody, so its failure stops the office.
    """

    ups_wh: float
    load_w: float
    lithium: bool
    major_events: bool
    gateway_spare: bool
    one_switch: bool
    usd_per_wh_year: float
    measured_runtime_h: float | None = None
    utility_outages_per_year: float | None = None
    utility_hours_per_year: float | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """What only the owner can say: an unacceptable loss, an unacceptable duration, and how likely it may be."""

    unacceptable_usd: float
    longest_h: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Telephones:
    """Calls as traffic."""

    per_h: float
    season_factor: float
    handling_s: float
    phones: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class Plan:
    """All inputs of one office."""

    profile: str
    name: str
    timezone: str
    week: Week
    seasons: tuple[Season, ...]
    workplace: Workplace
    deadlines: tuple[Deadline, ...]
    uplinks: tuple[Uplink, ...]
    choices: tuple[Choice, ...]
    applications: tuple[Application, ...]
    telephones: Telephones
    power: PowerFacts
    owner: Owner
    contact_name: str = ""
    contact_phone: str = ""

    @property
    def primary(self) -> Uplink:
        """The connection the office has: the first one written."""
        return self.uplinks[0]

    def uplink(self, key: str) -> Uplink:
        """The uplink with that key; KeyError if there is none (the form has checked)."""
        return next(u for u in self.uplinks if u.key == key)


@dataclass(frozen=True, slots=True)
class Rate:
    """Traffic of one user of something, in bits a second: what still works, and ordinary work."""

    key: str
    title: str
    least_down_bps: float
    least_up_bps: float
    full_down_bps: float
    full_up_bps: float
    grade: str
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A number of the model itself, with its source."""

    key: str
    title: str
    estimate: Estimate
    grade: str
    source: str
    checked_on: str

    @property
    def value(self) -> float:
        """The likely value."""
        return self.estimate.likely


@dataclass(frozen=True, slots=True)
class Source:
    """Where numbers come from."""

    key: str
    title: str
    where: str
    grade: str
    checked_on: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything that ships with the planner: priors, rates, shares, standing numbers and their sources."""

    priors: dict[str, Prior]
    batteries_h: dict[str, float]
    rates: dict[str, Rate]
    shares: dict[str, dict[str, float]]
    standing: dict[str, Standing]
    sources: dict[str, Source]
    cites: dict[str, dict[str, str]] = field(default_factory=dict)

    def number(self, key: str) -> float:
        """A standing number by key."""
        return self.standing[key].value

    def shares_of(self, technology: str) -> dict[str, float]:
        """Share of downtime by element for a technology: passive optical, other wired, or radio."""
        if technology in {"fibre", "fibre-sla"}:
            return self.shares["passive"]
        return self.shares["wired" if technology in {"cable", "dsl"} else "radio"]
