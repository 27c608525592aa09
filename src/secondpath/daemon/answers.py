"""What each verb of the control socket does. Reading changes nothing; a person's word enters as an observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secondpath.control.peer import Peer
from secondpath.daemon.examining import Examinations
from secondpath.daemon.shell import Gateway
from secondpath.model import Override, OverrideKind
from secondpath.tell.status import texts_of
from secondpath.tell.words import accepted_text, event_text, refusal_text
from secondpath.wire.messages import Request, Response, Verb, refuse
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
        return self._answer(self.gateway, request, peer)

    def _answer(self, gateway: Gateway, request: Request, peer: Peer) -> Response:
        if request.verb in (Verb.STATUS, Verb.WATCH):
            return Response(ok=True, data=_status(gateway))
        if request.verb is Verb.EVENTS:
            return Response(ok=True, data=_events(gateway, request.args))
        if request.verb is Verb.RELOAD:
            problem = gateway.reload()
            if problem is not None:
                return refuse(f"The old configuration stays in force.\n{problem}", exit_code=2)
            return Response(ok=True, data={"text": "The new configuration is in force."})
        return _override(gateway, request, peer)


def _status(gateway: Gateway) -> dict[str, Any]:
    snapshot = gateway.snapshot()
    return status_json(snapshot, texts_of(snapshot))


def _events(gateway: Gateway, args: Mapping[str, Any]) -> dict[str, Any]:
    wanted = [e for e in gateway.recent if e.number > int(args.get("after", 0))]
    newest = wanted[max(0, len(wanted) - int(args.get("limit", 50))) :]
    return {"schema": 1, "events": [event_json(e, event_text(e.transition, gateway.site)) for e in newest]}


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
