"""What the doctor says to each state of a box: findings from facts, nothing else."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from tests.office import site
from tests.unit.cli.doctor_box import GOOD, said

from secondpath.act.footing.facts import Facts, Grade, Interface, Session
from secondpath.act.footing.lines import judge_lines
from secondpath.act.footing.means import judge_connections, judge_means
from secondpath.cli.doctor import judge
from secondpath.config.reader import parse
from secondpath.model import Allow

MINIMAL = """
[[uplink]]
name = "cable"
interface = "wan0"
[[network]]
name = "staff"
interface = "lan0"
"""


def wan0(**changes: object) -> Facts:
    changed = replace(GOOD.interfaces["wan0"], **changes)  # type: ignore[arg-type]
    return replace(GOOD, interfaces={**GOOD.interfaces, "wan0": changed})


def test_a_good_box_has_nothing_wrong_and_nothing_to_take_care_of() -> None:
    findings = list(judge(site(), GOOD))
    assert {finding.grade for finding in findings} == {Grade.OK}
    assert len({finding.code for finding in findings}) == len(findings)


# ── Means ────────────────────────────────────────────────────────────────────────────


def test_without_nft_nothing_works_and_an_old_one_is_no_better() -> None:
    assert said(judge_means(replace(GOOD, nft=None)))["nft"].remedy == "apt-get install nftables"
    assert "too old" in said(judge_means(replace(GOOD, nft=(0, 9, 8))))["nft"].text


def test_a_feature_that_is_missing_is_told_by_what_it_costs() -> None:
    facts = replace(GOOD, features={"fib": "No such file", "socket diag": "not supported", "tc cake": "unknown"})
    assert list(said(judge_means(facts))) == ["kernel.fib"]
    assert list(said(judge_means(facts), Grade.CARE)) == ["kernel.socket diag"]
    assert "tc cake" in said(judge_means(facts), Grade.OK)["kernel.spare"].text


def test_a_ruleset_that_the_kernel_refuses_is_wrong() -> None:
    assert "syntax" in said(judge_means(replace(GOOD, ruleset="syntax error")))["kernel.table"].text


def test_without_rights_what_cannot_be_looked_at_is_unknown_and_not_wrong() -> None:
    facts = replace(GOOD, root=False, capable=False, features=None)
    assert set(said(judge_means(facts), Grade.UNKNOWN)) == {"rights", "kernel"}
    assert not said(judge_means(facts))


def test_a_clock_that_nobody_keeps_right_deserves_care() -> None:
    assert "clock" in said(judge_means(replace(GOOD, clock_is_set=False)), Grade.CARE)


@pytest.mark.parametrize(
    ("settings", "memory_bytes", "grade", "code"),
    [
        ({"max": "8192", "buckets": "8192"}, 1 << 32, Grade.CARE, "conntrack.max"),
        ({"max": "65536", "buckets": "65536", "count": "60000"}, 1 << 32, Grade.WRONG, "conntrack.full"),
        ({"max": "262144", "buckets": "262144"}, 1 << 28, Grade.CARE, "conntrack.memory"),
        ({"max": "262144", "buckets": "8192"}, 1 << 32, Grade.CARE, "conntrack.buckets"),
        ({}, 1 << 32, Grade.UNKNOWN, "conntrack"),
        (
            {"max": "65536", "buckets": "65536", "tcp_timeout_established": "600"},
            1 << 32,
            Grade.CARE,
            "conntrack.tcp_timeout_established",
        ),
        (
            {"max": "65536", "buckets": "65536", "udp_timeout_stream": "60"},
            1 << 32,
            Grade.CARE,
            "conntrack.udp_timeout_stream",
        ),
    ],
)
def test_room_for_connections_is_judged_by_size_and_memory(
    settings: dict[str, str], memory_bytes: int, grade: Grade, code: str
) -> None:
    found = {f"net/netfilter/nf_conntrack_{name}": value for name, value in settings.items()}
    assert code in said(judge_connections(found, memory_bytes), grade)


# ── Lines ────────────────────────────────────────────────────────────────────────────


def test_an_interface_that_is_not_there_is_told_with_the_nearest_that_is() -> None:
    interfaces = {("wan1" if name == "wan0" else name): found for name, found in GOOD.interfaces.items()}
    finding = said(judge_lines(site(), replace(GOOD, interfaces=interfaces)))["uplink.cable"]
    assert "there is no interface wan0" in finding.text
    assert "did you mean wan1?" in finding.remedy


@pytest.mark.parametrize(
    ("changes", "grade", "words"),
    [
        ({"up": False}, Grade.WRONG, "switched off"),
        ({"carrier": False}, Grade.CARE, "nothing is connected"),
        ({"addresses": ()}, Grade.WRONG, "has no address"),
        ({"addresses": ("fe80::2/64",)}, Grade.WRONG, "link-local addresses only"),
    ],
)
def test_an_uplink_that_cannot_be_used_is_told_why(changes: dict[str, object], grade: Grade, words: str) -> None:
    assert words in said(judge_lines(site(), wan0(**changes)), grade)["uplink.cable"].text


def test_an_uplink_without_a_next_hop_is_wrong_unless_the_configuration_names_one() -> None:
    finding = said(judge_lines(site(), wan0(gateways=())))["uplink.cable.gateway.ipv4"]
    assert 'gateway = ["ROUTER"]' in finding.remedy
    named = site(uplinks=(replace(site().uplinks[0], gateways=(ip_address("198.51.100.1"),)), site().uplinks[1]))
    assert not said(judge_lines(named, wan0(gateways=())))


def test_a_line_that_is_point_to_point_needs_no_next_hop() -> None:
    assert not said(judge_lines(site(), wan0(gateways=(), point_to_point=True)))


def test_one_family_without_a_next_hop_deserves_care_while_the_other_works() -> None:
    facts = wan0(addresses=("198.51.100.2/24", "2001:db8:1::2/64"))
    assert "uplink.cable.gateway.ipv6" in said(judge_lines(site(), facts), Grade.CARE)


def test_an_inside_network_needs_an_address_and_no_default_route() -> None:
    lan0 = Interface("lan0", addresses=(), gateways=(ip_address("10.44.10.254"),))
    found = said(judge_lines(site(), replace(GOOD, interfaces={**GOOD.interfaces, "lan0": lan0})))
    assert "has no address" in found["network.staff"].text
    assert "inside the office" in found["network.staff.gateway"].text


def test_two_uplinks_behind_one_router_are_one_line() -> None:
    wwan0 = Interface("wwan0", addresses=("198.51.100.3/24",), gateways=(ip_address("198.51.100.1"),))
    facts = replace(GOOD, interfaces={**GOOD.interfaces, "wwan0": wwan0})
    assert "they fail together" in said(judge_lines(site(), facts))["uplinks.gateway"].text


def test_two_modems_with_the_same_network_inside_confuse_answers() -> None:
    wwan0 = Interface("wwan0", addresses=("198.51.100.3/24",), gateways=(ip_address("198.51.100.254"),))
    facts = replace(GOOD, interfaces={**GOOD.interfaces, "wwan0": wwan0})
    assert "198.51.100.0/24" in said(judge_lines(site(), facts))["uplinks.subnet"].text


def test_link_local_next_hops_may_look_alike() -> None:
    hop = (ip_address("fe80::1"),)
    cable = Interface("wan0", addresses=("2001:db8:1::2/64", "fe80::2/64"), gateways=hop)
    lte = Interface("wwan0", addresses=("2001:db8:2::2/64", "fe80::3/64"), gateways=hop)
    facts = replace(GOOD, interfaces={**GOOD.interfaces, "wan0": cable, "wwan0": lte})
    assert not said(judge_lines(site(), facts))


def test_the_office_may_not_use_its_providers_network() -> None:
    lan0 = Interface("lan0", addresses=("198.51.100.9/25",))
    facts = replace(GOOD, interfaces={**GOOD.interfaces, "lan0": lan0})
    assert "networks.subnet" in said(judge_lines(site(), facts))


def test_mtu_is_judged_from_both_sides() -> None:
    assert "uplink.cable.mtu" in said(judge_lines(site(), wan0(mtu=1200)))
    assert "MSS" in said(judge_lines(site(), wan0(mtu=1492)), Grade.OK)["uplink.cable.mtu"].text
    assert "uplink.cable.mtu" in said(judge_lines(site(), wan0(mtu=9000)), Grade.CARE)


@pytest.mark.parametrize(
    ("resolver", "careful"),
    [("198.51.100.1", True), ("203.0.113.53", True), ("9.9.9.9", False), ("127.0.0.1", False), ("10.44.10.5", False)],
)
def test_a_resolver_that_one_line_takes_with_it_is_told(resolver: str, careful: bool) -> None:
    facts = replace(GOOD, resolvers=(ip_address(resolver),))
    assert ("resolver" in said(judge_lines(site(), facts), Grade.CARE)) is careful


# ── One's own session ────────────────────────────────────────────────────────────────

FROM_OUTSIDE = Session(ip_address("198.51.100.2"), 22, ip_address("192.0.2.77"))


def test_who_sits_outside_is_told_the_very_lines_that_let_them_in_again() -> None:
    finding = said(judge_lines(site(), replace(GOOD, session=FROM_OUTSIDE)))["session"]
    (allow,) = parse(MINIMAL + finding.remedy, "office.toml").allows
    assert allow == Allow("tcp", 22, (ip_network("192.0.2.77/32"),))
    assert "session" in said(judge_lines(site(allows=(allow,)), replace(GOOD, session=FROM_OUTSIDE)), Grade.OK)


@pytest.mark.parametrize(
    "allow",
    [Allow("tcp", 2222), Allow("udp", 22), Allow("tcp", 22, (ip_network("192.0.2.0/28"),)), Allow("icmp", 0)],
)
def test_an_allow_that_does_not_fit_the_session_does_not_help(allow: Allow) -> None:
    assert "session" in said(judge_lines(site(allows=(allow,)), replace(GOOD, session=FROM_OUTSIDE)))


def test_who_sits_inside_is_not_bothered() -> None:
    session = Session(ip_address("10.44.10.1"), 22, ip_address("10.44.10.10"))
    assert "session" in said(judge_lines(site(), replace(GOOD, session=session)), Grade.OK)


def test_without_a_configuration_the_interfaces_are_listed() -> None:
    assert {"interface.wan0", "interface.lan0"} <= {finding.code for finding in judge(None, GOOD)}
