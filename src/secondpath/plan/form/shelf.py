"""Read what ships with the planner: priors, rates, shares, standing numbers, sources, profiles, calendars."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from secondpath.plan.causes import Prior
from secondpath.plan.estimate import Estimate
from secondpath.plan.inputs import Rate, Shelf, Source, Standing

PROFILES = ("cpa", "law", "escrow", "clinic", "retail", "general")


def text_of(*parts: str) -> str:
    """A data file of the planner as text; `parts` below plan/data."""
    return resources.files("secondpath.plan").joinpath("data", *parts).read_text(encoding="utf-8")


@cache
def toml_of(*parts: str) -> dict[str, Any]:
    """A data file of the planner, parsed once; whoever wants to change it takes a copy."""
    return tomllib.loads(text_of(*parts))


@cache
def shelf() -> Shelf:
    """Everything that ships, read once."""
    priors, standing = toml_of("priors.toml"), toml_of("standing.toml")
    shares = toml_of("elements.toml")
    return Shelf(
        priors={key: _prior(key, row) for key, row in priors.items()},
        batteries_h={key: row["battery_h"] for key, row in priors.items() if "battery_h" in row},
        rates={key: _rate(key, row) for key, row in toml_of("rates.toml").items()},
        shares={key: row for key, row in shares.items() if key != "about"},
        standing={key: _standing(key, row) for key, row in standing.items()},
        sources={key: _source(key, row) for key, row in toml_of("sources.toml").items()},
        cites={key: dict(row) for key, row in toml_of("cite.toml").items()},
    )


def _prior(key: str, row: Mapping[str, Any]) -> Prior:
    fields = ("title", "shape", "years", "median_h", "median_log_sd", "sigma", "cap_h", "grade", "source")
    return Prior(key, *(row[name] for name in fields))


def _rate(key: str, row: Mapping[str, Any]) -> Rate:
    least, full = row["least"], row["full"]
    kbps = (least["down"], least["up"], full["down"], full["up"])
    down, up, full_down, full_up = (1000.0 * rate for rate in kbps)
    return Rate(key, row["title"], down, up, full_down, full_up, row["grade"], row["source"])


def _standing(key: str, row: Mapping[str, Any]) -> Standing:
    value = row["value"]
    estimate = Estimate(row.get("low", value), value, row.get("high", value))
    return Standing(key, row["title"], estimate, row["grade"], row["source"], str(row.get("checked_on", "2026-11-22")))


def _source(key: str, row: Mapping[str, Any]) -> Source:
    return Source(key, row["title"], row["where"], row["grade"], str(row["checked_on"]))
