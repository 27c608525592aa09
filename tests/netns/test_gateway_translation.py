"""Which source the internet sees, by which uplink, in which family; and that segments fit: real kernel."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from tests.netns.conftest import a_name
from tests.netns.strangers import (
    FAMILIES,
    GUEST,
    ISP,
    OFFICE,
    SERVER,
    STAFF,
    WAN,
    Ear,
    accept,
    connect,
    ends,
    gateway_counters,
    is_silent,
    move,
    on,
    seen,
    serve,
    who_tcp,
    wrong_source,
)
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology, without_delay

pytestmark = pytest.mark.netns

UPLINKS = ("cable", "lte")
NOBODY = {"cable": 0, "lte": 0}
ROUTED = "198.18.100.0/28"
"""A public prefix that the cable ISP routes to the office."""
ROUTED_STAFF, ROUTED_GATEWAY = "198.18.100.2", "198.18.100.1"
DELEGATED = "2001:db8:1:a00::/56"
NATIVE_STAFF = "2001:db8:1:a10::10"


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with Office.up(without_delay(find_topology("office")), a_name()) as standing:
        yield standing


@pytest.fixture(scope="module")
def box(office: Office) -> Iterator[Box]:
    with Box.of(office) as running:
        running.until_well()
        yield running


@pytest.fixture(scope="module")
def native() -> Iterator[Box]:
    """Cable delegates an IPv6 prefix and routes a public IPv4 prefix to the office; staff have addresses of both."""
    base = without_delay(find_topology("delegated"))
    cable, lte = base.uplinks
    staff, guest = base.insides
    staff = replace(
        staff,
        gateway=(*staff.gateway, f"{ROUTED_GATEWAY}/28"),
        addresses=(*staff.addresses, f"{ROUTED_STAFF}/28"),
    )
    cable = replace(cable, prefixes=(*cable.prefixes, ROUTED))
    topology = replace(base, uplinks=(cable, lte), insides=(staff, guest))
    text = config_of(topology).replace('"wan0"\n', f'"wan0"\nprefixes = ["{DELEGATED}", "{ROUTED}"]\n', 1)
    with Office.up(topology, a_name()) as standing:
        standing.run("isp-a", ["ip", "route", "add", ROUTED, "via", OFFICE["cable"]["ipv4"]], check=True)
        with Box.of(standing, text) as running:
            running.until_well()
            yield running


# ── One address each ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_the_internet_sees_the_uplinks_own_address(box: Box, uplink: str, family: str) -> None:
    """IPv6 too: what is inside has unique local addresses, which nobody outside could answer."""
    with on(box, uplink):
        for host in ("staff", "guest") if uplink == "cable" else ("staff",):
            assert seen(box.office, host, SERVER[family])[0] == OFFICE[uplink][family]
            assert who_tcp(box.office, host, SERVER[family]) == OFFICE[uplink][family]
    assert wrong_source(box.office) == NOBODY


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_a_fixed_source_port_stays_what_it_is(box: Box, uplink: str, family: str) -> None:
    with on(box, uplink):
        source = (STAFF[family], 5060 + UPLINKS.index(uplink))
        assert seen(box.office, "staff", SERVER[family], source) == (OFFICE[uplink][family], source[1])


def test_two_people_with_the_same_source_port_are_told_apart(box: Box) -> None:
    one = seen(box.office, "staff", SERVER["ipv4"], (STAFF["ipv4"], 40123))
    other = seen(box.office, "guest", SERVER["ipv4"], (GUEST["ipv4"], 40123))
    assert one[0] == other[0]
    assert one[1] == 40123 != other[1]


def test_the_gateways_own_unbound_traffic_follows_the_office(box: Box) -> None:
    for uplink in UPLINKS:
        with on(box, uplink):
            for family in FAMILIES:
                assert who_tcp(box.office, "gw", SERVER[family]) == OFFICE[uplink][family]


# ── Prefixes that a provider routes to the office ────────────────────────────────────


def test_a_delegated_prefix_leaves_untranslated_by_its_own_uplink_only(native: Box) -> None:
    source = (NATIVE_STAFF, 0)
    assert seen(native.office, "staff", SERVER["ipv6"], source)[0] == NATIVE_STAFF
    with on(native, "lte"):
        assert seen(native.office, "staff", SERVER["ipv6"], source)[0] == OFFICE["lte"]["ipv6"]
    assert wrong_source(native.office) == NOBODY


def test_private_prefixes_get_subnets_of_the_delegated_one_with_the_host_part_kept(native: Box) -> None:
    told = {}
    for host, address in (("staff", STAFF["ipv6"]), ("guest", GUEST["ipv6"])):
        told[host] = ip_address(seen(native.office, host, SERVER["ipv6"], (address, 0))[0])
        assert told[host] in ip_network(DELEGATED)
        assert told[host].packed[8:] == ip_address(address).packed[8:]
    assert len({address.packed[:8] for address in told.values()}) == 2
    assert not {a.packed[:8] for a in told.values()} & {ip_address(NATIVE_STAFF).packed[:8]}
    with on(native, "lte"):
        assert seen(native.office, "staff", SERVER["ipv6"], (STAFF["ipv6"], 0))[0] == OFFICE["lte"]["ipv6"]
    assert wrong_source(native.office) == NOBODY


def test_a_routed_public_prefix_leaves_untranslated_by_its_own_uplink_only(native: Box) -> None:
    source = (ROUTED_STAFF, 0)
    assert seen(native.office, "staff", SERVER["ipv4"], source)[0] == ROUTED_STAFF
    assert seen(native.office, "staff", SERVER["ipv4"], (STAFF["ipv4"], 0))[0] == OFFICE["cable"]["ipv4"]
    with on(native, "lte"):
        assert seen(native.office, "staff", SERVER["ipv4"], source)[0] == OFFICE["lte"]["ipv4"]
    assert wrong_source(native.office) == NOBODY


@pytest.mark.parametrize("address", [NATIVE_STAFF, ROUTED_STAFF])
def test_a_public_address_inside_is_no_door(native: Box, address: str) -> None:
    with serve(native.office, "staff", socket.SOCK_STREAM, 443), Ear(native.office, "staff", "eth0") as ear:
        assert is_silent(native.office, "internet", (address, 443))
        assert [ends(p) for p in ear.heard() if ends(p)[1] == address and ends(p)[2] == 6] == []


# ── Segments that fit ────────────────────────────────────────────────────────────────


def segment_size(packet: bytes) -> int | None:
    """The maximum segment size that a SYN or its answer announces (RFC 9293, section 3.7.1)."""
    head = 40 if packet[0] >> 4 == 6 else 20
    if ends(packet)[2] != 6 or not packet[head + 13] & 2:
        return None
    options = packet[head + 20 : head + (packet[head + 12] >> 4) * 4]
    while options and options[0]:
        if options[0] == 2:
            return int(struct.unpack(">H", options[2:4])[0])
        options = options[1:] if options[0] == 1 else options[options[1] :]
    return None


@pytest.mark.parametrize("mtu", [1492, 1400])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_segments_fit_the_uplink_both_ways(box: Box, uplink: str, family: str, mtu: int) -> None:
    office, overhead = box.office, 40 if family == "ipv4" else 60
    for host, device in (("gw", WAN[uplink]), (ISP[uplink], "access")):
        office.run(host, ["ip", "link", "set", device, "mtu", str(mtu)], check=True)
    try:
        with on(box, uplink), Ear(office, ISP[uplink], "access") as out, Ear(office, "staff", "eth0") as back:
            with connect(office, "staff", (SERVER[family], 7)) as sock:
                sock.sendall(bytes(50_000))
                left = 50_000
                while left:
                    left -= len(sock.recv(left))
            heard = [p for ear in (out, back) for p in ear.heard() if p[0] >> 4 == (4 if family == "ipv4" else 6)]
            sizes = {segment_size(p) for p in heard} - {None}  # the gateway's own questions travel in both families
        assert sizes == {mtu - overhead}
    finally:
        for host, device in (("gw", WAN[uplink]), (ISP[uplink], "access")):
            office.run(host, ["ip", "link", "set", device, "mtu", "1500"], check=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_segments_of_a_forwarded_connection_fit_its_uplink_while_the_office_runs_on_another(family: str) -> None:
    """What the office announces is what its uplink takes; what comes too large from inside is told so, and adapts."""
    door = '\n[[forward]]\nport = "tcp/8443"\nto = "{}:443"\n'
    topology = without_delay(find_topology("office"))
    doors = door.format("10.44.10.10") + door.format("[fd44:10::10]")
    with Office.up(topology, a_name()) as office, Box.of(office, config_of(topology) + doors) as box:
        for host, device in (("gw", "wwan0"), ("isp-b", "access")):
            office.run(host, ["ip", "link", "set", device, "mtu", "1400"], check=True)
        box.until_well()
        overhead = 40 if family == "ipv4" else 60
        with serve(office, "staff", socket.SOCK_STREAM, 443) as service, Ear(office, "isp-b", "access") as ear:
            caller = connect(office, "internet", (OFFICE["lte"][family], 8443))
            inner = accept(service)
            sizes = {segment_size(p) for p in ear.heard()} - {None}
            with caller, inner:
                for sender, receiver in ((caller, inner), (inner, caller)):
                    sender.sendall(bytes(20_000))
                    left = 20_000
                    while left:
                        left -= len(receiver.recv(left))
        assert sizes == {1400 - overhead}


# ── Without a next hop ───────────────────────────────────────────────────────────────


def test_an_uplink_without_a_next_hop_carries_the_office() -> None:
    """As on PPP or a raw-IP modem: a default route to the interface alone. The ISP answers for everybody's address."""
    with Office.up(without_delay(find_topology("office")), a_name()) as office:
        far = [*SERVER.values(), *(f"192.0.2.{n}" for n in (1, 2, 3, 4)), *(f"2001:db8:ff::{n}" for n in (1, 2, 3, 4))]
        office.run("isp-b", ["sysctl", "-qw", "net.ipv4.conf.access.proxy_arp=1", "net.ipv6.conf.access.proxy_ndp=1"])
        for address in far:
            if ":" in address:
                office.run("isp-b", ["ip", "-6", "neigh", "add", "proxy", address, "dev", "access"], check=True)
        for v, hop in (("-4", "203.0.113.1"), ("-6", "2001:db8:2::1")):
            office.run("gw", ["ip", v, "route", "del", "default", "via", hop], check=True)
            office.run("gw", ["ip", v, "route", "add", "default", "dev", "wwan0", "metric", "200"], check=True)
        with Box.of(office) as box:
            for family in FAMILIES:
                box.until(lambda f=family: box.health("lte", f) == "up", PATIENCE_S, f"lte is up in {family}")  # type: ignore[misc]
            move(box, "lte")
            for family in FAMILIES:
                assert seen(office, "staff", SERVER[family])[0] == OFFICE["lte"][family]
            assert wrong_source(office) == NOBODY
            office.inject("cable-cut", "cable")
            assert seen(office, "staff", SERVER["ipv4"])[0] == OFFICE["lte"]["ipv4"]


def test_the_guard_had_nothing_to_do(box: Box, native: Box) -> None:
    for one in (box, native):
        guarded = {name: n for name, n in gateway_counters(one).items() if name.startswith("wrong_source") and n}
        assert guarded == {}
