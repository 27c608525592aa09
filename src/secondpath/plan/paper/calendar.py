"""The calendar of a profession as a table: dates where a rule has dates, sentences where it has none."""

from datetime import date

from secondpath.plan.calendars import Rule, coming
from secondpath.plan.form.shelf import shelf, toml_of
from secondpath.plan.paper.tables import Sheet


def rules_of(profile: str) -> tuple[Rule, ...]:
    """The dated rules of a profile's pack."""
    pack = toml_of("calendars", f"{profile}.toml")
    return tuple(
        Rule(row["title"], row["month"], row["day"], row["moves"], row["source"], str(row["checked_on"]))
        for row in pack.get("date", [])
    )


def calendar_sheet(profile: str, today: date) -> Sheet:
    """The coming year's dates, then what every office must fill in for itself."""
    sources = shelf().sources
    dated = [
        (f"{day:%a} {day.isoformat()}", rule.title, sources[rule.source].title, rule.checked_on)
        for day, rule in coming(rules_of(profile), today)
    ]
    pack = toml_of("calendars", f"{profile}.toml")
    told = [
        ("your own", row["words"], sources[row["source"]].title, str(row["checked_on"])) for row in pack.get("fact", [])
    ]
    note = (
        "Rules vary by court, state and bank, and change: confirm with your counsel or the authority before relying on"
        " a date."
    )
    return Sheet("calendar", "Calendar", ("when", "what", "source", "checked on"), (*dated, *told), note)
