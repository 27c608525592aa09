"""The document of `secondpath status --json`, on which other programs rely.

Keys may be added; those that stand here keep their name and meaning, or SCHEMA grows (`schema/status.json`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from secondpath import __version__
from secondpath.model import (
    Application,
    Family,
    InterfaceChange,
    LastHop,
    Line,
    LineState,
    Shaped,
    Straggler,
    Transition,
    Uplink,
    Verdict,
    Why,
)
from secondpath.wire.snapshot import Event, Snapshot, Texts

SCHEMA = 1
NAMED_BY_REASON = frozenset({"book", "config"})
"""Subjects whose events are named by why they happened, not by what became of the subject."""

_CLASS_EVENTS = {Why.PREFERRED.value: "home", "drained": "drained"}
_ALLOWANCE_EVENTS = {"level": "", "projection": "hurried"}
PAUSED = frozenset({Why.BLOCKED, Why.SAVING})
"""Why a class does not travel though there is a line for it."""


def stamp(wall: datetime, timespec: str = "seconds") -> str:
    """RFC 3339, in UTC."""
    return wall.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def event_name(transition: Transition) -> str:
    """The stable name of an event, by which logs are searched: `line.down`, `steering.failover`, `verdict.upstream`."""
    room = transition.subject.partition(":")[0]
    if room == "steering":
        return f"steering.{_movement(transition)}"
    if room == "application":
        return f"application.{'home' if transition.reason == Why.PREFERRED else 'apart'}"
    if room == "allowance":
        return f"allowance.{_ALLOWANCE_EVENTS.get(transition.reason, transition.reason) or transition.after}"
    if room == "class":
        return f"class.{_CLASS_EVENTS.get(transition.reason, 'moved')}"
    word = transition.reason if room in NAMED_BY_REASON else transition.after
    return f"{room}.{(word or 'none').replace(' ', '-')}"


def _movement(transition: Transition) -> str:
    if not transition.after:
        return "lost"
    if not transition.before:
        return "found"
    return "failback" if transition.reason == Why.PREFERRED else "failover"


def event_json(event: Event, text: str) -> dict[str, Any]:
    """An event as it is printed and streamed."""
    told = event.transition
    facts = {"subject": told.subject, "before": told.before, "after": told.after, "reason": told.reason}
    head = {"number": event.number, "at": stamp(event.wall, "milliseconds"), "event": event_name(told)}
    return {**head, **facts, "detail": dict(told.detail), "text": text}


def status_json(snapshot: Snapshot, texts: Texts) -> dict[str, Any]:
    """The document of `secondpath status --json`."""
    site, lanes = snapshot.site, snapshot.steering.lanes
    classes = list(dict.fromkeys(name for name, _ in lanes))
    since = max(snapshot.steering_since.values(), default=snapshot.started_at)
    verdict = snapshot.verdict
    return {
        "schema": SCHEMA,
        "site": site.name,
        "since": stamp(snapshot.wall_of(since)),
        "steering": {c: {f: _uplink_of(snapshot, c, f) for f in Family} for c in classes},
        "uplinks": [_uplink_json(snapshot, texts, uplink) for uplink in site.uplinks],
        "verdict": _verdict_json(verdict, texts),
        "summary": texts.summary,
        "advice": texts.advice,
        "active": {f: _active_json(snapshot, f) for f in Family},
        "why": {c: {f: _why_json(snapshot, texts, c, f) for f in Family} for c in classes},
        "applications": [_application_json(snapshot, a) for a in site.applications],
        "paused": [c for c in classes if any(_why(snapshot, c, f) in PAUSED for f in Family)],
        "finishing": [_finishing_json(snapshot, texts, line) for line in snapshot.left],
        "stragglers": [_straggler_json(one) for one in snapshot.stragglers],
        "override": _override_json(snapshot, texts),
        "events": [event_json(e, text) for e, text in zip(snapshot.recent, texts.events, strict=True)],
        "evidence": _evidence_json(snapshot),
        "at": stamp(snapshot.wall),
        "started": stamp(snapshot.wall_of(snapshot.started_at)),
        "timezone": site.timezone,
        "version": __version__,
    }


def _evidence_json(snapshot: Snapshot) -> dict[str, Any] | None:
    if snapshot.evidence is None:
        return None
    found = {str(line): _last_hop_json(state.last_hop) for line, state in snapshot.lines.items() if state.last_hop}
    return {**snapshot.evidence, "last_hop": found}


def _last_hop_json(found: LastHop) -> dict[str, Any]:
    beyond = {"ttl": found.beyond_ttl, "address": str(found.beyond)} if found.beyond is not None else None
    return {"ttl": found.ttl, "address": str(found.address), "beyond": beyond}


def _uplink_of(snapshot: Snapshot, name: str, family: Family) -> str | None:
    lane = snapshot.steering.lanes.get((name, family))
    return lane.uplink if lane else None


def _verdict_json(verdict: Verdict, texts: Texts) -> dict[str, Any]:
    return {
        "code": verdict.code,
        "text": texts.verdict,
        "lines": [str(line) for line in verdict.lines],
        "technical": texts.verdict_technical,
        "confidence": verdict.confidence,
    }


def _application_json(snapshot: Snapshot, application: Application) -> dict[str, Any]:
    """Where an application travels, and whether apart from its class."""
    lanes = {family: snapshot.steering.lane_of(application, family) for family in Family}
    return {
        "name": application.name,
        "class": application.traffic_class,
        "uplink": {family: lane.uplink for family, lane in lanes.items()},
        "apart": [family for family in Family if (application.name, family) in snapshot.steering.detours],
        "tested": bool(application.test) and application.name in snapshot.steering.destinations,
        "addresses": len(snapshot.steering.destinations.get(application.name, ())),
        "source_ip_bound": application.source_ip_bound,
    }


def _why(snapshot: Snapshot, name: str, family: Family) -> Why | None:
    lane = snapshot.steering.lanes.get((name, family))
    return lane.why if lane else None


def _why_json(snapshot: Snapshot, texts: Texts, name: str, family: Family) -> dict[str, str] | None:
    why = _why(snapshot, name, family)
    return {"code": why, "text": texts.whys.get(why, "")} if why else None


def _active_json(snapshot: Snapshot, family: Family) -> dict[str, str | None]:
    since = snapshot.steering_since.get(family, snapshot.started_at)
    return {"uplink": _uplink_of(snapshot, "office", family), "since": stamp(snapshot.wall_of(since))}


def _finishing_json(snapshot: Snapshot, texts: Texts, line: Line) -> dict[str, Any]:
    finishing = snapshot.left[line]
    counts = {kind.value: count for kind, count in finishing.counts.items()}
    text = texts.finishing.get(line.uplink, "")
    left_s = round(finishing.left_s, 1)
    return {"uplink": line.uplink, "family": line.family, "counts": counts, "left_s": left_s, "text": text}


def _straggler_json(one: Straggler) -> dict[str, Any]:
    place = {"uplink": one.line.uplink, "family": one.line.family}
    who = {"device": one.device, "destination": one.destination}
    return {**place, **who, "class": one.traffic_class, "bytes": one.octets}


def _override_json(snapshot: Snapshot, texts: Texts) -> dict[str, Any] | None:
    if (asked := snapshot.override) is None:
        return None
    left = {"left_s": snapshot.override_left_s, "text": texts.override}
    return {"kind": asked.kind, "uplink": asked.uplink, "by": asked.by, **left}


def _uplink_json(snapshot: Snapshot, texts: Texts, uplink: Uplink) -> dict[str, Any]:
    states = {family: snapshot.lines.get(Line(uplink.name, family)) for family in Family}
    speaker = texts.speakers.get(uplink.name)
    spoken = snapshot.lines.get(speaker) if speaker else None
    return {
        "name": uplink.name,
        "interface": uplink.interface,
        "health": {family: state.health if state else "unknown" for family, state in states.items()},
        "reason": texts.reasons.get(uplink.name, ""),
        "since": stamp(snapshot.wall_of(spoken.since if spoken else snapshot.started_at)),
        "technology": uplink.technology,
        "carrier": uplink.carrier,
        "metered": uplink.metered,
        "allowance": _allowance_json(snapshot, texts, uplink.name),
        "lines": {f: _line_json(snapshot, texts, state) for f, state in states.items() if state is not None},
        "link": _link_json(snapshot.interfaces.get(uplink.name)),
        "shaping": _shaping_json(next((s for s in snapshot.shaped if s.uplink == uplink.name), None)),
    }


def _allowance_json(snapshot: Snapshot, texts: Texts, uplink: str) -> dict[str, Any] | None:
    if (usage := snapshot.usages.get(uplink)) is None:
        return None
    return {
        "used_bytes": usage.used_bytes,
        "data_bytes": usage.data_bytes,
        "stage": usage.stage,
        "lifted": usage.lifted,
        "renews": stamp(usage.renews_at),
        "runs_out": stamp(usage.runs_out_at) if usage.runs_out_at is not None else None,
        "rate_bps": usage.rate_bps,
        "pace_bps": usage.pace_bps,
        "text": texts.usages.get(uplink, ""),
    }


def _shaping_json(shaped: Shaped | None) -> dict[str, Any] | None:
    """By which means each direction is shaped and to which rate, null for one that is not, and why it is not."""
    if shaped is None:
        return None
    ways = {"down": (shaped.down, shaped.down_bps), "up": (shaped.up, shaped.up_bps)}
    told = {way: {"by": means, "rate_bps": rate} if means else None for way, (means, rate) in ways.items()}
    return {**told, "why_not": list(shaped.why)}


def _line_json(snapshot: Snapshot, texts: Texts, state: LineState) -> dict[str, Any]:
    seen, line = state.measurement, state.line
    return {
        "health": state.health,
        "cause": state.cause,
        "since": stamp(snapshot.wall_of(state.since)),
        "answered": stamp(snapshot.wall_of(state.answered_at)) if state.answered_at is not None else None,
        "offered": state.offered,
        "note": texts.notes.get(line, ""),
        "technical": texts.technical.get(line, ""),
        "samples": seen.samples,
        "loss_ratio": round(seen.loss_ratio, 4),
        "rtt_s": _rounded(seen.rtt_s),
        "jitter_s": _rounded(seen.jitter_s),
        "hold_left_s": _rounded(snapshot.hold_left_s.get(line)),
    }


def _link_json(link: InterfaceChange | None) -> dict[str, Any] | None:
    if link is None:
        return None
    flags = {"present": link.present, "up": link.admin_up, "carrier": link.carrier, "mtu": link.mtu}
    return {**flags, "addresses": list(link.addresses), "gateways": [str(g) for g in link.gateways]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
