"""What a metered backup uses in a month, and when its allowance would be gone."""

from dataclasses import dataclass

import numpy as np

from secondpath.plan.data_use import (
    ProbeTraffic,
    hours_until_limit,
    outage_gb,
    overage_usd,
    standing_gb,
)
from secondpath.plan.inputs import Shelf, Uplink
from secondpath.plan.options import Lived
from secondpath.plan.sizing import Sizing

DRILL_S = 600.0


@dataclass(frozen=True, slots=True)
class DataUse:
    """A metered backup's month: gigabytes without outages, expected, at the 90th and 99th percentile; when it ends."""

    uplink: str
    allowance_gb: float | None
    standing_gb: float
    expected_gb: float
    p90_gb: float
    p99_gb: float
    full_day_gb: float
    hours_until_limit: float | None
    day_of_limit: int | None
    overage_usd: float


def probes_of(shelf: Shelf) -> tuple[ProbeTraffic, ...]:
    """The standing tests of a metered uplink."""
    return (
        ProbeTraffic("ping", shelf.number("probe_icmp_bytes"), 10.0),
        ProbeTraffic("name lookup", shelf.number("probe_dns_bytes"), 30.0),
        ProbeTraffic("web request", shelf.number("probe_https_bytes"), 900.0),
    )


def month_of(uplink: Uplink, day_h: float, shelf: Shelf, sizing: Sizing, one: Lived) -> DataUse:
    """The month of one backup under one option: tests all month, drills, and the simulated hours on backup."""
    care = one.option.care
    mean_bps = sizing.mean_bps(shelf.number("mean_share"))
    tests = probes_of(shelf) if care.monitored else ()
    still_gb = standing_gb(tests, care.drills_per_year / 12.0, DRILL_S, shelf.number("drill_bps"))
    months = still_gb + outage_gb(mean_bps, 1.0) * one.month_on_backup_open_h
    left_h = hours_until_limit(uplink.data_plan, mean_bps, still_gb)
    p99 = float(np.percentile(months, 99.0))
    return DataUse(
        uplink=uplink.key,
        allowance_gb=uplink.data_plan.allowance_gb,
        standing_gb=still_gb,
        expected_gb=float(months.mean()),
        p90_gb=float(np.percentile(months, 90.0)),
        p99_gb=p99,
        full_day_gb=outage_gb(mean_bps, day_h),
        hours_until_limit=left_h,
        day_of_limit=None if left_h is None else 1 + int(left_h // day_h),
        overage_usd=overage_usd(uplink.data_plan, p99),
    )
