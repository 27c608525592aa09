"""Answers that this very box throws away: seen at the interface, told as that, and no reason to leave a good line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest
from tests.netns.conftest import a_name
from tests.patience import PATIENCE_S
from tests.unit.sense.world import BLACK_HOLE, HERE, World, desk, mute, open_fds, resolving, serving, web, world

from secondpath.lab.box import Box
from secondpath.lab.gaps import between, lost, of_stream
from secondpath.lab.namespaces import nft
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import ANCHORS_IPV4, ANCHORS_IPV6, find_topology
from secondpath.model import Family, Outcome, ProbeKind, ProbeResult
from secondpath.sense import tap

pytestmark = pytest.mark.netns

ENOUGH_S = 60.0
HOOKS = {
    "input": ("inet", "hook input priority 0"),
    "prerouting": ("inet", "hook prerouting priority -300"),
    "ingress": ("netdev", 'hook ingress device "wan1" priority 0'),
}
every_hook = pytest.mark.parametrize("hook", HOOKS)
both_families = pytest.mark.parametrize("family", list(Family))
every_kind = pytest.mark.parametrize(
    ("kind", "port"), [(ProbeKind.ICMP, 0), (ProbeKind.TCP, 443), (ProbeKind.DNS, 53), (ProbeKind.HTTP, 80)]
)


# ── A look at the interface ──────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def office() -> Iterator[World]:
    with world() as built:
        yield built


@contextmanager
def eating(office: World, hook: str) -> Iterator[None]:
    """A table of somebody else's that drops what the targets send."""
    family, where = HOOKS[hook]
    rules = f"ip saddr {HERE[Family.IPV4]} drop\nip6 saddr {HERE[Family.IPV6]} drop"
    office.gateway.run("nft", "-f", "-", given=dropping(family, where, rules))
    try:
        yield
    finally:
        office.gateway.run("nft", "delete", "table", family, "foreign")


def dropping(family: str, where: str, rules: str) -> str:
    return f"table {family} foreign {{\nchain c {{\ntype filter {where};\n{rules}\n}}\n}}\n"


def asked(office: World, family: Family, kind: ProbeKind, port: int, **more: object) -> ProbeResult:
    async def story() -> ProbeResult:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serving(office.providers[1], family, 80, web))
            await stack.enter_async_context(serving(office.providers[1], family, 443, mute))
            await stack.enter_async_context(resolving(office.providers[1], family))
            asker = await stack.enter_async_context(desk())
            settings = {"host": "probe.example", "path": "/generate_204", "timeout_s": PATIENCE_S} | more
            return await asker.ask(kind, HERE[family], port, **settings)

    return office.play(story)


@both_families
@every_kind
@every_hook
def test_an_answer_that_a_rule_of_this_box_drops_is_seen(
    office: World, family: Family, kind: ProbeKind, port: int, hook: str
) -> None:
    with eating(office, hook):
        result = asked(office, family, kind, port, watched=True)
        assert result.outcome is Outcome.EATEN, result.detail
        assert result.rtt_s is not None and result.rtt_s < PATIENCE_S
        assert asked(office, family, kind, port, timeout_s=0.3).outcome is Outcome.TIMEOUT


