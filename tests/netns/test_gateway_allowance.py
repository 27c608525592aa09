"""A plan's data, counted at the interface of a real gateway, over restarts too, and what follows from it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import FAMILIES
from tests.netns.strangers import go_home, move
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.toll import Toll
from secondpath.lab.topology import find_topology, without_delay

pytestmark = pytest.mark.netns

PLAN = 'metered = true\nplan = { data = "20 GB", renews_on = 5, beyond = "600 kbit/s" }\n'
WORK = [Wish(kind, family, 0.01) for family in FAMILIES for kind in ("lasting-udp", "new-udp", "lasting-tcp")]
LOOK_S = 10.0


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """The host *guest* stands for bulk, so that there is something to squeeze which may travel on lte at first."""
    topology = without_delay(find_topology("office"))
    text = config_of(topology).replace('class = "guest"', 'class = "bulk"').replace("metered = true\n", PLAN)
    with Office.up(topology, a_name()) as office, Box.of(office, text) as running:
        running.until_well()
        yield running


def allowance(box: Box) -> Mapping[str, Any]:
    return dict(next(u["allowance"] for u in box.status()["uplinks"] if u["name"] == "lte"))


def command(box: Box, *arguments: str) -> str:
    done = box.office.run("gw", box.argv("allowance", *arguments))
    assert done.returncode == 0, done.stderr
    return done.stdout


def at_the_interface(box: Box) -> int:
    """IP bytes of wwan0, by ip(8): what our own reading is compared with."""
    said = box.office.run("gw", ["ip", "-j", "-s", "link", "show", "wwan0"], check=True).stdout
    both = json.loads(said)[0]["stats64"].values()
    return sum(int(way["bytes"]) - 14 * int(way["packets"]) for way in both)


def test_it_counts_what_the_interface_carries_also_while_the_gateway_is_away(box: Box) -> None:
    move(box, "lte")
    began, before = at_the_interface(box), allowance(box)["used_bytes"]
    staff = Seat.take(box.office, "staff", WORK)
    box.until(lambda: at_the_interface(box) - began > 300_000, PATIENCE_S, "people work by lte")
    box.stop()
    box.until(lambda: at_the_interface(box) - began > 600_000, PATIENCE_S, "traffic flows while nobody counts")
    box.start()
    box.until(lambda: allowance(box)["used_bytes"] - before > 500_000, 2 * LOOK_S, "it is counted after the restart")
    staff.leave()
    box.until_well()
    quiet_s = time.monotonic()
    box.until(
        lambda: time.monotonic() - quiet_s > 1.0 and box.uses() == "lte", PATIENCE_S, "the gateway follows as before"
    )
    box.stop()
    moved = at_the_interface(box) - began
    box.start()
    counted = allowance(box)["used_bytes"] - before
    print(f"counted {counted} of {moved} bytes ({counted / moved:.4f})")
    assert abs(counted / moved - 1) < 0.02
    go_home(box)


def test_a_stage_ends_the_flows_of_those_who_wait_and_a_person_lifts_it(box: Box) -> None:
    move(box, "lte")
    gate = Toll(box.office, "guest0", "wwan0").stand()
    bulk = Seat.take(box.office, "guest", WORK)
    box.until(lambda: gate.passed().packets > 200, PATIENCE_S, "bulk travels by lte")
    assert "18.5 GB of 20.0 GB used" in command(box, "lte", "--used", "18.5 GB")
    was = gate.passed()
    assert box.uses(traffic_class="bulk") is None
    assert box.uses() == "lte"
    lanes = json.loads(box.office.run("gw", box.argv("status", "--json")).stdout)
    assert lanes["why"]["bulk"]["ipv4"]["code"] == "saving"
    time.sleep(0.5)
    assert (gate.passed() - was).octets == 0, "from the answer on"
    assert allowance(box)["stage"] == "squeezed"
    command(box, "--used", "19.2GB")
    assert box.uses() is None and box.uses(traffic_class="voice") == "lte"
    command(box, "--lift")
    assert box.uses() == box.uses(traffic_class="bulk") == "lte"
    box.until(lambda: (gate.passed() - was).packets > 50, PATIENCE_S, "bulk travels again")
    command(box, "--keep")
    assert box.uses() is None
    assert "12.0 GB of 20.0 GB used" in command(box, "--used", "12GB")
    assert box.uses() == "lte"
    bulk.leave()
    told = box.office.run("gw", box.argv("events", "--json")).stdout
    names = [event["event"] for event in json.loads(told)["events"] if event["subject"] == "allowance:lte"]
    assert names[-5:] == [f"allowance.{w}" for w in ("corrected", "corrected", "lifted", "kept", "corrected")]
    go_home(box)


def test_the_cost_of_questions_to_a_standby_is_what_its_interface_counted(box: Box) -> None:
    def questions() -> int:
        return int(box.status()["evidence"]["questions"]["lte"]["bytes"])

    box.until(lambda: box.uses() == "cable", PATIENCE_S, "lte stands by")
    before = questions()

    def stranger() -> bool:
        """Somebody else pings by lte; where people used it between two looks, his bytes are not told from theirs."""
        box.office.run("gw", ["ping", "-q", "-c", "40", "-i", "0.05", "-s", "1000", "-I", "wwan0", "192.0.2.1"])
        return questions() - before > 40 * 2 * 1000

    box.until(stranger, 4 * LOOK_S, "it is counted, though we did not send it")


def test_wrong_usage_is_told_in_a_sentence(box: Box) -> None:
    def refused(*arguments: str) -> tuple[int, str]:
        done = box.office.run("gw", box.argv("allowance", *arguments))
        return done.returncode, done.stderr

    assert refused("ltte") == (2, "secondpath: there is no uplink named 'ltte'; did you mean 'lte'?\n")
    assert refused("cable") == (2, 'secondpath: the plan of cable has no limit: there is no "data" in it\n')
    code, said = refused("--used", "12 gigs")
    assert (code, "unknown unit" in said) == (2, True)


def test_a_flow_is_traced_as_the_box_routes_it_and_the_table_tells_where_everything_travels(box: Box) -> None:
    def told(*arguments: str) -> Any:
        done = box.office.run("gw", box.argv(*arguments, "--json"))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    guest = box.office.run("guest", ["hostname", "-I"]).stdout.split()
    assert guest, "the host has addresses"
    found = told("trace", next(a for a in guest if ":" not in a), "192.0.2.12")
    assert (found["network"]["interface"], found["flows"][0]["class"]) == ("guest0", "bulk")
    assert found["flows"][0]["uplink"] == box.uses(traffic_class="bulk") == "cable"
    done = box.office.run("gw", box.argv("trace", "203.0.113.200", "192.0.2.12"))
    assert done.returncode == 2
    assert "is on none of the inside networks" in done.stderr
    rows = {row["name"]: row for row in told("policy")["classes"]}
    assert {f: lane["uplink"] for f, lane in rows["bulk"]["now"].items()} == {"ipv4": "cable", "ipv6": "cable"}
    assert rows["bulk"]["on"]["lte"]["treatment"] == "limit"
    assert rows["streaming"]["on"]["lte"]["treatment"] == "block"
