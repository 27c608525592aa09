"""What becomes of a class on an uplink: all it wants, a small share, or nothing. Functions of their arguments alone.

A *backup* is every uplink but the office's first, and but the one that a class prefers by the office's own word, where
that is not metered. On a small one restriction beats priority: each new connection sends ten full packets before any
shaper can act, 117 ms of a line of 1 Mbit/s. So the default depends on the rate of the backup towards the office, and
on whether its data costs:

    downlink           guest    bulk, streaming    personal    all others
    < 5 Mbit/s         block    block              limit       keep
    5 to 20            block    limit              limit       keep
    > 20               limit    limit              keep        keep
    metered besides    block    streaming: block   limit       keep

A rate that nobody has told counts as the middle row on a metered backup, and as the last on another. What the office
says of a class (`Policy`) or of an application takes the place of that; but a guest never travels on a metered backup.

The data allowance restrains further, and never less (`Stage`). It is kept where the data runs out, on backups and on
uplinks that are metered; of an ordinary first line it is only told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from secondpath.model import CLASSES, CRITICAL, OFFICE, Application, DataPlan, Lane, Site, Stage, Treatment, Why

SMALL_BPS, LARGE_BPS = 5_000_000, 20_000_000
"""Below the first a backup is small; above the second there is room for everybody."""
KEEP, LIMIT, BLOCK = Treatment.KEEP, Treatment.LIMIT, Treatment.BLOCK
SEVERITY: Mapping[Treatment, int] = {KEEP: 0, LIMIT: 1, BLOCK: 2}

_SMALL = {"guest": BLOCK, "bulk": BLOCK, "streaming": BLOCK, "personal": LIMIT}
_MIDDLE = {"guest": BLOCK, "bulk": LIMIT, "streaming": LIMIT, "personal": LIMIT}
_LARGE = {"guest": LIMIT, "bulk": LIMIT, "streaming": LIMIT}
_METERED = {"guest": BLOCK, "streaming": BLOCK, "personal": LIMIT}
_SQUEEZED = {"guest": BLOCK, "bulk": BLOCK, "streaming": BLOCK, "personal": LIMIT, "office": LIMIT}
_CRITICAL = {name: BLOCK for name in CLASSES if name not in CRITICAL}
_SLOW = {"guest": BLOCK, "bulk": BLOCK, "streaming": BLOCK, "personal": BLOCK, "office": LIMIT}
"""What a plan that is throttled beyond its data has room for (500 to 600 kbit/s, as contracts have it)."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a class on an uplink, and whose word that is: "home", "default", "office" or "allowance"."""

    treatment: Treatment
    by: str


def is_backup(site: Site, uplink: str) -> bool:
    """Whether an uplink is not the office's first."""
    return uplink != site.uplinks[0].name


def fate_of(
    site: Site, traffic_class: str, uplink: str, stage: Stage = Stage.AMPLE, own: Treatment | None = None
) -> Fate:
    """What becomes of a class there. `own` is the treatment that an application of the class has been given."""
    fate = _wanted(site, traffic_class, uplink, own)
    if is_backup(site, uplink) or site.uplink(uplink).metered:
        saving = saved(site.uplink(uplink).plan, stage).get(traffic_class, KEEP)
        if SEVERITY[saving] > SEVERITY[fate.treatment]:
            return Fate(saving, "allowance")
    return fate


def _wanted(site: Site, traffic_class: str, uplink: str, own: Treatment | None) -> Fate:
    policy, metered = site.policy(traffic_class), site.uplink(uplink).metered
    if not is_backup(site, uplink) or (policy.uplinks[:1] == (uplink,) and not metered):
        return Fate(KEEP, "home")
    default = default_of(site, traffic_class, uplink)
    if metered and CLASSES[traffic_class].on_backup is BLOCK:
        return Fate(BLOCK, "default")
    said = own or policy.on.get(uplink) or policy.on_backup
    return Fate(said, "office") if said is not None else Fate(default, "default")


def default_of(site: Site, traffic_class: str, uplink: str) -> Treatment:
    """The table above, for one class on one backup."""
    backup = site.uplink(uplink)
    row = _row(backup.down_bps, metered=backup.metered)
    treatments = [row.get(traffic_class, KEEP)]
    if backup.metered:
        treatments.append(_METERED.get(traffic_class, KEEP))
    return max(treatments, key=lambda t: SEVERITY[t])


def _row(down_bps: int | None, *, metered: bool) -> Mapping[str, Treatment]:
    if down_bps is None:
        return _MIDDLE if metered else _LARGE
    if down_bps < SMALL_BPS:
        return _SMALL
    return _MIDDLE if down_bps <= LARGE_BPS else _LARGE


def saved(plan: DataPlan | None, stage: Stage) -> Mapping[str, Treatment]:
    """How a stage of the allowance restrains each class. Beyond the end a throttled plan costs nothing more."""
    if stage is Stage.SQUEEZED:
        return _SQUEEZED
    if stage is Stage.CRITICAL:
        return _CRITICAL
    if stage is Stage.USED_UP:
        return _SLOW if plan is not None and plan.beyond_bps is not None else _CRITICAL
    return {}


def lane_on(
    site: Site, traffic_class: str, uplink: str, why: Why, stage: Stage = Stage.AMPLE, own: Treatment | None = None
) -> Lane:
    """The lane of a class that would travel there: none where it is blocked."""
    fate = fate_of(site, traffic_class, uplink, stage, own)
    if fate.treatment is BLOCK:
        return Lane(None, Why.SAVING if fate.by == "allowance" else Why.BLOCKED, BLOCK, uplink)
    return Lane(uplink, why, fate.treatment)


def class_name_of(application: Application) -> str:
    """The class of an application."""
    return application.traffic_class or OFFICE.name


@dataclass(frozen=True, slots=True)
class Manner:
    """How a class chooses its uplink: its order of preference, and whether it stays on a line that is merely poor."""

    order: tuple[str, ...]
    stays_if_poor: bool = False


def manner_of(site: Site, traffic_class: str) -> Manner:
    """The manner of a class."""
    policy = site.policy(traffic_class)
    rest = (u.name for u in site.uplinks if u.name not in policy.uplinks)
    return Manner((*policy.uplinks, *rest), policy.stays_if_poor)


def manners_of(site: Site) -> dict[str, Manner]:
    """The manner of every class."""
    return {name: manner_of(site, name) for name in CLASSES}
