"""What translates a line, told from its own address and from what STUN servers saw of one port of ours."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, ip_interface, ip_network

from secondpath.examine.results import Nat
from secondpath.model import IPAddress, IPNetwork

SHARED = IPv4Network("100.64.0.0/10")
"""RFC 6598: between a provider's carrier-grade NAT and its customers."""
PRIVATE: tuple[IPNetwork, ...] = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""RFC 1918 and RFC 4193: somebody else's router stands in front of us. (`is_private` would mean much more.)"""


class Mapping(StrEnum):
    """How one port is mapped for several destinations (RFC 4787 section 4.1)."""

    NONE = "none"
    """The world sees the very address and port."""
    ENDPOINT_INDEPENDENT = "endpoint-independent"
    """The same for every destination: calls and tunnels between two such ends work without a relay."""
    ADDRESS_DEPENDENT = "address-dependent"
    """Another one for each destination address (or for each address and port; two servers cannot tell these apart)."""
    UNKNOWN = "unknown"


class Behind(StrEnum):
    """Whether the line's address is the one that the world sees."""

    NOTHING = "nothing"
    CARRIER_NAT = "carrier-nat"
    """An address of RFC 6598: many customers share what the world sees."""
    PRIVATE = "private"
    """An inside address on an uplink: a router before us translates, perhaps the provider's box."""
    TRANSLATED = "translated"
    """A public address, and the world sees another one."""
    UNKNOWN = "unknown"


def mapping_of(nat: Nat) -> Mapping:
    """How our port is mapped. Two servers with addresses of their own are needed to tell one mapping from another."""
    mapped = {seen.server.address: seen.mapped for seen in nat.seen if seen.mapped is not None}
    views = set(mapped.values())
    if not views:
        return Mapping.UNKNOWN
    if views == {nat.local}:
        return Mapping.NONE
    if len(mapped) < 2:
        return Mapping.UNKNOWN
    return Mapping.ENDPOINT_INDEPENDENT if len(views) == 1 else Mapping.ADDRESS_DEPENDENT


def behind_of(address: str | None, nat: Nat) -> Behind:
    """What stands between the line's own address (with its prefix length) and the world."""
    if address is None:
        return Behind.UNKNOWN
    own = ip_interface(address).ip
    if own.version == 4 and own in SHARED:
        return Behind.CARRIER_NAT
    if any(own.version == network.version and own in network for network in PRIVATE):
        return Behind.PRIVATE
    world = world_address(nat)
    if world is None:
        return Behind.UNKNOWN
    return Behind.NOTHING if world == own else Behind.TRANSLATED


def world_address(nat: Nat) -> IPAddress | None:
    """The address that the world sees, by the first server that answered."""
    return next((seen.mapped.address for seen in nat.seen if seen.mapped is not None), None)
