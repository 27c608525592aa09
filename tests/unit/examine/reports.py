"""Lines as an examination may find them: a good one, and what to change for the others."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from secondpath.examine.results import (
    Anchor,
    Asked,
    Denial,
    LineReport,
    Nat,
    NextHop,
    PathMtu,
    Resolver,
    Seen,
    Spent,
)
from secondpath.model import Endpoint, Family, InterfaceChange, Line, Outcome, ProbeKind, Target

KINDS = {
    ProbeKind.ICMP: ("icmp://192.0.2.1", "192.0.2.1", 0),
    ProbeKind.TCP: ("tcp://192.0.2.2:443", "192.0.2.2", 443),
    ProbeKind.DNS: ("dns://192.0.2.3/probe.example", "192.0.2.3", 53),
    ProbeKind.HTTP: ("http://192.0.2.4/generate_204", "192.0.2.4", 80),
}
DETAILS = {ProbeKind.ICMP: "echo", ProbeKind.TCP: "connected", ProbeKind.DNS: "NOERROR", ProbeKind.HTTP: "204"}
STATE = InterfaceChange(
    "cable",
    present=True,
    admin_up=True,
    carrier=True,
    addresses=("198.51.100.2/24", "2001:db8:1::2/64"),
    gateways=(ip_address("198.51.100.1"), ip_address("2001:db8:1::1")),
)
OWN = Endpoint(ip_address("198.51.100.2"), 40000)


def asked(kind: ProbeKind, outcome: Outcome = Outcome.OK, detail: str | None = None, rtt_s: float = 0.03) -> Asked:
    uri, address, port = KINDS[kind]
    said = detail if detail is not None else DETAILS[kind] if outcome is Outcome.OK else "no answer"
    seen_s = rtt_s if outcome in (Outcome.OK, Outcome.REDIRECTED) else None
    return Asked(Target(uri, kind, ip_address(address), port), outcome, seen_s, said)


def resolver(outcome: Outcome = Outcome.OK, denial: Denial = Denial.HONEST) -> Resolver:
    rtt_s = 0.03 if outcome is Outcome.OK else None
    return Resolver(ip_address("192.0.2.3"), "probe.example", outcome, rtt_s, "NOERROR" if rtt_s else "", denial)


def anchors(received: int = 5) -> tuple[Anchor, ...]:
    return tuple(Anchor(ip_address(f"192.0.2.{n}"), 5, (0.03,) * received) for n in (1, 2, 3, 4))


GOOD = LineReport(
    line=Line("cable", Family.IPV4),
    interface="wan0",
    metered=False,
    state=STATE,
    address="198.51.100.2/24",
    hop=NextHop(ip_address("198.51.100.1"), neighbour=True, echo=True, rtt_s=0.0003),
    asked=tuple(asked(kind) for kind in KINDS),
    anchors=anchors(),
    mtu=PathMtu(1500, 1500),
    resolvers=(resolver(),),
    nat=Nat(OWN, tuple(Seen(Endpoint(ip_address(f"192.0.2.{n}"), 3478), OWN) for n in (1, 2))),
    spent=Spent(9000),
)
SILENT: dict[str, Any] = {
    "asked": tuple(asked(kind, Outcome.TIMEOUT) for kind in KINDS),
    "anchors": anchors(0),
    "mtu": PathMtu(1500),
    "resolvers": (resolver(Outcome.TIMEOUT, Denial.SILENT),),
    "nat": Nat(OWN, tuple(Seen(Endpoint(ip_address(f"192.0.2.{n}"), 3478)) for n in (1, 2))),
}


def line(**changes: Any) -> LineReport:
    return replace(GOOD, **changes)


def with_asked(**outcomes: Outcome) -> tuple[Asked, ...]:
    return tuple(asked(kind, outcomes.get(kind.value, Outcome.OK)) for kind in KINDS)
