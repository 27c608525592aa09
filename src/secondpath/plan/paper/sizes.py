"""What a backup must carry, what feeds it, what pays for it: sizes, power and payback as tables."""

from secondpath.plan import rounding as r
from secondpath.plan.allowance import DataUse
from secondpath.plan.estimate import Tag
from secondpath.plan.inputs import Shelf
from secondpath.plan.money import discounted_payback_years, payback_years, present_value_usd
from secondpath.plan.options import Lived
from secondpath.plan.paper.tables import Sheet
from secondpath.plan.sizing import Fit
from secondpath.plan.study import Study


def sizing_sheets(study: Study) -> tuple[Sheet, Sheet, Sheet]:
    """Needs, links, data."""
    size = study.sizing
    needs = tuple((n.title, str(n.active), r.mbps(n.down_bps), r.mbps(n.up_bps)) for n in size.needs)
    totals = (
        ("critical work, with head room", "", r.mbps(size.critical_down_bps), r.mbps(size.critical_up_bps)),
        ("everything, with head room", "", r.mbps(size.full_down_bps), r.mbps(size.full_up_bps)),
    )
    dropped = ", then ".join(size.drop_first) or "nothing: all of it is critical"
    need = Sheet(
        "size",
        "What the backup must carry",
        ("use", "active at once", "down", "up"),
        (*needs, *totals),
        f"Pause first: {dropped}.",
    )
    links = tuple(_fit_row(f) for f in study.fits)
    link = Sheet(
        "links",
        "What each connection can carry",
        ("connection", "down", "up", "known from", "critical work", "everything", "calls"),
        links,
        "0.85 of what it delivered at its worst tenth; where nothing was measured, half of the contract stands in.",
    )
    data = tuple(_data_row(d) for d in study.data)
    head = ("connection", "tests and drills", "mean month", "P90 month", "P99 month", "a full day", "allowance lasts")
    return (
        need,
        link,
        Sheet(
            "data",
            "Data on metered connections",
            head,
            data,
            "Gigabytes billed at the IP level; hours on backup as simulated.",
        ),
    )


def _fit_row(fit: Fit) -> tuple[str, ...]:
    calls = (
        "not measured"
        if fit.voice_rating is None
        else f"R {fit.voice_rating:.0f}: {'good enough' if fit.voice_capable else 'not voice-capable'}"
    )
    yes = {True: "yes", False: "NO"}
    return (
        fit.uplink,
        r.mbps(fit.down_bps),
        r.mbps(fit.up_bps),
        "measurement (M)" if fit.measured else "contract (P)",
        yes[fit.carries_critical],
        yes[fit.carries_full],
        calls,
    )


def _data_row(use: DataUse) -> tuple[str, ...]:
    lasts = (
        "no limit"
        if use.hours_until_limit is None
        else f"{r.hours(use.hours_until_limit)} on backup: day {use.day_of_limit} of a long outage"
    )
    gb = tuple(f"{r.plain(v)} GB" for v in (use.standing_gb, use.expected_gb, use.p90_gb, use.p99_gb, use.full_day_gb))
    return (use.uplink, *gb, lasts)


def power_sheets(study: Study) -> tuple[Sheet, Sheet]:
    """UPS now, and sizes to choose from."""
    s = study.supply
    tag = Tag.MEASURED.value if s.measured else Tag.PUBLISHED.value
    now = (
        ("runtime at the battery's end of life", r.hours(s.ups_h), tag),
        ("hours a year without mains beyond it", r.hours(s.office_dark_h), "P"),
        ("apparent power to buy", f"{r.plain(s.needed_va)} VA", "P"),
        ("more runtime buys nothing beyond", r.hours(s.useful_h), "P"),
    )
    sizes = tuple(
        (f"{wh:,.0f} Wh", r.hours(c.runtime_h), r.usd(c.yearly_usd), r.hours(c.dark_h_per_year), r.usd(c.total_usd))
        for wh, c in s.choices[:5]
    )
    first = Sheet(
        "power",
        "The UPS",
        ("", "", "from"),
        now,
        "Beyond that the carrier's own street or tower battery is empty as well.",
    )
    second = Sheet(
        "ups",
        "UPS sizes, best first",
        ("battery", "runtime", "cost a year", "hours a year left", "cost and loss"),
        sizes,
        "A measured runtime after the first discharge test replaces the computed one.",
    )
    return first, second


def payback_sheet(study: Study, shelf: Shelf) -> Sheet:
    """First cost against the yearly saving compared with no backup."""
    without = next((one for one in study.lived if not one.option.backups), study.lived[0])
    interest, life = shelf.number("interest"), shelf.number("hardware_years")
    rows = tuple(_payback_row(one, without, interest, life) for one in study.advice.ranked if one.option.backups)
    head = ("option", "paid first", "saving a year", "payback", "discounted", f"value today of {life:g} years")
    note = (
        f"Saving: loss avoided less monthly cost and upkeep, as a mean of the simulated years. "
        f"Interest {100 * interest:g} %. A negative value means that the money is better kept."
    )
    return Sheet("payback", "Payback against no backup", head, rows, note)


def _payback_row(one: Lived, without: Lived, interest: float, life: float) -> tuple[str, ...]:
    price = one.option.price
    saving = without.mean_loss_usd - one.mean_loss_usd - 12.0 * price.monthly_usd - price.yearly_usd
    first = price.first_usd
    value = present_value_usd(-first, saving, interest, life)
    simple, discounted = payback_years(first, saving), discounted_payback_years(first, saving, interest)
    return (
        one.option.title,
        r.usd(first),
        r.usd(saving),
        _years(simple, saving),
        _years(discounted, saving),
        r.usd(value),
    )


def _years(value: float, saving: float) -> str:
    if saving <= 0 or value == float("inf"):
        return "never"
    return "at once" if value == 0 else f"{r.plain(value)} years"
