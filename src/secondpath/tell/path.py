"""What an examination ends with: for each line one plain sentence, what is wrong with it and what works.

The templates may use {interface}, {family}, {carrier}, {gateway}, {detail} (what a probe was told), {mtu}, {resolver}
and {loss}; they are phrases, as those of the catalogue are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from secondpath.examine.echoes import best_s, loss_ratio
from secondpath.examine.finding import Finding, Problem
from secondpath.examine.nat import Behind, behind_of, mapping_of, world_address
from secondpath.examine.nat import Mapping as NatMapping
from secondpath.examine.results import Denial, LineReport
from secondpath.model import Cause, Outcome, ProbeKind, Site
from secondpath.tell.catalogue import CAUSES, FAMILIES, NO_SUCH_UPLINK_HINT
from secondpath.tell.figures import capital, delay, listed, share

KINDS: Mapping[ProbeKind, str] = {
    ProbeKind.ICMP: "ping",
    ProbeKind.TCP: "TCP",
    ProbeKind.DNS: "DNS",
    ProbeKind.HTTP: "HTTP",
    ProbeKind.HTTPS: "HTTPS",
}

PROBLEMS: Mapping[Problem, str] = {
    Problem.ABSENT: CAUSES[Cause.ABSENT].plain,
    Problem.DISABLED: CAUSES[Cause.DISABLED].plain,
    Problem.CARRIER: CAUSES[Cause.CARRIER].plain,
    Problem.NO_ADDRESS: CAUSES[Cause.NO_ADDRESS].plain,
    Problem.NO_GATEWAY: CAUSES[Cause.NO_GATEWAY].plain,
    Problem.NEXT_HOP: "the gateway {gateway} does not answer, so modem, cable or the provider's box is dead",
    Problem.UNSENT: "this box cannot send through it ({detail})",
    Problem.UPSTREAM: "nothing beyond the gateway {gateway} answers, so the fault is the provider's",
    Problem.PORTAL: "somebody else answers for the web ({detail}), so a login or a bill is waiting",
    Problem.TCP: "TCP does not get through, so neither web nor mail works",
    Problem.DNS: "no name server answers, so names cannot be looked up",
    Problem.WEB: "connections stand, but no web server answers ({detail})",
    Problem.ICMP: "pings are not answered",
    Problem.BIG_PACKETS: "packets larger than {mtu} bytes vanish without a word, so some pages and tunnels hang",
    Problem.INVENTED_NAMES: "{resolver} invents addresses for names that do not exist",
    Problem.LOSS: "it loses {loss} of all echoes",
}
UPSTREAM_BARE = "nothing out there answers, so the fault is the provider's"
"""For lines that have no gateway, or one that cannot be asked."""
WELL = "Nothing is wrong: {works}{rtt}{mtu}{nat}."
NOT_SET_UP = "{family} is not set up here."
NOT_NAMED = "The configuration names no {family} target, so nothing was asked."
BEHIND: Mapping[Behind, str] = {
    Behind.NOTHING: "the world sees this very address",
    Behind.CARRIER_NAT: "carrier-grade NAT (RFC 6598), many share one public address",
    Behind.PRIVATE: "a router before this box translates",
    Behind.TRANSLATED: "the provider translates",
    Behind.UNKNOWN: "not known, no STUN server answered",
}
MAPPINGS: Mapping[NatMapping, str] = {
    NatMapping.NONE: "no mapping",
    NatMapping.ENDPOINT_INDEPENDENT: "endpoint-independent mapping",
    NatMapping.ADDRESS_DEPENDENT: "address-dependent mapping, so calls need a relay",
    NatMapping.UNKNOWN: "mapping not known",
}


def line_sentence(report: LineReport, finding: Finding, site: Site) -> str:
    """What is wrong with a line, and what works."""
    facts = _facts(report, site)
    if not finding.offered:
        return (NOT_SET_UP if report.address is None else NOT_NAMED).format_map(facts)
    works = [KINDS[kind] for kind in finding.works]
    if finding.well:
        return WELL.format(works=_work(works), rtt=_rtt(report), mtu=_mtu(report), nat=_nat(report))
    wrong = listed(_problem(problem, report).format_map(facts) for problem in finding.problems)
    if works:
        return f"{capital(wrong)}; {_work(works)}."
    return f"{capital(wrong)}."


def nat_words(report: LineReport) -> str:
    """What translates a line, in a phrase."""
    behind, mapping = behind_of(report.address, report.nat), mapping_of(report.nat)
    said = [BEHIND[behind]]
    if behind not in (Behind.NOTHING, Behind.UNKNOWN):
        world = world_address(report.nat)
        said += [f"the world sees {world}"] if world is not None else []
        said += [MAPPINGS[mapping]]
    return "; ".join(said)


def no_such_uplink(name: str, names: Sequence[str], meant: str | None) -> str:
    """That there is no such uplink, with the nearest spelling or all there are."""
    if meant is not None:
        return NO_SUCH_UPLINK_HINT.format(name=name, meant=meant)
    return f"There is no uplink named {name}; the uplinks are {listed(names)}."


def _work(works: Sequence[str]) -> str:
    return f"{listed(works)} {'work' if len(works) > 1 else 'works'}"


def _problem(problem: Problem, report: LineReport) -> str:
    if problem is Problem.UPSTREAM and (report.hop is None or not report.hop.answers):
        return UPSTREAM_BARE
    return PROBLEMS[problem]


def _rtt(report: LineReport) -> str:
    best = best_s(report.anchors)
    return f", {delay(best)} there and back" if best is not None else ""


def _mtu(report: LineReport) -> str:
    path_bytes = report.mtu.path_bytes if report.mtu is not None else None
    return f", packets up to {path_bytes} bytes" if path_bytes is not None else ""


def _nat(report: LineReport) -> str:
    behind = behind_of(report.address, report.nat)
    return ", behind carrier-grade NAT" if behind is Behind.CARRIER_NAT else ""


def _facts(report: LineReport, site: Site) -> Mapping[str, str]:
    uplink = next((u for u in site.uplinks if u.name == report.line.uplink), None)
    return {
        "interface": report.interface,
        "family": FAMILIES[report.line.family],
        "carrier": uplink.carrier if uplink is not None and uplink.carrier else "the provider",
        "gateway": str(report.hop.address) if report.hop is not None else "",
        "detail": _detail(report),
        "mtu": str(report.mtu.path_bytes) if report.mtu is not None else "",
        "resolver": listed(_inventors(report)),
        "loss": share(loss_ratio(report.anchors) or 0.0),
    }


def _detail(report: LineReport) -> str:
    """What the probe that tells most was told: a redirect, else a refusal, else a failure of the web."""
    order = (Outcome.REDIRECTED, Outcome.FORBIDDEN, Outcome.UNSENT, Outcome.REFUSED, Outcome.TIMEOUT)
    web_first = sorted(report.asked, key=lambda asked: asked.target.kind not in (ProbeKind.HTTP, ProbeKind.HTTPS))
    return next((a.detail for outcome in order for a in web_first if a.outcome is outcome and a.detail), "no answer")


def _inventors(report: LineReport) -> Iterable[str]:
    return [str(resolver.address) for resolver in report.resolvers if resolver.denial is Denial.INVENTED]
