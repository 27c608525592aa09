"""Nothing comes in from an uplink that was not asked for, and nothing that belongs inside is held up: real kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from tests.netns.conftest import a_name
from tests.netns.strangers import (
    ACK,
    ECHO,
    FAMILIES,
    FIN,
    GUEST,
    ISP,
    OFFICE,
    SERVER,
    STAFF,
    SYN,
    WAN,
    Ear,
    accept,
    answered_ports,
    ask,
    ask_by,
    connect,
    echo_packet,
    ends,
    forge,
    gateway_counters,
    go_home,
    ip_packet,
    is_silent,
    make,
    move,
    numbers_of,
    on,
    serve,
    summed,
    tcp_packet,
    tell_inside,
    tracked,
    udp_packet,
    wrong_source,
)
from tests.patience import PATIENCE_S

from secondpath.act.plane import ARRIVED
from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology, without_delay
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns

UPLINKS = ("cable", "lte")
TCP_OPEN = (22, 53, 80, 443, 5000, 8080)
UDP_OPEN = (53, 68, 123, 161, 546, 51820)
TCP_PORTS = (*range(1, 120), 179, 443, 445, 500, 631, 853, 3306, 5000, 5060, 7001, 7199, 8080, 8443, 9090)
UDP_PORTS = (7, 53, 67, 68, 69, 123, 137, 161, 500, 546, 547, 1900, 4500, 5353, 51820)
DOORS = """
[[allow]]
port = "tcp/22"
from = ["192.0.2.10", "2001:db8:ff::10"]

[[allow]]
port = "udp/51820"

[[allow]]
port = "icmp"
from = ["192.0.2.10", "2001:db8:ff::10"]

[[forward]]
port = "tcp/8443"
to = "10.44.10.10:443"

[[forward]]
port = "tcp/8443"
to = "[fd44:10::10]:443"

[[forward]]
port = "udp/8444"
to = "10.44.10.10:444"

