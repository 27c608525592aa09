"""From what `nft -j list ruleset` prints to the base chains of other people, as far as they matter to us. Pure.

Only what can be read with certainty counts: a rule that accepts between two interfaces and asks nothing else, a last
rule that ends everything, a translation that is not for some sources only. Rules of iptables-nft look the same, except
that nft does not show what an extension ("xt") does, only its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, TypeAlias

from secondpath.act.footing.facts import Chain

Rule: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, str, str]
"""Family, table, chain."""

_ALL_BITS = 0xFFFFFFFF
_SILENT = frozenset({"counter", "log", "comment"})
_VERDICTS = frozenset({"accept", "drop", "reject", "jump", "goto", "return", "masquerade", "snat", "mangle", "xt"})


def chains_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Chain, ...]:
    """The base chains of what nft lists."""
    listed = list(entries)
    rules: dict[Place, list[Rule]] = {}
    for entry in listed:
        if rule := entry.get("rule"):
            rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule)
    return tuple(_chain(entry["chain"], rules) for entry in listed if "hook" in entry.get("chain", {}))


def _chain(said: Mapping[str, Any], rules: Mapping[Place, list[Rule]]) -> Chain:
    place = (said["family"], said["table"], said["name"])
    reached = list(_reached(place, rules, set()))
    own = rules.get(place, [])
    return Chain(
        said["family"],
        said["table"],
        said["name"],
        said["hook"],
        said.get("type", "filter"),
        said.get("policy", "accept"),
        ends=_end(own[-1]) if own else "",
        accepts=tuple(pair for rule in reached for pair in _accepted(rule)),
        translates=tuple(pair for rule in reached for pair in _translated(rule)),
        marks=tuple(dict.fromkeys(mark for rule in reached for mark in _marked(rule))),
    )


def _reached(place: Place, rules: Mapping[Place, list[Rule]], seen: set[Place]) -> Iterator[Rule]:
    """The rules of a chain and of those it always jumps to."""
    if place in seen:
        return
    seen.add(place)
    for rule in rules.get(place, []):
        yield rule
        for statement in rule["expr"]:
            onward = statement.get("jump") or statement.get("goto")
            if onward and not list(_matches(rule)):
                yield from _reached((place[0], place[1], onward["target"]), rules, seen)


def _matches(rule: Rule) -> Iterator[Mapping[str, Any]]:
    return (s for s in rule["expr"] if not s.keys() & (_VERDICTS | _SILENT) or _is_xt_match(s))


def _is_xt_match(statement: Mapping[str, Any]) -> bool:
    said = statement.get("xt")
    return "xt" in statement and (not isinstance(said, dict) or said.get("type") != "target")


def _end(rule: Rule) -> str:
    verdicts = {"drop", "reject"} & {key for statement in rule["expr"] for key in statement}
    return min(verdicts) if verdicts and not list(_matches(rule)) else ""


def _accepted(rule: Rule) -> Iterator[tuple[str, str]]:
    """The ways that a rule opens, if interfaces are all it asks for."""
    if any("accept" in statement for statement in rule["expr"]):
        named = [_interface(match) for match in _matches(rule)]
        if named and all(named):
            asked = dict(found for found in named if found)
            yield from product(asked.get("iifname", ("",)), asked.get("oifname", ("",)))
        elif not named:
            yield "", ""


def _interface(match: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """("iifname", names) of a match on an interface's name, else None."""
    asked = match.get("match", {})
    left, right = asked.get("left"), asked.get("right")
    key = left.get("meta", {}).get("key") if isinstance(left, dict) else None
    if key not in ("iifname", "oifname") or asked.get("op") != "==":
        return None
    names = right.get("set", []) if isinstance(right, dict) else [right]
    return key, tuple(name for name in names if isinstance(name, str))


def _translated(rule: Rule) -> Iterator[tuple[str, str]]:
    kinds = {"masquerade", "snat"} & {key for statement in rule["expr"] for key in statement}
    named = [_interface(match) for match in _matches(rule)]
    if kinds and all(found and found[0] == "oifname" for found in named):
        names = named[0][1] if named and named[0] else ("",)
        yield from ((min(kinds), name) for name in names)


def _marked(rule: Rule) -> Iterator[tuple[str, int]]:
    for statement in rule["expr"]:
        key = statement.get("mangle", {}).get("key", {})
        if key.get("ct", {}).get("key") == "mark":
            yield "ct", _bits(statement["mangle"]["value"])
        elif key.get("meta", {}).get("key") == "mark":
            yield "packet", _bits(statement["mangle"]["value"])
        elif isinstance(statement.get("xt"), dict) and statement["xt"].get("name") == "CONNMARK":
            yield "ct", _ALL_BITS


def _bits(value: Any) -> int:
    """Which bits of the mark a value may set: `mark & keep | set` leaves those of `keep` as they were."""
    if isinstance(value, int):
        return value
    if isinstance(value, dict) and isinstance(value.get("|"), list):
        left, right = value["|"]
        return _bits(left) | (right if isinstance(right, int) else _ALL_BITS)
    if isinstance(value, dict) and isinstance(value.get("&"), list) and isinstance(value["&"][1], int):
        return _ALL_BITS ^ int(value["&"][1])
    return 0 if isinstance(value, dict) and value.keys() & {"meta", "ct"} else _ALL_BITS
