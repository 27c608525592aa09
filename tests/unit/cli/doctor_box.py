"""A box with nothing wrong, for the doctor's tests, and a way to read what the doctor says."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from secondpath.act.footing.facts import Facts, Finding, Grade, Interface

GOOD = Facts(
    features={"nf_tables": "", "fib": ""},
    interfaces={
        "wan0": Interface("wan0", addresses=("198.51.100.2/24",), gateways=(ip_address("198.51.100.1"),)),
        "wwan0": Interface("wwan0", addresses=("203.0.113.2/24",), gateways=(ip_address("203.0.113.1"),)),
        "lan0": Interface("lan0", addresses=("10.44.10.1/24", "fe80::1/64")),
        "guest0": Interface("guest0", addresses=("10.44.20.1/24",)),
    },
    settings={"net/netfilter/nf_conntrack_max": "65536", "net/netfilter/nf_conntrack_buckets": "65536"},
)


def said(findings: Iterable[Finding], grade: Grade = Grade.WRONG) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings if finding.grade is grade}
