"""The first page in words: the answer, the reason, what would change it. No word here promises anything."""

from dataclasses import dataclass

from secondpath.plan import rounding as r
from secondpath.plan.choose import break_even_usd_per_h
from secondpath.plan.options import Lived
from secondpath.plan.paper.tables import driver_words
from secondpath.plan.study import Study


@dataclass(frozen=True, slots=True)
class Answer:
    """Headline, three sentences, what would change the advice, and what to measure."""

    headline: str
    sentences: tuple[str, ...]
    would_change: tuple[str, ...]
    weakest: str


def answer_of(study: Study) -> Answer:
    """The advice of a study."""
    return Answer(_headline(study), _sentences(study), _would_change(study), _weakest(study))


def _without(study: Study) -> Lived:
    return next((one for one in study.lived if not one.option.backups), study.lived[0])


def _headline(study: Study) -> str:
    advice = study.advice
    if advice.best is None:
        near = f" The nearest is: {advice.nearest.option.title}." if advice.nearest else ""
        return "No option keeps within the limit you set." + near
    if not advice.clear and advice.runner_up:
        return f"No clear winner: {advice.best.option.title}, or {advice.runner_up.option.title}."
    if not advice.best.option.backups:
        return "A backup does not pay for this office today."
    return f"Advice: {advice.best.option.title}."


def _sentences(study: Study) -> tuple[str, str, str]:
    without, chosen = _without(study), study.advice.best or study.advice.nearest or _without(study)
    two_h = study.impact.ordinary[1]
    cost = (
        f"Two hours without internet cost about {r.usd_band(two_h)} in an ordinary week; without a backup, outages cost"
        f" about {r.usd(without.mean_loss_usd)} a year, and {r.usd(without.loss_percentile_usd(90))} or more in one"
        " year of ten."
    )
    if not chosen.option.backups:
        return cost, "Every backup compared here costs more than the loss it would avoid.", _limits(study, chosen)
    pays = break_even_usd_per_h(chosen, without)
    gain = (
        f"{chosen.option.title} costs about {r.usd(chosen.option.yearly_cost_usd)} a year and leaves a loss of about"
        f" {r.usd(chosen.mean_loss_usd)}"
        + (f"; it pays if a business hour offline costs you more than {r.usd(pays)}." if pays is not None else ".")
    )
    return cost, gain, _limits(study, chosen)


def _limits(study: Study, chosen: Lived) -> str:
    hours, chance = study.plan.owner.longest_h, chosen.chance_longer(study.plan.owner.longest_h)
    left = r.hours(float(chosen.open_down_h.mean()))
    return (
        f"About {left} of business hours a year would remain offline; an outage longer than your limit of {hours:g}"
        f" business hours has a chance of {r.chance(chance)} in a year (you accept"
        f" {r.chance(study.plan.owner.tolerance)})."
    )


def _would_change(study: Study) -> tuple[str, ...]:
    advice, found = study.advice, []
    if advice.best and advice.runner_up:
        ahead, sure = r.chance(min(advice.ahead_ratio, 1.0)), r.chance(advice.chance_best)
        found.append(
            f"{advice.best.option.title} is {ahead} ahead of {advice.runner_up.option.title} and cheaper under {sure}"
            " of what we believe about your line; clear means 10 % ahead under at least 60 %."
        )
    if advice.best is None:
        found.append(
            "What remains is power, gateway and switch, which no second line cures: see what to fix first on page 3."
        )
    if not study.learned:
        found.append(
            "A year of your own outage record would weigh more than the published figures: measure first, then decide"
            " what is dear."
        )
    for lived in advice.ranked:
        if lived.option.backups and lived.option.wanting and advice.best:
            found.append(f"{lived.option.title} is out: {lived.option.wanting[0]}.")
    return tuple(found[:5])


def _weakest(study: Study) -> str:
    parts = study.impact.parts
    total = sum(parts.values())
    first = study.impact.drivers[0] if study.impact.drivers else None
    share = parts["calls"] / total if total else 0.0
    if share >= 0.25:
        return (
            f"The biggest and weakest part of this figure is calls you may lose ({r.chance(share)} of it): count a week"
            " of calls before relying on it."
        )
    return (
        f"The figure depends most on: {driver_words(first, study.plan)}. To measure it: {first.measure}."
        if first
        else ""
    )
