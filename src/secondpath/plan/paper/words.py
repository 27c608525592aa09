"""Names of inputs in plain words, for tables that people read."""

from secondpath.plan.inputs import Plan

_WHOLE = {
    "calls.per_h": "calls an hour",
    "calls.missed": "calls that do not get through",
    "calls.no_retry": "callers who never try again",
    "calls.margin_usd": "worth of a lost caller, $",
    "calls.season_factor": "calls in a season, times ordinary",
    "sales.per_h": "sales an hour",
    "sales.abandoned": "sales that go elsewhere",
    "sales.margin_usd": "margin of a sale, $",
    "sales.delayed": "sales that only come later",
    "sales.delay_usd": "cost of a delayed sale, $",
    "sales.season_factor": "sales in a season, times ordinary",
    "catch_up.ordinary": "work made up later, ordinary week",
    "catch_up.season": "work made up later, season",
    "catch_up.fades_h": "hours over which that fades",
    "upset.restart_min": "minutes to find one's place again",
    "upset.manage_first_h": "manager's hours at once",
    "upset.manage_share": "manager's hours per hour",
    "upset.manager_usd_per_h": "manager's hour, $",
    "upset.call_out_usd": "IT call-out, $",
}
_OF_ROLE = {
    "loaded_usd_per_h": "cost of an hour, $",
    "bills_usd_per_h": "hour bills at, $",
    "utilisation": "share of time billed",
    "realisation": "share of bills collected",
    "present": "share at their desks",
    "stops": "share of work that stops",
    "other_work_first": "other work at first",
    "other_work_later": "other work later",
    "other_work_fades_h": "hours until it is used up",
}


def input_words(path: str, plan: Plan) -> str:
    """The path of an input, as plan.toml writes it, in words; the path itself if nobody has found words."""
    if path.startswith("role."):
        _, key, end = path.split(".", 2)
        title = next((role.title for role in plan.workplace.roles if role.key == key), key)
        return f"{title}: {_OF_ROLE.get(end, end)}"
    return _WHOLE.get(path, path)
