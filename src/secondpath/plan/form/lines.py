"""The connections and options of plan.toml.

An uplink is written as in office.toml, with the audit's facts beside it.
"""

from secondpath.plan.data_use import DataPlan
from secondpath.plan.form.spelling import beyond, gigabytes, hours, nearest, rate_bps, usd
from secondpath.plan.form.table import Table
from secondpath.plan.inputs import Choice, Delivered, Uplink
from secondpath.plan.options import MOST_BACKUPS, Price
from secondpath.plan.paths import QUESTIONS, TECHNOLOGIES, Path

# office.toml says `shares = ["pole-line: Elm Street"]`; these are its words for the audit's facts.
_SHARES = {
    "pole-line": "street",
    "pole": "street",
    "conduit": "street",
    "trench": "street",
    "tower": "site",
    "headend": "site",
    "power": "ups",
}
_IGNORED = ("interface", "gateway", "prefixes", "metered")


def read_uplinks(tables: list[Table], priors: tuple[str, ...]) -> tuple[Uplink, ...]:
    """Every connection, the existing one first."""
    known = tuple(name for name in TECHNOLOGIES if name in priors)
    for table in tables:  # a profile's example never fills a gap here: what nobody has told must stay unknown
        table.fallback = {}
    return tuple(_uplink(table, known) for table in tables)


def _uplink(table: Table, technologies: tuple[str, ...]) -> Uplink:
    key = table.text("id") or table.text("name")
    if not key:
        table.complain("id", "a short name for this connection", "nothing")
    technology = table.pick("technology", technologies)
    facts = {fact: table.text(fact) for fact in QUESTIONS}
    _add_shares(table, facts)
    plan, support = table.child("plan"), table.child("support")
    price, data_plan = _price(plan), _data_plan(plan)
    table.asked.update(_IGNORED)
    uplink = Uplink(
        key=key,
        technology=technology,
        path=Path(key, technology, facts),
        down_bps=table.parsed("down", rate_bps, "25 Mbit/s") or 0.0,
        up_bps=table.parsed("up", rate_bps, "8 Mbit/s") or 0.0,
        price=price,
        data_plan=data_plan,
        delivered=_delivered(table),
        support_phone=support.text("phone"),
        support_account=support.text("account"),
        repair_h=support.number("repair_h", 0, 10_000, "hours") if support.raw("repair_h") is not None else None,
    )
    for part in (plan, support, table):
        part.close()
    return uplink


def knows_share(said: str) -> bool:
    """True if a share as office.toml writes it, such as "pole-line: Elm Street", is a fact of the audit."""
    word = said.partition(":")[0].strip()
    return ":" in said and _SHARES.get(word, word) in QUESTIONS


def _add_shares(table: Table, facts: dict[str, str]) -> None:
    said = table.raw("shares") or []
    if not isinstance(said, list) or not all(isinstance(item, str) and ":" in item for item in said):
        table.complain("shares", 'a list such as ["pole-line: Elm Street"]', said)
        return
    for item in said:
        word, _, value = item.partition(":")
        fact = _SHARES.get(word.strip(), word.strip())
        if fact not in facts:
            table.complain("shares", f"one of {', '.join(sorted({*_SHARES, *facts}))} before the colon", word)
            table.problems[-1] += nearest(word.strip(), [*_SHARES, *facts])
        else:
            facts[fact] = facts[fact] or value.strip()


def _price(plan: Table) -> Price:
    monthly, setup = (plan.parsed(key, usd, "$45") or 0.0 for key in ("monthly", "setup"))
    return Price(monthly, setup, plan.parsed("equipment", usd, "$600") or 0.0)


def _data_plan(plan: Table) -> DataPlan:
    throttle, price = plan.parsed("beyond", beyond, "600 kbit/s") or (None, None)
    plan.asked.add("renews_on")
    return DataPlan(
        allowance_gb=plan.parsed("data", gigabytes, "20 GB"),
        allowance_h=plan.parsed("hours", hours, "100 h"),
        throttle_bps=throttle,
        beyond_usd_per_gb=price,
    )


def _delivered(table: Table) -> Delivered | None:
    if table.raw("worst_tenth") is None:
        return None
    worst = table.child("worst_tenth")
    delivered = Delivered(
        down_bps=worst.parsed("down", rate_bps, "17 Mbit/s") or 0.0,
        up_bps=worst.parsed("up", rate_bps, "4 Mbit/s") or 0.0,
        delay_s=worst.number("delay_ms", 0, 10_000, "milliseconds", 50.0) / 1000.0,
        loss_ratio=worst.number("loss", 0, 1, "a share", 0.0),
    )
    worst.close()
    return delivered


def read_choices(tables: list[Table], uplinks: tuple[str, ...]) -> tuple[Choice, ...]:
    """Every option, its backups checked against the connections."""
    return tuple(_choice(table, uplinks) for table in tables)


def _choice(table: Table, uplinks: tuple[str, ...]) -> Choice:
    key = table.text("id")
    if not key:
        table.complain("id", "a short name for this option", "nothing")
    choice = Choice(
        key=key,
        title=table.text("title") or key,
        backups=_backups(table, uplinks),
        by_hand=table.flag("by_hand"),
        monitored=table.flag("monitored"),
        drills_per_year=table.number("drills_per_year", 0, 366, "drills a year", 0.0),
        yearly_usd=table.parsed("upkeep", usd, "$420") or 0.0,
        drills_passed=table.whole("drills_passed", 0, 100_000, "drills", 0),
        drills_failed=table.whole("drills_failed", 0, 100_000, "drills", 0),
    )
    table.close()
    return choice


def _backups(table: Table, uplinks: tuple[str, ...]) -> tuple[str, ...]:
    named = table.raw("backups")
    named = [] if named is None else named
    if not isinstance(named, list) or len(named) > MOST_BACKUPS or len(set(map(str, named))) < len(named):
        table.complain("backups", f"a list of at most {MOST_BACKUPS} different connections", named)
        return ()
    good = []
    for name in named:
        if not isinstance(name, str) or name not in uplinks[1:]:
            table.complain("backups", f"connections after the first: {', '.join(uplinks[1:]) or 'none written'}", name)
            table.problems[-1] += nearest(str(name), list(uplinks[1:]))
        else:
            good.append(name)
    return tuple(good)
