"""What is read out of other people's rulesets: only what is certain."""

from __future__ import annotations

from typing import Any

import pytest

from secondpath.act.footing.chains import chains_of
from secondpath.act.footing.facts import Chain

Statement = dict[str, Any]


def on(key: str, value: Any) -> Statement:
    return {"match": {"op": "==", "left": {"meta": {"key": key}}, "right": value}}


def ruleset(
    *rules: list[Statement], hook: str = "forward", policy: str = "drop", **more: list[list[Statement]]
) -> Chain:
    """One base chain "c" with these rules, and other chains to jump to."""
    place = {"family": "ip", "table": "t"}
    entries: list[dict[str, Any]] = [
        {"chain": {**place, "name": "c", "hook": hook, "type": "filter", "policy": policy}}
    ]
    for name, others in {"c": list(rules), **more}.items():
        entries += [{"rule": {**place, "chain": name, "expr": expr}} for expr in others]
    (chain,) = chains_of(entries)
    return chain


ACCEPT: Statement = {"accept": None}
ESTABLISHED: Statement = {
    "match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]},
}


def test_a_rule_that_asks_for_interfaces_only_opens_a_way() -> None:
    chain = ruleset([on("iifname", "lan0"), on("oifname", {"set": ["wan0", "wan1"]}), {"counter": {}}, ACCEPT])
    assert chain.accepts == (("lan0", "wan0"), ("lan0", "wan1"))


def test_a_rule_that_asks_for_more_opens_nothing_for_certain() -> None:
    assert ruleset([on("iifname", "lan0"), ESTABLISHED, ACCEPT]).accepts == ()
    assert ruleset([{"xt": {"type": "match", "name": "set"}}, ACCEPT]).accepts == ()


def test_ways_are_found_behind_jumps_that_are_always_taken() -> None:
    jump: Statement = {"jump": {"target": "user"}}
    opened = [[on("iifname", "lan0"), ACCEPT]]
    assert ruleset([{"counter": {}}, jump], user=opened).accepts == (("lan0", ""),)
    assert ruleset([ESTABLISHED, jump], user=opened).accepts == ()
    assert ruleset([jump], user=[[jump]]).accepts == ()


@pytest.mark.parametrize("verdict", ["drop", "reject"])
def test_only_a_last_rule_for_all_packets_ends_a_chain(verdict: str) -> None:
    assert ruleset([{"counter": {}}, {verdict: None}], policy="accept").ends == verdict
    assert ruleset([on("iifname", "wan0"), {verdict: None}], policy="accept").ends == ""
    assert ruleset([{verdict: None}], [ACCEPT], policy="accept").ends == ""


def test_translation_for_some_sources_is_not_for_ours() -> None:
    docker = {
        "match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "172.17.0.0/16"}
    }
    assert ruleset([docker, {"masquerade": None}], hook="postrouting").translates == ()
    assert ruleset([{"masquerade": None}], hook="postrouting").translates == (("masquerade", ""),)
    snat = [on("oifname", "wan0"), {"snat": {"addr": "198.51.100.2"}}]
    assert ruleset(snat, hook="postrouting").translates == (("snat", "wan0"),)


def test_the_bits_that_a_rule_writes_are_those_it_does_not_keep() -> None:
    mark = {"meta": {"key": "mark"}}
    kept = {"|": [{"&": [mark, 0xFFFFC0FF]}, 0x100]}
    assert ruleset([{"mangle": {"key": mark, "value": kept}}]).marks == (("packet", 0x3F00),)
    assert ruleset([{"mangle": {"key": {"ct": {"key": "mark"}}, "value": 7}}]).marks == (("ct", 7),)
    assert ruleset([{"xt": {"type": "target", "name": "CONNMARK"}}]).marks == (("ct", 0xFFFFFFFF),)
