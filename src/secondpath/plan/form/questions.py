"""The interview: plain questions for the inputs that matter most, the same in the terminal and on the page."""

from dataclasses import dataclass
from typing import Any

from secondpath.plan.form.shelf import toml_of


@dataclass(frozen=True, slots=True)
class Question:
    """One question about the value at `path`. `kind`: text, number, range, money, rate, yes, or choice of `among`."""

    path: str
    group: str
    words: str
    kind: str
    hint: str = ""
    among: tuple[str, ...] = ()


def questions_for(profile: str) -> tuple[Question, ...]:
    """The questions of a profile; roles and deadlines come from it."""
    document = toml_of("profiles", f"{profile}.toml")
    return (*_office(), *_people(document), *_calls(document), *_seasons(document), *_lines(), *_power())


def _office() -> tuple[Question, ...]:
    return (
        Question("office.name", "The office", "What is the office called?", "text"),
        Question(
            "owner.unacceptable_usd",
            "The office",
            "One outage that costs how much is not acceptable?",
            "number",
            "dollars",
        ),
        Question(
            "owner.longest_h",
            "The office",
            "After how many business hours is the harm serious?",
            "number",
            "your own limit; nobody computes it for you",
        ),
    )


def _people(document: dict[str, Any]) -> tuple[Question, ...]:
    found: list[Question] = []
    for role in document["role"]:
        at, group = f"role.{role['id']}", role["title"]
        found.append(Question(f"{at}.people", group, f"{role['title']}: how many people?", "number", "people"))
        if "bills_usd_per_h" in role:
            found.append(
                Question(f"{at}.bills_usd_per_h", group, "What does an hour bill at?", "number", "dollars an hour")
            )
        else:
            found.append(
                Question(
                    f"{at}.loaded_usd_per_h",
                    group,
                    "What does an hour of their work cost?",
                    "number",
                    "wage times 1.42, dollars",
                )
            )
        words = "Of all their work, which share stops when the internet stops?"
        found.append(Question(f"{at}.stops", group, words, "range", "0 to 1: low, likely, high"))
    return tuple(found)


def _calls(document: dict[str, Any]) -> tuple[Question, ...]:
    group = "Callers"
    rows = [
        Question("calls.per_h", group, "How many clients call in an hour?", "range", "low, likely, high"),
        Question(
            "calls.no_retry",
            group,
            "Of callers who do not get through, which share never calls again?",
            "range",
            "0 to 1",
        ),
        Question(
            "calls.margin_usd", group, "What would such a caller have been worth, after costs?", "range", "dollars"
        ),
        Question("calls.phones", group, "How many telephones are there?", "number", "telephones"),
    ]
    if document["sales"]["per_h"] != 0:
        rows.append(
            Question("sales.per_h", "Sales", "How many sales or bookings an hour?", "range", "low, likely, high")
        )
    return tuple(rows)


def _seasons(document: dict[str, Any]) -> tuple[Question, ...]:
    words = "How much of the lost work is made up later?"
    rows = [Question("catch_up.ordinary", "Afterwards", words, "range", "0 to 1, ordinary weeks")]
    rows += [
        Question(
            f"deadline.{row['title']}.per_year", "Deadlines", f"{row['title']}: how many a year?", "number", "a year"
        )
        for row in document.get("deadline", [])
    ]
    return tuple(rows)


def _lines() -> tuple[Question, ...]:
    group = "Connections"
    kinds = ("cable", "fibre", "fibre-sla", "dsl", "fixed-wireless", "cellular", "satellite")
    return (
        Question("uplink.cable.technology", group, "What is your internet connection?", "choice", "", kinds),
        Question("uplink.cable.carrier", group, "Who sends the bill for it?", "text"),
        Question(
            "uplink.cable.street", group, "Along which pole line or conduit does it come?", "text", "empty: unknown"
        ),
        Question("uplink.lte.plan.monthly", group, "What would cellular backup cost a month?", "money", "like $55"),
        Question(
            "uplink.fibre.plan.monthly", group, "What would a second wired line cost a month?", "money", "like $160"
        ),
        Question(
            "uplink.fibre.street", group, "Along which pole line or conduit would it come?", "text", "empty: unknown"
        ),
    )


def _power() -> tuple[Question, ...]:
    group = "Power"
    return (
        Question(
            "power.ups_wh", group, "How many watt-hours has the UPS?", "number", "volts times amp-hours; 0 if none"
        ),
        Question("power.load_w", group, "How many watts does it carry?", "number", "watts"),
    )
