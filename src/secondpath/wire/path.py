"""The document of `secondpath check-path --json`, on which other programs rely.

Keys may be added; those that stand here keep their name and meaning, or SCHEMA grows (`schema/check-path.json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from secondpath.examine.echoes import jitter_s, median_s
from secondpath.examine.finding import Finding
from secondpath.examine.nat import behind_of, mapping_of, world_address
from secondpath.examine.results import Anchor, LineReport, NextHop, PathMtu, Report
from secondpath.model import Family, Line, Outcome, ProbeKind, Site, Uplink
from secondpath.wire.status import stamp

SCHEMA = 1


class LineWords(NamedTuple):
    """The words that tell found for a line: the sentence, and what translates it."""

    sentence: str
    nat: str


def path_json(
    report: Report, findings: Mapping[Line, Finding], words: Mapping[Line, LineWords], site: Site, wall: datetime
) -> dict[str, Any]:
    """The document of `secondpath check-path --json`; `wall` is when it was complete."""
    lines = {line.line: line for line in report.lines}
    uplinks = [u for u in site.uplinks if any(line.uplink == u.name for line in lines)]
    return {
        "schema": SCHEMA,
        "ok": all(finding.well for finding in findings.values()),
        "site": site.name,
        "at": stamp(wall),
        "took_s": round(report.took_s, 3),
        "uplinks": [_uplink_json(uplink, lines, findings, words) for uplink in uplinks],
    }


def _uplink_json(
    uplink: Uplink, lines: Mapping[Line, LineReport], findings: Mapping[Line, Finding], words: Mapping[Line, LineWords]
) -> dict[str, Any]:
    own = {family: Line(uplink.name, family) for family in Family}
    state = lines[own[Family.IPV4]].state
    return {
        "name": uplink.name,
        "interface": uplink.interface,
        "metered": uplink.metered,
        "link": None
        if state is None
        else {"present": state.present, "up": state.admin_up, "carrier": state.carrier, "mtu": state.mtu},
        "lines": {family: _line_json(lines[line], findings[line], words[line]) for family, line in own.items()},
    }


def _line_json(line: LineReport, finding: Finding, words: LineWords) -> dict[str, Any]:
    return {
        "ok": finding.well,
        "offered": finding.offered,
        "problems": list(finding.problems),
        "works": list(finding.works),
        "text": words.sentence,
        "address": line.address,
        "gateway": _hop_json(line.hop),
        "probes": [
            {
                "target": asked.target.uri,
                "kind": asked.target.kind,
                "outcome": asked.outcome,
                "rtt_s": _rounded(asked.rtt_s),
                "detail": asked.detail,
            }
            for asked in line.asked
        ],
        "anchors": [_anchor_json(anchor) for anchor in line.anchors],
        "mtu": _mtu_json(line.mtu),
        "dns": [
            {
                "resolver": str(resolver.address),
                "name": resolver.name,
                "outcome": resolver.outcome,
                "rtt_s": _rounded(resolver.rtt_s),
                "detail": resolver.detail,
                "impossible_name": resolver.denial,
            }
            for resolver in line.resolvers
        ],
        "nat": _nat_json(line, words.nat),
        "portal": _portal(line),
        "bytes": line.spent.octets,
        "bytes_limit": line.spent.limit_bytes,
        "unfinished": list(line.unfinished),
    }


def _hop_json(hop: NextHop | None) -> dict[str, Any] | None:
    if hop is None:
        return None
    return {"address": str(hop.address), "neighbour": hop.neighbour, "echo": hop.echo, "rtt_s": _rounded(hop.rtt_s)}


def _anchor_json(anchor: Anchor) -> dict[str, Any]:
    received = len(anchor.round_trips_s)
    return {
        "address": str(anchor.address),
        "sent": anchor.sent,
        "received": received,
        "loss_ratio": round(1 - received / anchor.sent, 4) if anchor.sent else 0.0,
        "median_s": _rounded(median_s(anchor.round_trips_s)),
        "jitter_s": _rounded(jitter_s(anchor.round_trips_s)),
    }


def _mtu_json(mtu: PathMtu | None) -> dict[str, Any] | None:
    if mtu is None:
        return None
    told_by = str(mtu.told_by) if mtu.told_by is not None else None
    sizes = {"interface_bytes": mtu.interface_bytes, "path_bytes": mtu.path_bytes}
    return {**sizes, "told_bytes": mtu.told_bytes, "told_by": told_by}


def _nat_json(line: LineReport, words: str) -> dict[str, Any]:
    world = world_address(line.nat)
    return {
        "behind": behind_of(line.address, line.nat),
        "mapping": mapping_of(line.nat),
        "world": str(world) if world is not None else None,
        "local": str(line.nat.local) if line.nat.local is not None else None,
        "servers": [
            {"server": str(s.server), "mapped": str(s.mapped) if s.mapped is not None else None} for s in line.nat.seen
        ],
        "text": words,
    }


def _portal(line: LineReport) -> bool | None:
    """Whether somebody else answers web requests; None where nobody answered any."""
    web = [asked for asked in line.asked if asked.target.kind in (ProbeKind.HTTP, ProbeKind.HTTPS)]
    if any(asked.outcome is Outcome.REDIRECTED for asked in web):
        return True
    return False if any(asked.outcome is Outcome.OK for asked in web) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
