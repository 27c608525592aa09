"""[[policy]]: what the office says of a class of traffic, where it does not want the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secondpath.config.addresses import NAME
from secondpath.config.problem import Place, WrongError, nearest, shown
from secondpath.config.table import Key, Kind, Placed, Section, Table, choice, list_of
from secondpath.config.uplinks import TRAFFIC_CLASS, note_twins
from secondpath.model import CLASSES, Policy, Treatment, Uplink

_MEANT = {
    **dict.fromkeys(("allow", "full", "permit", "accept", "free"), "keep"),
    **dict.fromkeys(("throttle", "shape", "slow", "restrict"), "limit"),
    **dict.fromkeys(("deny", "drop", "pause", "stop", "reject", "none"), "block"),
}
TREATMENT = choice("treatment", {str(t): t for t in Treatment}, _MEANT)
WHEN_POOR = choice("answer", {"move": False, "stay": True}, {"leave": "move", "remain": "stay", "keep": "stay"})


def _read_by_uplink(value: object, place: Place) -> dict[str, Treatment]:
    if not isinstance(value, dict):
        raise WrongError(f'expected a table such as {{ lte = "limit" }}, not {shown(value)}')
    if not value:
        raise WrongError("is an empty table; expected at least one uplink")
    found = {}
    for name, said in value.items():
        try:
            found[name] = TREATMENT.read(said, place.at(name))
        except WrongError as wrong:
            place.at(name).wrong(str(wrong))
    return found


POLICY_CLASS = Key(
    "class", TRAFFIC_CLASS, f"Of which class this is said: {', '.join(CLASSES)}.", '"bulk"', required=True
)
POLICY_UPLINKS = Key(
    "uplinks",
    list_of(NAME, most=16, write='["dsl", "cable"]'),
    "The order in which this class prefers uplinks. Those not named follow in the office's order.",
    '["dsl", "cable"]',
    unset="the office's order",
)
ON_BACKUP = Key(
    "on_backup",
    TREATMENT,
    "What becomes of it on every backup: `keep`, `limit` (a small share of the rate) or `block`.",
    '"limit"',
    unset="by the backup's rate, see below",
)
ON = Key(
    "on",
    Kind("treatments by uplink", 'a table such as { lte = "limit" }', _read_by_uplink),
    "The same for single backups, by name; it comes before `on_backup`.",
    '{ lte = "block" }',
    unset="as `on_backup` says",
)
POOR = Key(
    "when_poor",
    WHEN_POOR,
    "Whether it leaves a line that is merely poor when a better one is proven: `move` or `stay`. So voice can move "
    "alone, and bulk stays. A line that is down is always left.",
    '"stay"',
    "move",
)
POLICY = Table(
    "[[policy]]",
    "What travels where: one of these for each class of which the office wants something else than the defaults.",
    (POLICY_CLASS, POLICY_UPLINKS, ON_BACKUP, ON, POOR),
    {"name": 'did you mean "class"?', "order": 'did you mean "uplinks"?', "treatment": 'did you mean "on_backup"?'},
)


def build_policy(section: Section) -> Policy:
    """A policy from its table."""
    if not any(key in section for key in (POLICY_UPLINKS, ON_BACKUP, ON, POOR)):
        section.place.wrong('says nothing; expected at least one of "uplinks", "on_backup", "on" and "when_poor"')
    return Policy(
        traffic_class=section.get_or(POLICY_CLASS, ""),
        uplinks=section.get_or(POLICY_UPLINKS, ()),
        on_backup=section.get(ON_BACKUP),
        on=section.get_or(ON, {}),
        stays_if_poor=section.get_or(POOR, False),
    )


def judge_policies(policies: Sequence[Placed[Policy]], uplinks: Sequence[Placed[Uplink]]) -> None:
    """Note classes that stand twice, uplinks that there are not, and what no policy may say."""
    note_twins("class", ((p.place.at("class"), p.value.traffic_class) for p in policies))
    known = {u.value.name: u.value for u in uplinks}
    first = uplinks[0].value.name if uplinks else ""
    for place, policy in policies:
        _judge_order(place.at("uplinks"), policy.uplinks, known)
        for name, treatment in policy.on.items():
            there = place.at("on", name)
            if name not in known:
                there.wrong(_no_such(name, known))
            elif name == first and treatment is not Treatment.KEEP:
                there.wrong(f'"{name}" is the office\'s first uplink and no backup; nothing is restrained there')
            elif _is_forbidden(policy, known[name], treatment):
                there.wrong(f'"{name}" is metered, and a {policy.traffic_class} never travels on a metered backup')


def _judge_order(place: Place, order: Sequence[str], known: Mapping[str, Uplink]) -> None:
    for i, name in enumerate(order):
        if name not in known:
            place.at(i).wrong(_no_such(name, known))
        elif name in order[:i]:
            place.at(i).wrong(f'"{name}" stands here a second time')


def _is_forbidden(policy: Policy, uplink: Uplink, treatment: Treatment) -> bool:
    known = CLASSES.get(policy.traffic_class)
    blocked = known is not None and known.on_backup is Treatment.BLOCK
    return blocked and uplink.metered and treatment is not Treatment.BLOCK


def _no_such(name: str, known: Mapping[str, Uplink]) -> str:
    meant = nearest(name, known)
    return f"there is no uplink {shown(name)}; " + (
        f'did you mean "{meant}"?' if meant else f"known: {', '.join(known)}"
    )
