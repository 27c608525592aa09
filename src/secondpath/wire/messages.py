"""One JSON line there, one JSON line back: what may be asked over the control socket, and how it is answered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

LINE_LIMIT_BYTES = 4096
"""No request is longer than this."""
HOLD_LIMIT_S = 7 * 86400.0
"""A hold ends: a box that somebody forgot on its backup is a bill."""

Value: TypeAlias = str | int | float


class BadMessage(Exception):  # noqa: N818
    """A message that cannot be understood; says why in a sentence."""


class Verb(StrEnum):
    """All that can be asked of the daemon. There is no shell here, and none will come."""

    STATUS = "status"
    WATCH = "watch"
    EVENTS = "events"
    FAILOVER = "failover"
    FAILBACK = "failback"
    HOLD = "hold"
    RELEASE = "release"
    RELOAD = "reload"
    CHECK_PATH = "check-path"
    APPLICATIONS = "applications"
    TEACH = "teach"
    ALLOWANCE = "allowance"
    POLICY = "policy"
    TRACE = "trace"


READING = frozenset({Verb.STATUS, Verb.WATCH, Verb.EVENTS, Verb.APPLICATIONS, Verb.POLICY, Verb.TRACE})
"""What anyone who reaches the socket may ask; the others change something, cost data (CHECK_PATH), or show what
names people ask for (TEACH)."""

_NEEDED: Mapping[Verb, Mapping[str, type]] = {
    Verb.FAILOVER: {"uplink": str},
    Verb.HOLD: {"duration_s": float},
    Verb.TEACH: {"from": str},
    Verb.ALLOWANCE: {"uplink": str},
    Verb.TRACE: {"source": str, "destination": str},
}
_OPTIONAL: Mapping[Verb, Mapping[str, type]] = {
    Verb.EVENTS: {"limit": int, "after": int},
    Verb.CHECK_PATH: {"uplink": str},
    Verb.TRACE: {"protocol": str, "port": int, "network": str, "mac": str},
    Verb.ALLOWANCE: {"used_bytes": int, "restraint": str},
}


@dataclass(frozen=True, slots=True)
class Request:
    """One question or order."""

    verb: Verb
    args: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `exit_code` is what the command that asked should end with."""

    ok: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    exit_code: int = 0


def refuse(error: str, exit_code: int = 1) -> Response:
    """No, and why."""
    return Response(ok=False, error=error, exit_code=exit_code)


def request_line(request: Request) -> bytes:
    """The request as it travels."""
    return _line({"verb": request.verb, "args": dict(request.args)})


def response_line(response: Response) -> bytes:
    """The response as it travels."""
    return _line(asdict(response))


def parse_request(line: bytes) -> Request:
    """The request in a line; BadMessage says what is wrong with it."""
    message = _object(line)
    if unknown := sorted(message.keys() - {"verb", "args"}):
        raise BadMessage(f"A request has a verb and args, but no {unknown[0]!r}.")
    name, args = message.get("verb"), message.get("args", {})
    if not isinstance(name, str) or name not in set(Verb):
        raise BadMessage(f"There is no verb {name!r}. The verbs are: {', '.join(Verb)}.")
    if not isinstance(args, dict):
        raise BadMessage("The args of a request are an object.")
    return Request(Verb(name), _checked(Verb(name), args))


def parse_response(line: bytes) -> Response:
    """The response in a line."""
    message = _object(line)
    ok, data = message.get("ok"), message.get("data", {})
    error, exit_code = message.get("error", ""), message.get("exit_code", 0)
    if not isinstance(ok, bool) or not isinstance(data, dict) or not isinstance(error, str):
        raise BadMessage("The daemon's answer has an unknown shape.")
    return Response(ok, data, error, exit_code if isinstance(exit_code, int) else 1)


def _checked(verb: Verb, args: Mapping[str, object]) -> dict[str, Value]:
    needed, optional = _NEEDED.get(verb, {}), _OPTIONAL.get(verb, {})
    for name in needed:
        if name not in args:
            raise BadMessage(f"{verb} needs {name}.")
    return {name: _typed(verb, name, value, {**needed, **optional}.get(name)) for name, value in args.items()}


def _typed(verb: Verb, name: str, value: object, kind: type | None) -> Value:
    if kind is None:
        raise BadMessage(f"{verb} knows no {name!r}.")
    if kind is str and isinstance(value, str) and value:
        return value
    if kind is str or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadMessage(f"{name} of {verb} must be a {'text' if kind is str else 'number'}.")
    if kind is int and isinstance(value, int) and 0 <= value < 2**63:
        return value
    if kind is float and math.isfinite(value) and 0 < value <= HOLD_LIMIT_S:
        return float(value)
    raise BadMessage(f"{name} of {verb} is out of range.")


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise BadMessage("This is not a line of JSON.") from None
    if not isinstance(message, dict):
        raise BadMessage("A message is a JSON object.")
    return message
