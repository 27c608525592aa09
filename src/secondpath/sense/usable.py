"""What of an interface can be used: its carrier and its addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from secondpath.netlink.entries import SCOPE_HOST
from secondpath.netlink.links import Address, Link

_BROKEN = frozenset({"notpresent", "down", "lowerlayerdown"})
"""Operational states (RFC 2863) in which nothing passes. Drivers that keep none say "unknown" and pass packets."""
_DAD_FAILED = 0x08
_SECONDARY = 0x01
"""IFA_F_SECONDARY of IPv4 and IFA_F_TEMPORARY of IPv6 are the same bit: such an address comes after the others."""


def has_carrier(link: Link) -> bool:
    """Whether somebody is at the other end."""
    return link.carrier and link.operstate not in _BROKEN


def usable_addresses(addresses: Iterable[Address], *, point_to_point: bool) -> tuple[str, ...]:
    """The addresses to send from, with their prefix length: IPv4 first, the main ones of each family first."""
    ready = [a for a in addresses if not (a.tentative or a.flags & _DAD_FAILED or a.scope == SCOPE_HOST)]
    chosen = [
        a for version in (4, 6) for a in _best([a for a in ready if a.address.version == version], point_to_point)
    ]
    return tuple(f"{a.address}/{a.prefixlen}" for a in chosen)


def _best(addresses: list[Address], point_to_point: bool) -> list[Address]:
    """Of one family: the preferred ones; deprecated ones only where there is nothing else (RFC 6724 rule 3).

    Link-local addresses lead nowhere beyond the link, except that a point-to-point line may have no other.
    """
    ordered = sorted(addresses, key=lambda a: (a.flags & _SECONDARY, a.address.packed))
    beyond = [a for a in ordered if not a.address.is_link_local]
    preferred = [a for a in beyond if not a.deprecated]
    return preferred or beyond or (ordered if point_to_point else [])