[[forward]]
port = "tcp/8022"
to = "10.44.10.10:22"
uplink = "cable"
"""
STRANGER = {"ipv4": "192.0.2.11", "ipv6": "2001:db8:ff::11"}


@pytest.fixture(scope="module")
def shut() -> Iterator[Box]:
    """The office with its gateway as shipped: no door is open, though services listen on all of its addresses."""
    topology = without_delay(find_topology("office"))
    with Office.up(topology, a_name()) as office, Box.of(office) as box, ExitStack() as stack:
        for port in TCP_OPEN:
            stack.enter_context(serve(office, "gw", socket.SOCK_STREAM, port))
        for port in UDP_OPEN:
            stack.enter_context(serve(office, "gw", socket.SOCK_DGRAM, port))
        for uplink in topology.uplinks:  # the ISP and the internet know the way to what is inside
            for inside4, inside6 in (("10.44.10.0/24", "fd44:10::/64"), ("10.44.20.0/24", "fd44:20::/64")):
                via4, via6 = OFFICE[uplink.name].values()
                office.run(uplink.isp, ["ip", "route", "add", inside4, "via", via4], check=True)
                office.run(uplink.isp, ["ip", "route", "add", inside6, "via", via6], check=True)
        box.until_well()
        yield box


@pytest.fixture
def open_doors(shut: Box) -> Iterator[Box]:
    """The same with [[allow]] and [[forward]] in its configuration."""
    shut.config.write_text(config_of(shut.office.topology) + DOORS)
    answer = shut.order(Verb.RELOAD)
    assert answer.ok, answer.error
    yield shut
    shut.config.write_text(config_of(shut.office.topology))
    assert shut.order(Verb.RELOAD).ok


# ── A scan ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("vantage", ["internet", "isp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_scan_finds_nothing_open_the_same_on_every_uplink(shut: Box, family: str, vantage: str) -> None:
    office = shut.office
    connect(office, "staff", (OFFICE["cable"]["ipv4"], 22)).close()  # something does listen
    found = {}
    for uplink in UPLINKS:
        host = "internet" if vantage == "internet" else ISP[uplink]
        address = OFFICE[uplink][family]
        tcp = answered_ports(office, host, address, socket.SOCK_STREAM, TCP_PORTS)
        udp = answered_ports(office, host, address, socket.SOCK_DGRAM, UDP_PORTS)
        by_trick = answered_ports(office, host, address, socket.SOCK_STREAM, TCP_OPEN, source_port=20)
        found[uplink] = tcp | udp | by_trick
    assert found == {"cable": {}, "lte": {}}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_the_gateway_answers_no_ping_and_sends_no_refusal(shut: Box, uplink: str, family: str) -> None:
    office = shut.office
    with Ear(office, ISP[uplink], "access") as ear:
        forge(office, "internet", echo_packet(SERVER[family], OFFICE[uplink][family]))
        forge(office, "internet", udp_packet((SERVER[family], 53), (OFFICE[uplink][family], 34567)))
        forge(office, "internet", tcp_packet((SERVER[family], 443), (OFFICE[uplink][family], 34568), ACK, b"late"))
        answers = [p for p in ear.before(ask_by(shut, uplink, family)) if ends(p)[1] == SERVER[family]]
    assert answers == []


# ── Into the office ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_nothing_from_outside_reaches_staff_even_by_a_route_of_the_isp(shut: Box, uplink: str, family: str) -> None:
    office, inner = shut.office, STAFF[family]
    outsiders = {"direct": SERVER[family], "as a guest": GUEST[family], "as the gateway": OFFICE[uplink][family]}
    with serve(office, "staff", socket.SOCK_STREAM, 443), Ear(office, "staff", "eth0") as ear:
        for source in outsiders.values():
            forge(office, ISP[uplink], udp_packet((source, 5555), (inner, 9999)))
            for flags in (SYN, ACK, SYN | ACK, FIN):
                forge(office, ISP[uplink], tcp_packet((source, 5556), (inner, 443), flags))
            forge(office, ISP[uplink], echo_packet(source, inner))
            forge(office, ISP[uplink], echo_packet(source, inner, reply=True))
        assert is_silent(office, ISP[uplink], (inner, 443))
        ask_by(shut, uplink, family)
        heard = ear.before(tell_inside(office, "gw", inner))
        reached = [ends(p) for p in heard if ends(p)[1] == inner and ends(p)[2] in (1, 6, 17)]
    assert reached == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_who_pretends_to_come_from_inside_is_dropped_even_at_an_open_door(
    open_doors: Box, uplink: str, family: str
) -> None:
    """The door for udp/51820 stands open to all: only the pretence is against these packets."""
    office, before = open_doors.office, gateway_counters(open_doors)["refused"]
    door = (OFFICE[uplink][family], 51820)
    with Ear(office, "gw", WAN[uplink]) as ear:
        for source in (STAFF[family], GUEST[family], OFFICE[uplink][family]):
            forge(office, ISP[uplink], udp_packet((source, 5555), door))
        ask_by(open_doors, uplink, family)
        arrived = [p for p in ear.heard() if ends(p)[1:] == (door[0], 17) and b"forged" in p]
    marked = [t for t in tracked(office) if t.protocol == "udp" and t.sport == 5555]
    assert len(arrived) >= 2, "they did arrive at the gateway"
    assert marked == []
    assert gateway_counters(open_doors)["refused"] >= before + 3


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_late_tcp_segments_open_nothing(open_doors: Box, uplink: str, family: str) -> None:
    """Not even at a door: conntrack would take any segment for a connection picked up in the middle."""
    office = open_doors.office
    with serve(office, "staff", socket.SOCK_STREAM, 443), Ear(office, "staff", "eth0") as ear:
        for flags in (ACK, SYN | ACK, FIN | ACK):
            forge(office, "internet", tcp_packet((STRANGER[family], 7777), (OFFICE[uplink][family], 8443), flags, b"x"))
            forge(office, "internet", tcp_packet((SERVER[family], 7777), (OFFICE[uplink][family], 22), flags, b"x"))
        ask_by(open_doors, uplink, family)
        reached = [p for p in ear.before(tell_inside(office, "gw", STAFF[family])) if ends(p)[2] == 6]
    assert reached == []
    assert [t for t in tracked(office) if t.sport == 7777] == []


# ── Doors ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_an_allowed_port_is_open_to_those_it_was_opened_for_only(open_doors: Box, uplink: str, family: str) -> None:
    office, door = open_doors.office, (OFFICE[uplink][family], 22)
    connect(office, "internet", door, (SERVER[family], 0)).close()
    assert is_silent(office, "internet", door, (STRANGER[family], 0))
    assert answered_ports(office, "internet", door[0], socket.SOCK_STREAM, [p for p in TCP_OPEN if p != 22]) == {}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_allowed_pings_are_answered_on_every_uplink_to_those_allowed(open_doors: Box, uplink: str, family: str) -> None:
    office, address = open_doors.office, OFFICE[uplink][family]
    ping = ["ping", "-n", "-c", "2", "-i", "0.1", "-W", "1", "-I"]
    assert office.run("internet", [*ping, SERVER[family], address]).returncode == 0
    assert office.run("internet", [*ping, STRANGER[family], address]).returncode != 0


@pytest.mark.parametrize("home", UPLINKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_forwarded_port_answers_by_the_uplink_it_was_asked_on_wherever_the_office_runs(
    open_doors: Box, family: str, home: str
) -> None:
    office = open_doors.office
    with on(open_doors, home), serve(office, "staff", socket.SOCK_STREAM, 443) as service:
        for uplink in UPLINKS:
            with connect(office, "internet", (OFFICE[uplink][family], 8443), (STRANGER[family], 0)) as caller:
                inner, place = service.accept()
                inner.settimeout(PATIENCE_S)
                with inner:
                    assert place[0].removeprefix("::ffff:") == STRANGER[family], "the service sees who calls"
                    inner.sendall(b"hello")
                    assert caller.recv(16) == b"hello"
                    caller.sendall(b"thanks")
                    assert inner.recv(16) == b"thanks"
    assert wrong_source(office) == {"cable": 0, "lte": 0}


def test_a_forwarded_udp_port_answers_by_the_uplink_it_was_asked_on(open_doors: Box) -> None:
    office = open_doors.office
    with serve(office, "staff", socket.SOCK_DGRAM, 444, "0.0.0.0") as service:
        for uplink in UPLINKS:
            with make(office, "internet", "192.0.2.11", socket.SOCK_DGRAM, ("192.0.2.11", 0)) as caller:
                caller.connect((OFFICE[uplink]["ipv4"], 8444))
                caller.send(b"?")
                question, place = service.recvfrom(16)
                service.sendto(b"!", place)
                assert (question, caller.recv(16)) == (b"?", b"!")


@pytest.mark.parametrize("home", UPLINKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_gateways_own_service_answers_by_the_uplink_it_was_asked_on(
    open_doors: Box, family: str, home: str
) -> None:
    office = open_doors.office
    with on(open_doors, home):
        for uplink in UPLINKS:
            connect(office, "internet", (OFFICE[uplink][family], 22), (SERVER[family], 0)).close()
    assert wrong_source(office) == {"cable": 0, "lte": 0}


def test_a_port_forwarded_on_one_uplink_is_shut_on_the_other(open_doors: Box) -> None:
    office = open_doors.office
    with serve(office, "staff", socket.SOCK_STREAM, 22):
        connect(office, "internet", (OFFICE["cable"]["ipv4"], 8022)).close()
        assert is_silent(office, "internet", (OFFICE["lte"]["ipv4"], 8022))


def test_a_forwarded_connection_lives_on_through_switches(open_doors: Box) -> None:
    """An event of one line wiped port forwards elsewhere. https://github.com/vyos/vyos-1x/pull/5125"""
    office = open_doors.office
    with serve(office, "staff", socket.SOCK_STREAM, 443) as service:
        callers = [connect(office, "internet", (OFFICE[u][f], 8443)) for u in UPLINKS for f in FAMILIES]
        inner = [accept(service) for _ in callers]
        for _ in range(3):
            move(open_doors, "lte")
            go_home(open_doors)
            for sock in inner:
                sock.sendall(b"still here")
            assert [c.recv(16) for c in callers] == [b"still here"] * len(callers)
        for sock in (*callers, *inner):
            sock.close()


