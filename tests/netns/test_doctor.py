"""The doctor on a real box: a namespace with the very conflict that it should find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secondpath.act.kernel.features import RULESETS, probe_features, probe_ruleset
from secondpath.lab.box import Box, config_of
from secondpath.lab.building import python_environment
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST

pytestmark = pytest.mark.netns


class Patient:
    """The gateway host of an office, before secondpath runs on it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.config = office.directory / "office.toml"
        self.config.write_text(config_of(office.topology))

    def does(self, *argv: str) -> None:
        self.office.run(GATEWAY_HOST, argv, check=True)

    def loads(self, ruleset: str) -> None:
        text = ruleset.replace("}", "\n}\n")  # nft 1.0.6 wants lines
        self.office.run(GATEWAY_HOST, ["nft", "-f", "-"], text_in=text, check=True)

    def examined(self, **environment: str) -> dict[str, dict[str, str]]:
        argv = Box(self.office, self.config).argv("doctor", "--json", "--config", str(self.config))
        here = {"PYTHONPATH": python_environment()["PYTHONPATH"], **environment}
        done = self.office.run(GATEWAY_HOST, ["env", *(f"{name}={value}" for name, value in here.items()), *argv])
        assert done.returncode in (0, 1), done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert document["ok"] is (done.returncode == 0)
        return {finding["code"]: finding for finding in document["findings"]}

    def wrong(self, **environment: str) -> set[str]:
        return {code for code, finding in self.examined(**environment).items() if finding["grade"] == "wrong"}


@pytest.fixture
def patient(quick_office: Office) -> Iterator[Patient]:
    yield Patient(quick_office)


def test_a_box_that_is_ready_has_nothing_wrong(patient: Patient) -> None:
    found = patient.examined()
    assert {code for code, finding in found.items() if finding["grade"] == "wrong"} == set()
    assert "198.51.100.2/24 by 198.51.100.1" in found["uplink.cable"]["text"]
    assert "2001:db8:1::2/64 by 2001:db8:1::1" in found["uplink.cable"]["text"]
    assert found["kernel.table"]["grade"] == "ok"


def test_looking_changes_nothing(patient: Patient) -> None:
    patient.loads("table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; } }\n")
    before = state(patient.office)
    patient.examined()
    assert state(patient.office) == before


def state(office: Office) -> str:
    commands = (
        "nft list ruleset",
        "ip rule",
        "ip -6 rule",
        "ip route show table all",
        "ip -6 route",
        "sysctl net.ipv4.ip_forward",
    )
    return "".join(office.run(GATEWAY_HOST, command.split(), check=True).stdout for command in commands)


def test_dockers_closed_forwarding_is_found_and_its_opening_believed(patient: Patient) -> None:
    docker = "chain FORWARD { type filter hook forward priority 0; policy drop; iifname docker0 accept; }"
    patient.loads(f"table ip filter {{ {docker} }}\n")
    found = patient.examined()["forwarding.filter"]
    assert found["grade"] == "wrong"
    assert "lan0 → wan0" in found["text"]
    for line in found["remedy"].splitlines():
        patient.does(*line.split())
    assert "forwarding.filter" not in patient.wrong()


def test_what_nft_says_of_real_rulesets_is_understood(patient: Patient) -> None:
    patient.loads(
        """table inet other {
          chain forward { type filter hook forward priority 0; ct state established accept; jump mine; reject; }
          chain mine { iifname "lan0" oifname "w*" accept; iifname "guest0" accept; }
          chain nat { type nat hook postrouting priority srcnat; oifname "wan0" snat ip to 198.51.100.2; }
          chain marking { type filter hook prerouting priority mangle; ct mark set ct mark and 0xffffff00 or 0x1; }
        }"""
    )
    found = patient.examined()
    assert found["nat.snat"]["grade"] == found["marks.connection"]["grade"] == "wrong"
    assert "forwarding.other" not in found, "the jump to `mine` opens every way"


def test_foreign_rules_routes_and_marks_among_ours_are_found(patient: Patient) -> None:
    patient.does("ip", "rule", "add", "priority", "7150", "lookup", "100")
    patient.does("ip", "rule", "add", "priority", "1000", "fwmark", "0x1/0xff", "lookup", "100")
    patient.does("ip", "route", "add", "192.0.2.99/32", "dev", "wan0", "table", "7101")
    patient.does("ip", "route", "add", "default", "dev", "wan0", "table", "101")
    patient.does("ip", "rule", "add", "priority", "1001", "lookup", "101")
    patient.does("ip", "rule", "add", "not", "fwmark", "0xca6c", "priority", "32764", "lookup", "101")
    assert {"rules.priority", "rules.mark", "rules.default", "tables"} == patient.wrong()


def test_lines_that_cannot_be_used_are_found(patient: Patient) -> None:
    patient.does("ip", "route", "del", "default", "dev", "wwan0")
    patient.does("ip", "address", "flush", "dev", "lan0")
    patient.does("ip", "link", "set", "wan0", "mtu", "1200")
    found = patient.examined()
    assert found["uplink.lte.gateway.ipv4"]["grade"] == "care", "its IPv6 still has a next hop"
    assert found["uplink.cable.mtu"]["grade"] == "wrong"
    assert found["network.staff"]["grade"] == "wrong"


def test_a_cut_cable_deserves_care(patient: Patient) -> None:
    patient.office.inject("cable-cut", "cable")
    assert patient.examined()["uplink.cable"]["grade"] == "care"


def test_who_sits_on_an_uplink_is_warned_before_being_locked_out(patient: Patient) -> None:
    outside = {"SSH_CONNECTION": "192.0.2.77 50022 198.51.100.2 22"}
    found = patient.examined(**outside)["session"]
    assert found["grade"] == "wrong"
    patient.config.write_text(patient.config.read_text() + found["remedy"])
    assert patient.examined(**outside)["session"]["grade"] == "ok"


def test_while_the_daemon_runs_its_own_work_is_no_conflict(quick_box: Box) -> None:
    patient = Patient(quick_box.office)
    argv = quick_box.argv("doctor", "--json", "--config", str(patient.config))
    done = quick_box.office.run(GATEWAY_HOST, argv)
    found = {finding["code"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["daemon"]["text"] == "secondpath runs"
    assert not [finding for finding in found.values() if finding["grade"] == "wrong"]
    assert "198.51.100.2/24 by 198.51.100.1" in found["uplink.cable"]["text"]


def test_a_setting_that_somebody_set_back_is_found_before_it_is_mended(quick_box: Box) -> None:
    quick_box.stop()
    quick_box.office.run(GATEWAY_HOST, ["sysctl", "-w", "net.ipv4.conf.wan0.rp_filter=2"], check=True)
    assert {"rp_filter"} == Patient(quick_box.office).wrong()


def test_every_feature_is_tried_and_the_needed_ones_are_here() -> None:
    found = probe_features()
    assert found is not None
    assert {name: found[name] for name in (*RULESETS, "conntrack", "policy routing", "IPv6") if found[name]} == {}


def test_a_ruleset_is_tried_without_leaving_anything_behind() -> None:
    assert probe_ruleset("table inet probe { }\n") == ""
    assert "syntax error" in (probe_ruleset("nonsense\n") or "")


def test_what_cannot_be_tried_is_unknown(patient: Patient, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    found = patient.examined(PATH=str(empty))
    assert (found["nft"]["grade"], found["kernel"]["grade"]) == ("wrong", "unknown")
