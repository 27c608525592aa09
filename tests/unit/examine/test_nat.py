"""What translates a line, as RFC 4787 names it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from secondpath.examine.nat import Behind, Mapping, behind_of, mapping_of, world_address
from secondpath.examine.results import Nat, Seen
from secondpath.model import Endpoint


def endpoint(said: str) -> Endpoint:
    host, _, port = said.rpartition(":")
    return Endpoint(ip_address(host.strip("[]")), int(port))


def nat(local: str, *seen: str | None) -> Nat:
    servers = (Endpoint(ip_address(f"192.0.2.{n}"), 3478) for n in range(1, 9))
    views = tuple(Seen(server, endpoint(view) if view else None) for server, view in zip(servers, seen, strict=False))
    return Nat(endpoint(local), views)


OWN, PUBLIC, OTHER = "198.51.100.2:4000", "203.0.113.77:4000", "203.0.113.77:61000"


@pytest.mark.parametrize(
    ("seen", "mapping"),
    [
        ((OWN, OWN), Mapping.NONE),
        ((OWN, None), Mapping.NONE),
        ((PUBLIC, PUBLIC), Mapping.ENDPOINT_INDEPENDENT),
        ((OTHER, OTHER), Mapping.ENDPOINT_INDEPENDENT),
        ((PUBLIC, OTHER), Mapping.ADDRESS_DEPENDENT),
        ((PUBLIC, None), Mapping.UNKNOWN),
        ((None, None), Mapping.UNKNOWN),
        ((), Mapping.UNKNOWN),
        ((OWN, PUBLIC), Mapping.ADDRESS_DEPENDENT),
    ],
)
def test_mappings_have_the_names_of_the_rfc(seen: tuple[str | None, ...], mapping: Mapping) -> None:
    assert mapping_of(nat(OWN, *seen)) is mapping


def test_two_ports_of_one_server_cannot_tell_one_mapping_from_another() -> None:
    server = ip_address("192.0.2.1")
    seen = tuple(Seen(Endpoint(server, port), endpoint(PUBLIC)) for port in (3478, 3479))
    assert mapping_of(Nat(endpoint(OWN), seen)) is Mapping.UNKNOWN


@pytest.mark.parametrize(
    ("address", "seen", "behind"),
    [
        ("198.51.100.2/24", OWN, Behind.NOTHING),
        ("198.51.100.2/24", PUBLIC, Behind.TRANSLATED),
        ("198.51.100.2/24", None, Behind.UNKNOWN),
        ("100.64.0.2/24", PUBLIC, Behind.CARRIER_NAT),
        ("100.127.255.254/10", None, Behind.CARRIER_NAT),
        ("100.128.0.1/24", None, Behind.UNKNOWN),
        ("192.168.1.2/24", None, Behind.PRIVATE),
        ("172.32.0.1/24", None, Behind.UNKNOWN),
        ("10.0.0.2/8", PUBLIC, Behind.PRIVATE),
        ("fd00::2/64", None, Behind.PRIVATE),
        ("2001:db8:1::2/64", "[2001:db8:1::2]:4000", Behind.NOTHING),
        (None, None, Behind.UNKNOWN),
    ],
)
def test_the_own_address_and_the_world_s_view_tell_what_is_in_front(
    address: str | None, seen: str | None, behind: Behind
) -> None:
    assert behind_of(address, nat(OWN, seen)) is behind


def test_the_world_s_view_is_that_of_the_first_who_answered() -> None:
    assert world_address(nat(OWN, None, PUBLIC)) == ip_address("203.0.113.77")
    assert world_address(nat(OWN)) is None
