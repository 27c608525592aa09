"""A study as tables: the same rows for the terminal, the page, the paper and the tests."""

from dataclasses import dataclass

import numpy as np

from secondpath.plan import rounding as r
from secondpath.plan.build import findings_of
from secondpath.plan.causes import Cause
from secondpath.plan.choose import break_even_usd_per_h, dominated
from secondpath.plan.cited import file_path, inputs_below
from secondpath.plan.deadlines import one_in
from secondpath.plan.drivers import Driver
from secondpath.plan.inputs import Plan, Shelf
from secondpath.plan.options import Kind, Lived
from secondpath.plan.paper.words import input_words
from secondpath.plan.paths import beta, effectiveness, verdict
from secondpath.plan.study import Study

PART_WORDS = {
    "billable": "billable work not done",
    "payroll": "paid hours that were idle",
    "overtime": "overtime for work made up later",
    "calls": "callers lost",
    "sales": "sales lost or delayed",
    "manage": "managing the outage",
    "call_out": "IT call-out",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `rows` of strings under `head`; `note` says what it means and what it does not."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def duration_names(study: Study) -> tuple[str, ...]:
    """Column heads of the impact table."""
    short, two, half, full = study.impact.hours
    return (r.span(short), r.span(two), f"half a day ({r.span(half)})", f"full day ({r.span(full)})")


def impact_sheet(study: Study) -> Sheet:
    """What an outage costs, two views; the season's rows only if the office has a season."""
    found, tag = study.impact, r.tags(study.tags)
    rows: tuple[tuple[str, ...], ...] = (
        ("Ordinary week", *(r.usd_band(b) for b in found.ordinary), tag),
        ("  of it cash", *(r.usd_band(b) for b in found.ordinary_cash), tag),
    )
    if study.plan.seasons:
        rows = (
            *rows,
            ("Deadline season", *(r.usd_band(b) for b in found.season), tag),
            ("  of it cash", *(r.usd_band(b) for b in found.season_cash), tag),
        )
    note = (
        "Median (P10 to P90) of business hours lost. Cash: work not billed, overtime, lost calls and sales, call-outs."
        " The whole adds paid hours that were idle. Never wages and revenue of the same hour. Lost clients, fines and"
        " malpractice stand beside this, not inside. Ask your broker for the waiting period of your policy."
    )
    return Sheet("impact", "What an outage costs", ("", *duration_names(study), "from"), rows, note)


def driver_sheet(study: Study) -> Sheet:
    """What moves the two-hour figure, and how to measure it."""
    return Sheet(
        "drivers",
        "What this figure depends on (outage of 2 h)",
        ("input", "swing", "rank correlation", "measure it: replace the guess by a count"),
        tuple(
            (driver_words(d, study.plan), r.usd(abs(d.swing_usd)), f"{d.rank_correlation:+.1f}", d.measure)
            for d in study.impact.drivers
        ),
        "Swing: how far the loss moves between the lowest and the highest tenth of that input, the others as they are.",
    )


def driver_words(driver: Driver, plan: Plan) -> str:
    """An input in words."""
    return input_words(file_path(driver.path), plan).removesuffix(", $")


def option_sheet(study: Study) -> Sheet:
    """The choices, the advised first."""
    without = next((one for one in study.lived if not one.option.backups), study.lived[0])
    rows = tuple(_option_row(one, without, study) for one in study.advice.ranked)
    head = (
        "option",
        "cost a year",
        "expected loss",
        "bad year (P90)",
        "business hours offline",
        "over 4 h in a year",
        "cost and loss",
        "pays above",
    )
    note = (
        "Cost a year spreads first costs at 8 % over contract and hardware life. Pays above: the cost of a business"
        " hour from which the option pays for itself. What no second line cures (mains beyond the UPS, gateway"
        f"{', switch' if study.plan.power.one_switch else ''}) is left in every row. Tag of the money columns:"
        f" {r.tags(study.tags)}. Dominated: another costs no more and leaves no more hours. " + _out_words(study)
    )
    return Sheet("options", "The choices, best first", head, rows, note)


def _out_words(study: Study) -> str:
    out = [one.option for one in study.advice.ranked if one.option.wanting]
    words = [f"Out: {option.title}, because {' and '.join(option.wanting)}." for option in out]
    if any(backup.kind is Kind.BY_HAND for one in study.lived for backup in one.option.backups):
        words.append(
            "Private telephones carry client data outside the office's safeguards: look at your written programme"
            " first."
        )
    return " ".join(words)


def _option_row(one: Lived, without: Lived, study: Study) -> tuple[str, ...]:
    pays = break_even_usd_per_h(one, without) if one.option.backups else None
    grey = " (dominated)" if dominated(one, study.lived) and not one.option.wanting else ""
    out = " (out)" if one.option.wanting else ""
    return (
        one.option.title + grey + out,
        r.usd(one.option.yearly_cost_usd),
        r.usd(one.mean_loss_usd),
        r.usd(one.loss_percentile_usd(90.0)),
        r.hours(float(one.open_down_h.mean())),
        r.chance(one.chance_longer(4.0)),
        r.usd(one.mean_total_usd),
        "-" if pays is None else f"{r.usd(pays)}/h",
    )


def availability_sheet(study: Study) -> Sheet:
    """Hours a year and verdicts, from the closed form and the simulation."""
    rows = []
    for means, lived in zip(study.means, study.lived, strict=True):
        verdict = str(means.verdict.value) if means.verdict else "-"
        gained = r.chance(max(means.effectiveness, 0.0)) if means.verdict else "-"
        spread = (float(x) for x in (lived.open_down_h.mean(), *_tenths(lived)))
        mean_h, low_h, high_h = spread
        rows.append(
            (
                lived.option.title,
                r.hours(means.down_h_per_year),
                f"{r.hours(mean_h)} ({r.hours(low_h)} to {r.hours(high_h)})",
                gained,
                verdict,
            )
        )
    return Sheet(
        "availability",
        "How often and how long the office would be offline",
        (
            "option",
            "hours a year, day and night",
            "business hours a year (P10 to P90)",
            "main line's downtime taken away",
            "verdict",
        ),
        tuple(rows),
        "First column by closed form (means), second by simulated years. diverse: takes away 90 % or more; partial: 50"
        " to 90 %; NOT REDUNDANT: less.",
    )


def _tenths(lived: Lived) -> tuple[float, float]:
    low, high = np.percentile(lived.open_down_h, (10.0, 90.0))
    return float(low), float(high)


def single_point_sheet(study: Study) -> Sheet:
    """Fix this first, for the advised option."""
    advised = study.advice.best or study.advice.nearest or study.lived[0]
    means = next(m for m in study.means if m.option == advised.option.key)
    alone = set(means.single_points)
    rows = tuple(
        (name, r.hours(hours), "alone takes the office offline" if name in alone else "only together with another")
        for name, hours in means.causes_h[:8]
    )
    title = f"Fix this first (with: {advised.option.title})"
    return Sheet(
        "fix-first",
        title,
        ("cause", "hours a year it brings", "single point of failure?"),
        rows,
        "Hours day and night that would go if this never happened again.",
    )


def audit_sheet(plan: Plan, shelf: Shelf) -> Sheet:
    """Path diversity of every candidate against the main line, element by element."""
    rows = []
    for uplink in plan.uplinks[1:]:
        for finding in findings_of(plan, uplink, shelf):
            if finding.share > 0:
                word = "shared" if finding.shared else "apart"
                word = word if finding.known else "shared (unknown)"
                rows.append((uplink.key, finding.element.value, word, r.chance(finding.share), finding.reason))
    note = (
        f"Against {plan.primary.key}. Share: part of the main line's downtime that comes from this element. What nobody"
        " has filled in counts as shared."
    )
    return Sheet(
        "audit",
        "What each connection shares with the main line",
        ("connection", "element", "verdict", "share", "why"),
        tuple(rows),
        note,
    )


def pair_sheet(plan: Plan, shelf: Shelf) -> Sheet:
    """What each connection would be worth behind the main line: beta, effectiveness, verdict."""
    first = _down_ratio(plan.primary.technology, shelf)
    rows = []
    for uplink in plan.uplinks[1:]:
        shared = beta(findings_of(plan, uplink, shelf))
        gained = effectiveness(first, _down_ratio(uplink.technology, shelf), shared)
        rows.append((uplink.key, uplink.technology, r.chance(shared), r.chance(gained), verdict(gained).value))
    note = (
        "Two SIM cards on one network are one path (AT&T Mobility, 22 February 2024: nationwide, at least 12 hours, "
        "resellers too). A line and a SIM card of one carrier are one path (Rogers, 8 July 2022: cable and cellular). "
        "Sources: FCC report, CRTC letter [V2]."
    )
    head = ("connection", "technology", "shared", "main line's downtime taken away", "verdict")
    return Sheet("pairs", "What each connection is worth behind the main line", head, tuple(rows), note)


def _down_ratio(technology: str, shelf: Shelf) -> float:
    prior = shelf.priors[technology]
    return Cause(technology, prior.rate_per_year, prior.duration.mean_h, frozenset()).down_ratio


def deadline_sheet(study: Study) -> Sheet:
    """Deadlines by chance."""
    rows = tuple(
        (
            d.name,
            r.plain(d.per_year),
            r.span(d.window_h),
            one_in(alone),
            one_in(backed),
            d.consequence + (f" ({r.usd(d.consequence_usd)})" if d.consequence_usd else ""),
        )
        for d, alone, backed in study.deadlines
    )
    head = ("deadline", "a year", "last window", "missed without backup", "with the advice", "what it would mean")
    return Sheet(
        "deadlines",
        "Deadlines, by chance",
        head,
        rows,
        "An outage that covers the whole last window. A chance, not dollars; your counsel knows your rules.",
    )


def input_sheet(study: Study, shelf: Shelf) -> Sheet:
    """Every estimate with its tag; an office without sales is spared six lines of nothing."""
    roots: tuple[str, ...] = ("role", "calls", "sales", "catch_up", "upset")
    if study.plan.workplace.sales.per_h.high == 0:
        roots = ("role", "calls", "catch_up", "upset")
    found = inputs_below(study.plan, shelf, roots)
    rows = tuple(
        (input_words(item.path, study.plan), item.shown, item.tag, item.grade)
        for item in found
        if not (item.path.endswith(".present") and item.likely == 1.0)
    )
    note = (
        "E the office's estimate, M measured, P published or assumed. Grade V read in the source, V2 in a page quoting "
        "it, C computed, J judgement. Everybody counts as present where nothing else is said."
    )
    return Sheet("inputs", "Inputs", ("input", "likely (low to high)", "tag", "grade"), rows, note)


def learned_sheet(study: Study) -> Sheet:
    """Prior and record, with their weights."""
    rows = tuple(
        (
            key,
            known.prior.title,
            f"{r.chance(1 - known.record_weight)} / {r.chance(known.record_weight)}",
            f"{r.plain(known.prior.rate_per_year)} a year",
            r.hours(known.prior.median_h),
            "yes" if known.dispersion > 2 else "no",
        )
        for key, known in study.learned.items()
    )
    head = ("connection", "class", "weight of prior / record", "outages believed", "median", "storm clusters")
    return Sheet(
        "learned",
        "What the office's own record has changed",
        head,
        rows,
        "An outage still open counts for the number, not for the duration.",
    )


def naive_sheet(study: Study) -> Sheet:
    """Why our number is smaller than a common calculator's."""
    pairs = zip(study.impact.hours, study.impact.naive_usd, study.impact.ordinary, strict=True)
    rows = tuple(
        (r.span(h), r.usd(naive), r.usd(ours.p50), f"{naive / max(ours.p50, 1e-9):.1f} times")
        for h, naive, ours in pairs
    )
    note = (
        "The common formula adds wages and billings of the same hour, knows no other work, no catching up, no season,"
        " no range. Shown to explain the difference, not to be used."
    )
    return Sheet(
        "naive", "Why other calculators say more", ("outage", "common formula", "here (P50)", "ratio"), rows, note
    )


def limit_sheet(study: Study) -> Sheet:
    """The owner's limits beside what the curve says and what the provider's contract says."""
    owner, main = study.plan.owner, study.plan.primary
    low, mid, high = study.impact.unacceptable_after_h
    when = "not within a full day" if mid is None else f"after {r.hours(mid)}"
    if mid is not None and high is not None:
        when += f" (between {r.hours(high)} and {'a day or more' if low is None else r.hours(low)})"
    critical = ", ".join(("Telephones", *(a.title for a in study.plan.applications if a.critical)))
    repair = "not written into the plan" if main.repair_h is None else r.span(main.repair_h)
    rows = (
        ("RTO to aim for: an outage reaches " + r.usd(owner.unacceptable_usd), when),
        ("MTPD: the owner's signature, never computed", f"{r.span(owner.longest_h)} of business"),
        ("repair time in the main line's contract (a credit, not a promise)", repair),
        ("MBCO: what must work on the backup", critical),
    )
    return Sheet("limits", "Your limits", ("limit", "as things stand"), rows, "")
