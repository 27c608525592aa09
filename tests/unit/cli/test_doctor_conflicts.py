"""What the doctor says of other software on the box: findings from facts, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.office import site
from tests.unit.cli.doctor_box import GOOD, said

from secondpath.act.footing.conflicts import judge_conflicts
from secondpath.act.footing.facts import Chain, Finding, Grade, PolicyRule
from secondpath.act.footing.managers import judge_managers

# ── Conflicts ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (PolicyRule(7150, 100), "rules.priority"),
        (PolicyRule(1000, 100, mark=1, mask=0xFF), "rules.mark"),
        (PolicyRule(1000, 100, mark=2, mask=0x0F), "rules.mark"),
        (PolicyRule(9000, 100, mark=0x101, mask=0xFFFF), "rules.mark"),
        (PolicyRule(1000, 100, has_default=True), "rules.default"),
    ],
)
def test_a_policy_rule_in_our_way_is_wrong(rule: PolicyRule, code: str) -> None:
    assert code in said(judge_conflicts(site(), replace(GOOD, rules=(rule,))))


@pytest.mark.parametrize(
    "rule",
    [
        PolicyRule(32764, 51820, has_default=True),  # wg-quick: not fwmark 0xca6c
        PolicyRule(5210, 254, mark=0x80000, mask=0xFF0000),  # tailscale
        PolicyRule(2001, 1, mark=0x100, mask=0x3F00),  # mwan3 with its own mask
        PolicyRule(1000, 100, has_default=True, narrowed=True),
        PolicyRule(5270, 52),
    ],
)
def test_a_policy_rule_that_keeps_out_of_our_way_is_fine(rule: PolicyRule) -> None:
    assert not said(judge_conflicts(site(), replace(GOOD, rules=(rule,))))


def test_somebody_elses_routes_in_our_tables_are_wrong() -> None:
    assert "7101" in said(judge_conflicts(site(), replace(GOOD, routes=frozenset({7101}))))["tables"].text


def forwarding(chain: Chain, *services: str) -> dict[str, Finding]:
    return said(judge_conflicts(site(), replace(GOOD, chains=(chain,), services=frozenset(services))))


DOCKER = Chain("ip", "filter", "FORWARD", "forward", policy="drop", accepts=(("docker0", ""), ("", "docker0")))


@pytest.mark.parametrize(
    ("service", "remedy"),
    [
        ("docker.service", "iptables -I DOCKER-USER -i lan0 -o wan0 -j ACCEPT"),
        ("ufw.service", "ufw route allow in on lan0 out on wan0"),
        ("firewalld.service", "systemctl disable --now firewalld"),
        ("", "nft insert rule ip filter FORWARD iifname lan0 oifname wan0 accept"),
    ],
)
def test_a_packet_filter_that_stops_the_office_is_opened_in_its_own_words(service: str, remedy: str) -> None:
    finding = forwarding(DOCKER, service)["forwarding.filter"]
    assert "lan0 → wan0" in finding.text
    assert remedy in finding.remedy


def test_a_last_rule_that_rejects_is_as_bad_as_a_policy() -> None:
    chain = Chain("inet", "firewalld", "filter_FORWARD", "forward", ends="reject")
    assert "ends with reject" in forwarding(chain)["forwarding.firewalld"].text


def test_a_packet_filter_that_is_open_for_the_office_is_fine() -> None:
    opened = replace(DOCKER, accepts=(("lan*", "w*"), ("guest0", "")))
    assert not forwarding(opened)


def test_only_the_ways_that_are_shut_are_told() -> None:
    finding = forwarding(replace(DOCKER, accepts=(("lan0", ""), ("guest0", "wan0"))))["forwarding.filter"]
    assert finding.text.endswith("nothing passes guest0 → wwan0")


def test_somebody_elses_translation_matters_on_uplinks_only() -> None:
    nat = Chain("ip", "nat", "POSTROUTING", "postrouting", "nat", translates=(("masquerade", "wan0"),))
    assert "nat.masquerade" in said(judge_conflicts(site(), replace(GOOD, chains=(nat,))), Grade.CARE)
    fixed = replace(nat, translates=(("snat", ""),))
    assert "nat.snat" in said(judge_conflicts(site(), replace(GOOD, chains=(fixed,))))
    elsewhere = replace(nat, translates=(("snat", "tun0"),))
    assert not said(judge_conflicts(site(), replace(GOOD, chains=(elsewhere,))))


def test_marks_are_judged_by_their_bits() -> None:
    chain = Chain("ip", "mangle", "PREROUTING", "prerouting", marks=(("ct", 0x100), ("packet", 0x01)))
    facts = replace(GOOD, chains=(chain,))
    assert "marks.connection" in said(judge_conflicts(site(), facts))
    assert "marks.packet" in said(judge_conflicts(site(), facts), Grade.CARE)
    high = replace(GOOD, chains=(replace(chain, marks=(("packet", 0xFF0000),)),))
    assert "marks" in said(judge_conflicts(site(), high), Grade.OK)


def test_rules_of_the_old_iptables_are_not_overlooked() -> None:
    assert "iptables-legacy" in said(judge_conflicts(site(), replace(GOOD, legacy=("nat",))), Grade.CARE)


def test_filters_that_cannot_be_seen_are_unknown_and_never_fine() -> None:
    findings = list(judge_conflicts(site(), replace(GOOD, chains=None)))
    assert "forwarding" in said(findings, Grade.UNKNOWN)
    assert not {"forwarding", "nat", "marks"} & said(findings, Grade.OK).keys()


# ── Managers ─────────────────────────────────────────────────────────────────────────


def managed(files: dict[str, str], *services: str, online: Iterable[str] = ()) -> dict[str, Finding]:
    facts = replace(GOOD, files=files, services=frozenset(services), required_online=frozenset(online))
    return said(judge_managers(site(), facts), Grade.CARE)


def test_a_ruleset_file_that_flushes_everything_is_told_while_its_service_runs() -> None:
    files = {"/etc/nftables.conf": "#!/usr/sbin/nft -f\nflush ruleset;\ntable inet filter {}\n"}
    assert "nftables" in managed(files, "nftables.service")
    assert not managed(files)
    assert not managed({"/etc/nftables.conf": "# flush ruleset\n"}, "nftables.service")


def test_networkmanager_is_asked_to_leave_metrics_alone() -> None:
    files = {"/usr/lib/NetworkManager/conf.d/20-connectivity.conf": "[connectivity]\nuri=http://x/\n"}
    assert "networkmanager.connectivity" in managed(files, "NetworkManager.service")
    off = {**files, "/etc/NetworkManager/conf.d/90-secondpath.conf": "[connectivity]\nenabled=false\n"}
    assert not managed(off, "NetworkManager.service")


def test_networkd_is_asked_to_leave_foreign_rules_alone() -> None:
    assert "networkd.foreign" in managed({}, "systemd-networkd.service")
    kept = "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"
    assert not managed({"/etc/systemd/networkd.conf.d/secondpath.conf": kept}, "systemd-networkd.service")


def test_a_boot_need_not_wait_for_a_dead_uplink() -> None:
    found = managed({}, "systemd-networkd.service", online=["wwan0", "lan0"])
    assert "wwan0" in found["networkd.online"].text


def test_dhcpcd_is_asked_to_make_up_no_addresses() -> None:
    assert "dhcpcd" in managed({}, "dhcpcd.service")
    assert not managed({"/etc/dhcpcd.conf": "noipv4ll  # no\n"}, "dhcpcd.service")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("net.ipv4.ip_forward=0", True),
        ("net.ipv4.conf.all.rp_filter = 2", True),
        ("-net.ipv4.conf.wan0.rp_filter = 1", True),
        ("net/ipv6/conf/all/forwarding=0", True),
        ("net.ipv4.conf.lan0.rp_filter = 1", False),
        ("# net.ipv4.ip_forward=0", False),
        ("net.ipv4.ip_forward=1", False),
    ],
)
def test_a_sysctl_file_that_would_set_ours_back_is_told_with_its_line(line: str, told: bool) -> None:
    found = managed({"/etc/sysctl.d/99-local.conf": f"kernel.panic = 1\n{line}\n"})
    assert ("sysctl.file" in found) is told
    assert not told or "line 2" in found["sysctl.file"].text


def test_settings_that_were_set_back_while_we_run_are_wrong() -> None:
    settings = {
        "net/ipv4/conf/wan0/rp_filter": "2",
        "net/ipv6/conf/all/forwarding": "1",
        "net/ipv6/conf/wan0/accept_ra": "1",
        "net/ipv4/ip_forward": "0",
    }
    assert set(said(judge_managers(site(), replace(GOOD, settings=settings, ours=True)))) == {
        "rp_filter",
        "accept_ra",
        "ip_forward",
    }
    before = replace(GOOD, settings=settings)
    assert not said(judge_managers(site(), before))
    assert "accept_ra" in said(judge_managers(site(), before), Grade.CARE)
