"""What our own questions have cost each uplink in the last 30 days, in IP bytes, both ways. Pure: the day comes in.

Costs are of a question that is answered (IPv4; IPv6 headers are 20 bytes longer a packet), as measured on a real kernel
against the counters of the provider's side; a TLS handshake depends on the other side's certificates.
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
    ProbeKind.TCP: (224, 4),
    ProbeKind.HTTP: (687, 10),
    ProbeKind.TLS: (5000, 12),
    ProbeKind.HTTPS: (6000, 16),
    ProbeKind.SIZE: (2800, 2),
}
"""Bytes and packets of each kind."""
LONGER_BYTES = 20


def cost_bytes(probe: Probe) -> int:
    """What one question costs with its answer."""
    octets, packets = COSTS[probe.target.kind]
    return octets + (packets * LONGER_BYTES if probe.line.family is Family.IPV6 else 0)


class Spent:
    """Bytes of questions by uplink and day."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, int]] = {}

    def note(self, today: date, probe: Probe) -> None:
        """A question leaves."""
        days = self._days.setdefault(probe.line.uplink, {})
        days[today] = days.get(today, 0) + cost_bytes(probe)

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
