"""What the gateway has seen, as the planner uses it, and what it changes in a plan."""

from dataclasses import dataclass, field, replace

import numpy as np

from secondpath.plan.estimate import Band, band, exactly
from secondpath.plan.impact import columns, loss_of
from secondpath.plan.inputs import Plan, Shelf
from secondpath.plan.learn import Learned, Record, learned
from secondpath.plan.people import draw_workplace

DROP_H = 2.0 / 60.0  # shorter than two minutes is a drop, counted apart
OUTSIDE_FLAG = 3


@dataclass(frozen=True, slots=True)
class SeenOutage:
    """One outage as measured.

    Hours all told and business hours, and what people reported afterwards (None: not asked).
    """

    uplink: str
    started: str
    hours: float | None
    open_h: float
    in_season: bool
    planned: bool = False
    people_stopped: int | None = None
    calls_missed: int | None = None
    offline: bool = True


@dataclass(frozen=True, slots=True)
class SeenDrill:
    """One drill or real failover of an uplink."""

    uplink: str
    passed: bool
    failover_s: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All records of a file. `watched_years` by uplink, gaps taken out."""

    outages: tuple[SeenOutage, ...] = ()
    drills: tuple[SeenDrill, ...] = ()
    watched_years: dict[str, float] = field(default_factory=dict)
    monthly_counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ups_runtimes_h: tuple[float, ...] = ()
    usage_gb: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ignored: int = 0

    @property
    def drops(self) -> int:
        """Interruptions under two minutes."""
        return sum(1 for o in self.outages if o.hours is not None and o.hours < DROP_H)


@dataclass(frozen=True, slots=True)
class Compared:
    """One real outage: what the plan predicts for its length, and what people reported."""

    outage: SeenOutage
    predicted: Band
    reported_usd: float

    @property
    def outside(self) -> bool:
        """True if the report lies outside P10 to P90."""
        return not self.predicted.p10 <= self.reported_usd <= self.predicted.p90


def record_of(evidence: Evidence, uplink: str) -> Record:
    """The learnable record of one uplink: unplanned outages of two minutes and more."""
    seen = [o for o in evidence.outages if o.uplink == uplink and not o.planned]
    lasting = tuple(o.hours for o in seen if o.hours is not None and o.hours >= DROP_H)
    still_open = sum(1 for o in seen if o.hours is None)
    return Record(lasting, evidence.watched_years.get(uplink, 0.0), still_open, evidence.monthly_counts.get(uplink, ()))


def learned_from(plan: Plan, shelf: Shelf, evidence: Evidence) -> dict[str, Learned]:
    """The beliefs about every uplink that was watched."""
    known = {}
    for uplink in plan.uplinks:
        if evidence.watched_years.get(uplink.key, 0.0) > 0:
            known[uplink.key] = learned(shelf.priors[uplink.technology], record_of(evidence, uplink.key))
    return known


def with_evidence(plan: Plan, evidence: Evidence) -> Plan:
    """The plan with what was measured in place of what was assumed: drills, and the UPS's shortest measured runtime."""
    power = plan.power
    if evidence.ups_runtimes_h:
        power = replace(power, measured_runtime_h=min(evidence.ups_runtimes_h))
    choices = []
    for choice in plan.choices:
        mine = [d for d in evidence.drills if d.uplink in choice.backups]
        passed = sum(d.passed for d in mine)
        choices.append(
            replace(
                choice,
                drills_passed=choice.drills_passed + passed,
                drills_failed=choice.drills_failed + len(mine) - passed,
            )
        )
    return replace(plan, power=power, choices=tuple(choices))


def failover_s(evidence: Evidence) -> tuple[float, float] | None:
    """Measured failover time, median and 95th percentile, in seconds; None without a measurement."""
    times = [d.failover_s for d in evidence.drills if d.failover_s is not None]
    return (float(np.percentile(times, 50)), float(np.percentile(times, 95))) if times else None


def compare(plan: Plan, evidence: Evidence, seed: int) -> tuple[Compared, ...]:
    """Predicted against reported loss of every real outage after which the two questions were answered."""
    draws = draw_workplace(plan.workplace, seed, 4096)
    found = []
    for outage in evidence.outages:
        asked = outage.people_stopped is not None or outage.calls_missed is not None
        if asked and outage.offline and outage.open_h > 0:
            season = np.array([1.0 if outage.in_season else 0.0])
            loss = loss_of(plan.workplace, np.array([outage.open_h]), season, columns(draws))
            found.append(Compared(outage, band(loss.total), _reported_usd(plan, outage)))
    return tuple(found)


def flagged(compared: tuple[Compared, ...]) -> bool:
    """Three outages outside their range say that the profile does not fit this office."""
    return sum(one.outside for one in compared) >= OUTSIDE_FLAG


def _reported_usd(plan: Plan, outage: SeenOutage) -> float:
    """From the two answers: the loss if just these people had stopped and just these callers had been missed."""
    work, people = plan.workplace, plan.workplace.headcount
    share = min(1.0, (outage.people_stopped or 0) / people) if people else 0.0
    roles = tuple(replace(role, stops=exactly(share)) for role in work.roles)
    calls = replace(work.calls, per_h=exactly((outage.calls_missed or 0) / outage.open_h), missed=exactly(1.0))
    told = replace(work, roles=roles, calls=replace(calls, season_factor=exactly(1.0)))
    draws = columns(draw_workplace(told, 1, 1024))
    season = np.array([1.0 if outage.in_season else 0.0])
    return float(np.median(loss_of(told, np.array([outage.open_h]), season, draws).total))