# ── Inside ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
def test_a_guest_cannot_open_anything_to_staff_and_is_told(shut: Box, family: str) -> None:
    office, inner = shut.office, STAFF[family]
    with serve(office, "staff", socket.SOCK_STREAM, 443), Ear(office, "staff", "eth0") as ear:
        with make(office, "guest", inner, socket.SOCK_STREAM) as sock:
            error = sock.connect_ex((inner, 443))
        forge(office, "guest", udp_packet((GUEST[family], 5555), (inner, 9999)))
        forge(office, "guest", echo_packet(GUEST[family], inner))
        forge(office, "guest", echo_packet(GUEST[family], inner, reply=True))
        for flags in (ACK, SYN | ACK, FIN | ACK, SYN | FIN, 0):
            forge(office, "guest", tcp_packet((GUEST[family], 5556), (inner, 443), flags))
        with make(office, "guest", SERVER[family], socket.SOCK_DGRAM) as asking:
            asking.connect((SERVER[family], ECHO))
            ask(asking, b"the guest is through")
        heard = ear.before(tell_inside(office, "gw", inner))
        reached = [ends(p) for p in heard if ends(p)[0] == GUEST[family]]
    assert error not in (0, 110, 11), "refused in so many words, not left waiting"
    assert reached == []


@pytest.mark.parametrize("foreign_mark", [0, 0x7, 0xCA6C, 0x10001, 0x70000])
def test_flows_inside_the_office_keep_flowing_unmarked_through_switches(shut: Box, foreign_mark: int) -> None:
    """Whatever mark somebody else's software has put on them: they never leave by an uplink, so they are not ours.

    https://github.com/vyos/vyos-1x/pull/5125
    """
    office = shut.office
    with ExitStack() as stack:
        pairs = []
        for family in FAMILIES:
            with serve(office, "guest", socket.SOCK_STREAM, 631) as printer:
                sock = stack.enter_context(connect(office, "staff", (GUEST[family], 631)))
                pairs.append((sock, stack.enter_context(accept(printer))))
        for family in FAMILIES if foreign_mark else ():
            marking = ["conntrack", "-U", "-f", family, "-p", "tcp", "--dport", "631", "-m", str(foreign_mark)]
            office.run("gw", marking, check=True)
        for uplink in ("lte", "cable", "lte", "cable"):
            move(shut, uplink)
            for here, there in pairs:
                here.sendall(b"page")
                assert there.recv(16) == b"page"
                there.sendall(b"ok")
                assert here.recv(16) == b"ok"
        go_home(shut)
        marks = {t.mark for t in tracked(office) if t.dport == 631 and t.state == "ESTABLISHED"}
    assert marks == {foreign_mark}


