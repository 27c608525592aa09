"""Sentences about lines, verdicts, events and what people asked for. The words themselves stand in `catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from secondpath.model import (
    Cause,
    Family,
    FlowKind,
    Health,
    IPAddress,
    LastHop,
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
from secondpath.tell.allowance import allowance_facts
from secondpath.tell.catalogue import (
    ACCEPTED,
    ADVICE,
    BEYOND,
    CAUSES,
    EVENTS,
    FAILS,
    FAMILIES,
    FINISHING,
    HEALTHS,
    IN_PROGRESS,
    LAST_HOP,
    NO_SUCH_UPLINK,
    NOT_FIT,
    NOT_HERE,
    OVERRIDES,
    VERDICTS,
    WHYS,
    WITH_NOTE,
)
from secondpath.tell.figures import capital, delay, duration, listed, megabytes, ordinal, share
from secondpath.wire.status import event_name

AT_HOME = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"))
)
"""A hop with such an address (RFC 1918, 3927, 4193, 4291) may be a router of the office's own."""

# ── Lines ────────────────────────────────────────────────────────────────────────────


def note(state: LineState, site: Site | None) -> str:
    """Why a line is as it is, in a few plain words."""
    return CAUSES[state.cause].plain.format_map(_facts(state, site))


def technical(state: LineState, site: Site | None) -> str:
    """The same for a technician."""
    return CAUSES[state.cause].technical.format_map(_facts(state, site)) + _last_hop(state)


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
    if verdict.code is VerdictCode.UPSTREAM:
        said += next((_not_here(s.last_hop) for s in verdict.evidence if s.last_hop is not None), "")
    if verdict.code in WITH_NOTE and verdict.evidence:
        said += f" ({note(verdict.evidence[0], site)})"
    if running_on is not None and verdict.lines and running_on not in {line.uplink for line in verdict.lines}:
        said += f"; traffic runs on {running_on}"
    return f"{said}."


def verdict_technical(verdict: Verdict, site: Site | None) -> str:
    """The same for a technician."""
    said = VERDICTS[verdict.code].technical.format_map(_verdict_facts(verdict, site))
    ends = {_last_hop(state) for state in verdict.evidence}
    return said + (ends.pop() if len(ends) == 1 else "".join(sorted(ends)))


def advice(verdict: Verdict, site: Site) -> str:
    """What a person can do about it; empty when there is nothing to do."""
    said = ADVICE[verdict.code].format_map(_verdict_facts(verdict, site))
    return f"{capital(said)}." if said else ""


def _last_hop(state: LineState) -> str:
    """How far one still comes, for a technician; nothing where that is not known."""
    found = state.last_hop
    if found is None:
        return ""
    return LAST_HOP.technical.format(
        ttl=found.ttl, address=found.address, beyond=_beyond(found.beyond_ttl, found.beyond)
    )


def _beyond(ttl: object, address: object) -> str:
    return BEYOND.format(ttl=ttl, address=address) if ttl and address else ""


def _not_here(found: LastHop) -> str:
    """The same for a manager: where the fault cannot be. A next hop with an address of our own proves less."""
    return LAST_HOP.plain.format(ordinal=ordinal(found.ttl), not_here="" if _may_be_ours(found.address) else NOT_HERE)


def _may_be_ours(address: IPAddress) -> bool:
    return any(address in network for network in AT_HOME)


# ── What people asked for, and what happened ─────────────────────────────────────────


def override_text(override: Override, left_s: float | None = None) -> str:
    """What a person asked for, and for how long still."""
    said = _override_said(override.kind, override.by, override.uplink or "", override.duration_s)
    return f"{said}; {duration(left_s)} left." if left_s is not None else f"{said}."


def accepted_text(override: Override) -> str:
    """What the person who asked is told when it is done."""
    return ACCEPTED[override.kind].format(uplink=override.uplink or "", span=duration(override.duration_s))


def finishing_text(uplink: str, counts: Mapping[FlowKind, int], left_s: float) -> str:
    """What is in progress on a line that the office has left; nothing where nothing is."""
    there = [(kind, counts[kind]) for kind in IN_PROGRESS if counts.get(kind)]
    what = listed(IN_PROGRESS[kind][count > 1].format(count=count) for kind, count in there)
    one = sum(count for _, count in there) == 1
    return FINISHING[one].format(what=what, uplink=uplink, span=duration(left_s)) if there else ""


def why_text(why: Why) -> str:
    """Why a class travels where it does."""
    return WHYS[why].plain


def event_text(transition: Transition, site: Site | None = None) -> str:
    """What happened, in a sentence. Without a site it does without the names of interfaces and providers."""
    name = event_name(transition)
    if name == "line.up" and told_why(transition):
        name = "line"  # well, but for what is said of it
    template = EVENTS.get(name) or EVENTS.get(name.partition(".")[0])
    if template is None:
        return f"{transition.subject}: {transition.before or '–'} → {transition.after or '–'} ({transition.reason})."
    return template.format_map(_event_facts(transition, site))


def told_why(transition: Transition) -> bool:
    """Whether a line that is up has something the matter with it all the same."""
    return transition.reason in set(Cause) - {Cause.WELL}


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
    if room == "path":
        facts["hop"] = f"{told.detail.get('ttl', '–')} ({told.reason})"
        facts["hop"] += _beyond(told.detail.get("beyond_ttl"), told.detail.get("beyond"))
    if room == "straggler":
        said = told.detail
        facts |= {key: str(said.get(key) or "–") for key in ("device", "destination", "class")}
        facts["octets"] = megabytes(float(said.get("bytes") or 0))
    if room in ("steering", "class"):
        facts["because"] = _because(told, site)
    if room == "allowance":
        facts |= {"uplink": rest, **allowance_facts(told, site)}
    if room == "class":
        facts["class"] = capital(rest.rpartition("/")[0])
    if room == "application":
        facts |= {"application": rest.rpartition("/")[0] or rest, "home": told.before}
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
    family = told.subject.partition(":")[2].rpartition("/")[2]
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
        "what": FAILS.get(verdict.what) or FAILS["application"].format(what=verdict.what),
        "app": verdict.what or "an application",
        "inside": _inside(verdict.what, site),
        "shared": _shared(verdict, site),
        "rung": verdict.what or "something",
        "lines": listed(str(each) for each in verdict.lines) or "no line",
        "call": _call(uplink, line.uplink),
    }


def _inside(network: str, site: Site | None) -> str:
    """The port of an inside network, and whose it is."""
    interface = next((n.interface for n in site.networks if n.name == network), "") if site else ""
    return f"{interface} ({network})" if interface else network or "a port of the office"


def _shared(verdict: Verdict, site: Site | None) -> str:
    """What the configuration says that the failed uplinks have in common, as the end of a sentence."""
    uplinks = [u for u in site.uplinks if u.name in {line.uplink for line in verdict.lines}] if site else []
    common = [entry for entry in (uplinks[0].shares if uplinks else ()) if all(entry in u.shares for u in uplinks)]
    return f" (they share {listed(common)})" if common and len(uplinks) > 1 else ""


def _call(uplink: Uplink | None, name: str) -> str:
    if uplink is None or not (uplink.carrier or uplink.support):
        return f"call the provider of {name}"
    account = uplink.support.get("account")
    parts = uplink.carrier or f"the provider of {name}", uplink.support.get("phone"), account and f"account {account}"
    return f"call {', '.join(part for part in parts if part)}"


def _uplink(name: str, site: Site | None) -> Uplink | None:
    return next((u for u in site.uplinks if u.name == name), None) if site else None
