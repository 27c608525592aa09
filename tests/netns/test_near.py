"""How far one still comes, seen by the real gateway: the modem, the next hop, or beyond both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.netns.conftest import a_name

from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology

pytestmark = pytest.mark.netns

ENOUGH_S = 60.0
MODEM, NEXT_HOP = "192.168.100.1", "198.51.100.1"
NAMED = {"modem-dead": "modem", "access-dead": "access", "blackhole": "upstream"}
ANSWER = {"modem-dead": set[str](), "access-dead": {MODEM}, "blackhole": {MODEM, NEXT_HOP}}
"""Who still answers the gateway's own ping."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Office.up(find_topology("modem"), a_name()) as office, Box.of(office, hold="2s", hold_max="4s") as running:
        running.until_well()
        yield running


def answering(box: Box) -> set[str]:
    pings = {a: ["ping", "-c1", "-W1", "-I", "wan0", a] for a in (MODEM, NEXT_HOP)}
    return {address for address, ping in pings.items() if box.office.run("gw", ping).returncode == 0}


@pytest.mark.parametrize("fault", NAMED)
def test_the_verdict_names_whatever_still_answers(box: Box, fault: str) -> None:
    box.until(lambda: answering(box) == {MODEM, NEXT_HOP}, ENOUGH_S, "modem and next hop answer")
    box.office.inject(fault, "cable")
    try:
        box.until(lambda: box.uses() == box.uses("ipv6") == "lte", ENOUGH_S, "both families leave cable")
        box.until(lambda: box.status()["verdict"]["code"] == NAMED[fault], ENOUGH_S, f"it is told: {NAMED[fault]}")
        assert answering(box) == ANSWER[fault]
    finally:
        box.office.heal(fault, "cable")
    box.until(lambda: box.uses() == box.uses("ipv6") == "cable", ENOUGH_S, "everybody is at home again")
