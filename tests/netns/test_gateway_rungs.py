"""A line that answers and is useless all the same: the office moves, is told why, and goes home to a whole line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.netns.conftest import a_name
from tests.netns.strangers import FAMILIES, go_home

from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.topology import find_topology

pytestmark = pytest.mark.netns

FAULTS = {
    "dns-dead": "dns",
    "tcp-dead": "tcp",
    "tls-stall": "tls",
    "big-packets": "path-mtu",
    "captive": "captive",
    "delay+300": "brown-out",
    "jitter-150": "brown-out",
}
CAUSES = {"delay+300": "far longer than usual", "jitter-150": "now long, now short"}
"""What the sentence says, where the code alone does not tell."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Office.up(find_topology("office"), a_name()) as office, Box.of(office, hold="2s") as running:
        running.until_well()
        running.until(lambda: all(knows(running, f"cable/{f}") for f in FAMILIES), 90.0, "who answers what is known")
        people = Seat.take(office, "staff", [Wish("new-udp", family, 0.5) for family in FAMILIES])
        yield running
        people.leave()


def knows(box: Box, line: str) -> bool:
    rungs = box.status()["evidence"]["rungs"][line]
    return rungs.keys() >= {"dns", "tcp", "tls", "size"} and "failing" not in rungs.values()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_office_leaves_a_line_that_answers_and_is_useless(box: Box, fault: str) -> None:
    """32 minutes without TCP: https://github.com/robbeverhelst/unifi-reactor/issues/140

    Names dead, ping fine: https://github.com/Ranger802004/asusmerlin/issues/26
    """
    box.office.inject(fault, "cable")
    try:
        box.until(lambda: box.uses() == box.uses("ipv6") == "lte", 30.0, f"both families leave cable: {fault}")
        box.until(lambda: box.status()["verdict"]["code"] == FAULTS[fault], 30.0, f"the verdict is {FAULTS[fault]}")
        assert CAUSES.get(fault, "") in box.status()["verdict"]["text"]
    finally:
        box.office.heal(fault, "cable")
    box.until(lambda: all(knows(box, f"cable/{f}") for f in FAMILIES), 60.0, "the whole ladder is good again")
    box.until(lambda: box.health("cable") == box.health("cable", "ipv6") == "up", 60.0, "cable is well")
    go_home(box)
