"""What an outage costs: by duration, by season, in two views that never count an hour twice.

    idle(d)  = n present kappa [d - Phi(d)] + n kappa restart        restart only after five minutes
    Phi(d)   = phiInf d + (phi0 - phiInf) tau (1 - e^(-d/tau))       other work, which runs out
    rho(d)   = rho0 e^(-d/D)                                        work made up later, less the longer it lasts

Billable people count by the contribution they do not bill, all others by loaded cost: never both. Losses of an outage
are business hours only; the caller cuts the nights out. The shape (recapture that declines) follows Park, Cho and Rose.
Churn, fines and malpractice are never inside the total.
"""

from dataclasses import dataclass

import numpy as np

from secondpath.plan.estimate import Floats
from secondpath.plan.people import LOADED_FACTOR, Draws, Role, Workplace

BLIP_H = 5.0 / 60.0
CALL_OUT_AFTER_H = 0.5
OVERTIME_PREMIUM = 0.5  # time and a half: the half is the extra


@dataclass(frozen=True, slots=True)
class Loss:
    """Dollars lost, each array shaped like the durations and draws that made it."""

    billable: Floats
    payroll: Floats
    overtime: Floats
    calls: Floats
    sales: Floats
    manage: Floats
    call_out: Floats

    @property
    def cash(self) -> Floats:
        """What a bookkeeper sees: contribution not billed or sold, overtime, extra expense."""
        return self.billable + self.overtime + self.calls + self.sales + self.call_out

    @property
    def total(self) -> Floats:
        """The capacity view: cash and the paid hours that were idle."""
        return self.cash + self.payroll + self.manage

    @property
    def running(self) -> Floats:
        """The part that goes on by the hour: what poor quality on a backup costs a share of."""
        return self.billable + self.payroll + self.overtime + self.calls + self.sales


def aside_h(d_h: Floats, first: Floats, later: Floats, fade_h: Floats) -> Floats:
    """Phi(d): hours of an outage that can be filled with other work."""
    return later * d_h + (first - later) * fade_h * -np.expm1(-d_h / fade_h)


def recapture_ratio(d_h: Floats, at_once: Floats, fade_h: Floats) -> Floats:
    """rho(d): share of the lost work that is made up later."""
    return at_once * np.exp(-d_h / fade_h)


def idle_h(role: Role, d_h: Floats, draws: Draws) -> Floats:
    """Person-hours idle of a role in an outage of `d_h` business hours."""
    at = f"role.{role.key}."
    filled_h = aside_h(d_h, draws[at + "aside_first"], draws[at + "aside_later"], draws[at + "aside_fade_h"])
    waiting = role.count * draws[at + "present"] * draws[at + "stops"] * (d_h - filled_h)
    restart = role.count * draws[at + "stops"] * draws["upset.restart_h"]
    return np.asarray(waiting + np.where(d_h > BLIP_H, restart, 0.0))


def hour_value_usd(role: Role, draws: Draws) -> Floats:
    """Dollars of one idle person-hour: contribution if billable, else loaded cost, never the sum."""
    at = f"role.{role.key}."
    if role.billing is None:
        return draws[at + "loaded_usd_per_h"]
    billing = at + "billing."
    return draws[billing + "usd_per_h"] * draws[billing + "utilisation"] * draws[billing + "realisation"]


def loss_of(workplace: Workplace, d_h: Floats, season: Floats, draws: Draws) -> Loss:
    """Loss of outages of `d_h` business hours; `season` 1.0 in a deadline season, 0.0 in an ordinary week.

    `d_h`, `season` and every draw broadcast together: (draws, 1) with (durations,) gives curves, (events,) events.
    """
    hit = (d_h > 0.0).astype(np.float64)
    start = np.where(season > 0, draws["catch_up.season"], draws["catch_up.ordinary"])
    remade = recapture_ratio(d_h, start, draws["catch_up.fade_h"])
    billable, payroll, overtime = _staff(workplace, d_h, remade, draws)
    upset_h = draws["upset.manage_first_h"] + draws["upset.manage_share"] * d_h
    real = hit * (d_h > BLIP_H)
    return Loss(
        billable=billable * hit,
        payroll=payroll * hit,
        overtime=overtime * hit,
        calls=_lost_calls(d_h, season, draws),
        sales=_lost_sales(d_h, season, draws),
        manage=real * upset_h * draws["upset.manager_usd_per_h"],
        call_out=np.where(d_h > CALL_OUT_AFTER_H, draws["upset.call_out_usd"], 0.0),
    )


def _staff(workplace: Workplace, d_h: Floats, remade: Floats, draws: Draws) -> tuple[Floats, Floats, Floats]:
    nothing = np.zeros(np.broadcast_shapes(d_h.shape, remade.shape))
    billable, payroll, overtime = nothing, nothing, nothing
    for role in workplace.roles:
        idle = idle_h(role, d_h, draws)
        lost_usd = hour_value_usd(role, draws) * idle * (1.0 - remade)
        if role.billing is None:
            payroll = payroll + lost_usd
        else:
            billable = billable + lost_usd
        if role.overtime_ratio > 0:
            wage = draws[f"role.{role.key}.loaded_usd_per_h"] / LOADED_FACTOR
            overtime = overtime + OVERTIME_PREMIUM * role.overtime_ratio * wage * idle * remade
    return billable, payroll, overtime


def _lost_calls(d_h: Floats, season: Floats, draws: Draws) -> Floats:
    per_h = draws["calls.per_h"] * np.where(season > 0, draws["calls.season_factor"], 1.0)
    gone = draws["calls.missed"] * draws["calls.no_retry"]
    return np.asarray(per_h * d_h * gone * draws["calls.margin_usd"])


def _lost_sales(d_h: Floats, season: Floats, draws: Draws) -> Floats:
    per_h = draws["sales.per_h"] * np.where(season > 0, draws["sales.season_factor"], 1.0)
    each = draws["sales.abandoned"] * draws["sales.margin_usd"] + draws["sales.delayed"] * draws["sales.delay_usd"]
    return np.asarray(per_h * d_h * each)


def columns(draws: Draws) -> Draws:
    """The draws as (draws, 1), ready to meet a row of durations."""
    return {path: values[:, np.newaxis] for path, values in draws.items()}
