"""What is wrong with a line, and what works, from all that was found: one rule after the other, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from secondpath.examine.echoes import loss_ratio
from secondpath.examine.results import Denial, LineReport, Resolver
from secondpath.model import Outcome, ProbeKind

LOSS_RATIO = 0.1
"""From here on loss is told as a problem: calls break up, and a handful of echoes says no less than this."""
_WEB = frozenset({ProbeKind.HTTP, ProbeKind.HTTPS})
_TCP = _WEB | {ProbeKind.TCP}


class Problem(StrEnum):
    """What can be wrong with a line: codes on which other programs rely. The first ones leave nothing to examine."""

    ABSENT = "absent"
    DISABLED = "disabled"
    CARRIER = "carrier"
    NO_ADDRESS = "no-address"
    NO_GATEWAY = "no-gateway"
    NEXT_HOP = "next-hop"
    """The gateway gives no sign of life, and nothing beyond it does."""
    UNSENT = "unsent"
    UPSTREAM = "upstream"
    """The gateway is there; nothing beyond it answers."""
    PORTAL = "portal"
    """Somebody else answers web requests: a captive portal or a suspended line (RFC 8952)."""
    TCP = "tcp"
    DNS = "dns"
    WEB = "web"
    """Connections stand, and web servers do not answer in them."""
    ICMP = "icmp"
    BIG_PACKETS = "big-packets"
    INVENTED_NAMES = "invented-names"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Finding:
    """The problems of a line, the gravest first, and the kinds of question that were answered.

    `offered` is False for a family that nobody has set up here: then nothing is wrong with it either.
    """

    problems: tuple[Problem, ...] = ()
    works: tuple[ProbeKind, ...] = ()
    offered: bool = True

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def finding_of(report: LineReport) -> Finding:
    """What is wrong with a line, and what works."""
    if (barred := _barred(report)) is not None:
        return barred
    works = tuple(kind for kind in ProbeKind if _works(report, kind))
    problems = tuple(_dead(report) if not works else _ailing(report, frozenset(works)))
    return Finding(problems, works)


def _barred(report: LineReport) -> Finding | None:
    """Why there was nothing to ask at all, if there was not."""
    state = report.state
    if state is None or not state.present:
        return Finding((Problem.ABSENT,))
    if not state.admin_up:
        return Finding((Problem.DISABLED,))
    if not state.carrier:
        return Finding((Problem.CARRIER,))
    if report.address is None:
        return Finding(offered=False) if state.addresses else Finding((Problem.NO_ADDRESS,))
    if report.hop is None and not state.point_to_point:
        return Finding((Problem.NO_GATEWAY,))
    return None if report.asked else Finding(offered=False)


def _works(report: LineReport, kind: ProbeKind) -> bool:
    """Whether questions of a kind are answered by those whom they are meant for."""
    if kind is ProbeKind.ICMP and any(anchor.round_trips_s for anchor in report.anchors):
        return True
    if kind is ProbeKind.DNS and any(_answers(resolver) for resolver in report.resolvers):
        return True
    return any(asked.target.kind is kind and asked.outcome is Outcome.OK for asked in report.asked)


def _answers(resolver: Resolver) -> bool:
    """Whether a resolver does its work: also who only denies what does not exist, should the other answer be lost."""
    return resolver.outcome is Outcome.OK or resolver.denial is Denial.HONEST


def _dead(report: LineReport) -> Iterator[Problem]:
    """Nothing works: where it ends."""
    outcomes = {asked.outcome for asked in report.asked}
    if Outcome.REDIRECTED in outcomes:
        yield Problem.PORTAL
    elif report.hop is not None and report.hop.answers is False:
        yield Problem.NEXT_HOP
    elif outcomes and outcomes <= {Outcome.UNSENT, Outcome.FORBIDDEN}:
        yield Problem.UNSENT
    else:
        yield Problem.UPSTREAM


def _ailing(report: LineReport, works: frozenset[ProbeKind]) -> Iterator[Problem]:
    """Something works: what does not."""
    kinds = {asked.target.kind for asked in report.asked}
    if any(asked.outcome is Outcome.REDIRECTED for asked in report.asked if asked.target.kind in _WEB):
        yield Problem.PORTAL
    elif kinds & _TCP and not works & _TCP:
        stands = any(asked.rtt_s is not None for asked in report.asked if asked.target.kind in _TCP)
        yield Problem.WEB if stands and ProbeKind.TCP not in kinds else Problem.TCP
    elif kinds & _WEB - works:
        yield Problem.WEB
    if ProbeKind.DNS in kinds - works:
        yield Problem.DNS
    if ProbeKind.ICMP in kinds - works:
        yield Problem.ICMP
    if report.mtu is not None and report.mtu.vanishing:
        yield Problem.BIG_PACKETS
    if any(resolver.denial is Denial.INVENTED for resolver in report.resolvers):
        yield Problem.INVENTED_NAMES
    if (loss_ratio(report.anchors) or 0.0) >= LOSS_RATIO:
        yield Problem.LOSS
