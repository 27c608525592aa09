"""Every kind of probe, every outcome, both families: real sockets, real providers."""

import asyncio
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing

import dns.message
import pytest
from tests.patience import PATIENCE_S
from tests.unit.sense.world import (
    BLACK_HOLE,
    HERE,
    UNREACHABLE,
    World,
    desk,
    mute,
    open_fds,
    resolving,
    serving,
    socket_at,
    until_stamped,
    web,
    world,
)

from secondpath import clock
from secondpath.model import Family, Outcome, Probe, ProbeKind, ProbeResult
from secondpath.sense.prober import OUTSTANDING_MAX

pytestmark = pytest.mark.netns

both_families = pytest.mark.parametrize("family", list(Family))
KINDS_AND_PORTS = [
    (ProbeKind.ICMP, 0),
    (ProbeKind.TCP, 443),
    (ProbeKind.DNS, 53),
    (ProbeKind.HTTP, 80),
    (ProbeKind.HTTPS, 443),
]
every_kind = pytest.mark.parametrize(("kind", "port"), KINDS_AND_PORTS)


@pytest.fixture(scope="module")
def office() -> Iterator[World]:
    with world() as built:
        yield built


# ── The way out ──────────────────────────────────────────────────────────────────────


@both_families
@every_kind
def test_a_probe_leaves_by_its_uplink_though_the_default_route_leads_elsewhere(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    """https://github.com/openwrt/packages/issues/12309"""

    async def story() -> ProbeResult:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serving(office.providers[1], family, 80, web))
            await stack.enter_async_context(serving(office.providers[1], family, 443, web))
            await stack.enter_async_context(resolving(office.providers[1], family))
            asker = await stack.enter_async_context(desk())
            timeout_s = 1.0 if kind is ProbeKind.HTTPS else PATIENCE_S  # which that server does not speak
            more = {"host": "probe.example", "path": "/generate_204", "timeout_s": timeout_s}
            return await asker.ask(kind, HERE[family], port, **more)

    before = [office.packets(provider, family) for provider in (0, 1)]
    result = office.play(story)
    assert office.packets(0, family) == before[0]
    assert office.packets(1, family) > before[1]
    assert result.rtt_s is not None


