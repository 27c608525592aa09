"""What is to blame, told of real cables: the office's own switch, and a failure of all lines at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import is_up, uses
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology

pytestmark = pytest.mark.netns

SHARED = "power: suite 4"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    topology = find_topology("office")
    text = config_of(topology).replace('interface = "w', f'shares = ["{SHARED}"]\ninterface = "w')
    with Office.up(topology, a_name()) as office, Box.of(office, text) as running:
        running.until_well()
        yield running


def says(box: Box, code: str) -> bool:
    return bool(box.status()["verdict"]["code"] == code)


def test_the_office_s_own_switch_loses_its_power_and_no_line_is_blamed(box: Box) -> None:
    box.office.run("staff", ["ip", "link", "set", "eth0", "down"], check=True)
    box.until(lambda: says(box, "inside"), PATIENCE_S, "the inside is to blame")
    told = box.status()["verdict"]
    assert "lan0 (staff)" in told["text"]
    assert (told["confidence"], told["lines"]) == ("fact", [])
    assert uses(box, "cable")
    box.office.run("staff", ["ip", "link", "set", "eth0", "up"], check=True)
    box.until(lambda: says(box, "ok"), PATIENCE_S, "all is well")
    assert not [e for e in box.status()["events"] if e["event"].startswith("steering.failover")]


def test_both_modems_on_one_plug_are_one_cause(box: Box) -> None:
    for uplink in ("cable", "lte"):
        box.office.inject("cable-cut", uplink)
    box.until(lambda: says(box, "common-cause"), PATIENCE_S, "one cause is told")
    told = box.status()["verdict"]
    assert SHARED in told["text"] and told["confidence"] == "likely"
    for uplink in ("lte", "cable"):
        box.office.heal("cable-cut", uplink)
    box.until(lambda: is_up(box, "cable") and is_up(box, "lte"), PATIENCE_S, "both are back")
    box.until(lambda: says(box, "ok"), PATIENCE_S, "all is well")
