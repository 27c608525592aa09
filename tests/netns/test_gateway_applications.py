"""One application is dead on one path and alive on the other: it alone moves, and comes home when it works again.

The story behind it: Microsoft 365 was out of reach for one provider's customers for an hour and a half (12 September
2024), and moving it alone to the other line would have mended it for them; so would an e-filing portal's.
https://m365jp.net/index.php/2024-09-13-servicerestored-mo888473-microsoft-365-suite-users-may-have-been-unable-to-access-one-or-more-microsoft-365-services-3
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import FAMILIES, felt_by
from tests.patience import PATIENCE_S

from secondpath.lab.box import TAX_PORTAL, Box, config_of
from secondpath.lab.gaps import of_stream, resets
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import find_topology

pytestmark = pytest.mark.netns

TAX = {"ipv4": "192.0.2.11", "ipv6": "2001:db8:ff::11"}
WEB = {"ipv4": "192.0.2.12", "ipv6": "2001:db8:ff::12"}
TAX_S, WEB_S = 0.1, 0.15
"""Whose stream is whose is told by its pace."""
LASTING = [Wish("lasting-tcp", f, s, server=server[f]) for server, s in ((TAX, TAX_S), (WEB, WEB_S)) for f in FAMILIES]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    topology = find_topology("office")
    text = config_of(topology, hold="5s") + TAX_PORTAL
    with Office.up(topology, a_name()) as office, Box.of(office, text) as running:
        running.until_well()
        running.until(lambda: portal(running)["addresses"] == 2, PATIENCE_S, "its addresses are learned")
        people = Seat.take(office, "staff", [Wish("new-udp", family, 0.5) for family in FAMILIES])
        running.until(lambda: len(people.samples()) > 0, PATIENCE_S, "people are at work")
        yield running
        people.leave()


def portal(box: Box) -> dict[str, object]:
    return dict(box.status()["applications"][0])


def seen_by(box: Box, address: str) -> str:
    """By which uplink a new connection of staff to a server leaves, told by the source that it sees; "" if by none."""
    code = (
        "import socket,sys\n"
        "s=socket.create_connection((sys.argv[1],7001),5);s.sendall(b'?\\n');print(s.recv(200).split()[0].decode())"
    )
    seen = box.office.run("staff", ["python3", "-c", code, address]).stdout.strip()
    return (box.office.topology.uplink_of(seen) or seen) if seen else ""


def test_it_alone_moves_to_the_path_on_which_it_works_and_comes_home(box: Box) -> None:
    office = box.office
    assert {seen_by(box, TAX[f]) for f in FAMILIES} == {"cable"}
    seat = Seat.take(office, "staff", LASTING)
    box.until(lambda: len(seat.samples()) > 40, PATIENCE_S, "people work with the portal and with the web")
    began = seat.samples()[-1].sent_s
    office.inject(f"app-dead:{TAX['ipv4']}", "cable")
    took = box.until(lambda: portal(box)["apart"] == ["ipv4"], 30.0, "the portal travels by lte over IPv4")
    print(f"the portal moved after {took:.1f} s")
    assert seen_by(box, TAX["ipv4"]) == "lte"
    assert seen_by(box, TAX["ipv6"]) == seen_by(box, WEB["ipv4"]) == "cable", "it alone, and in this family alone"
    assert box.uses() == box.uses("ipv6") == "cable"
    assert box.status()["verdict"]["code"] == "application"
    assert "Tax portal" in box.status()["verdict"]["text"]
    samples = felt_by(box, seat, began)
    broken = {(w.every_s, w.family): resets(of_stream(samples, w.kind, w.family, w.every_s)) for w in LASTING}
    assert broken[TAX_S, "ipv4"] >= 1, "its connection on the dead path was reset, so that it connects again"
    assert sum(broken.values()) == broken[TAX_S, "ipv4"], "nobody else's was"

    why = office.run("gw", box.argv("why", "--list", "--json"))
    event = next(e for e in reversed(json.loads(why.stdout)["events"]) if e["subject"].startswith("application:"))
    box.until(
        lambda: office.run("gw", box.argv("why", str(event["number"]))).returncode == 0, PATIENCE_S, "it is explained"
    )
    told = office.run("gw", box.argv("why", str(event["number"]))).stdout
    assert "failed in this way" in told and "carried the same" in told

    office.heal(f"app-dead:{TAX['ipv4']}", "cable")
    box.until(lambda: portal(box)["apart"] == [], 60.0, "the portal comes home")
    box.until(lambda: seen_by(box, TAX["ipv4"]) == "cable", PATIENCE_S, "new connections go home")
    box.until(lambda: box.status()["verdict"]["code"] == "ok", PATIENCE_S, "all is well")


def test_dead_for_everybody_it_is_told_so_and_moves_nobody(box: Box) -> None:
    office = box.office
    for address in TAX.values():
        office.inject(f"target-dead:{address}")
    try:
        box.until(lambda: box.status()["verdict"]["code"] == "everywhere", 40.0, "the portal is out for everybody")
        assert "Tax portal does not answer" in box.status()["verdict"]["text"]
        assert portal(box)["apart"] == []
        assert box.uses() == box.uses("ipv6") == "cable"
    finally:
        for address in TAX.values():
            office.heal(f"target-dead:{address}")
    box.until(lambda: box.status()["verdict"]["code"] == "ok", 60.0, "it answers again")


def test_guests_are_not_told_apart(box: Box) -> None:
    ruleset = box.office.run("gw", ["nft", "list", "map", "inet", "secondpath", "class_of"]).stdout
    assert '"lan0" : goto recognise' in ruleset
    assert '"guest0" : goto class_guest' in ruleset
