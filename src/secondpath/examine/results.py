"""What an examination found, as it was found: frozen values, without an opinion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from secondpath.model import Endpoint, InterfaceChange, IPAddress, Line, Outcome, Target


@dataclass(frozen=True, slots=True)
class NextHop:
    """The gateway of a line. `neighbour`: it answers ARP (RFC 826) or neighbour discovery (RFC 4861); `echo`: pings.

    None stands for what was not asked: who answers pings need not answer more, and without Ethernet nobody can.
    """

    address: IPAddress
    neighbour: bool | None = None
    echo: bool | None = None
    rtt_s: float | None = None

    @property
    def answers(self) -> bool | None:
        """Whether it gave a sign of life; None when nothing could be asked."""
        if self.neighbour or self.echo:
            return True
        return None if self.neighbour is None and self.echo is None else False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a configured target, and how it ended; `rtt_s` as in ProbeResult."""

    target: Target
    outcome: Outcome
    rtt_s: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Echoes to one address: how many were sent, and the round trips that came back, in the order of sending."""

    address: IPAddress
    sent: int
    round_trips_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PathMtu:
    """The largest IP packet that makes its way, and what the interface would take.

    `path_bytes` is None when it was not found out. `told_bytes` is what a router said (RFC 1191, RFC 8201), if one
    did: where packets are too big and nobody says so, connections hang (RFC 2923).
    """

    interface_bytes: int
    path_bytes: int | None = None
    told_bytes: int | None = None
    told_by: IPAddress | None = None

    @property
    def vanishing(self) -> bool:
        """Whether packets that the interface takes are lost on the way, and no router says why."""
        return self.path_bytes is not None and self.path_bytes < self.interface_bytes and self.told_by is None


class Denial(StrEnum):
    """What a resolver says of a name that cannot exist."""

    HONEST = "honest"
    """NXDOMAIN (RFC 8020)."""
    INVENTED = "invented"
    """An address: somebody answers for what is not there."""
    OTHER = "other"
    """Another code, or an empty answer."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Resolver:
    """A name server of the configured targets: its answer to the target's own name, and to one that cannot exist."""

    address: IPAddress
    name: str
    outcome: Outcome
    rtt_s: float | None = None
    detail: str = ""
    denial: Denial = Denial.SILENT


@dataclass(frozen=True, slots=True)
class Seen:
    """What one STUN server saw of our one port: the mapped address (RFC 8489), or None without an answer."""

    server: Endpoint
    mapped: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Nat:
    """Our own port on a line, and how servers saw it. `local` is None where no port could be opened."""

    local: Endpoint | None = None
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """Bytes of IP that an examination cost, counted from above; `limit_bytes` is what it might have cost at most."""

    octets: int = 0
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LineReport:
    """All that was found out about one line. `state` is None while nobody knows the interface.

    `unfinished` names what the time did not suffice for.
    """

    line: Line
    interface: str
    metered: bool
    state: InterfaceChange | None
    address: str | None = None
    hop: NextHop | None = None
    asked: tuple[Asked, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    mtu: PathMtu | None = None
    resolvers: tuple[Resolver, ...] = ()
    nat: Nat = Nat()
    spent: Spent = Spent()
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """An examination: its lines, uplink by uplink, and the seconds it took."""

    lines: tuple[LineReport, ...]
    took_s: float
