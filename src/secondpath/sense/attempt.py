"""One probe under way."""

from __future__ import annotations

from dataclasses import dataclass

from secondpath.model import IPAddress, Outcome, Probe, ProbeResult
from secondpath.sense.arrival import Trait
from secondpath.sense.egress import Egress


@dataclass(slots=True)
class Attempt:
    """A probe, its way out, and how far it came: so that a timeout can tell what was still working.

    `rtt_s` is set by the first answer of the target itself, and by nothing else: a router's refusal leaves it None.
    `answer` is by what its answer would be known among all packets, once it has been asked.
    """

    probe: Probe
    egress: Egress
    rtt_s: float | None = None
    silence: str = "no answer"
    answer: Trait | None = None

    def ended(self, outcome: Outcome, detail: str, by: IPAddress | None = None) -> ProbeResult:
        """The result, with the round trip if there was one."""
        return ProbeResult(self.probe, outcome, self.rtt_s, detail, by)

    def endpoint(self, port: int = 0) -> tuple[str, int]:
        """The target's address as sockets want it; `port` where the target names none."""
        return str(self.probe.target.address), self.probe.target.port or port
