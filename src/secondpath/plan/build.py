"""From what people wrote to what the model wants: a site and its options."""

import math
from dataclasses import replace

from secondpath.plan.causes import Prior
from secondpath.plan.estimate import Estimate
from secondpath.plan.failover import Coverage
from secondpath.plan.hours import business_clock
from secondpath.plan.inputs import Choice, Plan, Shelf, Uplink
from secondpath.plan.learn import Learned
from secondpath.plan.options import Backup, Care, Kind, Option, Price
from secondpath.plan.paths import Element, Finding, audit, beta, shared_elements
from secondpath.plan.power import Battery, runtime_h
from secondpath.plan.sizing import Fit
from secondpath.plan.timeline import Site

_RADIO = frozenset({"cellular", "cellular-marginal", "fixed-wireless", "satellite"})


def prior_of(key: str, technology: str, shelf: Shelf, learned: dict[str, Learned]) -> Prior:
    """The belief about an uplink: its class, or what its own record has made of it."""
    return learned[key].prior if key in learned else shelf.priors[technology]


def site_of(plan: Plan, shelf: Shelf, years: int, seed: int, learned: dict[str, Learned]) -> Site:
    """What all options of this office share."""
    primary = plan.primary
    shares = shelf.shares_of(primary.technology)
    spare = "gateway-hardware-spare" if plan.power.gateway_spare else "gateway-hardware"
    gear = ("switch",) if plan.power.one_switch else ()
    return Site(
        primary=prior_of(primary.key, primary.technology, shelf, learned),
        elements=tuple((element, shares.get(element.value, 0.0)) for element in Element),
        primary_battery_h=shelf.batteries_h.get(primary.technology),
        local=tuple(shelf.priors[key] for key in ("gateway-software", spare, *gear)),
        mains=mains_of(plan, shelf),
        ups_h=ups_h(plan, shelf),
        clock=business_clock(plan.week, plan.seasons),
        years=years,
        seed=seed,
    )


def mains_of(plan: Plan, shelf: Shelf) -> tuple[Prior, ...]:
    """The mains supply.

    The utility's own figures where they are known, and major events only if the office counts them.
    """
    ordinary, facts = shelf.priors["power-ordinary"], plan.power
    if facts.utility_outages_per_year is not None:
        ordinary = replace(ordinary, years=ordinary.shape / facts.utility_outages_per_year)
    if facts.utility_hours_per_year is not None:
        mean_h = facts.utility_hours_per_year / ordinary.rate_per_year
        spread = 0.5 * (ordinary.sigma**2 + ordinary.median_log_sd**2)
        ordinary = replace(ordinary, median_h=mean_h / math.exp(spread))
    return (ordinary, shelf.priors["power-major"]) if facts.major_events else (ordinary,)


def ups_h(plan: Plan, shelf: Shelf) -> float:
    """Hours the office's network stays up without mains, at the battery's end of life; a measurement comes first."""
    facts = plan.power
    if facts.measured_runtime_h is not None:
        return facts.measured_runtime_h
    if facts.ups_wh <= 0:
        return 0.0
    return runtime_h(battery_of(plan, shelf, facts.ups_wh), facts.load_w)


def battery_of(plan: Plan, shelf: Shelf, energy_wh: float) -> Battery:
    """A battery of that size with the shelf's efficiencies, at its end of life."""
    return Battery(
        energy_wh,
        shelf.number("ups_efficiency"),
        shelf.number("ups_discharge"),
        shelf.number("ups_end_of_life"),
        plan.power.lithium,
    )


def options_of(plan: Plan, shelf: Shelf, fits: tuple[Fit, ...], learned: dict[str, Learned]) -> tuple[Option, ...]:
    """Every written choice as an option of the model."""
    return tuple(_option(plan, choice, shelf, {f.uplink: f for f in fits}, learned) for choice in plan.choices)


def _option(plan: Plan, choice: Choice, shelf: Shelf, fits: dict[str, Fit], learned: dict[str, Learned]) -> Option:
    uplinks = [plan.uplink(key) for key in choice.backups]
    price = _price(uplinks, choice)
    yearly = price.per_year_usd(
        shelf.number("interest"), shelf.number("contract_years"), shelf.number("hardware_years")
    )
    backups = tuple(_backup(plan, uplink, choice, shelf, learned) for uplink in uplinks)
    return Option(choice.key, choice.title, backups, care_of(choice, shelf), price, yearly, _too_small(choice, fits))


def _price(uplinks: list[Uplink], choice: Choice) -> Price:
    return Price(
        monthly_usd=sum(u.price.monthly_usd for u in uplinks),
        setup_usd=sum(u.price.setup_usd for u in uplinks),
        equipment_usd=sum(u.price.equipment_usd for u in uplinks),
        yearly_usd=choice.yearly_usd,
    )


def _too_small(choice: Choice, fits: dict[str, Fit]) -> tuple[str, ...]:
    """A backup that is too small for critical work must not be advised; one link of several that fits is enough."""
    if not choice.backups or any(fits[key].carries_critical for key in choice.backups):
        return ()
    return ("too small for the critical work at its worst tenth",)


def care_of(choice: Choice, shelf: Shelf) -> Care:
    """How the option is looked after. A telephone in daily use has no hidden failures."""
    start = Coverage(shelf.number("coverage_good"), shelf.number("coverage_bad"))
    return Care(
        monitored=choice.monitored,
        drills_per_year=choice.drills_per_year,
        coverage=start.after(choice.drills_passed, choice.drills_failed),
        switch_s=shelf.number("switch_s"),
        hidden_per_year=0.0 if choice.by_hand else shelf.number("hidden_per_year"),
        seen_ratio=shelf.number("seen_ratio"),
        notice_h=shelf.number("notice_h"),
        repair_h=shelf.number("hidden_repair_h"),
    )


def findings_of(plan: Plan, uplink: Uplink, shelf: Shelf) -> tuple[Finding, ...]:
    """The path audit of one backup against the primary."""
    return audit(plan.primary.path, uplink.path, shelf.shares_of(plan.primary.technology))


def _backup(plan: Plan, uplink: Uplink, choice: Choice, shelf: Shelf, learned: dict[str, Learned]) -> Backup:
    found = findings_of(plan, uplink, shelf)
    return Backup(
        key=uplink.key,
        prior=prior_of(uplink.key, uplink.technology, shelf, learned),
        shared=shared_elements(found),
        shared_ratio=beta(found),
        battery_h=shelf.batteries_h.get(uplink.technology),
        quality=quality_of(uplink.technology, shelf),
        kind=Kind.BY_HAND if choice.by_hand else Kind.AUTOMATIC,
    )


def quality_of(technology: str, shelf: Shelf) -> Estimate:
    """Share of ordinary work that is possible on a backup of that technology."""
    kind = "hotspot" if technology == "hotspot" else "cellular" if technology in _RADIO else "wired"
    return shelf.standing[f"quality_{kind}"].estimate