# ── What must come in ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("uplink", UPLINKS)
def test_icmp_errors_about_what_people_sent_come_in(shut: Box, uplink: str, family: str) -> None:
    """A closed port on the internet, and a path that takes smaller packets only."""
    office, server = shut.office, SERVER[family]
    with on(shut, uplink):
        with make(office, "staff", server, socket.SOCK_DGRAM) as sock:
            sock.connect((server, 33434))
            sock.send(b"?")
            with pytest.raises(ConnectionRefusedError):
                sock.recv(16)
        office.run(ISP[uplink], ["ip", "link", "set", "core", "mtu", "1300"], check=True)
        try:
            far = server[:-1] + {"cable": "1", "lte": "2"}[uplink]  # staff remember the width of the path to each
            with make(office, "staff", far, socket.SOCK_DGRAM) as sock:
                level, discover, mtu = (0, 10, 14) if family == "ipv4" else (41, 23, 24)
                sock.setsockopt(level, discover, 2)  # IP_MTU_DISCOVER: IP_PMTUDISC_DO
                sock.connect((far, 7))
                sock.send(bytes(1400))
                narrow = partial(has_option, sock, level, mtu, 1300)
                shut.until(narrow, PATIENCE_S, "the path's width is known")
        finally:
            office.run(ISP[uplink], ["ip", "link", "set", "core", "mtu", "1500"], check=True)


