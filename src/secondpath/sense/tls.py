"""TLS (RFC 8446): the handshake comes to its end, or at least to an answer in TLS.

Whose certificate it is does not matter here, and nothing is sent after the handshake: this asks the path, not the
server. A line that opens connections and swallows what follows is known by it.
"""

from __future__ import annotations

import functools
import socket
import ssl

from secondpath.model import Outcome, ProbeResult
from secondpath.sense.attempt import Attempt
from secondpath.sense.https import is_not_tls
from secondpath.sense.refusal import words_of
from secondpath.sense.stream import carry_out, connect

PORT = 443


async def ask(attempt: Attempt) -> ProbeResult:
    """OK for a handshake and for an alert, which is an answer too; REDIRECTED for an answer in another language."""
    with attempt.egress.open(socket.SOCK_STREAM) as sock:
        return await connect(sock, attempt, PORT) or await _shake_hands(sock, attempt)


async def _shake_hands(sock: socket.socket, attempt: Attempt) -> ProbeResult:
    attempt.silence = "connected, then no TLS handshake"
    name = attempt.probe.target.host or None
    with anybody().wrap_socket(sock, do_handshake_on_connect=False, server_hostname=name) as secure:
        try:
            await carry_out(secure, secure.do_handshake)
        except ssl.SSLError as error:
            if is_not_tls(error):
                return attempt.ended(Outcome.REDIRECTED, "answers, but not in TLS")
            return attempt.ended(Outcome.OK, "an alert")
        except OSError as error:
            return attempt.ended(Outcome.REFUSED, f"{words_of(error)} in the TLS handshake")
        return attempt.ended(Outcome.OK, secure.version() or "TLS")


@functools.cache
def anybody() -> ssl.SSLContext:
    """A context that takes every certificate, and speaks TLS 1.2 (RFC 5246).

    After a handshake of TLS 1.3 the server sends session tickets (RFC 8446, section 4.6.1): they would meet a socket
    that is closed, and the kernel's refusal would leave by the wrong line, where the guard has to stop it. A server
    that speaks 1.3 alone answers with an alert, which will do.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
