"""Interfaces and their addresses, as dataclasses, from bytes (linux/if_link.h, if_addr.h)."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from secondpath.netlink.wire import attributes, number, string

_OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
_LINK, _ADDRESS = struct.Struct("=BxHiII"), struct.Struct("=BBBBI")
_COUNTS = struct.Struct("=4Q")  # the first of rtnl_link_stats64


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `up` is what the administrator wants, `carrier` what the cable says while it is up.

    `operstate` is RFC 2863's word in lower case; `kind` the driver's for virtual ones ("veth", "vlan", "ppp") or None;
    `mac` is "" where there is none; `lower` is the index of the interface of this namespace on which it stands (a
    VLAN's card), or None.
    """

    index: int
    name: str
    up: bool
    carrier: bool
    operstate: str
    mtu: int
    kind: str | None
    mac: str
    lower: int | None = None


ETHERNET, ETHERNET_HEADER_BYTES = 1, 14
"""ARPHRD_ETHER (linux/if_arp.h), and what an interface of that type counts with each packet (IEEE 802.3, no FCS)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an interface has counted since it is there; `kind` is its hardware type (linux/if_arp.h)."""

    index: int
    name: str
    kind: int
    packets: int
    octets: int

    @property
    def ip_bytes(self) -> int:
        """Without the header of each frame."""
        return self.octets - (ETHERNET_HEADER_BYTES * self.packets if self.kind == ETHERNET else 0)


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the interface `index`. `peer` is the far end of a point-to-point line, else None."""

    index: int
    address: IPv4Address | IPv6Address
    prefixlen: int
    scope: int
    flags: int
    peer: IPv4Address | IPv6Address | None = None

    @property
    def deprecated(self) -> bool:
        """Whether new connections should not use it (RFC 4862)."""
        return bool(self.flags & 0x20)

    @property
    def tentative(self) -> bool:
        """Whether duplicate address detection has not passed: it cannot be bound yet, or never (flag 0x08)."""
        return bool(self.flags & 0x40)


def parse_link(body: bytes) -> Link:
    """The link in one RTM_NEWLINK or RTM_DELLINK."""
    _family, _kind, index, flags, _changed = _LINK.unpack_from(body)
    parts = attributes(body, _LINK.size)
    operstate = number(parts.get(16, b""))
    info = attributes(parts.get(18, b""))
    lower = number(parts.get(5, b"")) or None
    return Link(
        index=index,
        name=string(parts.get(3, b"")),
        up=bool(flags & 0x1),
        carrier=bool(flags & 0x10000),  # IFF_LOWER_UP; IFLA_CARRIER speaks also while the interface is not up
        operstate=_OPERSTATES[operstate] if operstate < len(_OPERSTATES) else str(operstate),
        mtu=number(parts.get(4, b"")),
        kind=string(info[1]) if 1 in info else None,
        mac=parts.get(1, b"").hex(":"),
        lower=lower if lower != index and 37 not in parts else None,  # IFLA_LINK_NETNSID: it is in another namespace
    )


def parse_counts(body: bytes) -> Counts | None:
    """The counters in one RTM_NEWLINK; None where the kernel tells none."""
    _family, kind, index, _flags, _changed = _LINK.unpack_from(body)
    parts = attributes(body, _LINK.size)
    if len(parts.get(23, b"")) < _COUNTS.size:  # IFLA_STATS64
        return None
    rx_packets, tx_packets, rx_bytes, tx_bytes = _COUNTS.unpack_from(parts[23])
    return Counts(index, string(parts.get(3, b"")), kind, rx_packets + tx_packets, rx_bytes + tx_bytes)


def parse_address(body: bytes) -> Address:
    """The address in one RTM_NEWADDR or RTM_DELADDR."""
    _family, prefixlen, flags, scope, index = _ADDRESS.unpack_from(body)
    parts = attributes(body, _ADDRESS.size)
    far = ip_address(parts[1] if 1 in parts else parts[2])
    own = ip_address(parts[2]) if 2 in parts else far
    all_flags = number(parts[8]) if 8 in parts else flags
    return Address(index, own, prefixlen, scope, all_flags, None if own == far else far)