def has_option(sock: socket.socket, level: int, option: int, value: int) -> bool:
    return sock.getsockopt(level, option) == value


@pytest.mark.parametrize("uplink", UPLINKS)
def test_neighbour_discovery_works_from_both_ends(shut: Box, uplink: str) -> None:
    office = shut.office
    for host, device in (("gw", WAN[uplink]), (ISP[uplink], "access")):
        office.run(host, ["ip", "-6", "neigh", "flush", "dev", device])
    lan = ["ip", "-6", "neigh", "flush", "dev", "lan0"]
    office.run("gw", lan)
    with on(shut, uplink):
        assert office.run("staff", ["ping", "-c", "3", "-W", "2", SERVER["ipv6"]]).returncode == 0
    office.run(ISP[uplink], ["ip", "-6", "neigh", "flush", "dev", "access"])
    forge(office, ISP[uplink], udp_packet((SERVER["ipv6"], 1), (OFFICE[uplink]["ipv6"], 9)))
    show = ["ip", "-6", "neigh", "show", OFFICE[uplink]["ipv6"]]
    shut.until(lambda: "lladdr" in office.run(ISP[uplink], show).stdout, PATIENCE_S, "the ISP knows its neighbour")


def router_advertisement(source: str, lifetime_s: int = 1800) -> bytes:
    message = bytes([134, 0, 0, 0, 64, 0]) + lifetime_s.to_bytes(2, "big") + bytes(8)
    return ip_packet(source, "ff02::1", 58, summed(source, "ff02::1", 58, message, 2), hops=255)


def advertised_routes(office: Office) -> list[str]:
    return office.run("gw", ["ip", "-6", "route", "show", "default", "proto", "ra"]).stdout.splitlines()


def test_router_advertisements_still_come_in(shut: Box) -> None:
    office = shut.office
    shown = office.run("isp-b", ["ip", "-6", "-br", "address", "show", "dev", "access", "scope", "link"]).stdout
    router = next(word.split("/")[0] for word in shown.split() if word.startswith("fe80"))
    forge(office, "isp-b", router_advertisement(router), "access")
    shut.until(lambda: bool(advertised_routes(office)), PATIENCE_S, "the advertised default route is there")
    forge(office, "isp-b", router_advertisement(router, 0), "access")
    shut.until(lambda: not advertised_routes(office), PATIENCE_S, "and gone when its router says so")


def test_taking_over_a_box_that_lives_on_router_advertisements_does_not_lose_its_route() -> None:
    """Forwarding purges advertised default routes in the moment it is switched on, unless accept_ra is 2 by then."""
    with Office.up(without_delay(find_topology("office")), a_name()) as office:
        office.run("gw", ["ip", "-6", "route", "del", "default", "via", "2001:db8:2::1"], check=True)
        shown = office.run("isp-b", ["ip", "-6", "-br", "address", "show", "dev", "access", "scope", "link"]).stdout
        router = next(word.split("/")[0] for word in shown.split() if word.startswith("fe80"))
        forge(office, "isp-b", router_advertisement(router), "access")
        box = Box.of(office)
        box.until(lambda: bool(advertised_routes(office)), PATIENCE_S, "the advertised default route is there")
        with box:
            assert advertised_routes(office)
            box.until(lambda: box.health("lte", "ipv6") == "up", PATIENCE_S, "lte has IPv6 by the advertised router")