@both_families
@every_kind
def test_a_watched_question_ends_as_any_other_where_nobody_drops_anything(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    assert asked(office, family, kind, port, watched=True).outcome is Outcome.OK


@both_families
def test_where_no_answer_arrives_this_box_is_not_to_blame(office: World, family: Family) -> None:
    async def story() -> ProbeResult:
        async with desk() as asker:
            return await asker.ask(ProbeKind.ICMP, BLACK_HOLE[family], watched=True, timeout_s=0.3)

    assert office.play(story).outcome is Outcome.TIMEOUT


@both_families
def test_an_answer_to_somebody_else_is_none_to_us(office: World, family: Family) -> None:
    """People ask the same server by the same line, and are answered; our own question is not."""

    async def story() -> ProbeResult:
        async with desk(main=("wan1", 2)) as asker:
            asker.prober.ask(asker.probe(ProbeKind.DNS, HERE[family], 53, host="silent", watched=True, timeout_s=0.5))
            people = desk(main=("wan1", 2))
            async with people as other:
                for _ in range(5):
                    assert (
                        await other.ask(ProbeKind.DNS, HERE[family], 53, host="probe.example")
                    ).outcome is Outcome.OK
            return await asker.result()

    async def served() -> ProbeResult:
        async with resolving(office.providers[1], family):
            return await story()

    assert office.play(served).outcome is Outcome.TIMEOUT


def test_a_loop_of_ours_that_hangs_is_no_rule_of_this_box(office: World) -> None:
    async def story() -> ProbeResult:
        async with resolving(office.providers[1], Family.IPV4), desk() as asker:
            asker.prober.ask(asker.probe(ProbeKind.DNS, HERE[Family.IPV4], 53, host="probe.example", watched=True))
            for _ in range(4):
                await asyncio.sleep(0)
                time.sleep(0.15)  # noqa: ASYNC251 that is what is tried
            return await asker.result()

    assert office.play(story).outcome is Outcome.OK


def test_the_look_ends_by_itself_and_closing_it_is_quick(office: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "LINGER_S", 0.1)

    async def story() -> tuple[int, int, int]:
        async with desk() as asker:
            await asker.ask(ProbeKind.ICMP, HERE[Family.IPV4])
            before = open_fds()
            await asker.ask(ProbeKind.ICMP, HERE[Family.IPV4], watched=True)
            during = open_fds()
            for _ in range(round(PATIENCE_S / 0.01)):
                if open_fds() == before:
                    break
                await asyncio.sleep(0.01)
            return before, during, open_fds()

    before, during, after = office.play(story)
    assert (during, after) == (before + 1, before)


# ── The gateway ──────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office, hold="2s", hold_max="4s") as running:
        running.until_well()
        yield running


@contextmanager
def blocklist(box: Box, where: str, *rules: str) -> Iterator[None]:
    """Another table on the gateway that drops what comes in, or is to go out, by the cable line."""
    netns, way = box.office.host_netns("gw"), "oifname" if "output" in where else "iifname"
    nft(dropping("inet", where, "\n".join(f'{way} "wan0" {rule}' for rule in rules)), netns)
    try:
        yield
    finally:
        nft("delete table inet foreign", netns)


def cause(box: Box, family: str) -> str:
    cable = next(u for u in box.status()["uplinks"] if u["name"] == "cable")
    return str(cable["lines"][family]["cause"])


def both(box: Box, says: Callable[[str], bool]) -> Callable[[], bool]:
    return lambda: says("ipv4") and says("ipv6")


def test_a_blocklist_that_eats_the_answers_is_told_and_moves_nobody(box: Box) -> None:
    lists = (("ip", ANCHORS_IPV4), ("ip6", ANCHORS_IPV6))
    anchors = [f"{word} saddr {{ {', '.join(addresses)} }} drop" for word, addresses in lists]
    people = Seat.take(box.office, "staff", [Wish("new-udp", family, 0.1) for family in ("ipv4", "ipv6")])
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home")
    since = time.monotonic()
    numbers = [e["number"] for e in box.status()["events"]]
    with blocklist(box, "hook input priority 0", *anchors):
        box.until(both(box, lambda f: cause(box, f) == "own-rules"), ENOUGH_S, "it is found")
        time.sleep(10.0)  # nothing is to happen in this time
        status = box.status()
        assert status["verdict"]["code"] == "own-rules"
        assert "this box throws away what comes in or goes out by cable" in status["verdict"]["text"]
        assert "nft list ruleset" in status["advice"]
        assert box.uses() == box.uses("ipv6") == "cable"
        assert box.health("cable") == box.health("cable", "ipv6") == "up"
    box.until(lambda: box.status()["verdict"]["code"] == "ok", ENOUGH_S, "all is well again")
    told = [e["event"] for e in box.status()["events"] if e["number"] > max(numbers)]
    assert not [name for name in told if name.startswith(("steering", "flows"))]
    samples = of_stream(between(people.leave(), since, float("inf")), "new-udp")
    assert len(samples) > 100
    assert lost(samples) == 0


def test_a_rule_that_eats_people_s_traffic_too_is_left_and_named(box: Box) -> None:
    people = Seat.take(box.office, "staff", [Wish("new-udp", family, 0.1) for family in ("ipv4", "ipv6")])
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home")
    neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
    with blocklist(box, "hook prerouting priority -300", neighbours, "drop"):
        box.until(lambda: box.uses() == box.uses("ipv6") == "lte", ENOUGH_S, "both families leave cable")
        box.until(lambda: box.status()["verdict"]["code"] == "own-rules", ENOUGH_S, "the verdict is own-rules")
        box.until(both(box, lambda f: cause(box, f) == "own-rules"), ENOUGH_S, "both are down of it")
        time.sleep(5.0)  # nothing is to happen in this time
        assert box.health("cable") == box.health("cable", "ipv6") == "down"
        assert box.uses() == box.uses("ipv6") == "lte"
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home again")
    people.leave()


def test_a_rule_that_drops_the_questions_is_named(box: Box) -> None:
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home")
    with blocklist(
        box, "hook output priority 0", "meta l4proto { icmp, icmpv6 } drop", "th dport { 53, 80, 443 } drop"
    ):
        box.until(lambda: box.uses() == box.uses("ipv6") == "lte", ENOUGH_S, "both families leave cable")
        box.until(lambda: box.status()["verdict"]["code"] == "own-rules", ENOUGH_S, "the verdict is own-rules")
        time.sleep(5.0)  # nothing is to happen in this time
        assert (cause(box, "ipv4"), cause(box, "ipv6")) == ("own-rules", "own-rules")
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home again")
