"""What each verb of the control socket does. Reading changes nothing; a person's word enters as an observation."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from secondpath import clock
from secondpath.control.peer import Peer
from secondpath.daemon.examining import Examinations
from secondpath.daemon.policy import Asked, policy_document, trace_document
from secondpath.daemon.recognising import applications_json, teach
from secondpath.daemon.shell import Gateway
from secondpath.model import Override, OverrideKind
from secondpath.tell.allowance import names_limited, usage_text
from secondpath.tell.catalogue import NO_ALLOWANCE, NO_SUCH_ADDRESS, NO_SUCH_NETWORK, NOT_INSIDE
from secondpath.tell.figures import listed
from secondpath.tell.status import texts_of
from secondpath.tell.words import accepted_text, event_text, refusal_text
from secondpath.wire.messages import READING, Request, Response, Verb, refuse
from secondpath.wire.status import event_json, status_json

OVERRIDES: Mapping[Verb, OverrideKind] = {
    Verb.FAILOVER: OverrideKind.FAILOVER,
    Verb.FAILBACK: OverrideKind.FAILBACK,
    Verb.HOLD: OverrideKind.HOLD,
    Verb.RELEASE: OverrideKind.RELEASE,
}


class Answers:
    """Answers for one gateway, once it runs."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self._examinations = Examinations()

    async def handle(self, request: Request, peer: Peer) -> Response:
        """The answer to one request."""
        if self.gateway is None:
            return refuse("The gateway is starting; ask again in a moment.")
        if request.verb is Verb.CHECK_PATH:
            return await self._examinations.answer(self.gateway, request)
        if request.verb is Verb.APPLICATIONS:
            return Response(ok=True, data=applications_json(self.gateway))
        if request.verb is Verb.TEACH:
            return teach(self.gateway, str(request.args["from"]))
        return self._answer(self.gateway, request, peer)

    def _answer(self, gateway: Gateway, request: Request, peer: Peer) -> Response:
        if request.verb in READING:
            return _read(gateway, request)
        if request.verb is Verb.RELOAD:
            problem = gateway.reload()
            if problem is not None:
                return refuse(f"The old configuration stays in force.\n{problem}", exit_code=2)
            return Response(ok=True, data={"text": "The new configuration is in force."})
        if request.verb is Verb.ALLOWANCE:
            return _allowance(gateway, request, peer)
        return _override(gateway, request, peer)


def _read(gateway: Gateway, request: Request) -> Response:
    """What changes nothing."""
    if request.verb is Verb.EVENTS:
        return Response(ok=True, data=_events(gateway, request.args))
    if request.verb is Verb.POLICY:
        stages = gateway.engine.ways.stages
        return Response(ok=True, data=policy_document(gateway.site, gateway.engine.steering(), stages))
    if request.verb is Verb.TRACE:
        return _trace(gateway, request)
    return Response(ok=True, data=_status(gateway))


def _status(gateway: Gateway) -> dict[str, Any]:
    snapshot = gateway.snapshot()
    return status_json(snapshot, texts_of(snapshot))


def _events(gateway: Gateway, args: Mapping[str, Any]) -> dict[str, Any]:
    wanted = [e for e in gateway.journal.recent if e.number > int(args.get("after", 0))]
    newest = wanted[max(0, len(wanted) - int(args.get("limit", 50))) :]
    return {"schema": 1, "events": [event_json(e, event_text(e.transition, gateway.site)) for e in newest]}


def _trace(gateway: Gateway, request: Request) -> Response:
    """Where a flow goes now; from which network it comes, the addresses of our interfaces tell."""
    args, site = request.args, gateway.site
    source, named = str(args["source"]), args.get("network")
    names = [network.name for network in site.networks]
    try:
        ip_address(source)
    except ValueError:
        return refuse(NO_SUCH_ADDRESS.format(source=source), exit_code=2)
    if named is not None and named not in names:
        return refuse(NO_SUCH_NETWORK.format(name=named, names=listed(names)), exit_code=2)
    inside = gateway.box.network_of(source, frozenset(n.interface for n in site.networks))
    network = next((n for n in site.networks if n.name == named or (named is None and n.interface == inside)), None)
    if network is None:
        return refuse(NOT_INSIDE.format(source=source, names=listed(names)), exit_code=2)
    protocol, port = args.get("protocol"), args.get("port")
    said = str(protocol) if protocol else None, int(port) if port else None
    asked = Asked(source, str(args["destination"]), *said, str(args.get("mac", "")))
    steering, stages = gateway.engine.steering(), gateway.engine.ways.stages
    return Response(ok=True, data=trace_document(site, steering, stages, network, asked))


def _allowance(gateway: Gateway, request: Request, peer: Peer) -> Response:
    """A person's word on a data allowance; the answer is how it stands then."""
    uplink, used, restraint = (request.args.get(key) for key in ("uplink", "used_bytes", "restraint"))
    now, wall, saving, site = clock.now(), clock.wall(), gateway.saving, gateway.site
    if uplink not in saving.usages(wall):
        limited = names_limited(site)
        return refuse(NO_ALLOWANCE.format(name=uplink, names=limited or "none"))
    if restraint not in (None, "lift", "keep"):
        return refuse(f"The restraint of an allowance is lifted or kept, not {restraint!r}.")
    if used is not None:
        saving.correct(now, wall, str(uplink), int(used))
    if restraint is not None:
        saving.lift(now, wall, str(uplink), lifted=restraint == "lift", by=peer.name)
    usage = saving.usages(wall)[str(uplink)]
    text = usage_text(usage, site.uplink(str(uplink)).plan, wall, site.timezone)
    return Response(ok=True, data={"text": f"{uplink}: {text}."})


def _override(gateway: Gateway, request: Request, peer: Peer) -> Response:
    engine = gateway.engine
    uplink, duration_s = request.args.get("uplink"), request.args.get("duration_s", 0.0)
    named = str(uplink) if uplink is not None else None
    override = Override(OVERRIDES[request.verb], named, float(duration_s), peer.name)
    why_not = engine.refusal(override)
    if why_not is None:
        gateway.deliver(override)
        return Response(ok=True, data={"text": accepted_text(override)})
    if named in {u.name for u in engine.site.uplinks}:
        states = [j.state for line, j in engine.judges.items() if line.uplink == named]
        why_not = refusal_text(str(named), states, engine.site)
    return refuse(why_not)
