"""Sentences about lines, verdicts, events and what people asked for. The words themselves stand in `catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from secondpath.model import (
    Cause,
    Family,
    Health,
    Line,
    LineState,
    Measurement,
    Override,
    OverrideKind,
    Site,
    Transition,
    Uplink,
    Verdict,
    VerdictCode,
    Why,
)
from secondpath.tell.catalogue import (
    ACCEPTED,
    ADVICE,
    CAUSES,
    EVENTS,
    FAILS,
    FAMILIES,
    HEALTHS,
    NO_SUCH_UPLINK,
    NOT_FIT,
    OVERRIDES,
    VERDICTS,
    WHYS,
    WITH_NOTE,
)
from secondpath.tell.figures import capital, delay, duration, listed, share
from secondpath.wire.status import event_name

# ── Lines ────────────────────────────────────────────────────────────────────────────


def note(state: LineState, site: Site | None) -> str:
    """Why a line is as it is, in a few plain words."""
    return CAUSES[state.cause].plain.format_map(_facts(state, site))


def technical(state: LineState, site: Site | None) -> str:
    """The same for a technician."""
    return CAUSES[state.cause].technical.format_map(_facts(state, site))


def health_word(state: LineState) -> str:
    """The state of a line in a word or two."""
    return HEALTHS[state.health].plain if state.offered else "not set up"


def reason(state: LineState, site: Site | None) -> str:
    """How a line is and why, in a sentence."""
    return f"The {state.line.uplink} line is {health_word(state)}: {note(state, site)}."


def refusal_text(uplink: str, states: Iterable[LineState], site: Site) -> str:
    """Why traffic cannot be sent over an uplink just because somebody asks."""
    its = [s for s in states if s.line.uplink == uplink]
    if not its:
        return NO_SUCH_UPLINK.format(name=uplink, names=listed(u.name for u in site.uplinks))
    state = next((s for s in its if s.offered), its[0])
    return NOT_FIT.format(uplink=uplink, health=health_word(state), note=note(state, site))


# ── The verdict ──────────────────────────────────────────────────────────────────────


def verdict_text(verdict: Verdict, site: Site | None, running_on: str | None = None) -> str:
    """What is wrong at the site, in a sentence; `running_on` is the uplink which carries the traffic meanwhile."""
    said = capital(VERDICTS[verdict.code].plain).format_map(_verdict_facts(verdict, site))
    if verdict.code in WITH_NOTE and verdict.evidence:
        said += f" ({note(verdict.evidence[0], site)})"
    if running_on is not None and verdict.lines and running_on not in {line.uplink for line in verdict.lines}:
        said += f"; traffic runs on {running_on}"
    return f"{said}."


def verdict_technical(verdict: Verdict, site: Site | None) -> str:
    """The same for a technician."""
    return VERDICTS[verdict.code].technical.format_map(_verdict_facts(verdict, site))


def advice(verdict: Verdict, site: Site) -> str:
    """What a person can do about it; empty when there is nothing to do."""
    said = ADVICE[verdict.code].format_map(_verdict_facts(verdict, site))
    return f"{capital(said)}." if said else ""


# ── What people asked for, and what happened ─────────────────────────────────────────


def override_text(override: Override, left_s: float | None = None) -> str:
    """What a person asked for, and for how long still."""
    said = _override_said(override.kind, override.by, override.uplink or "", override.duration_s)
    return f"{said}; {duration(left_s)} left." if left_s is not None else f"{said}."


def accepted_text(override: Override) -> str:
    """What the person who asked is told when it is done."""
    return ACCEPTED[override.kind].format(uplink=override.uplink or "", span=duration(override.duration_s))


def why_text(why: Why) -> str:
    """Why a class travels where it does."""
    return WHYS[why].plain


def event_text(transition: Transition, site: Site | None = None) -> str:
    """What happened, in a sentence. Without a site it does without the names of interfaces and providers."""
    name = event_name(transition)
    template = EVENTS.get(name) or EVENTS.get(name.partition(".")[0])
    if template is None:
        return f"{transition.subject}: {transition.before or '–'} → {transition.after or '–'} ({transition.reason})."
    return template.format_map(_event_facts(transition, site))


class _Event(dict[str, str]):
    """Facts of an event; what an older or newer book does not hold is a dash, never an exception."""

    def __missing__(self, key: str) -> str:
        return "–"


def _event_facts(told: Transition, site: Site | None) -> Mapping[str, str]:
    facts = _Event(before=told.before, after=told.after, facts=_detail_of(told))
    room, _, rest = told.subject.partition(":")
    uplink, _, family = rest.rpartition("/") if "/" in rest else (rest, "", rest)
    facts |= {"uplink": uplink, "family": FAMILIES[Family(family)] if family in set(Family) else family}
    if room == "line" and family in set(Family) and told.after in set(Health) and told.reason in set(Cause):
        state = _state_in(told, Line(uplink, Family(family)))
        facts |= {"health": health_word(state), "note": note(state, site)}
    if room == "steering":
        facts["because"] = _because(told, site)
    if room == "verdict" and told.after in set(VerdictCode):
        what = str(told.detail.get("what") or "")
        verdict = Verdict(VerdictCode(told.after), tuple(_lines_in(told.reason)), what=what)
        facts["verdict"] = verdict_text(verdict, site).removesuffix(".")
    if room == "override" and told.after in set(OverrideKind):
        by, seconds = str(told.detail.get("by") or ""), told.detail.get("duration_s") or 0
        facts["override"] = _override_said(OverrideKind(told.after), by, told.reason, float(seconds))
    return facts


def _state_in(told: Transition, line: Line) -> LineState:
    """The state of a line as its transition tells it."""
    loss, samples, rtt = (told.detail.get(key) for key in ("loss_ratio", "samples", "rtt_s"))
    seen = Measurement(int(samples or 0), float(loss or 0), None if rtt is None else float(rtt))
    return LineState(line, Health(told.after), Cause(told.reason), told.at, seen)


def _because(told: Transition, site: Site | None) -> str:
    """Why traffic moved: what befell the line it left, unless somebody asked."""
    left = told.detail.get("left_because")
    family = told.subject.partition(":")[2]
    if told.reason != Why.ASKED and left in set(Cause) - {Cause.WELL} and family in set(Family):
        return note(LineState(Line(told.before, Family(family)), Health.DOWN, Cause(str(left)), told.at), site)
    return WHYS[Why(told.reason)].plain if told.reason in set(Why) else told.reason


def _lines_in(text: str) -> Iterable[Line]:
    for said in text.split(","):
        uplink, _, family = said.rpartition("/")
        if family in set(Family):
            yield Line(uplink, Family(family))


def _detail_of(told: Transition) -> str:
    return str(told.detail.get("detail") or told.detail.get("error") or told.reason)


def _override_said(kind: OverrideKind, by: str, uplink: str, seconds: float) -> str:
    return OVERRIDES[kind].plain.format(by=by or "Somebody", uplink=uplink, span=duration(seconds))


# ── The facts that templates may use ─────────────────────────────────────────────────


def _facts(state: LineState, site: Site | None) -> Mapping[str, str]:
    uplink, seen = _uplink(state.line.uplink, site), state.measurement
    return {
        "uplink": state.line.uplink,
        "interface": uplink.interface if uplink else "its port",
        "carrier": uplink.carrier if uplink and uplink.carrier else "the provider",
        "provider": f"{uplink.carrier}'s" if uplink and uplink.carrier else "your provider's",
        "family": FAMILIES[state.line.family],
        "loss": share(seen.loss_ratio) if seen.samples else "too much",
        "rtt": delay(seen.rtt_s),
        "samples": str(seen.samples),
    }


def _verdict_facts(verdict: Verdict, site: Site | None) -> Mapping[str, Any]:
    line = verdict.lines[0] if verdict.lines else Line("the line", Family.IPV4)
    uplink = _uplink(line.uplink, site)
    return {
        **_facts(LineState(line, Health.UNKNOWN, Cause.STARTING, 0.0), site),
        "what": FAILS.get(verdict.what, FAILS[""]),
        "rung": verdict.what or "something",
        "lines": listed(str(each) for each in verdict.lines) or "no line",
        "call": _call(uplink, line.uplink),
    }


def _call(uplink: Uplink | None, name: str) -> str:
    if uplink is None or not (uplink.carrier or uplink.support):
        return f"call the provider of {name}"
    account = uplink.support.get("account")
    parts = uplink.carrier or f"the provider of {name}", uplink.support.get("phone"), account and f"account {account}"
    return f"call {', '.join(part for part in parts if part)}"


def _uplink(name: str, site: Site | None) -> Uplink | None:
    return next((u for u in site.uplinks if u.name == name), None) if site else None
