"""check-path in the virtual office: every fault gets its sentence, and the office does not notice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest
from tests.netns.conftest import a_name

from secondpath.lab.box import Box, config_of
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST, find_topology

pytestmark = pytest.mark.netns

FAMILIES = ("ipv4", "ipv6")
ALL = ["icmp", "tcp", "dns", "http"]


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    """The office with carrier-grade NAT on lte; each test leaves it as it was, but nobody goes home meanwhile."""
    with Office.up(find_topology("cgnat"), a_name()) as office, Box.of(office, hold="30min") as box:
        box.until_well()
        yield box


@pytest.fixture
def box(running: Box) -> Iterator[Box]:
    running.until_well(60.0)
    yield running
    running.office.mend()


def command(box: Box, *words: str) -> tuple[int, str, str]:
    """What a person sees who types the command in the gateway: exit code, output, complaint."""
    done = box.office.run(GATEWAY_HOST, box.argv("check-path", *words), timeout_s=30.0)
    return done.returncode, done.stdout, done.stderr


def examined(box: Box, *words: str) -> dict[str, dict[str, Any]]:
    """The uplinks of a report, by name; what it promises is held by the schema."""
    code, out, err = command(box, "--json", *words)
    assert code in (0, 1), err
    document: dict[str, Any] = json.loads(out)
    schema = json.loads((resources.files("secondpath.wire") / "schema" / "check-path.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["ok"] is (code == 0)
    assert document["took_s"] < 5
    return {uplink["name"]: uplink for uplink in document["uplinks"]}


def test_a_good_office_is_told_in_full(box: Box) -> None:
    uplinks = examined(box)
    assert list(uplinks) == ["cable", "lte"]
    for uplink in uplinks.values():
        for family in FAMILIES:
            line = uplink["lines"][family]
            assert line["text"].startswith("Nothing is wrong: ping, TCP, DNS and HTTP work")
            assert (line["problems"], line["works"], line["unfinished"]) == ([], ALL, [])
            assert line["gateway"]["echo"] is True
            assert all(probe["outcome"] == "ok" and probe["rtt_s"] > 0 for probe in line["probes"])
            assert all(anchor["received"] == anchor["sent"] for anchor in line["anchors"])
            assert (line["mtu"]["path_bytes"], line["mtu"]["told_by"]) == (1500, None)
            assert [answer["impossible_name"] for answer in line["dns"]] == ["honest"]
            assert line["portal"] is False
    assert min(anchor["median_s"] for anchor in uplinks["cable"]["lines"]["ipv4"]["anchors"]) >= 0.030


def test_the_world_s_view_tells_what_translates_a_line(box: Box) -> None:
    uplinks = examined(box)
    cable, shared, lte6 = (
        uplinks[u]["lines"][f]["nat"] for u, f in (("cable", "ipv4"), ("lte", "ipv4"), ("lte", "ipv6"))
    )
    assert (cable["behind"], cable["mapping"], cable["world"]) == ("nothing", "none", "198.51.100.2")
    assert (lte6["behind"], lte6["mapping"], lte6["world"]) == ("nothing", "none", "2001:db8:2::2")
    assert (shared["behind"], shared["mapping"]) == ("carrier-nat", "endpoint-independent")
    assert shared["world"] == "203.0.113.77"
    assert all(seen["mapped"].startswith("203.0.113.77:") for seen in shared["servers"])
    assert uplinks["lte"]["lines"]["ipv4"]["text"].endswith(", behind carrier-grade NAT.")


def test_a_mapping_for_each_destination_is_told(box: Box) -> None:
    rule = "oifname core ip saddr 100.64.0.0/10 snat to 203.0.113.77 random"
    table = f"table ip symmetric {{\nchain m {{ type nat hook postrouting priority 90;\n{rule}\n}}\n}}\n"
    isp = box.office.topology.uplink("lte").isp
    box.office.run(isp, ["nft", "-f", "-"], text_in=table, check=True)
    try:
        nat = examined(box, "lte")["lte"]["lines"]["ipv4"]["nat"]
    finally:
        box.office.run(isp, ["nft", "delete", "table", "ip", "symmetric"], check=True)
    assert (nat["behind"], nat["mapping"]) == ("carrier-nat", "address-dependent")


def test_a_metered_line_costs_no_more_than_allowed_and_leaves_the_other_in_peace(box: Box) -> None:
    before = box.office.counters("lte")
    uplinks = examined(box, "lte")
    after = box.office.counters("lte")
    assert list(uplinks) == ["lte"]
    crossed = sum(after[name].octets - before[name].octets for name in ("from_office", "to_office"))
    told = sum(uplinks["lte"]["lines"][family]["bytes"] for family in FAMILIES)
    assert 0 < crossed < 20_000
    assert 0 < told <= sum(uplinks["lte"]["lines"][family]["bytes_limit"] for family in FAMILIES)
    assert crossed - 2000 < told < crossed + 4000, "what is told is what went over the line, give or take a heartbeat"


@pytest.mark.parametrize(
    ("fault", "problem", "works", "sentence"),
    [
        ("big-packets", "big-packets", ALL, "Packets larger than 1399 bytes vanish without a word"),
        ("captive", "portal", [], "Somebody else answers for the web (302 to portal.example)"),
        ("dns-dead", "dns", ["icmp", "tcp", "http"], "No name server answers, so names cannot be looked up; ping, TCP"),
        ("tcp-dead", "tcp", ["icmp", "dns"], "TCP does not get through, so neither web nor mail works; ping and DNS"),
        ("blackhole", "upstream", [], "Nothing beyond the gateway {hop} answers, so the fault is the provider's."),
        ("cable-cut", "carrier", [], "Nothing is connected at the other end of wan0."),
        ("next-hop-dead", "next-hop", [], "The gateway {hop} does not answer"),
    ],
)
def test_a_fault_gets_its_sentence(box: Box, fault: str, problem: str, works: list[str], sentence: str) -> None:
    box.office.inject(fault, "cable")
    if fault == "cable-cut":
        box.until(lambda: box.status()["verdict"]["code"] == "cable", 10.0, "the carrier is known to be gone")
    uplinks = examined(box)
    for family, hop in (("ipv4", "198.51.100.1"), ("ipv6", "2001:db8:1::1")):
        line = uplinks["cable"]["lines"][family]
        assert (line["problems"], line["works"]) == ([problem], works)
        assert line["text"].startswith(sentence.format(hop=hop))
        assert line["unfinished"] == []
        assert uplinks["lte"]["lines"][family]["ok"], "a fault of one line is never told of another"


def test_the_search_for_a_size_stays_within_what_a_metered_line_may_cost(box: Box) -> None:
    box.office.inject("big-packets", "lte")
    for line in examined(box, "lte")["lte"]["lines"].values():
        assert (line["problems"], line["mtu"]["path_bytes"]) == (["big-packets"], 1399)
        assert 20_000 < line["bytes"] <= line["bytes_limit"] == 64_000


def test_a_line_that_loses_half_is_told_so(box: Box) -> None:
    box.office.inject("loss-50", "cable")
    for line in examined(box, "cable")["cable"]["lines"].values():
        assert "loss" in line["problems"]
        assert "of all echoes" in line["text"]


def test_a_line_by_satellite_is_slow_and_not_narrow(box: Box) -> None:
    box.office.inject("delay+600", "cable")
    for line in examined(box, "cable")["cable"]["lines"].values():
        assert (line["problems"], line["mtu"]["path_bytes"]) == ([], 1500)


def test_one_dead_family_is_told_alone(box: Box) -> None:
    box.office.inject("blackhole-v6", "cable")
    lines = examined(box, "cable")["cable"]["lines"]
    assert (lines["ipv4"]["problems"], lines["ipv6"]["problems"]) == ([], ["upstream"])


def test_a_router_that_says_what_it_takes_is_believed(box: Box) -> None:
    isp = box.office.topology.uplink("cable").isp
    box.office.run(isp, ["ip", "link", "set", "core", "mtu", "1400"], check=True)
    try:
        lines = examined(box, "cable")["cable"]["lines"]
    finally:
        box.office.run(isp, ["ip", "link", "set", "core", "mtu", "1500"], check=True)
    for family, hop in (("ipv4", "198.51.100.1"), ("ipv6", "2001:db8:1::1")):
        mtu = lines[family]["mtu"]
        assert (mtu["path_bytes"], mtu["told_bytes"], mtu["told_by"]) == (1400, 1400, hop)
        assert lines[family]["ok"], "a smaller path that says so hurts nobody"


def test_a_resolver_that_invents_names_is_told(box: Box) -> None:
    """Whatever is asked of the resolver is answered by one that knows every name."""
    box.office.inject("dns-invented", "cable")
    lines = examined(box, "cable")["cable"]["lines"]
    for family, resolver in (("ipv4", "192.0.2.3"), ("ipv6", "2001:db8:ff::3")):
        assert lines[family]["problems"] == ["invented-names"]
        assert lines[family]["text"].startswith(f"{resolver} invents addresses for names that do not exist")


def test_the_office_does_not_notice(box: Box) -> None:
    before = box.status()
    examined(box)
    after = box.status()
    assert after["verdict"]["code"] == "ok"
    assert after["steering"] == before["steering"]
    assert after["evidence"]["epochs"] == before["evidence"]["epochs"]


def test_two_who_ask_the_same_get_the_same_report(box: Box) -> None:
    box.office.inject("blackhole", "cable")  # so that it takes a while
    answers: list[tuple[int, str, str]] = []
    askers = [threading.Thread(target=lambda: answers.append(command(box, "cable", "--json"))) for _ in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    first, second = (json.loads(out) for _, out, _ in answers)
    assert first == second


def test_an_unknown_uplink_is_met_with_the_nearest_spelling(box: Box) -> None:
    assert command(box, "cabel") == (2, "", "secondpath: There is no uplink named cabel; did you mean cable?\n")


def test_without_a_gateway_it_ends_as_status_does(office: Office) -> None:
    box = Box.of(office, config_of(office.topology))
    code, out, err = command(box)
    assert (code, out) == (3, "")
    assert err == box.office.run(GATEWAY_HOST, box.argv("status")).stderr


def test_it_fits_80_columns(box: Box) -> None:
    code, out, _ = command(box)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert out.splitlines()[-1].startswith("Examined in ")
