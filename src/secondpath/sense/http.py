"""HTTP: does the web answer, and is it the web? One GET over our own bound socket (RFC 9110, RFC 9112).

A portal or a suspended line answers in the target's place (RFC 8952 section 1, RFC 8910 section 1): it redirects to
its own host, or sends a page where an empty 204 is known to come.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import h11

from secondpath.model import Outcome, ProbeKind, ProbeResult, Target
from secondpath.sense.attempt import Attempt
from secondpath.sense.refusal import ENDED_HERE, is_ended_here, words_of
from secondpath.sense.stream import carry_out, connect

PORT = 80
_READ_MAX_BYTES = 65_536
_EMPTY_ANSWER_PATHS = ("generate_204", "gen_204")


async def ask(attempt: Attempt) -> ProbeResult:
    """Connect, GET, and say whose the answer is."""
    with attempt.egress.open(socket.SOCK_STREAM) as sock:
        return await connect(sock, attempt, PORT) or await exchange(sock, attempt)


async def exchange(sock: socket.socket, attempt: Attempt) -> ProbeResult:
    """Send the request and read as much of the answer as is needed to tell; the close by RST stops the rest."""
    attempt.silence = "connected, then no answer"
    try:
        return attempt.ended(*await _converse(sock, attempt.probe.target))
    except h11.RemoteProtocolError:
        return attempt.ended(Outcome.REFUSED, "closed without an answer in HTTP")
    except ssl.SSLError:
        return attempt.ended(Outcome.REFUSED, "TLS broke off before an answer")
    except OSError as error:
        if is_ended_here(error):
            return attempt.ended(Outcome.TIMEOUT, ENDED_HERE)
        return attempt.ended(Outcome.REFUSED, f"{words_of(error)} instead of an answer")


async def _converse(sock: socket.socket, target: Target) -> tuple[Outcome, str]:
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=_READ_MAX_BYTES)
    request = _request(target)
    wire = (client.send(request) or b"") + (client.send(h11.EndOfMessage()) or b"")
    await carry_out(sock, lambda: sock.send(wire))
    budget_bytes = _READ_MAX_BYTES
    response: h11.Response | None = None
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            if budget_bytes <= 0:
                return Outcome.REFUSED, f"no answer within {_READ_MAX_BYTES} bytes"
            data = await carry_out(sock, lambda: sock.recv(4096))
            budget_bytes -= len(data)
            client.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
            if not _needs_body(response, target):
                return meaning(target, response.status_code, _location(response), has_body=False)
        elif response is not None:
            has_body = isinstance(event, h11.Data)
            return meaning(target, response.status_code, _location(response), has_body=has_body)


def _request(target: Target) -> h11.Request:
    headers = [("Host", authority(target)), ("User-Agent", "secondpath"), ("Connection", "close")]
    return h11.Request(method="GET", target=target.path or "/", headers=headers)


def authority(target: Target) -> str:
    """The Host header (RFC 9112 section 3.2): name or address, with the port unless it is the scheme's own."""
    host = target.host or (f"[{target.address}]" if target.address.version == 6 else str(target.address))
    own_port = 443 if target.kind is ProbeKind.HTTPS else PORT
    return host if target.port in (0, own_port) else f"{host}:{target.port}"


def _location(response: h11.Response) -> str:
    return next((value.decode("latin-1") for name, value in response.headers if name == b"location"), "")


def _needs_body(response: h11.Response, target: Target) -> bool:
    return response.status_code == 200 and expects_nothing(target)


def expects_nothing(target: Target) -> bool:
    """Whether an empty 204 is what the target is known to send."""
    return target.path.partition("?")[0].endswith(_EMPTY_ANSWER_PATHS)


def meaning(target: Target, status: int, location: str, *, has_body: bool) -> tuple[Outcome, str]:
    """What an answer says. An empty 200 counts as 204, as phones count it: some caches rewrite the one to the other."""
    if status == 511:  # RFC 6585 section 6
        return Outcome.REDIRECTED, "511: the network wants a login"
    if 300 <= status < 400 and location and not is_same_host(target, location):
        return Outcome.REDIRECTED, f"{status} to {urlsplit(location).hostname}"
    if status >= 400:
        return Outcome.REFUSED, f"{status} from the server"
    if not expects_nothing(target) or status == 204 or (status == 200 and not has_body):
        return Outcome.OK, f"{status}"
    return Outcome.REDIRECTED, f"{status} where 204 was expected"


def is_same_host(target: Target, location: str) -> bool:
    """Whether a Location stays with the target: a relative one, another path, port or scheme, with or without www."""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return False
    return host is None or _plain(host) in {_plain(target.host), str(target.address)}


def _plain(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")
