"""HTTPS: as HTTP, and the certificate says whether it is the target that answers (RFC 9110 section 4.3.4)."""

from __future__ import annotations

import functools
import os
import socket
import ssl
from pathlib import Path

from secondpath.model import Outcome, ProbeResult
from secondpath.sense.attempt import Attempt
from secondpath.sense.http import exchange
from secondpath.sense.refusal import ENDED_HERE, is_ended_here, words_of
from secondpath.sense.stream import carry_out, connect

PORT = 443
_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_*: OpenSSL looks at the dates last, so issuer and name were right, and the answer is the target's own.
Either it is ill, or our clock is: a gateway without a clock battery boots in 1970."""
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


async def ask(attempt: Attempt) -> ProbeResult:
    """Connect, shake hands, GET. Somebody else's certificate is REDIRECTED."""
    with attempt.egress.open(socket.SOCK_STREAM) as sock:
        failed = await connect(sock, attempt, PORT)
        return failed or await _secure(sock, attempt)


async def _secure(sock: socket.socket, attempt: Attempt) -> ProbeResult:
    target = attempt.probe.target
    attempt.silence = "connected, then no TLS handshake"
    try:
        secure = await _shake_hands(sock, target.host or str(target.address))
    except OSError as error:
        return attempt.ended(*meaning(error))
    with secure:
        return await exchange(secure, attempt)


async def _shake_hands(sock: socket.socket, name: str) -> ssl.SSLSocket:
    secure = trust().wrap_socket(sock, do_handshake_on_connect=False, server_hostname=name)
    try:
        await carry_out(secure, secure.do_handshake)
    except BaseException:
        secure.close()
        raise
    return secure


def meaning(error: OSError) -> tuple[Outcome, str]:
    """What a failed handshake says of who answered."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
            return Outcome.REFUSED, f"{error.verify_message}: is the clock of this box right?"
        return Outcome.REDIRECTED, f"somebody else's certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        if is_not_tls(error):
            return Outcome.REDIRECTED, "answers, but not in TLS"
        return Outcome.REFUSED, f"no TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"
    if is_ended_here(error):
        return Outcome.TIMEOUT, ENDED_HERE
    return Outcome.REFUSED, f"{words_of(error)} in the TLS handshake"


def is_not_tls(error: ssl.SSLError) -> bool:
    """Whether somebody answered in another language."""
    return error.reason in _NOT_TLS


@functools.cache
def trust() -> ssl.SSLContext:
    """The certificates that this system trusts, made once, when first needed.

    A directory with hashed names is read certificate by certificate as needed (2 ms and 1 MB once); the whole bundle
    would hold up the loop for 27 ms and stay in memory.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    directory = ssl.get_default_verify_paths().capath
    if directory and "SSL_CERT_FILE" not in os.environ and any(Path(directory).glob("*.0")):
        context.load_verify_locations(capath=directory)
    else:
        context.load_default_certs()
    return context
