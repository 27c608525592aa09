"""What our own questions have cost each uplink in the last 30 days, in IP bytes, both ways. Pure: the day comes in.

Costs are of a question that is answered (IPv4; IPv6 headers are 20 bytes longer a packet), as measured on a real kernel
against the counters of the provider's side; a TLS handshake depends on the other side's certificates. Where a line
stands by and carries nobody, what its interface counted takes their place (`look`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, timedelta

from secondpath.model import Family, Probe, ProbeKind

DAYS = 30
METERED_BYTES = 10_000_000
"""What the questions to a metered standby may cost in 30 days."""
COSTS: Mapping[ProbeKind, tuple[int, int]] = {
    ProbeKind.ICMP: (88, 2),
    ProbeKind.DNS: (154, 2),
    ProbeKind.NAME: (170, 2),
    ProbeKind.TCP: (224, 4),
    ProbeKind.HTTP: (687, 10),
    ProbeKind.TLS: (5000, 12),
    ProbeKind.HTTPS: (6000, 16),
    ProbeKind.SIZE: (2800, 2),
}
"""Bytes and packets of each kind."""
LONGER_BYTES = 20
QUOTED_BYTES = 28
"""What a router that says how far an echo came quotes of it (RFC 1812 section 4.3.2.3), beside the echo itself."""


def cost_bytes(probe: Probe) -> int:
    """What one question costs with its answer."""
    octets, packets = COSTS[probe.target.kind]
    if probe.ttl is not None:
        octets, packets = octets + QUOTED_BYTES, packets + 1
    return octets + (packets * LONGER_BYTES if probe.line.family is Family.IPV6 else 0)


class Spent:
    """Bytes of questions by uplink and day."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, int]] = {}
        self._noted: dict[str, int] = {}
        """Since the last look at the interface."""

    def note(self, today: date, probe: Probe) -> None:
        """A question leaves."""
        days = self._days.setdefault(probe.line.uplink, {})
        days[today] = days.get(today, 0) + cost_bytes(probe)
        self._noted[probe.line.uplink] = self._noted.get(probe.line.uplink, 0) + cost_bytes(probe)

    def look(self, today: date, uplink: str, counted_bytes: int | None) -> None:
        """What the interface counted since the last look takes the place of what the questions should have cost.

        None where others used the uplink meanwhile: then their bytes are not told from ours.
        """
        noted = self._noted.pop(uplink, 0)
        if counted_bytes is not None:
            days = self._days.setdefault(uplink, {})
            days[today] = max(0, days.get(today, 0) + counted_bytes - noted)

    def of(self, today: date, metered: Collection[str] = ()) -> dict[str, dict[str, int]]:
        """For each uplink the bytes of the last DAYS days, how many days of these are on record, and its budget."""
        first = today - timedelta(days=DAYS - 1)
        found = {}
        for uplink, days in self._days.items():
            recent = {day: octets for day, octets in days.items() if first <= day <= today}
            if recent:
                found[uplink] = {"bytes": sum(recent.values()), "days": (today - min(recent)).days + 1}
                if uplink in metered:
                    found[uplink]["budget_bytes"] = METERED_BYTES
        return found

    def text(self, today: date) -> str:
        """To be remembered over a restart; older days are left out."""
        first = today - timedelta(days=DAYS - 1)
        return json.dumps(
            {
                uplink: {day.isoformat(): octets for day, octets in days.items() if day >= first}
                for uplink, days in self._days.items()
            }
        )

    def take_up(self, text: str) -> None:
        """What an earlier life remembered. ValueError if that cannot be read; then nothing is taken up."""
        try:
            said = {
                str(uplink): {date.fromisoformat(day): int(octets) for day, octets in days.items()}
                for uplink, days in json.loads(text or "{}").items()
            }
        except (TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error
        self._days = said
