"""What of an interface can be used."""

from ipaddress import ip_interface

import pytest

from secondpath.netlink.links import Address, Link
from secondpath.sense.usable import has_carrier, usable_addresses

SECONDARY, DAD_FAILED, DEPRECATED, TENTATIVE = 0x01, 0x08, 0x20, 0x40
GLOBAL, LINK, HOST = 0, 253, 254


def address(text: str, flags: int = 0, scope: int = GLOBAL) -> Address:
    interface = ip_interface(text)
    return Address(3, interface.ip, interface.network.prefixlen, scope, flags)


def usable(*addresses: Address, point_to_point: bool = False) -> list[str]:
    return list(usable_addresses(addresses, point_to_point=point_to_point))


def test_main_addresses_come_first_whatever_the_order_of_events() -> None:
    second, first = address("10.0.0.1/24", SECONDARY), address("10.0.0.9/24")
    six = address("2001:db8::9/64")
    assert usable(six, second, first) == ["10.0.0.9/24", "10.0.0.1/24", "2001:db8::9/64"]
    assert usable(first, second, six) == ["10.0.0.9/24", "10.0.0.1/24", "2001:db8::9/64"]


@pytest.mark.parametrize("flags", [TENTATIVE, DAD_FAILED, DAD_FAILED | TENTATIVE])
def test_an_address_that_may_be_somebody_else_s_is_not_used(flags: int) -> None:
    assert usable(address("2001:db8::9/64", flags)) == []


def test_a_deprecated_address_is_used_only_where_there_is_no_other() -> None:
    old, new = address("2001:db8:1::9/64", DEPRECATED), address("2001:db8:2::9/64")
    assert usable(old, new) == ["2001:db8:2::9/64"]
    assert usable(old) == ["2001:db8:1::9/64"]


def test_link_local_addresses_count_only_on_point_to_point_lines_that_have_no_other() -> None:
    local, beyond = address("fe80::1/64", scope=LINK), address("2001:db8::9/64")
    assert usable(local) == []
    assert usable(local, point_to_point=True) == ["fe80::1/64"]
    assert usable(local, beyond, point_to_point=True) == ["2001:db8::9/64"]
    assert usable(address("169.254.7.7/16", scope=LINK)) == [], "DHCP did not answer"


def test_an_address_of_the_machine_itself_leads_nowhere() -> None:
    assert usable(address("10.0.0.1/32", scope=HOST)) == []


@pytest.mark.parametrize(
    ("carrier", "operstate", "expected"),
    [
        (True, "up", True),
        (True, "unknown", True),
        (True, "dormant", True),
        (True, "lowerlayerdown", False),
        (True, "down", False),
        (False, "up", False),
        (False, "unknown", False),
    ],
)
def test_a_carrier_needs_somebody_at_the_other_end(*, carrier: bool, operstate: str, expected: bool) -> None:
    assert has_carrier(Link(3, "wan0", True, carrier, operstate, 1500, None, "02:00:00:00:00:01")) is expected
