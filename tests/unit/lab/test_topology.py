"""An office as data: names, addresses, whose they are."""

import json
from dataclasses import asdict
from ipaddress import ip_interface, ip_network

import pytest

from secondpath.lab.errors import LabError
from secondpath.lab.state import directory_of, topology_from
from secondpath.lab.topology import TOPOLOGIES, Topology, find_topology, with_rates, with_staff, without_delay

EVERY = pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=str)


def test_the_default_office_is_that_of_the_example_file() -> None:
    office = TOPOLOGIES["office"]
    assert [(u.name, u.interface) for u in office.uplinks] == [("cable", "wan0"), ("lte", "wwan0")]
    assert [(i.host, i.interface) for i in office.insides] == [("staff", "lan0"), ("guest", "guest0")]


@EVERY
def test_every_uplink_reaches_its_next_hop_on_its_own_subnet(topology: Topology) -> None:
    for uplink in topology.uplinks:
        subnets = [ip_interface(address).network for address in uplink.office]
        assert all(any(ip_interface(hop).ip in subnet for subnet in subnets) for hop in uplink.next_hops)


@EVERY
def test_every_isp_accepts_the_addresses_it_gave_its_customer(topology: Topology) -> None:
    for uplink in topology.uplinks:
        for address in uplink.office:
            assert any(ip_interface(address).ip in ip_network(prefix) for prefix in uplink.prefixes)


@EVERY
def test_a_source_address_tells_the_uplink_and_no_other(topology: Topology) -> None:
    for uplink in topology.uplinks:
        for address in uplink.office:
            assert topology.uplink_of(address.partition("/")[0]) == uplink.name
    assert topology.uplink_of("10.44.10.10") is None


@EVERY
def test_interface_names_fit_the_kernel(topology: Topology) -> None:
    names = [u.interface for u in topology.uplinks] + [i.interface for i in topology.insides]
    assert len(set(names)) == len(names)
    assert all(len(name) < 16 for name in names)


def test_behind_carrier_grade_nat_the_public_address_tells_the_uplink() -> None:
    assert TOPOLOGIES["cgnat"].uplink_of("203.0.113.77") == "lte"


@EVERY
def test_a_topology_survives_being_written_down(topology: Topology) -> None:
    assert topology_from(json.loads(json.dumps(asdict(topology)))) == topology


def test_staff_may_have_many_addresses() -> None:
    staff = with_staff(TOPOLOGIES["office"], 3).insides[0]
    assert staff.addresses == (
        "10.44.10.10/24",
        "10.44.10.11/24",
        "10.44.10.12/24",
        "fd44:10::10/64",
        "fd44:10::11/64",
        "fd44:10::12/64",
    )


def test_delays_can_be_left_out_and_rates_put_in() -> None:
    office = with_rates(without_delay(TOPOLOGIES["office"]), "lte", down_bps=25_000_000, up_bps=8_000_000)
    assert [u.delay_s for u in office.uplinks] == [None, None]
    assert office.uplink("lte").down_bps == 25_000_000
    assert office.uplink("cable").down_bps is None


def test_an_unknown_name_gets_the_nearest_and_the_list() -> None:
    with pytest.raises(LabError, match=r"no uplink called 'cabel'\. Did you mean 'cable'\? There are: cable, lte\."):
        TOPOLOGIES["office"].uplink("cabel")
    with pytest.raises(LabError, match=r"no topology called 'ofice'\. Did you mean 'office'"):
        find_topology("ofice")


@pytest.mark.parametrize("name", ["../etc", "", "Office", "a" * 25, "a/b", "-a"])
def test_an_offices_name_cannot_lead_out_of_its_directory(name: str) -> None:
    with pytest.raises(LabError, match="cannot name an office"):
        directory_of(name)
