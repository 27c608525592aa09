"""Gigabytes of a month on a metered backup: probes, drills, and the hours the office lived on it."""

from dataclasses import dataclass

GB_PER_MBPS_H = 0.45  # 1 Mbit/s for 1 h = 3600 Mbit = 450 MB
_MONTH_S = 30.4375 * 86_400


@dataclass(frozen=True, slots=True)
class ProbeTraffic:
    """A probe of `size_bytes` both ways together, every `every_s` seconds, all month."""

    name: str
    size_bytes: float
    every_s: float

    @property
    def month_bytes(self) -> float:
        """Bytes in a mean month."""
        return self.size_bytes * _MONTH_S / self.every_s


@dataclass(frozen=True, slots=True)
class DataPlan:
    """What a metered plan allows; None where it has no such limit.

    `beyond_usd_per_gb` and `throttle_bps` apply past it.
    """

    allowance_gb: float | None = None
    allowance_h: float | None = None
    throttle_bps: float | None = None
    beyond_usd_per_gb: float | None = None


def outage_gb(total_bps: float, hours: float) -> float:
    """Gigabytes (10^9 bytes) that a mean total rate, both directions added, uses in so many hours."""
    return GB_PER_MBPS_H * total_bps / 1e6 * hours


def standing_gb(probes: tuple[ProbeTraffic, ...], drills: float, drill_s: float, drill_bps: float) -> float:
    """Gigabytes of a month without any outage: probes all month, and `drills` of `drill_s` at `drill_bps`."""
    return sum(p.month_bytes for p in probes) / 1e9 + drills * outage_gb(drill_bps, drill_s / 3600.0)


def overage_usd(plan: DataPlan, used_gb: float) -> float:
    """Dollars beyond the allowance; 0 when the plan stops or throttles instead."""
    if plan.allowance_gb is None or plan.beyond_usd_per_gb is None:
        return 0.0
    return max(used_gb - plan.allowance_gb, 0.0) * plan.beyond_usd_per_gb


def hours_until_limit(plan: DataPlan, total_bps: float, used_gb: float = 0.0) -> float | None:
    """Hours on backup until the first limit of the plan bites; None if it never does."""
    limits = []
    if plan.allowance_gb is not None and total_bps > 0:
        limits.append(max(plan.allowance_gb - used_gb, 0.0) / outage_gb(total_bps, 1.0))
    if plan.allowance_h is not None:
        limits.append(plan.allowance_h)
    return min(limits) if limits else None
