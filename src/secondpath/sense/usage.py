"""What the interfaces of the uplinks have counted: IP bytes, both ways, ours and everybody's.

Taken from the interface itself, so our own questions are in it, and no packet pays for the counting. An interface
counts whole frames; a provider bills packets, so the header of an Ethernet frame is taken off each. A counter begins
anew with a reboot and with an adapter that is plugged in again; its name says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from secondpath.model import Tally
from secondpath.netlink.route import Route
from secondpath.netlink.wire import NetlinkError

BOOT = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)


class Meter:
    """Reads the counters of interfaces; of one that is not there nothing is told."""

    def __init__(self) -> None:
        self._route = Route()
        self._boot = BOOT.read_text().strip()
        self._failing = False

    def close(self) -> None:
        """Give the socket back."""
        self._route.close()

    def read(self, uplinks: Mapping[str, str]) -> dict[str, Tally]:
        """By uplink, whose interfaces are given by name."""
        try:
            found = {counts.name: counts for counts in self._route.counts()}
        except NetlinkError as error:
            if not self._failing:
                log.warning("data cannot be counted: %s", error, extra={"event": "usage"})
            self._failing = True
            return {}
        self._failing = False
        return {
            uplink: Tally(f"{self._boot}/{counts.index}", counts.ip_bytes)
            for uplink, interface in uplinks.items()
            if (counts := found.get(interface)) is not None
        }
