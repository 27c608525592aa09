"""All the words of one snapshot: the sentence that matters first, then a reason for every line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from secondpath.model import OFFICE, Family, FlowKind, Health, Line, LineState, OverrideKind, Verdict, VerdictCode, Why
from secondpath.tell.allowance import usage_text
from secondpath.tell.catalogue import BECAUSE, FAMILIES, HEALTHS, SUMMARIES
from secondpath.tell.figures import duration, listed, moment
from secondpath.tell.words import (
    advice,
    event_text,
    finishing_text,
    note,
    override_text,
    reason,
    technical,
    verdict_technical,
    verdict_text,
    why_text,
)
from secondpath.wire.snapshot import Snapshot, Texts

BESIDE = frozenset(
    {
        VerdictCode.ONE_FAMILY,
        VerdictCode.APPLICATION,
        VerdictCode.EVERYWHERE,
        VerdictCode.INSIDE,
        VerdictCode.OWN_RULES,
        VerdictCode.SATURATED,
    }
)
"""Verdicts that the sentence about the line in use does not tell."""
WORST_FIRST = (Health.DOWN, Health.DEGRADED, Health.UNKNOWN, Health.UP)


def texts_of(snapshot: Snapshot) -> Texts:
    """The words for a snapshot."""
    site, lines = snapshot.site, snapshot.lines
    speakers = {u.name: state for u in site.uplinks if (state := speaker(snapshot, u.name)) is not None}
    verdict = _with_measurements(snapshot)
    return Texts(
        summary=summary(snapshot),
        verdict=verdict_text(verdict, site, carrier_of(snapshot, Family.IPV4) or carrier_of(snapshot, Family.IPV6)),
        advice=advice(verdict, site),
        verdict_technical=verdict_technical(verdict, site),
        reasons={name: reason(state, site) for name, state in speakers.items()},
        notes={line: note(state, site) for line, state in lines.items()},
        technical={line: technical(state, site) for line, state in lines.items()},
        whys={why: why_text(why) for why in Why},
        speakers={name: state.line for name, state in speakers.items()},
        override=override_text(snapshot.override, snapshot.override_left_s) if snapshot.override else "",
        events=tuple(event_text(e.transition, site) for e in snapshot.recent),
        finishing=_finishing(snapshot),
        usages={
            name: usage_text(usage, site.uplink(name).plan, snapshot.wall, site.timezone)
            for name, usage in snapshot.usages.items()
        },
    )


def _finishing(snapshot: Snapshot) -> dict[str, str]:
    """What finishes on each uplink, both families together."""
    texts = {}
    for uplink in dict.fromkeys(line.uplink for line in snapshot.left):
        told = [finishing for line, finishing in snapshot.left.items() if line.uplink == uplink]
        counts = Counter[FlowKind]()
        for finishing in told:
            counts.update(finishing.counts)
        if text := finishing_text(uplink, counts, max(finishing.left_s for finishing in told)):
            texts[uplink] = text
    return texts


def speaker(snapshot: Snapshot, uplink: str) -> LineState | None:
    """The line that stands for its uplink: the worst of those which are set up."""
    states = [s for line, s in snapshot.lines.items() if line.uplink == uplink]
    offered = [s for s in states if s.offered] or states
    return min(offered, key=lambda s: WORST_FIRST.index(s.health), default=None)


def carrier_of(snapshot: Snapshot, family: Family) -> str | None:
    """The uplink on which the office's ordinary traffic travels."""
    lane = snapshot.steering.lanes.get((OFFICE.name, family))
    return lane.uplink if lane else None


def summary(snapshot: Snapshot) -> str:
    """How the office is connected, in the sentence or two that matter."""
    used = {family: name for family in Family if (name := carrier_of(snapshot, family))}
    if not used:
        return SUMMARIES["nothing"]
    family, name = next(iter(used.items()))
    if snapshot.verdict.code in (VerdictCode.ALL_DOWN, VerdictCode.COMMON_CAUSE):
        return _offline(snapshot)
    if snapshot.verdict.code is VerdictCode.STARTING:
        return SUMMARIES["starting"].format(uplink=name)
    return " ".join([_main(snapshot, Line(name, family)), *_others(snapshot, used, family)])


