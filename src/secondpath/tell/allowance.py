"""Sentences about data allowances: how far one is used, and what followed from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from secondpath.model import DataPlan, Site, Stage, Transition
from secondpath.tell.catalogue import ALLOWANCE, BEYOND_THE_DATA, STAGES
from secondpath.tell.figures import day, listed, local, megabytes, share
from secondpath.wire.snapshot import Usage


def usage_text(usage: Usage, plan: DataPlan | None, wall: datetime, timezone: str) -> str:
    """How far an allowance is used, until when, and what that means now: one line of `status`."""
    said = [
        ALLOWANCE["used"].format(
            used=megabytes(usage.used_bytes),
            data=megabytes(usage.data_bytes),
            share=share(usage.used_bytes / usage.data_bytes),
            day=day(local(usage.renews_at, timezone)),
        )
    ]
    if usage.runs_out_at is not None:
        said.append(ALLOWANCE["rate"].format(moment=_clock(usage.runs_out_at, wall, timezone)))
    if usage.lifted:
        said.append(ALLOWANCE["lifted"])
    elif restrained := restraint(usage.stage, plan):
        said.append(restrained)
    return "; ".join(said)


def restraint(stage: Stage, plan: DataPlan | None) -> str:
    """What a stage means for people, as a phrase; nothing where it means nothing."""
    return STAGES[stage].format(beyond=_beyond(plan))


def _beyond(plan: DataPlan | None) -> str:
    """What the contract says of the time when the data is used up."""
    if plan is not None and plan.beyond_bps is not None:
        return BEYOND_THE_DATA["rate"].format(rate=f"{plan.beyond_bps / 1000:.0f} kbit/s")
    if plan is not None and plan.beyond_usd_per_gb is not None:
        return BEYOND_THE_DATA["price"].format(price=f"${plan.beyond_usd_per_gb:.2f}")
    return BEYOND_THE_DATA["stop" if plan is not None and plan.beyond_stop else "unknown"]


def allowance_facts(told: Transition, site: Site | None) -> Mapping[str, str]:
    """What the sentence of such an event may use."""
    uplink = told.subject.partition(":")[2]
    plan = next((u.plan for u in site.uplinks if u.name == uplink), None) if site else None
    used, data = (_octets(told.detail.get(key)) for key in ("used_bytes", "data_bytes"))
    timezone = site.timezone if site else "UTC"
    after = told.after if told.after in set(Stage) else Stage.AMPLE
    restrained = restraint(Stage(after), plan)
    return {
        "used": megabytes(used),
        "data": megabytes(data),
        "share": share(used / data) if data else "–",
        "moment": _moment(told.detail.get("runs_out_at"), timezone, "%H:%M"),
        "renews": _moment(told.detail.get("renews_at"), timezone, ""),
        "restraint": f": {restrained}" if restrained else "",
        "by": str(told.detail.get("by") or "Somebody"),
    }


def _octets(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _moment(stamp: object, timezone: str, form: str) -> str:
    try:
        then = local(datetime.fromisoformat(str(stamp)), timezone)
    except ValueError:
        return "–"
    return then.strftime(form) if form else day(then)


def _clock(then: datetime, now: datetime, timezone: str) -> str:
    """A moment to come: 14:20, tomorrow 09:10, or its day."""
    there, here = local(then, timezone), local(now, timezone)
    days = (there.date() - here.date()).days
    words = {0: f"at {there:%H:%M}", 1: f"tomorrow at {there:%H:%M}"}
    return words.get(days, f"on {day(there)}")


def names_limited(site: Site) -> str:
    """The uplinks whose plan has a limit, as a sentence lists them."""
    return listed(u.name for u in site.uplinks if u.plan is not None and u.plan.data_bytes)
