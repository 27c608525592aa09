"""What is known of every application at this moment: its addresses, when they were last told, which are shared."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any

from secondpath import clock
from secondpath.act.recognition import class_of, collisions, names_of
from secondpath.daemon.shell import Gateway
from secondpath.model import Application, IPAddress
from secondpath.wire.messages import Response, refuse
from secondpath.wire.status import stamp


def applications_json(gateway: Gateway) -> dict[str, Any]:
    """The document of `secondpath applications --known`."""
    destinations = gateway.engine.steering().destinations
    shared = {c.address: c.applications for c in collisions(gateway.site, destinations)}
    known = [_application(gateway, a, destinations.get(a.name, frozenset()), shared) for a in gateway.site.applications]
    recognition = gateway.snapshot().evidence or {}
    return {"schema": 1, "applications": known, "recognition": recognition.get("recognition")}


def teach(gateway: Gateway, said: str) -> Response:
    """What a device has asked for since the lesson began, which this begins if it is not under way."""
    try:
        clients = frozenset(ipaddress.ip_address(each) for each in said.split(","))
    except ValueError:
        return refuse(f"{said!r} is no address of a device.", exit_code=2)
    teaching = gateway.knowing.teaching
    lesson = teaching.attend(clock.now(), clients)
    if not gateway.hand.reads and not gateway.listen_again():
        return refuse("DNS answers cannot be read here: the kernel lacks NFLOG, or somebody else has group 7100.")
    groups = teaching.groups(clock.now(), lesson)
    return Response(ok=True, data={"schema": 1, "from": said.split(","), "groups": groups})


def _application(
    gateway: Gateway, application: Application, found: frozenset[IPAddress], shared: dict[IPAddress, tuple[str, ...]]
) -> dict[str, Any]:
    now, wall, seen = clock.now(), clock.wall(), gateway.engine.apart.applications.seen
    told = [seen.told_at[name] for name in names_of(application) if name in seen.told_at]
    kept = {a: until - now for name in names_of(application) for a, until in seen.until.get(name, {}).items()}
    ordered = sorted(found, key=lambda a: (a.version, int(a)))
    return {
        "name": application.name,
        "class": class_of(application).name,
        "names": list(names_of(application)),
        "seen": stamp(wall - timedelta(seconds=now - max(told))) if told else None,
        "addresses": [
            {
                "address": str(address),
                "kept_s": round(kept[address]) if address in kept else None,
                "given_to": shared[address][0]
                if address in shared and shared[address][0] != application.name
                else None,
            }
            for address in ordered
        ],
    }
