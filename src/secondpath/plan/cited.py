"""Inputs with their papers: value, tag, source, grade, and when it was checked."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from secondpath.plan.causes import Prior
from secondpath.plan.estimate import Estimate, Tag
from secondpath.plan.inputs import Plan, Shelf
from secondpath.plan.learn import Learned
from secondpath.plan.people import estimates
from secondpath.plan.rounding import plain

# The arithmetic's names of what plan.toml calls differently; the paths of cite.toml are plan.toml's.
_FILE_NAMES = {
    "aside_first": "other_work_first",
    "aside_later": "other_work_later",
    "aside_fade_h": "other_work_fades_h",
    "fade_h": "fades_h",
    "restart_h": "restart_min",
    "usd_per_h": "bills_usd_per_h",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a figure."""

    path: str
    shown: str
    likely: float
    tag: str
    grade: str
    source: str
    where: str
    checked_on: str
    note: str = ""


def file_path(path: str) -> str:
    """The path of an estimate as plan.toml writes it.

    `role.staff.billing.usd_per_h` is `role.staff.bills_usd_per_h`.
    """
    parts = [part for part in path.split(".") if part != "billing"]
    last = _FILE_NAMES.get(parts[-1], parts[-1])
    return ".".join((*parts[:-1], last))


def cite_for(path: str, cites: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """The one line of cite.toml that speaks of this path; None if there is none."""
    parts = path.split(".")
    for pattern, row in cites.items():
        wanted = pattern.split(".")
        if len(wanted) == len(parts) and all(fnmatchcase(p, w) for p, w in zip(parts, wanted, strict=True)):
            return row
    return None


def inputs_below(plan: Plan, shelf: Shelf, roots: tuple[str, ...]) -> tuple[Input, ...]:
    """The inputs under these parts of plan.toml. Estimates one by one; other parts as one line each."""
    found = [
        estimate_input(file_path(path), e, shelf)
        for path, e in estimates(plan.workplace)
        if path.split(".")[0] in roots
    ]
    covered = {item.path.split(".")[0] for item in found}
    found += [_part_input(root, shelf) for root in roots if root.split(".")[0] not in covered]
    return tuple(found)


def estimate_input(path: str, estimate: Estimate, shelf: Shelf) -> Input:
    """An estimate with its source: the office's own if it was changed, else the profile's."""
    # Inputs are shown as typed: rounding belongs to results. The file has minutes where the arithmetic has hours.
    factor = 60.0 if path.endswith("_min") else 1.0
    low, likely, high = (f"{round(factor * p, 6):g}" for p in (estimate.low, estimate.likely, estimate.high))
    shown = likely if estimate.certain else f"{likely} ({low} to {high})"
    cite = cite_for(path, shelf.cites) or {}
    key = "office" if estimate.tag is Tag.ESTIMATE else cite.get("source", "judgement")
    return _with_source(
        path, shown, estimate.likely, estimate.tag.value, shelf, key, cite.get("note", ""), cite.get("grade")
    )


def _part_input(root: str, shelf: Shelf) -> Input:
    return _with_source(
        root, "see plan.toml", float("nan"), "E/P", shelf, "office", "the lines of this part of plan.toml"
    )


def standing_input(shelf: Shelf, key: str) -> Input:
    """A number of the model."""
    row = shelf.standing[key]
    return _with_source(f"model.{key}", plain(row.value), row.value, "P", shelf, row.source, row.title, row.grade)


def prior_input(prior: Prior, shelf: Shelf, learned: dict[str, Learned]) -> Input:
    """A belief about a class of equipment, or what a record has made of it."""
    shown = f"{plain(prior.rate_per_year)} a year, median {plain(prior.median_h)} h, sigma {plain(prior.sigma)}"
    weights = [known.record_weight for known in learned.values() if known.prior == prior]
    note = (
        f"own record {plain(100 * weights[0])} %, published {plain(100 * (1 - weights[0]))} %"
        if weights
        else prior.title
    )
    tag = "M+P" if weights else "P"
    return _with_source(f"prior.{prior.key}", shown, prior.rate_per_year, tag, shelf, prior.source, note, prior.grade)


def _with_source(
    path: str, shown: str, likely: float, tag: str, shelf: Shelf, source: str, note: str, grade: str | None = None
) -> Input:
    row = shelf.sources[source]
    return Input(path, shown, likely, tag, grade or row.grade, row.title, row.where, row.checked_on, note)
