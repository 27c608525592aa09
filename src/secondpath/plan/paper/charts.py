"""The four figures of the review as SVG: the same bytes every time, shapes and text before colour, readable in grey."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from secondpath.plan import rounding as r
from secondpath.plan.choose import dominated
from secondpath.plan.options import Lived
from secondpath.plan.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK, MID, LIGHT, PALE = "#1b3a57", "#5b84a8", "#a9c3d9", "#dfe8f0"
WARN = "#b4531a"
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "svg.hashsalt": "secondpath",
    "svg.fonttype": "path",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#222222",
}


def charts_of(study: Study) -> dict[str, str]:
    """SVG text by name: curve, bars, intervals, pareto."""
    import matplotlib as mpl

    mpl.use("svg")
    with mpl.rc_context(_STYLE):
        return {
            "curve": _svg(_curve(study)),
            "bars": _svg(_bars(study)),
            "intervals": _svg(_intervals(study)),
            "pareto": _svg(_pareto(study)),
        }


def _figure(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def _svg(figure: "Figure") -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _dollars(value: float, _: object = None) -> str:
    return f"${value:,.0f}"


def _curve(study: Study) -> "Figure":
    """Loss by duration: band and median, ordinary and season; the unacceptable line."""
    figure, ax = _figure(7.2, 2.75)
    at = study.impact.curve_h
    ordinary, season = study.impact.curve, study.impact.curve_season
    shown = [(season, LIGHT, "--", "deadline season")] if study.plan.seasons else []
    for bands, color, line, words in (*shown, (ordinary, MID, "-", "ordinary week")):
        low, mid, high = (np.array([getattr(b, p) for b in bands]) for p in ("p10", "p50", "p90"))
        ax.fill_between(at, low, high, color=color, alpha=0.35, linewidth=0)
        ax.plot(at, mid, line, color=DARK, linewidth=1.8, label=f"{words}: median, band P10 to P90")
    limit = study.plan.owner.unacceptable_usd
    if limit < study.impact.curve_season[-1].p90 * 1.05:
        ax.axhline(limit, color=WARN, linewidth=1.2, linestyle=":")
        ax.annotate(
            "not acceptable to the owner",
            (at[-1], limit),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=WARN,
        )
    ax.set_xlabel("business hours without internet")
    ax.yaxis.set_major_formatter(_dollars)
    ax.set_xlim(0, at[-1])
    ax.set_ylim(0, None)
    ax.legend(loc="upper left", frameon=False)
    ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    return figure


def _ordered(study: Study) -> list[Lived]:
    return list(study.advice.ranked)


def _short(title: str) -> str:
    return title if len(title) <= 38 else title[:37] + "…"


def _bars(study: Study) -> "Figure":
    """Cost and remaining loss, stacked; cheapest first."""
    rows = _ordered(study)[::-1]
    figure, ax = _figure(7.2, 0.6 + 0.235 * len(rows))
    cost = np.array([one.option.yearly_cost_usd for one in rows])
    loss = np.array([one.mean_loss_usd for one in rows])
    ax.barh(range(len(rows)), cost, color=DARK, label="cost a year", height=0.66)
    ax.barh(
        range(len(rows)),
        loss,
        left=cost,
        color=PALE,
        edgecolor=DARK,
        hatch="////",
        linewidth=0.6,
        label="expected loss that remains",
        height=0.66,
    )
    for i, total in enumerate(cost + loss):
        ax.annotate(r.usd(float(total)), (total, i), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set_yticks(
        range(len(rows)), [_short(one.option.title) + (" (out)" if one.option.wanting else "") for one in rows]
    )
    ax.xaxis.set_major_formatter(_dollars)
    ax.set_xlim(0, float((cost + loss).max()) * 1.12 + 1)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
    return figure


def _intervals(study: Study) -> "Figure":
    """Business hours offline a year: mean as a dot, P10 to P90 as a line."""
    rows = list(study.lived)[::-1]
    figure, ax = _figure(7.2, 0.55 + 0.225 * len(rows))
    for i, one in enumerate(rows):
        low, high = np.percentile(one.open_down_h, (10, 90))
        ax.plot((low, high), (i, i), color=MID, linewidth=5, solid_capstyle="butt")
        mean = float(one.open_down_h.mean())
        ax.plot(mean, i, "D", color=DARK, markersize=5)
        ax.annotate(r.hours(mean), (max(mean, high), i), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(rows)), [_short(one.option.title) for one in rows])
    ax.set_xlim(0, max(float(np.percentile(one.open_down_h, 90)) for one in rows) * 1.15 + 0.1)
    ax.set_xlabel("business hours offline in a year (diamond: mean; bar: P10 to P90)")
    return figure


def _pareto(study: Study) -> "Figure":
    """Cost against hours; what nothing beats is filled, what is dominated is hollow. Numbers are explained beside."""
    rows = list(study.lived)
    figure, ax = _figure(7.2, 2.3)
    placed: list[tuple[float, float]] = []
    top = max(float(one.open_down_h.mean()) for one in rows)
    right = max(1.0, *(one.option.yearly_cost_usd for one in rows))
    for i, one in enumerate(rows, 1):
        x, y = one.option.yearly_cost_usd, float(one.open_down_h.mean())
        hollow = dominated(one, study.lived)
        ax.plot(x, y, "o", markersize=7, color=DARK, fillstyle="none" if hollow else "full")
        dx, dy = _free_place(x / right, y / top, placed)
        ax.annotate(
            str(i), (x, y), xytext=(dx, dy), textcoords="offset points", ha="center", va="center", weight="bold"
        )
    names = "\n".join(f"{i}  {_short(one.option.title)}" for i, one in enumerate(rows, 1))
    ax.annotate(names, (1.03, 1.0), xycoords="axes fraction", va="top", fontsize=8, annotation_clip=False)
    ax.set_xlabel("cost a year")
    ax.set_ylabel("business hours offline")
    ax.xaxis.set_major_formatter(_dollars)
    ax.set_xlim(-0.05 * right, right * 1.1)
    ax.set_ylim(0, top * 1.2)
    ax.grid(color="#eeeeee", linewidth=0.6)
    return figure


def _free_place(x: float, y: float, placed: list[tuple[float, float]]) -> tuple[float, float]:
    """An offset in points whose spot keeps clear of every label so far. Axes are about 320 by 140 points."""
    for dx, dy in ((11, 0), (-11, 0), (0, 12), (0, -12), (13, 11), (-13, 11), (13, -11), (-13, -11), (24, 0), (-24, 0)):
        spot = (x * 320 + dx, y * 140 + dy)
        if all(abs(spot[0] - a) > 11 or abs(spot[1] - b) > 11 for a, b in placed):
            placed += [spot, (x * 320, y * 140)]
            return dx, dy
    return 0, 14
