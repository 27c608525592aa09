"""Lease files, as the three DHCP clients write them."""

import os
from ipaddress import IPv4Address
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.leases import Lease, parse_assignments, parse_dhclient, read_leases, routers_for

NETWORKD = """\
# This is private data. Do not parse.
ADDRESS=198.51.100.23
NETMASK=255.255.255.0
ROUTER=198.51.100.1 198.51.100.2
SERVER_ADDRESS=198.51.100.1
DNS=198.51.100.53
"""
DHCLIENT = """\
default-duid "\\000\\001";
lease {
  interface "wan0";
  fixed-address 198.51.100.20;
  option subnet-mask 255.255.255.0;
  option routers 198.51.100.9;
  renew 2 2026/01/06 10:00:00;
}
lease {
  interface "wan1";
  fixed-address 203.0.113.5;
  option routers 203.0.113.1;
}
lease {
  interface "wan0";
  fixed-address 198.51.100.23;
  option routers 198.51.100.1, 198.51.100.2;
  option domain-name "a } strange; name";
}
"""
HELD = IPv4Address("198.51.100.23")
ROUTERS = (IPv4Address("198.51.100.1"), IPv4Address("198.51.100.2"))


def test_networkd_names_its_routers_in_one_line() -> None:
    assert parse_assignments(NETWORKD) == [Lease(HELD, ROUTERS)]


def test_dhclient_keeps_old_leases_and_the_newest_is_last() -> None:
    leases = parse_dhclient(DHCLIENT, "wan0")
    assert [str(lease.address) for lease in leases] == ["198.51.100.20", "198.51.100.23"]
    assert leases[-1].routers == ROUTERS


def test_a_lease_counts_only_for_an_address_that_is_held() -> None:
    leases = parse_dhclient(DHCLIENT, "wan0")
    assert routers_for(leases, [HELD]) == ROUTERS
    assert routers_for(leases, [IPv4Address("198.51.100.20")]) == (IPv4Address("198.51.100.9"),)
    assert routers_for(leases, [IPv4Address("10.0.0.1")]) == ()


def test_a_lease_without_routers_names_none() -> None:
    assert routers_for(parse_assignments("ADDRESS=198.51.100.23\n"), [HELD]) == ()


def test_the_files_of_all_clients_are_found_by_interface(tmp_path: Path) -> None:
    for name, text in (
        ("run/systemd/netif/leases/7", NETWORKD),
        ("run/systemd/netif/leases/8", NETWORKD.replace("198.51.100.23", "192.0.2.9")),
        ("var/lib/NetworkManager/internal-1b2c-wan0.lease", "ADDRESS=198.51.100.30\nROUTER=198.51.100.3\n"),
        ("var/lib/NetworkManager/internal-1b2c-wan1.lease", "ADDRESS=198.51.100.31\n"),
        ("var/lib/dhcp/dhclient.wan0.leases", DHCLIENT),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = [str(lease.address) for lease in read_leases(tmp_path, "wan0", 7)]
    assert found == ["198.51.100.23", "198.51.100.30", "198.51.100.20", "198.51.100.23"]


def test_missing_and_unreadable_files_name_nothing(tmp_path: Path) -> None:
    assert read_leases(tmp_path, "wan0", 7) == []
    (tmp_path / "run/systemd/netif/leases/7").mkdir(parents=True)
    folder = tmp_path / "var/lib/dhcp"
    folder.mkdir(parents=True)
    (folder / "dhclient.leases").write_bytes(os.urandom(4096))
    assert read_leases(tmp_path, "wan0", 7) == []


@given(st.text())
def test_no_text_can_raise(text: str) -> None:
    parse_assignments(text)
    parse_dhclient(text, "wan0")
    parse_dhclient("lease {\n" + text + "\n}", "wan0")
