"""Other people's packet filters, policy rules and marks, where they meet ours. Pure.

Ours are: packet marks 1..31 and 129..159 in the low byte, connection marks, rule priorities and tables 7100..7199
(act/plane). A rule of somebody else's is in the way when a packet of ours matches it, or a packet of theirs matches one
of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from secondpath.act.footing.facts import (
    Chain,
    Facts,
    Finding,
    PolicyRule,
    care,
    inside_of,
    ok,
    outside_of,
    unknown,
    wrong,
)
from secondpath.act.plane import FIRST, LAST, UPLINK_MASK, uplink_of
from secondpath.model import Site

OTHERS = frozenset({253, 254, 255})
"""The tables that every box has: default, main, local."""


def judge_conflicts(site: Site, facts: Facts) -> Iterator[Finding]:
    """Findings about what else is in the kernel."""
    yield from [*_rules(site, facts), *_tables(facts)] or [ok("rules", "nobody else's policy rules are in the way")]
    if facts.chains is None:
        yield unknown("forwarding", "other people's packet filters cannot be seen", "sudo secondpath doctor")
    else:
        yield from _filters(site, facts, facts.chains)
    if facts.legacy:
        yield care(
            "iptables-legacy",
            f"the old iptables is loaded too ({', '.join(facts.legacy)}), unseen by nft",
            "iptables-legacy-save shows its rules; move them: iptables-legacy-save | iptables-nft-restore",
        )


def _filters(site: Site, facts: Facts, chains: tuple[Chain, ...]) -> Iterator[Finding]:
    well = "nobody else's packet filter stops the office"
    yield from list(_forwarding(site, facts, chains)) or [ok("forwarding", well)]
    yield from list(_translation(site, chains)) or [ok("nat", "nobody else translates on the uplinks")]
    yield from list(_marks(chains)) or [ok("marks", "nobody else writes our marks")]


def _rules(site: Site, facts: Facts) -> Iterator[Finding]:
    numbers = range(1, len(site.uplinks) + 1)
    for rule in facts.rules:
        at = f"policy rule {rule.priority}"
        if FIRST <= rule.priority <= LAST:
            yield wrong("rules.priority", f"{at} is among ours, {FIRST}-{LAST}", _move(rule))
        elif rule.mask and (_ours_match(rule, numbers) or uplink_of(rule.mark) in numbers):
            mark = f"{rule.mark:#x}/{rule.mask:#x}"
            ours = f"secondpath numbers its uplinks {numbers[0]}-{numbers[-1]} under {UPLINK_MASK:#x}"
            remedy = "have the other software use bits above 0xffff only"
            yield wrong("rules.mark", f"{at} goes by mark {mark}; {ours}", remedy)
        elif not rule.mask and _takes_all(rule):
            yield wrong(
                "rules.default", f"{at} sends everything to table {rule.table} before ours are asked", _move(rule)
            )


def _ours_match(rule: PolicyRule, numbers: range) -> bool:
    return rule.priority < LAST and any(number & rule.mask == rule.mark for number in numbers)


def _takes_all(rule: PolicyRule) -> bool:
    return rule.priority < FIRST and rule.has_default and not rule.narrowed and rule.table not in OTHERS


def _move(rule: PolicyRule) -> str:
    return f"ip rule del priority {rule.priority}, and have whoever made it use one above {LAST}"


def _tables(facts: Facts) -> Iterator[Finding]:
    for table in sorted(facts.routes):
        yield wrong(
            "tables",
            f"somebody else has routes in table {table}, which is ours ({FIRST}-{LAST})",
            f"ip route show table {table}; have whoever made them use another table",
        )


def _forwarding(site: Site, facts: Facts, chains: tuple[Chain, ...]) -> Iterator[Finding]:
    for chain in chains:
        if chain.hook != "forward" or (chain.policy != "drop" and not chain.ends):
            continue
        shut = [
            (inside, outside)
            for inside in inside_of(site)
            for outside in outside_of(site)
            if not any(_fits(i, inside) and _fits(o, outside) for i, o in chain.accepts)
        ]
        if shut:
            how = f"ends with {chain.ends}" if chain.ends else "has the policy drop"
            ways = ", ".join(f"{inside} → {outside}" for inside, outside in shut)
            yield wrong(
                f"forwarding.{chain.table}", f"{chain.where} {how}: nothing passes {ways}", _opening(chain, shut, facts)
            )


def _fits(pattern: str, interface: str) -> bool:
    return not pattern or fnmatchcase(interface, pattern)


def _opening(chain: Chain, shut: list[tuple[str, str]], facts: Facts) -> str:
    """How whoever made the chain wants it to be opened."""
    if "ufw.service" in facts.services:
        return "\n".join(f"ufw route allow in on {i} out on {o}" for i, o in shut)
    if "firewalld.service" in facts.services:
        return "systemctl disable --now firewalld   (secondpath closes the uplinks itself)"
    if "docker.service" in facts.services:
        out = [f"iptables -I DOCKER-USER -i {i} -o {o} -j ACCEPT" for i, o in shut]
        back = "iptables -I DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        return "\n".join([*out, back])
    rule = "nft insert rule {} {} {} iifname {} oifname {} accept"
    both = [rule.format(chain.family, chain.table, chain.name, i, o) for i, o in shut]
    return "\n".join(
        [*both, f"nft insert rule {chain.family} {chain.table} {chain.name} ct state established,related accept"]
    )


def _translation(site: Site, chains: tuple[Chain, ...]) -> Iterator[Finding]:
    remedy = "take that rule out; secondpath translates itself"
    for chain in chains:
        for kind, interface in chain.translates:
            touched = ", ".join(o for o in outside_of(site) if _fits(interface, o))
            if touched and kind == "snat":
                text = f"{chain.where} gives flows by {touched} a fixed source address, which they keep when they move"
                yield wrong("nat.snat", text, remedy)
            elif touched:
                yield care("nat.masquerade", f"{chain.where} masquerades on {touched} as well", remedy)


def _marks(chains: tuple[Chain, ...]) -> Iterator[Finding]:
    for chain in chains:
        for kind, bits in chain.marks:
            if kind == "ct" and bits:
                text = f"{chain.where} writes connection marks (bits {bits:#010x}); all 32 are ours"
                yield wrong("marks.connection", text, "take those rules out: a decision cannot be kept there twice")
            elif kind == "packet" and bits & UPLINK_MASK:
                text = f"{chain.where} writes packet marks (bits {bits:#010x}); the low 8 choose our uplinks"
                yield care("marks.packet", text, "have it use bits above 0xff only")
