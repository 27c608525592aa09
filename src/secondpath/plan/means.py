"""The closed form for an option: hours a year, effectiveness, verdict, what stands alone, what to fix first."""

from dataclasses import dataclass

from secondpath.plan.availability import availability, fix_first, single_points
from secondpath.plan.causes import Cause, Prior, Structure
from secondpath.plan.duration import mean_min_h
from secondpath.plan.options import MANUAL, Backup, Kind, Option
from secondpath.plan.paths import Diversity, verdict
from secondpath.plan.timeline import Site

LOCAL = "office"
PRIMARY = "primary"


@dataclass(frozen=True, slots=True)
class Means:
    """Long-run means of an option over all hours of the year.

    `causes_h`: hours a year that each cause brings, worst first. `not_switched_h`: hours a year waiting for a switch,
    as if people were always in; the simulation has the nights.
    """

    option: str
    down_h_per_year: float
    outages_per_year: float
    effectiveness: float
    verdict: Diversity | None
    single_points: tuple[str, ...]
    causes_h: tuple[tuple[str, float], ...]
    not_switched_h: float


def means_of(site: Site, option: Option) -> Means:
    """Enumerate the causes of the option."""
    causes = causes_of(site, option)
    uplinks = frozenset({PRIMARY, *(b.key for b in option.backups)})
    office = Structure(frozenset({LOCAL}), uplinks)
    whole = availability(causes, office)
    lines = tuple(c for c in causes if LOCAL not in c.hits)
    alone = availability(lines, Structure(frozenset(), frozenset({PRIMARY}))).down_ratio
    pair = availability(lines, Structure(frozenset(), uplinks)).down_ratio
    gained = 1.0 - pair / alone if alone > 0 else 0.0
    return Means(
        option=option.key,
        down_h_per_year=whole.down_h_per_year,
        outages_per_year=whole.outages_per_year,
        effectiveness=gained if option.backups else 0.0,
        verdict=verdict(gained) if option.backups else None,
        single_points=tuple(cause.key for cause in single_points(causes, office)),
        causes_h=tuple((cause.key, saved) for cause, saved in fix_first(causes, office) if saved > 0),
        not_switched_h=_not_switched_h(site, option),
    )


def causes_of(site: Site, option: Option) -> tuple[Cause, ...]:
    """All causes of an option.

    Local gear, mains behind the UPS, the primary by what else it hits, each backup's own.
    """
    local = [_cause(prior.title, prior, frozenset({LOCAL})) for prior in site.local]
    mains = [_behind_ups(prior, site.ups_h) for prior in site.mains]
    own = [_own(backup) for backup in option.backups]
    hidden = [_hidden(option, backup) for backup in option.backups if option.care.hidden_per_year > 0]
    return (*local, *mains, *_primary_causes(site, option), *own, *hidden)


def _cause(key: str, prior: Prior, hits: frozenset[str], share: float = 1.0) -> Cause:
    return Cause(key, prior.rate_per_year * share, prior.duration.mean_h, hits)


def _behind_ups(prior: Prior, ups_h: float) -> Cause:
    """What a battery leaves: fewer outages (those longer than it), each shortened by it."""
    left, duration = prior.duration.survival(ups_h), prior.duration
    mean_h = duration.stop_loss_h(ups_h) / left if left > 0 else 0.0
    return Cause(f"{prior.title}, longer than the UPS", prior.rate_per_year * left, mean_h, frozenset({LOCAL}))


def _primary_causes(site: Site, option: Option) -> list[Cause]:
    """The primary's failures, grouped by which backups fail with them."""
    groups: dict[frozenset[str], list[tuple[str, float]]] = {}
    for name, share, keys in _slices(site, option):
        groups.setdefault(frozenset({PRIMARY, *keys}), []).append((name, share))
    causes = []
    for hit, parts in groups.items():
        names = ", ".join(name for name, _ in parts)
        key = f"shared: {names}" if len(hit) > 1 else "main line alone"
        causes.append(_cause(key, site.primary, hit, sum(share for _, share in parts)))
    return causes


def _slices(site: Site, option: Option) -> list[tuple[str, float, tuple[str, ...]]]:
    """The primary's elements with the backups that share each.

    The floor of what is always shared is a slice of the last element, the same that the simulation marks, so that both
    see one set of failures.
    """
    found = [(e.value, share, tuple(b.key for b in option.backups if e in b.shared)) for e, share in site.elements]
    lacking = [b for b in option.backups if _short(site, b) > 1e-12]
    if lacking:
        name, share, keys = found.pop()
        slice_ratio = min(max(_short(site, b) for b in lacking), share)
        found.append((name, share - slice_ratio, keys))
        found.append(("what nobody foresaw", slice_ratio, tuple(b.key for b in lacking)))
    return found


def _short(site: Site, backup: Backup) -> float:
    return backup.shared_ratio - sum(share for element, share in site.elements if element in backup.shared)


def _own(backup: Backup) -> Cause:
    return _cause(f"{backup.key} itself", backup.prior, frozenset({backup.key}), 1.0 - backup.shared_ratio)


def _hidden(option: Option, backup: Backup) -> Cause:
    """Hidden deaths of a backup between tests and drills."""
    care = option.care
    seen = care.seen_ratio if care.monitored else 0.0
    wait_h = (1.0 - seen) * 8766.0 / max(care.drills_per_year, 1.0) / 2.0
    return Cause(
        f"{backup.key} dead unnoticed",
        care.hidden_per_year,
        wait_h + care.notice_h + care.repair_h,
        frozenset({backup.key}),
    )


def _not_switched_h(site: Site, option: Option) -> float:
    if not option.backups or all(b.kind is Kind.BY_HAND for b in option.backups):
        return 0.0
    refused = (1.0 - option.care.coverage.mean) ** len(option.backups)
    waited_h = mean_min_h(site.primary.duration, MANUAL)
    return site.primary.rate_per_year * (refused * waited_h + (1.0 - refused) * option.care.switch_s / 3600.0)
