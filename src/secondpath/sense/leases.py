"""Next hops in DHCP lease files, for boxes where no route of the host's own tells them.

A lease counts only for an address that the interface has now: the files outlive the network they came from, and their
expiry cannot be checked on a box that may have booted in 1970.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

_DHCLIENT_BLOCK = re.compile(r"^lease\s*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_DHCLIENT_INTERFACE = re.compile(r'^\s*interface\s+"([^"]+)"\s*;', re.MULTILINE)
_DHCLIENT_ADDRESS = re.compile(r"^\s*fixed-address\s+([0-9.]+)\s*;", re.MULTILINE)
_DHCLIENT_ROUTERS = re.compile(r"^\s*option\s+routers\s+([0-9., ]+);", re.MULTILINE)
_FILE_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Lease:
    """The address that was lent, and the routers that came with it."""

    address: IPv4Address
    routers: tuple[IPv4Address, ...]


def read_leases(root: Path, interface: str, index: int) -> list[Lease]:
    """The leases of an interface in the files of systemd-networkd, NetworkManager and dhclient, newest last."""
    found = []
    networkd = root / "run/systemd/netif/leases" / str(index)
    network_manager = _matching(root / "var/lib/NetworkManager", f"internal-*-{interface}.lease")
    for path in (networkd, *network_manager):
        found += parse_assignments(_text(path))
    for folder in ("var/lib/dhcp", "var/lib/dhclient"):
        for path in _matching(root / folder, "dhclient*.lease*"):
            found += parse_dhclient(_text(path), interface)
    return found


def routers_for(leases: Iterable[Lease], addresses: Iterable[IPv4Address]) -> tuple[IPv4Address, ...]:
    """The routers of the newest lease whose address is still held, routers being named in it."""
    held = set(addresses)
    fitting = [lease.routers for lease in leases if lease.address in held and lease.routers]
    return fitting[-1] if fitting else ()


def parse_assignments(text: str) -> list[Lease]:
    """The lease in KEY=value lines, as systemd-networkd writes it and NetworkManager once did."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return _lease(values.get("ADDRESS", ""), values.get("ROUTER", ""))


def parse_dhclient(text: str, interface: str) -> list[Lease]:
    """The leases of one interface in a file of ISC dhclient (dhclient.leases(5)), in its order: newest last."""
    found = []
    for block in _DHCLIENT_BLOCK.findall(text):
        if _first(_DHCLIENT_INTERFACE, block) == interface:
            found += _lease(_first(_DHCLIENT_ADDRESS, block), _first(_DHCLIENT_ROUTERS, block))
    return found


def _lease(address: str, routers: str) -> list[Lease]:
    held = list(_addresses(address))
    return [Lease(held[0], tuple(_addresses(routers)))] if held else []


def _addresses(text: str) -> Iterator[IPv4Address]:
    for word in re.split(r"[\s,]+", text.strip().strip('"')):
        with contextlib.suppress(ValueError):
            yield IPv4Address(word)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _matching(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, oldest first; none when it cannot be read."""
    try:
        return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    except OSError:
        return []


def _text(path: Path) -> str:
    """What a file says, or "" when it is missing, unreadable, or far too large for what it should be."""
    try:
        return path.read_text(errors="replace") if path.stat().st_size <= _FILE_MAX_BYTES else ""
    except OSError:
        return ""