def test_dhcp_goes_out_and_its_answers_come_in(shut: Box) -> None:
    """As a client does that has no address yet, by an ordinary socket, and as one that renews."""
    office = shut.office
    forged = {"broadcast": "255.255.255.255", "unicast": OFFICE["lte"]["ipv4"]}
    with serve(office, "gw", socket.SOCK_DGRAM, 68, "0.0.0.0") as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, 25, b"wwan0")
        for way, dest in forged.items():
            forge(office, "isp-b", udp_packet(("203.0.113.1", 67), (dest, 68), way.encode()), "access")
            assert client.recv(64) == way.encode()
        with Ear(office, "isp-b", "access") as ear:
            client.sendto(b"renew", ("203.0.113.1", 67))
            forge(office, "gw", udp_packet(("0.0.0.0", 68), ("255.255.255.255", 67), b"discover"), "wwan0")
            ear.until(lambda packets: {b"renew", b"discover"} <= {p[28:] for p in packets if ends(p)[2] == 17})
    with serve(office, "gw", socket.SOCK_DGRAM, 546) as client:
        router = office.run("isp-b", ["ip", "-6", "-br", "address", "show", "dev", "access", "scope", "link"]).stdout
        own = office.run("gw", ["ip", "-6", "-br", "address", "show", "dev", "wwan0", "scope", "link"]).stdout
        source, dest = (next(w.split("/")[0] for w in s.split() if w.startswith("fe80")) for s in (router, own))
        forge(office, "isp-b", udp_packet((source, 547), (dest, 546), b"reply"), "access")
        assert client.recv(64) == b"reply"


# ── Other people's software on the same box ──────────────────────────────────────────


@pytest.mark.parametrize("foreign_mark", [0x7, 0xCA6C, 0x70000])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_tunnel_of_the_gateways_own_with_a_mark_of_its_own_keeps_its_answers(
    shut: Box, family: str, foreign_mark: int
) -> None:
    """wg-quick puts 0xca6c on its connections: neither that nor any other software's mark makes them ours."""
    office, server = shut.office, SERVER[family]
    with make(office, "gw", server, socket.SOCK_DGRAM) as tunnel:
        tunnel.connect((server, 7))
        tunnel.send(b"handshake")
        assert tunnel.recv(64) == b"handshake"
        port = str(tunnel.getsockname()[1])
        marking = ["conntrack", "-U", "-f", family, "-p", "udp", "--sport", port, "-m", str(foreign_mark)]
        office.run("gw", marking, check=True)
        tunnel.send(b"data")
        assert tunnel.recv(64) == b"data"
        marks = {t.mark for t in tracked(office) if (t.protocol, t.sport, t.dport) == ("udp", int(port), 7)}
    assert marks == {foreign_mark}


def test_every_flow_that_came_in_bears_its_uplinks_number(open_doors: Box) -> None:
    office, numbers = open_doors.office, numbers_of(open_doors)
    for uplink in UPLINKS:
        with connect(office, "internet", (OFFICE[uplink]["ipv4"], 22), (SERVER["ipv4"], 0)) as caller:
            port = caller.getsockname()[1]
            marks = {t.mark & 0xFF for t in tracked(office) if (t.protocol, t.sport, t.dport) == ("tcp", port, 22)}
        assert marks == {numbers[uplink] | ARRIVED}


def test_a_scan_would_have_heard_an_answer(shut: Box) -> None:
    """The scans above prove something only if an answer would have been heard."""
    office = shut.office
    found = answered_ports(office, "staff", "10.44.10.1", socket.SOCK_STREAM, [22, 23])
    assert found[22] == "open"
    assert found[23] == "errno 111"
    found = answered_ports(office, "staff", "10.44.10.1", socket.SOCK_DGRAM, [7])
    assert found == {7: "errno 111"}
