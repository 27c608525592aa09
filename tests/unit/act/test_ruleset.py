"""The text of our table: golden, and the few properties that a reader of the golden could miss.

`SECONDPATH_GOLDEN=write pytest tests/unit/act` writes it anew; read what it wrote before you keep it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from tests.office import site
from tests.unit.act.offices import INSIDE, OFFICES, doors, ground, plane_of, sites, steering

from secondpath.act.compile import compile_plane
from secondpath.act.ruleset import compile_ruleset, ruleset_text
from secondpath.model import Site, Uplink

GOLDEN = Path(__file__).parents[2] / "golden" / "act"


@pytest.mark.parametrize("name", OFFICES)
def test_the_table_reads_like_this(name: str) -> None:
    plane = plane_of(name)
    assert plane.ruleset is not None
    text, beside = ruleset_text(plane.ruleset, plane.elements), GOLDEN / f"{name}.nft"
    if os.environ.get("SECONDPATH_GOLDEN") == "write":
        beside.write_text(text, encoding="utf-8")
    assert text == beside.read_text(encoding="utf-8")


@given(sites())
def test_every_uplink_is_guarded_and_treated_alike(a_site: Site) -> None:
    """But for its name and number, what stands for one uplink stands for all."""
    numbers = ground(a_site).numbers
    text = compile_ruleset(a_site, numbers, ()).text
    told = set()
    for uplink in a_site.uplinks:
        number = numbers[uplink.name]
        mine = [
            c
            for c in text.split("  chain ")[1:]
            if c.startswith((f"from_{number} ", f"guard_{number} ", f"translate_{number} "))
        ]
        assert len(mine) == 3
        alike = "".join(c.partition("{")[2] for c in mine).replace(f"_{number}", "_N")
        told.add(alike.replace(f"== {number:#010x}", "== N"))
    assert len(told) == 1


@given(sites())
def test_a_compared_name_goes_where_the_map_of_names_sends_it(a_site: Site) -> None:
    """The comparisons are a short cut only: none contradicts the map, and the map still has everybody."""
    plane = compile_plane(a_site, steering(a_site, None, None), ground(a_site))
    assert plane.ruleset is not None
    ways = {str(key): chain for (name, key), chain in plane.elements.items() if name == "ways"}
    compared = dict(re.findall(r'    iifname "(\S+)" goto (from_\w+)\n', plane.ruleset.text))
    assert set(ways) == {u.interface for u in a_site.uplinks} | {n.interface for n in a_site.networks}
    assert compared.items() <= ways.items()
    assert {a_site.uplinks[0].interface, a_site.networks[0].interface} <= compared.keys()
    assert "    iifname vmap @ways\n" in plane.ruleset.text


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_what_leaves_by_any_uplink_is_guarded_however_many_there_are(count: int) -> None:
    a_site = site(uplinks=tuple(Uplink(f"line{n}", f"wan{n}") for n in range(count)))
    text = compile_ruleset(a_site, ground(a_site).numbers, ()).text
    guard = text.split("  chain guard {")[1].split("  }\n")[0]
    found = re.findall(r'"(wan\d+)" (?:: )?goto (guard_\d+)', guard)
    assert found == [(f"wan{n}", f"guard_{n + 1}") for n in range(count)]


@given(sites())
def test_the_fingerprint_changes_with_the_text_and_with_nothing_else(a_site: Site) -> None:
    numbers = ground(a_site).numbers
    one, same = (compile_ruleset(a_site, numbers, ()) for _ in range(2))
    assert one == same
    assert compile_ruleset(a_site, {n: v + 1 for n, v in numbers.items()}, ()).fingerprint != one.fingerprint


def test_the_order_of_inside_prefixes_does_not_matter() -> None:
    a_site = doors()
    numbers = ground(a_site).numbers
    assert compile_ruleset(a_site, numbers, INSIDE) == compile_ruleset(a_site, numbers, reversed(INSIDE))


def test_more_private_prefixes_than_subnets_are_all_masqueraded() -> None:
    a_site = doors()
    cable, lte = a_site.uplinks
    a_site = replace(a_site, uplinks=(replace(cable, prefixes=(ip_network("2001:db8:1:a10::/60"),)), lte))
    many = (*INSIDE, *(f"fd44:{n:x}::/64" for n in range(0x100, 0x110)))
    assert "snat ip6 prefix" in compile_ruleset(a_site, {"cable": 1, "lte": 2}, INSIDE).text
    assert "snat ip6 prefix" not in compile_ruleset(a_site, {"cable": 1, "lte": 2}, many).text
