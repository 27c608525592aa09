"""One table of ours in the place of another: the kernel then holds what it would hold had there been none before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces
from tests.unit.act.offices import OFFICES, plane_of
from tests.unit.act.test_shaping import plane as shaped_plane

from secondpath.act.kernel.nft import RulesetError, load
from secondpath.act.plane import DataPlane, LoadRuleset, Ruleset
from secondpath.act.recognition import RECOGNISE
from secondpath.netlink.nftables import Nft

pytestmark = pytest.mark.netns

PLANES = {**{name: plane_of(name) for name in OFFICES}, "shaped": shaped_plane()}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("exchange") as (namespace,):
        yield namespace


@pytest.fixture
def nft(gateway: Namespace) -> Iterator[Nft]:
    gateway.run("nft", "flush", "ruleset")
    with gateway.inside():
        opened = Nft("secondpath")
    with opened:
        yield opened


def put(gateway: Namespace, nft: Nft, plane: DataPlane) -> None:
    assert plane.ruleset is not None
    with gateway.inside():
        load(nft, LoadRuleset(plane.ruleset, plane.elements))


def listed(gateway: Namespace) -> list[str]:
    """Everything in the table, in the order of the names."""
    text = gateway.run("nft", "-s", "list", "table", "inet", "secondpath")
    return sorted(text.partition("{")[2].split("\n\t}\n"))


def handle(gateway: Namespace) -> str:
    """The number that the kernel gave the table when it was made."""
    return gateway.run("nft", "-a", "list", "table", "inet", "secondpath").partition("\n")[0]


@pytest.mark.parametrize("name", PLANES)
def test_whatever_stood_there_before(gateway: Namespace, nft: Nft, name: str) -> None:
    put(gateway, nft, PLANES[name])
    wanted = listed(gateway)
    for before in PLANES.values():
        gateway.run("nft", "flush", "ruleset")
        put(gateway, nft, before)
        made = handle(gateway)
        put(gateway, nft, PLANES[name])
        assert listed(gateway) == wanted
        assert handle(gateway) == made, "it is the same table: nothing was deleted and made anew"


def test_what_was_counted_stays_and_what_the_resolver_told_goes(gateway: Namespace, nft: Nft) -> None:
    """The chain that a set leads to is named by a place in the configuration, and another may have that now."""
    put(gateway, nft, PLANES["recognised"])
    fresh = next(name for name in nft.sets() if name.startswith("fresh4"))
    gateway.run("nft", "add", "element", "inet", "secondpath", fresh, "{ 192.0.2.7 }")
    assert nft.elements(fresh)
    gateway.run("nft", "insert", "rule", "inet", "secondpath", "untracked", "counter name refused")
    gateway.run("ping", "-c", "1", "127.0.0.1")
    counted = nft.counters()["refused"]
    put(gateway, nft, PLANES["recognised"])
    assert nft.elements(fresh) == {}
    assert nft.counters()["refused"] == counted > (0, 0)


def test_what_somebody_else_put_into_our_table_goes(gateway: Namespace, nft: Nft) -> None:
    put(gateway, nft, PLANES["plain"])
    wanted, made = listed(gateway), handle(gateway)
    gateway.run("nft", "-f", "-", given="""
        table inet secondpath {
          set theirs { type mark; elements = { 1 } }
          map to { type mark : verdict; elements = { 2 : goto stray } }
          counter mine { }
          chain stray { mark @theirs accept
          }
          chain theirs { type filter hook forward priority 0; policy drop; mark vmap @to
          }
        }
        flush chain inet secondpath from_inside
        """)  # fmt: skip
    put(gateway, nft, PLANES["plain"])
    assert listed(gateway) == wanted
    assert handle(gateway) == made


@pytest.mark.parametrize(
    "otherwise",
    [
        "map route_of { type mark : mark; }",
        "chain prerouting { type filter hook prerouting priority 7; }",
    ],
)
def test_what_was_made_otherwise_is_made_anew(
    gateway: Namespace, nft: Nft, otherwise: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(gateway, nft, PLANES["plain"])
    wanted = listed(gateway)
    gateway.run("nft", "flush", "ruleset")
    gateway.run("nft", "-f", "-", given=f"table inet secondpath {{\n{otherwise}\n}}\n")
    made = handle(gateway)
    with caplog.at_level("INFO"):
        put(gateway, nft, PLANES["plain"])
    assert listed(gateway) == wanted
    assert handle(gateway) != made
    assert "our table is made anew" in caplog.text


@pytest.mark.parametrize(
    "otherwise", ["chain stale { type filter hook forward priority 0; policy drop; }", "chain input_ { drop\n}"]
)
def test_a_chain_that_is_hooked_and_should_not_be_or_the_reverse_makes_way(
    gateway: Namespace, nft: Nft, otherwise: str
) -> None:
    put(gateway, nft, PLANES["plain"])
    wanted = listed(gateway)
    gateway.run("nft", "flush", "ruleset")
    gateway.run("nft", "-f", "-", given=f"table inet secondpath {{\n{otherwise}\n}}\n")
    put(gateway, nft, PLANES["plain"])
    assert listed(gateway) == wanted


def test_a_table_that_the_kernel_refuses_leaves_everything_as_it_was(gateway: Namespace, nft: Nft) -> None:
    put(gateway, nft, PLANES["recognised"])
    before, made = listed(gateway), handle(gateway)
    assert f"chain {RECOGNISE}" in "".join(before)
    with gateway.inside(), pytest.raises(RulesetError):
        load(nft, LoadRuleset(Ruleset("chain v_1 { goto nowhere\n}\n", "v_1"), {}))
    assert listed(gateway) == before
    assert handle(gateway) == made