@both_families
@pytest.mark.parametrize(("kind", "port"), KINDS_AND_PORTS[:3])
def test_a_box_that_is_busy_while_the_answer_waits_takes_that_for_no_delay(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    """Else a gateway without a processor to spare sees all lines tremble, and leaves one for another."""

    async def story() -> ProbeResult:
        async with desk() as asker:
            until_stamped()
            asker.prober.ask(asker.probe(kind, HERE[family], port))
            asyncio.get_running_loop().call_soon(time.sleep, BUSY_S)  # the question has left by then
            return await asker.result()

    with ExitStack() as stack:
        if kind is not ProbeKind.ICMP:
            transport = socket.SOCK_STREAM if kind is ProbeKind.TCP else socket.SOCK_DGRAM
            server = stack.enter_context(socket_at(office.providers[1], family, transport, port))
            if kind is ProbeKind.TCP:
                server.listen()
            else:
                server.settimeout(PATIENCE_S)
                pool = stack.enter_context(ThreadPoolExecutor(1))
                pool.submit(answer_once, server)
        began = clock.now()
        result = office.play(story)
    assert clock.now() - began >= BUSY_S
    assert result.outcome is Outcome.OK
    assert result.rtt_s is not None
    assert result.rtt_s < BUSY_S / 2


BUSY_S = 0.5


def answer_once(server: socket.socket) -> None:
    """A name server with one answer."""
    question, sender = server.recvfrom(512)
    server.sendto(dns.message.make_response(dns.message.from_wire(question)).to_wire(), sender)


@both_families
@every_kind
def test_a_black_hole_is_a_timeout_not_before_the_probe_s_own_time(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    async def story() -> tuple[ProbeResult, float]:
        async with desk() as asker:
            start = clock.now()
            result = await asker.ask(kind, BLACK_HOLE[family], port, timeout_s=0.25)
            return result, clock.now() - start

    result, took_s = office.play(story)
    assert (result.outcome, result.rtt_s, result.detail) == (Outcome.TIMEOUT, None, "no answer")
    assert took_s >= 0.25


@both_families
@every_kind
def test_a_router_that_knows_no_way_refuses_and_is_named(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    async def story() -> ProbeResult:
        async with desk() as asker:
            return await asker.ask(kind, UNREACHABLE[family], port)

    result = office.play(story)
    router = {Family.IPV4: "10.0.1.1", Family.IPV6: "fd00:0:0:1::1"}[family]
    assert result.outcome is Outcome.REFUSED
    assert result.rtt_s is None, "the target itself said nothing"
    assert re.fullmatch(rf"{router} says: no route to the \w+", result.detail)


@both_families
@every_kind
def test_a_probe_without_its_interface_is_unsent(office: World, family: Family, kind: ProbeKind, port: int) -> None:
    async def story() -> ProbeResult:
        async with desk(main=("wan9", 2)) as asker:
            return await asker.ask(kind, HERE[family], port)

    result = office.play(story)
    assert (result.outcome, result.detail) == (Outcome.UNSENT, "wan9: the interface is missing")


@both_families
@every_kind
def test_a_probe_by_an_interface_that_is_down_is_unsent(
    office: World, family: Family, kind: ProbeKind, port: int
) -> None:
    async def story() -> ProbeResult:
        async with desk(main=("wan2", 0)) as asker:
            return await asker.ask(kind, HERE[family], port)

    office.gateway.run("ip", "link", "add", "wan2", "type", "veth")
    try:
        result = office.play(story)
    finally:
        office.gateway.run("ip", "link", "del", "wan2")
    assert (result.outcome, result.detail) == (Outcome.UNSENT, "wan2: no route to the network")


@pytest.mark.parametrize("kind", [ProbeKind.ICMP, ProbeKind.DNS])
def test_a_probe_that_a_rule_of_the_firewall_drops_is_forbidden(office: World, kind: ProbeKind) -> None:
    """For TCP the kernel keeps the drop of a SYN to itself, so that is a timeout."""

    async def story() -> ProbeResult:
        async with desk() as asker:
            return await asker.ask(kind, HERE[Family.IPV4], 53)

    rule = "table ip guard { chain out { type filter hook output priority 0; ip daddr 192.0.2.1 drop; }; }"
    office.gateway.run("nft", "-f", "-", given=rule)
    try:
        result = office.play(story)
    finally:
        office.gateway.run("nft", "delete", "table", "ip", "guard")
    assert (result.outcome, result.detail) == (
        Outcome.FORBIDDEN,
        "wan1: a rule or a missing permission forbids sending",
    )


def test_an_uplink_that_is_not_bound_is_unsent_and_never_from_within_ask(office: World) -> None:
    async def story() -> ProbeResult:
        async with desk() as asker:
            asker.prober.ask(asker.probe(ProbeKind.ICMP, HERE[Family.IPV4], uplink="dsl"))
            assert asker.results.empty()
            return await asker.result()

    assert office.play(story).detail == "the uplink dsl has no interface"


def test_a_next_hop_that_does_not_answer_means_unsent(office: World) -> None:
    """The kernel gives up on ARP and neighbour discovery after three tries, one second each."""

    async def story() -> list[ProbeResult]:
        async with desk(main=("wan1", 0)) as asker:
            asker.prober.ask(asker.probe(ProbeKind.ICMP, "10.0.1.99"))
            asker.prober.ask(asker.probe(ProbeKind.TCP, "10.0.1.98", 80))
            asker.prober.ask(asker.probe(ProbeKind.ICMP, "fd00:0:0:1::99"))
            return [await asker.result() for _ in range(3)]

    for result in office.play(story):
        assert (result.outcome, result.detail) == (Outcome.UNSENT, "wan1: the next hop does not answer")


# ── ICMP ─────────────────────────────────────────────────────────────────────────────


@both_families
def test_an_echo_costs_44_bytes_each_way_plus_20_for_ipv6(office: World, family: Family) -> None:
    async def story() -> tuple[ProbeResult, float]:
        async with desk() as asker:
            start = clock.now()
            return await asker.ask(ProbeKind.ICMP, HERE[family]), clock.now() - start

    before = office.traffic(1, family)
    result, took_s = office.play(story)
    after = office.traffic(1, family)
    assert result.outcome is Outcome.OK
    assert result.rtt_s is not None
    assert 0 < result.rtt_s < took_s
    size = 44 if family is Family.IPV4 else 64
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2 * size)


@both_families
def test_a_late_echo_is_delivered_after_its_timeout(office: World, family: Family) -> None:
    """A provider whose kernel does not answer echoes; the test answers in its place, when it likes."""
    provider = office.providers[1]
    knob = {Family.IPV4: "net.ipv4.icmp_echo_ignore_all", Family.IPV6: "net.ipv6.icmp.echo_ignore_all"}[family]
    provider.run("sysctl", "-qw", f"{knob}=1")
    with provider.inside():
        raw = (
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            if family is Family.IPV4
            else socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        )
    raw.bind((HERE[family], 0))
    raw.setblocking(False)

    async def request() -> tuple[bytes, tuple[str, int]]:
        packet, peer = b"", ("", 0)
        while packet[:1] not in (b"\x08", b"\x80"):  # neighbour discovery passes here too
            packet, peer = await asyncio.get_running_loop().sock_recvfrom(raw, 200)
            packet = packet[20:] if family is Family.IPV4 else packet
        return packet, peer

    async def story() -> list[ProbeResult]:
        async with desk() as asker:
            asker.prober.ask(asker.probe(ProbeKind.ICMP, HERE[family], timeout_s=0.1))
            packet, peer = await request()
            first = await asker.result()
            raw.sendto(reply_to(packet, family), peer)
            second = await asker.result()
            raw.sendto(reply_to(packet, family), peer)  # a duplicate says nothing new
            asker.prober.ask(asker.probe(ProbeKind.ICMP, HERE[family]))
            packet, peer = await request()
            raw.sendto(reply_to(packet, family), peer)  # comes after the duplicate on the same way
            return [first, second, await asker.result()]

    try:
        with closing(raw):
            first, second, third = office.play(story)
    finally:
        provider.run("sysctl", "-qw", f"{knob}=0")
    assert (first.outcome, second.outcome, third.outcome) == (Outcome.TIMEOUT, Outcome.OK, Outcome.OK)
    assert first.probe == second.probe != third.probe
    assert second.rtt_s is not None
    assert second.rtt_s >= 0.1


def reply_to(request: bytes, family: Family) -> bytes:
    """The echo reply to a request; as only the type changes, the checksum changes by that (RFC 1624)."""
    if family is Family.IPV6:
        return b"\x81" + request[1:]
    (checksum,) = struct.unpack_from("!H", request, 2)
    total = checksum + 0x0800
    return struct.pack("!BBH", 0, 0, (total & 0xFFFF) + (total >> 16)) + request[4:]


def test_probes_go_on_when_the_interface_comes_back_as_another_one(office: World) -> None:
    """A USB modem that was pulled and put back has the same name and another index."""

    def plug_in() -> None:
        office.gateway.run("ip", "link", "add", "wwan0", "type", "veth", "peer", "modem", "netns", provider.name)
        for namespace, name, host in ((office.gateway, "wwan0", 2), (provider, "modem", 1)):
            namespace.run("ip", "addr", "add", f"10.7.7.{host}/24", "dev", name)
            namespace.run("ip", "link", "set", name, "up")

    async def story() -> list[Outcome]:
        outcomes = []
        async with desk(main=("wwan0", 0)) as asker:
            for change in (plug_in, lambda: office.gateway.run("ip", "link", "del", "wwan0"), plug_in):
                change()
                outcomes.append((await asker.ask(ProbeKind.ICMP, "10.7.7.1")).outcome)
        return outcomes

    provider = office.providers[1]
    try:
        assert office.play(story) == [Outcome.OK, Outcome.UNSENT, Outcome.OK]
    finally:
        office.gateway.run("ip", "link", "del", "wwan0")


# ── TCP ──────────────────────────────────────────────────────────────────────────────


@both_families
def test_a_connection_is_ok_and_closed_with_four_packets(office: World, family: Family) -> None:
    async def story() -> ProbeResult:
        async with serving(office.providers[1], family, 443, mute), desk() as asker:
            return await asker.ask(ProbeKind.TCP, HERE[family], 443)

    before = office.traffic(1, family)
    result = office.play(story)
    after = office.traffic(1, family)
    assert (result.outcome, result.detail) == (Outcome.OK, "connected")
    assert after[0] - before[0] == 4
    assert after[1] - before[1] == (224 if family is Family.IPV4 else 304)


@both_families
def test_a_closed_port_refuses_with_its_round_trip_since_the_path_lives(office: World, family: Family) -> None:
    async def story() -> tuple[ProbeResult, float]:
        async with desk() as asker:
            start = clock.now()
            return await asker.ask(ProbeKind.TCP, HERE[family], 444), clock.now() - start

    result, took_s = office.play(story)
    assert (result.outcome, result.detail) == (Outcome.REFUSED, "connection refused: the path lives")
    assert result.rtt_s is not None
    assert 0 < result.rtt_s < took_s


def time_for(outcome: Outcome) -> float:
    """Long for an answer that will come; for one that will not, as long as a connection may take to stand."""
    return 1.0 if outcome is Outcome.TIMEOUT else PATIENCE_S


# ── DNS ──────────────────────────────────────────────────────────────────────────────


@both_families
@pytest.mark.parametrize(
    ("name", "outcome", "detail"),
    [
        ("probe.example", Outcome.OK, "NOERROR"),
        ("", Outcome.OK, "NOERROR"),
        ("nxdomain", Outcome.OK, "NXDOMAIN"),
        ("large", Outcome.OK, "NOERROR"),
        ("forged", Outcome.OK, "NOERROR"),
        ("ill", Outcome.REFUSED, "SERVFAIL"),
        ("forbidden", Outcome.REFUSED, "REFUSED"),
        ("silent", Outcome.TIMEOUT, "no answer"),
    ],
)
def test_an_answer_of_dns_is_told_by_its_code(
    office: World, family: Family, name: str, outcome: Outcome, detail: str
) -> None:
    async def story() -> ProbeResult:
        async with resolving(office.providers[1], family), desk() as asker:
            return await asker.ask(ProbeKind.DNS, HERE[family], 53, host=name, timeout_s=time_for(outcome))

    result = office.play(story)
    assert (result.outcome, result.detail) == (outcome, detail)
    assert (result.rtt_s is None) == (outcome is Outcome.TIMEOUT)


@both_families
def test_a_host_without_a_dns_server_refuses(office: World, family: Family) -> None:
    async def story() -> ProbeResult:
        async with desk() as asker:
            return await asker.ask(ProbeKind.DNS, HERE[family], 53, host="probe.example")

    result = office.play(story)
    assert (result.outcome, result.detail) == (Outcome.REFUSED, "connection refused: the path lives")
    assert result.rtt_s is not None


# ── HTTP ─────────────────────────────────────────────────────────────────────────────


@both_families
@pytest.mark.parametrize(
    ("path", "outcome", "detail"),
    [
        ("/generate_204", Outcome.OK, "204"),
        ("/empty/generate_204", Outcome.OK, "200"),
        ("/page", Outcome.OK, "200"),
        ("/moved", Outcome.OK, "301"),
        ("/portal/generate_204", Outcome.REDIRECTED, "200 where 204 was expected"),
        ("/here/generate_204", Outcome.REDIRECTED, "302 where 204 was expected"),
        ("/away", Outcome.REDIRECTED, "302 to portal.example"),
        ("/login", Outcome.REDIRECTED, "511: the network wants a login"),
        ("/ill", Outcome.REFUSED, "503 from the server"),
        ("/garbage", Outcome.REFUSED, "closed without an answer in HTTP"),
        ("/nothing", Outcome.REFUSED, "closed without an answer in HTTP"),
        ("/reset", Outcome.REFUSED, "connection reset instead of an answer"),
        ("/endless", Outcome.REFUSED, "no answer within 65536 bytes"),
        ("/silent", Outcome.TIMEOUT, "connected, then no answer"),
    ],
)
def test_an_answer_of_the_web_is_told_by_whose_it_is(
    office: World, family: Family, path: str, outcome: Outcome, detail: str
) -> None:
    async def story() -> ProbeResult:
        async with serving(office.providers[1], family, 80, web), desk() as asker:
            return await asker.ask(ProbeKind.HTTP, HERE[family], 80, path=path, timeout_s=time_for(outcome))

    result = office.play(story)
    assert (result.outcome, result.detail) == (outcome, detail)
    assert result.rtt_s is not None, "the connection stood"


# ── Many ─────────────────────────────────────────────────────────────────────────────


def test_a_hundred_probes_run_side_by_side(office: World) -> None:
    """Eighty are answered while the twenty asked before them are open: no question waits for another."""

    async def story() -> tuple[list[ProbeResult], bool]:
        async with AsyncExitStack() as stack:
            for family in Family:
                await stack.enter_async_context(serving(office.providers[1], family, 443, mute))
                await stack.enter_async_context(resolving(office.providers[1], family))
            asker = await stack.enter_async_context(desk())
            for number in range(100):
                family = list(Family)[number % 2]
                kind, port = KINDS_AND_PORTS[number // 2 % 3]
                address = BLACK_HOLE[family] if number < 20 else HERE[family]
                asker.prober.ask(asker.probe(kind, address, port, host="probe.example", timeout_s=3 * PATIENCE_S))
            return [await asker.result() for _ in range(80)], asker.results.empty()

    results, empty = office.play(story)
    assert sorted(result.probe.number for result in results) == list(range(21, 101))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert empty


def test_too_many_open_questions_of_one_line_are_unsent_at_once(office: World) -> None:
    async def story() -> list[ProbeResult]:
        async with desk() as asker:
            for _ in range(OUTSTANDING_MAX + 3):
                asker.prober.ask(asker.probe(ProbeKind.ICMP, BLACK_HOLE[Family.IPV4]))
            return [await asker.result() for _ in range(3)]

    assert [result.outcome for result in office.play(story)] == [Outcome.UNSENT] * 3


@every_kind
def test_closing_and_unbinding_end_open_probes_without_a_word(office: World, kind: ProbeKind, port: int) -> None:
    async def story() -> tuple[int, bool]:
        before = open_fds()
        async with desk() as asker:
            opened = open_fds()
            questions = [asker.probe(kind, BLACK_HOLE[family], port, timeout_s=9 * PATIENCE_S) for family in Family]
            for question in questions:
                asker.prober.ask(question)
            await until_fds(opened + 2)
            asker.prober.unbind("main")
            await until_fds(opened)
            asker.prober.bind("main", "wan1", 2)
            for question in questions:
                asker.prober.ask(question)
            await until_fds(opened + 2)
        await until_fds(before)
        return open_fds() - before, asker.results.empty()

    assert office.play(story) == (0, True)


async def until_fds(count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while open_fds() != count:  # noqa: ASYNC110  # nothing tells of a closed socket
            await asyncio.sleep(0)


def test_nothing_is_left_open_after_thousands_of_probes(office: World) -> None:
    """Longer runs (100,000) belong to the bench."""

    async def story() -> tuple[int, bool, set[Outcome]]:
        async with AsyncExitStack() as stack:
            for family in Family:
                await stack.enter_async_context(serving(office.providers[1], family, 80, web))
            asker = await stack.enter_async_context(desk())
            for family in Family:
                await asker.ask(ProbeKind.ICMP, HERE[family])  # opens the socket that stays
            before = open_fds()
            outcomes = set()
            questions: list[Probe] = [
                asker.probe(kind, HERE[family], 80, host="probe.example", path="/generate_204")
                for kind in (ProbeKind.ICMP, ProbeKind.TCP, ProbeKind.DNS, ProbeKind.HTTP)
                for family in Family
            ] * 250
            for start in range(0, len(questions), 50):
                asked = questions[start : start + 50]
                for question in asked:
                    asker.prober.ask(question)
                results = [await asker.result() for _ in asked]
                assert Counter(r.probe.number for r in results) == Counter(q.number for q in asked)
                outcomes |= {result.outcome for result in results}
            await until_fds(before)
            return open_fds() - before, asker.results.empty(), outcomes

    assert office.play(story) == (0, True, {Outcome.OK, Outcome.REFUSED})
