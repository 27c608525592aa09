"""What a reload changes, in sentences: people read them before they agree and after something went wrong.

Values that have a name are compared by it; the rest is compared as people would say it, so that moving a table about
is told as moving, not as an end and a beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Protocol

from secondpath.config.units import say_duration, say_money, say_rate, say_size
from secondpath.model import Allow, DataPlan, IPNetwork, Notify, Policy, PortForward, PortSpan, Site, Target

_UNITS: Mapping[str, Callable[[float], str]] = {
    "_usd_per_gb": lambda usd: f"{say_money(usd)}/GB",
    "_usd": say_money,
    "_bps": lambda bps: say_rate(int(bps)),
    "_bytes": lambda size: say_size(int(size)),
    "_s": say_duration,
}
_KEYS = {"traffic_class": "class", "gateways": "gateway"}
"""Keys that the configuration spells otherwise than the model does."""
_NOT_SET = "not set"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def differences(old: Site, new: Site) -> tuple[str, ...]:
    """Sentences that tell what the new configuration changes; none when it changes nothing."""
    return (
        *_changed("The office", _office(old), _office(new)),
        *_named("Uplink", old.uplinks, new.uplinks),
        *_named("Network", old.networks, new.networks),
        *_named("Application", old.applications, new.applications),
        *_named("Device", old.devices, new.devices),
        *_one("Resolver", old.resolver, new.resolver),
        *_policies(old.policies, new.policies),
        *_listed("Target", [_say_target(t) for t in old.targets], [_say_target(t) for t in new.targets]),
        *_listed("STUN server", [str(s) for s in old.stun], [str(s) for s in new.stun]),
        *_changed("Failover", _flat(old.failover), _flat(new.failover)),
        *_listed("Forward", [_say_forward(f) for f in old.forwards], [_say_forward(f) for f in new.forwards]),
        *_listed("Allow", [_say_allow(a) for a in old.allows], [_say_allow(a) for a in new.allows]),
        *_told(old.notify, new.notify),
        *_one("Power", old.power, new.power),
        *_one("Drill", old.drill, new.drill),
    )


# ── Comparing ────────────────────────────────────────────────────────────────────────


def _changed(subject: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for word in dict.fromkeys((*old, *new)):
        before, after = old.get(word, _NOT_SET), new.get(word, _NOT_SET)
        if before != after:
            yield f"{subject}: {word} was {before}, is now {after}."


def _named(what: str, old: Sequence[_Named], new: Sequence[_Named]) -> Iterator[str]:
    before, after = {o.name: o for o in old}, {n.name: n for n in new}
    yield from (f'{what} "{name}" is gone.' for name in before if name not in after)
    yield from (f'{what} "{name}" is new.' for name in after if name not in before)
    for name, value in before.items():
        if name in after:
            yield from _changed(f'{what} "{name}"', _flat(value), _flat(after[name]))
    yield from _moved(f"{what}s", list(before), list(after))


def _listed(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    yield from (f"{what} {said} is gone." for said in old if said not in new)
    yield from (f"{what} {said} is new." for said in new if said not in old)
    yield from _moved(f"{what}s", old, new)


def _moved(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Tell the order, unless it is the old one with the new entries at its end."""
    appended = [*(o for o in old if o in new), *(n for n in new if n not in old)]
    if appended != list(new):
        yield f"{what}: the order was {', '.join(old)}, is now {', '.join(new)}."


def _policies(old: Sequence[Policy], new: Sequence[Policy]) -> Iterator[str]:
    before, after = {p.traffic_class: p for p in old}, {p.traffic_class: p for p in new}
    for name in dict.fromkeys((*before, *after)):
        yield from _changed(f'Policy of "{name}"', _policy(before.get(name)), _policy(after.get(name)))


def _policy(policy: Policy | None) -> dict[str, str]:
    """A policy as its keys have it."""
    if policy is None:
        return {}
    said = _flat(replace(policy, stays_if_poor=False))
    del said["class"], said["stays_if_poor"]
    return said | ({"when_poor": "stay"} if policy.stays_if_poor else {})


def _one(what: str, old: object, new: object) -> Iterator[str]:
    if old is None or new is None:
        if old is not new:
            yield f"{what} is {'gone' if new is None else 'new'}."
        return
    yield from _changed(what, _flat(old), _flat(new))


def _told(old: Sequence[Notify], new: Sequence[Notify]) -> Iterator[str]:
    """Addresses are compared, never shown: there may be a secret in one."""
    for i in range(max(len(old), len(new))):
        subject = f"Notification {i + 1}"
        if i >= len(old) or i >= len(new):
            yield f"{subject} is {'new' if i >= len(old) else 'gone'}."
            continue
        if (old[i].to, old[i].file) != (new[i].to, new[i].file):
            yield f"{subject} goes to another address."
        yield from _changed(subject, {"about": _say("about", old[i].about)}, {"about": _say("about", new[i].about)})


# ── Saying ───────────────────────────────────────────────────────────────────────────


def _office(site: Site) -> dict[str, str]:
    hours = {f"hours.{day}": said for day, said in site.hours.items()}
    return {"name": f'"{site.name}"', "timezone": site.timezone, "profile": site.profile, **hours}


def _flat(value: object, of: str = "") -> dict[str, str]:
    """The fields of a value and of the values in it, each as people say it, without those that are not set."""
    said: dict[str, str] = {}
    if not is_dataclass(value):
        return said
    for field in fields(value):
        part = getattr(value, field.name)
        word = of + _key(field.name)
        if isinstance(part, DataPlan):
            said |= {f"{word}.{key}": told for key, told in _plan(part).items()}
        elif is_dataclass(part):
            said |= _flat(part, f"{word}.")
        elif isinstance(part, Mapping):
            said |= {f"{word}.{name}": str(told) for name, told in part.items()}
        elif part is not None and part != () and (field.name != "name" or of):
            said[word] = _say(field.name, part)
    return said


def _plan(plan: DataPlan) -> dict[str, str]:
    """A plan, with the three forms of `beyond` under their one key."""
    said = _flat(replace(plan, beyond_stop=False))
    del said["beyond_stop"]
    return said | ({"beyond": "stop"} if plan.beyond_stop else {})


def _key(name: str) -> str:
    return _KEYS.get(name, name.removesuffix(_suffix(name)))


def _suffix(name: str) -> str:
    return next((suffix for suffix in _UNITS if name.endswith(suffix)), "")


def _say(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and _suffix(name):
        return _UNITS[_suffix(name)](value)
    if isinstance(value, PortSpan):
        ports = f"{value.first}" if value.first == value.last else f"{value.first}-{value.last}"
        return f"{value.protocol}/{ports}"
    if isinstance(value, tuple):
        return ", ".join(_say(name, item) for item in value)
    return str(value)


def _say_target(target: Target) -> str:
    return f'"{target.uri}"' + (f" (host {target.host})" if target.host and target.host not in target.uri else "")


def _say_forward(forward: PortForward) -> str:
    to = f"[{forward.to}]" if forward.to.version == 6 else str(forward.to)
    through = f" through {forward.uplink}" if forward.uplink else ""
    return f"{forward.protocol}/{forward.port} to {to}:{forward.to_port}{through}{_say_sources(forward.sources)}"


def _say_allow(allow: Allow) -> str:
    port = f"/{allow.port}" if allow.port else ""
    return f"{allow.protocol}{port}{_say_sources(allow.sources)}"


def _say_sources(sources: Sequence[IPNetwork]) -> str:
    return f" from {', '.join(map(str, sources))}" if sources else ""
