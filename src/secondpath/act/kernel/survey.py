"""Look at this box's network namespace, at what is ours and what is not; changes nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from secondpath.act.footing.facts import Interface, PolicyRule
from secondpath.act.plane import FIRST, LAST, PROTOCOL, TABLE
from secondpath.netlink.entries import INVERT, RouteEntry, RuleEntry
from secondpath.netlink.links import Address
from secondpath.netlink.route import Route

LIMIT_S = 30.0
PROC = Path("/proc/sys")
PATTERNS = (
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/ipv4/conf/*/rp_filter",
    "net/ipv6/conf/*/accept_ra",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_buckets",
    "net/netfilter/nf_conntrack_*timeout*",
)


def survey_interfaces() -> dict[str, Interface]:
    """Every interface with its addresses; next hops are the affair of sense."""
    with Route() as route:
        links, addresses = route.links(), route.addresses()
    return {
        link.name: Interface(
            link.name,
            carrier=link.carrier and link.operstate not in ("down", "lowerlayerdown", "notpresent"),
            up=link.up,
            mtu=link.mtu,
            addresses=_addresses(addresses, link.index),
        )
        for link in links
    }


def _addresses(addresses: Iterable[Address], index: int) -> tuple[str, ...]:
    return tuple(f"{a.address}/{a.prefixlen}" for a in addresses if a.index == index)


def survey_rules() -> tuple[tuple[PolicyRule, ...], frozenset[int]]:
    """Other people's policy rules, and those of our tables in which somebody else has routes."""
    with Route() as route:
        routes, rules = route.routes(), route.rules()
    defaults = {entry.table for entry in routes if entry.dst is None}
    foreign = {_policy_rule(rule, defaults) for rule in rules if rule.priority and rule.protocol != PROTOCOL}
    inhabited = frozenset(entry.table for entry in routes if FIRST <= entry.table <= LAST and not _is_ours(entry))
    return tuple(sorted(foreign, key=lambda rule: rule.priority)), inhabited


def _policy_rule(rule: RuleEntry, defaults: set[int]) -> PolicyRule:
    """A rule for all packets but those with a mark is a rule for ours."""
    inverted = bool(rule.flags & INVERT)
    narrowed = bool(rule.iif or rule.oif or rule.src or rule.dst) or rule.suppress_prefixlength is not None
    return PolicyRule(
        rule.priority,
        rule.table,
        0 if inverted else rule.fwmark,
        0 if inverted else rule.fwmask,
        has_default=rule.table in defaults,
        narrowed=narrowed and not inverted,
    )


def _is_ours(entry: RouteEntry) -> bool:
    return entry.protocol == PROTOCOL


def survey_ruleset() -> list[Mapping[str, object]] | None:
    """What nft(8) lists, but for the elements of sets; None where it cannot be listed."""
    try:
        done = subprocess.run(
            ["nft", "-j", "-t", "list", "ruleset"], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except OSError:
        return None
    if done.returncode:
        return None
    return [entry for entry in json.loads(done.stdout)["nftables"] if "metainfo" not in entry]


def is_ours(entry: Mapping[str, object]) -> bool:
    """Whether something that nft lists is in our table, or is it."""
    (said,) = entry.values()
    return isinstance(said, dict) and said.get("family") == "inet" and TABLE in (said.get("table"), said.get("name"))


def survey_settings(proc: Path = PROC) -> dict[str, str]:
    """The settings that matter, by their path below /proc/sys."""
    found = {}
    for pattern in PATTERNS:
        for path in proc.glob(pattern):
            try:
                found[str(path.relative_to(proc))] = path.read_text().strip()
            except OSError:
                continue  # an interface that went away, or a setting for root's eyes
    return found


def nft_version() -> tuple[int, ...] | None:
    """The version of nft(8); None when it is not there."""
    try:
        done = subprocess.run(["nft", "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    words = done.stdout.split()
    numbers = words[1].lstrip("v").split(".") if len(words) > 1 else []
    return tuple(int(number) for number in numbers if number.isdigit()) or None


def legacy_tables(proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Tables of the old iptables in this namespace."""
    names: list[str] = []
    for path in (proc / "net/ip_tables_names", proc / "net/ip6_tables_names"):
        try:
            names += path.read_text().split()
        except OSError:
            continue  # not loaded, which is well
    return tuple(dict.fromkeys(names))