def _offline(snapshot: Snapshot) -> str:
    down = [s.since for s in snapshot.lines.values() if s.health is Health.DOWN and s.offered]
    since = max(down, default=snapshot.at)
    return SUMMARIES["offline"].format_map(_when(snapshot, since))


def _main(snapshot: Snapshot, used: Line) -> str:
    """The sentence about the family that most traffic speaks."""
    state, home = snapshot.lines.get(used), _home(snapshot, used.family)
    if home is not None and home.line != used:
        facts = _when(snapshot, snapshot.steering_since.get(used.family, snapshot.started_at))
        return SUMMARIES["running"].format(uplink=used.uplink, because=_because(snapshot, home), **facts)
    kind = {Health.DEGRADED: "poor", Health.DOWN: "stuck"}.get(state.health, "online") if state else "online"
    said = SUMMARIES[kind].format(uplink=used.uplink, note=note(state, snapshot.site) if state else "")
    return f"{said} {_standby(snapshot, used)}".rstrip() if kind == "online" else said


def _others(snapshot: Snapshot, used: dict[Family, str], said: Family) -> list[str]:
    """The other family, where it goes another way or is in another state."""
    lines = [Line(name, family) for family, name in used.items() if family is not said and name != used[said]]
    texts = [SUMMARIES["part"].format(family=FAMILIES[line.family], uplink=line.uplink) for line in lines]
    if snapshot.verdict.code in BESIDE:
        texts.insert(0, verdict_text(_with_measurements(snapshot), snapshot.site))
    return texts


def _home(snapshot: Snapshot, family: Family) -> LineState | None:
    """The line that traffic of a family would use if all were well."""
    states = (snapshot.lines.get(Line(uplink.name, family)) for uplink in snapshot.site.uplinks)
    return next((state for state in states if state is not None and state.offered), None)


def _because(snapshot: Snapshot, home: LineState) -> str:
    """Why traffic is not on its first choice."""
    asked, name = snapshot.override, home.line.uplink
    by = (asked.by if asked else "") or "somebody"
    if asked is not None and asked.kind is OverrideKind.FAILOVER:
        return SUMMARIES["asked"].format(by=by)
    if home.cause in BECAUSE:
        return BECAUSE[home.cause].format(uplink=name)
    if home.health is not Health.UP:
        words = {"health": HEALTHS[home.health].plain, "note": note(home, snapshot.site)}
        return SUMMARIES["faulty"].format(home=name, **words)
    if asked is not None and asked.kind is OverrideKind.HOLD:
        return SUMMARIES["held"].format(home=name, by=by)
    left_s = snapshot.hold_left_s.get(home.line, 0.0)
    return SUMMARIES["home" if left_s > 0 else "soon"].format(home=name, left=duration(left_s))


def _standby(snapshot: Snapshot, used: Line) -> str:
    """How the other uplinks are, when traffic is where it should be."""
    others = [s for u in snapshot.site.uplinks if u.name != used.uplink and (s := speaker(snapshot, u.name))]
    ready = [s.line.uplink for s in others if s.health is Health.UP]
    stands = "stands" if len(ready) == 1 else "stand"
    texts = [SUMMARIES["ready"].format(names=listed(ready), stands=stands)] if ready else []
    return " ".join(texts + [reason(s, snapshot.site) for s in others if s.health is not Health.UP])


def _when(snapshot: Snapshot, since: float) -> dict[str, str]:
    wall, zone = snapshot.wall_of(since), snapshot.site.timezone
    return {"moment": moment(wall, snapshot.wall, zone), "span": duration(snapshot.at - since)}


def _with_measurements(snapshot: Snapshot) -> Verdict:
    """The verdict with the evidence as it is measured now."""
    evidence = tuple(snapshot.lines.get(state.line, state) for state in snapshot.verdict.evidence)
    return replace(snapshot.verdict, evidence=evidence)
