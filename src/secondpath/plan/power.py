"""How long the UPS lasts and how long it should last."""

from dataclasses import dataclass

from secondpath.plan.duration import Duration

_FULL_RATE_H = ((10.0, 1.0), (2.0, 0.75), (0.75, 0.6), (0.0, 0.5))  # lead-acid: the faster drained, the less comes out
_LITHIUM_RATE = 0.95


@dataclass(frozen=True, slots=True)
class Battery:
    """A UPS battery: `energy_wh` = volts times amp-hours; ratios 0..1. `age_ratio` 1 new, 0.8 at end of life."""

    energy_wh: float
    efficiency_ratio: float = 0.85
    discharge_ratio: float = 0.9
    age_ratio: float = 0.8
    lithium: bool = False


def usable_wh(battery: Battery, rate_ratio: float) -> float:
    """Watt-hours that reach the load at a discharge-rate factor, before age."""
    return battery.energy_wh * battery.efficiency_ratio * battery.discharge_ratio * rate_ratio


def runtime_h(battery: Battery, load_w: float) -> float:
    """Hours on battery. The rate factor depends on the runtime, so solve, update the class, repeat to a fixed point.

    Between two classes there may be no fixed point; then the slower answer (the shorter runtime) is returned.
    Raises ValueError for a load of 0 W or less.
    """
    if load_w <= 0:
        raise ValueError(f"a runtime needs a load above 0 W, got {load_w}")
    if battery.lithium:
        return usable_wh(battery, _LITHIUM_RATE) * battery.age_ratio / load_w
    rate = 0.75
    seen: dict[float, float] = {}
    while rate not in seen:
        seen[rate] = usable_wh(battery, rate) * battery.age_ratio / load_w
        rate = rate_ratio(seen[rate])
    return seen[rate] if len(seen) == 1 else min(seen[rate], list(seen.values())[-1])


def rate_ratio(hours: float) -> float:
    """Share of the rated capacity that a lead-acid battery yields when drained in so many hours."""
    return next(ratio for at_least, ratio in _FULL_RATE_H if hours >= at_least)


def needed_va(load_w: float, power_factor: float = 0.6) -> float:
    """Apparent power to buy, with a quarter of head room."""
    return 1.25 * load_w / power_factor


@dataclass(frozen=True, slots=True)
class Mains:
    """The mains supply as seen by the office: (failures a year, duration) streams."""

    streams: tuple[tuple[float, Duration], ...]

    def dark_h_per_year(self, runtime_h: float) -> float:
        """Hours a year that outlast a battery of `runtime_h`: the sum of rate times E[(D - R)+]."""
        return sum(rate * duration.stop_loss_h(runtime_h) for rate, duration in self.streams)


@dataclass(frozen=True, slots=True)
class UpsChoice:
    """One battery size on offer and what it costs and leaves."""

    runtime_h: float
    yearly_usd: float
    dark_h_per_year: float
    loss_usd: float

    @property
    def total_usd(self) -> float:
        """Cost and remaining loss of a year."""
        return self.yearly_usd + self.loss_usd


def best_ups(
    mains: Mains, offers: tuple[tuple[float, float], ...], usd_per_dark_h: float, useful_h: float
) -> tuple[UpsChoice, ...]:
    """All offers (runtime hours, dollars a year), cheapest in total first.

    Runtime beyond `useful_h` buys nothing: by then the carrier's own street or tower battery is empty as well.
    """
    choices = []
    for hours, yearly_usd in offers:
        dark_h = mains.dark_h_per_year(min(hours, useful_h))
        choices.append(UpsChoice(hours, yearly_usd, dark_h, dark_h * usd_per_dark_h))
    return tuple(sorted(choices, key=lambda choice: choice.total_usd))
