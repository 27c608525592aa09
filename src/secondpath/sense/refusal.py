"""What a socket's error says of the way.

The same error number can come from this box (no ARP answer), from a router on the way or from the target. With
IP_RECVERR the kernel tells who said it (ip(7), struct sock_extended_err, SO_EE_OFFENDER), and that makes the outcome:
this box means UNSENT; anybody else means REFUSED; and only the target's own answer is a round trip.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from secondpath import clock
from secondpath.model import Instant, IPAddress, Outcome, ProbeResult
from secondpath.sense.attempt import Attempt

_EXTENDED_ERR = struct.Struct("=IBBBBII")
"""struct sock_extended_err: errno, origin, type, code, pad, info, data; the offender's sockaddr follows."""
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_LOCAL = frozenset({errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.ENODEV, errno.EPERM, errno.ENOBUFS})
_WORDS = {
    errno.ENETUNREACH: "no route to the network",
    errno.EHOSTUNREACH: "no route to the host",
    errno.EACCES: "prohibited by a route",
    errno.EINVAL: "no usable route",
    errno.ENETDOWN: "the interface is down",
    errno.ENODEV: "the interface is missing",
    errno.ENXIO: "the interface is missing",
    errno.EADDRNOTAVAIL: "no address to send from",
    errno.EPERM: "a rule or a missing permission forbids sending",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
}


ENDED_HERE = "ended by this box before an answer came"
"""The gateway destroys its own connections of a line that went down (SOCK_DESTROY, sock_diag(7))."""


def is_ended_here(error: OSError) -> bool:
    """Whether it was this box that ended a connection: TCP itself never says ECONNABORTED to who opened one."""
    return error.errno == errno.ECONNABORTED


def words_of(error: OSError) -> str:
    """An error number in plain words."""
    number = error.errno or 0
    return _WORDS.get(number) or os.strerror(number).lower()


def unsent(attempt: Attempt, error: OSError) -> ProbeResult:
    """The result of a probe that a call of ours could not send.

    EPERM of a packet that was ready to go is netfilter's; of a socket it is a capability that we lack.
    """
    forbidden = error.errno == errno.EPERM and attempt.answer is not None
    outcome = Outcome.FORBIDDEN if forbidden else Outcome.UNSENT
    return attempt.ended(outcome, f"{attempt.egress.interface}: {words_of(error)}")


def refused(attempt: Attempt, sock: socket.socket, error: OSError, since: Instant) -> ProbeResult:
    """The result of a probe that left at `since`, and that an error ended."""
    if isinstance(error, TimeoutError):
        return attempt.ended(Outcome.TIMEOUT, "the kernel gave up")
    if is_ended_here(error):
        return attempt.ended(Outcome.TIMEOUT, ENDED_HERE)
    offender = take_offender(sock)
    if offender is None and error.errno in _LOCAL:
        return unsent(attempt, error)
    if offender is not None and offender != attempt.probe.target.address:
        if is_ours(sock, offender):
            return attempt.ended(Outcome.UNSENT, f"{attempt.egress.interface}: the next hop does not answer")
        return attempt.ended(Outcome.REFUSED, f"{offender} says: {words_of(error)}")
    if attempt.rtt_s is None:
        attempt.rtt_s = clock.now() - since
    return attempt.ended(Outcome.REFUSED, f"{words_of(error)}: the path lives")


def is_ours(sock: socket.socket, address: IPAddress) -> bool:
    """Whether `address` is the one this socket sends from: then it was the kernel here that gave up."""
    try:
        return ip_address(sock.getsockname()[0]) == address
    except OSError:
        return False


def take_offender(sock: socket.socket) -> IPAddress | None:
    """Who sent the ICMP error that is queued for this socket, if one is."""
    try:
        _, ancillary, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    return next((offender for _, _, data in ancillary if (offender := offender_in(data))), None)


def offender_in(data: bytes) -> IPAddress | None:
    """The offender named by a control message of IP_RECVERR or IPV6_RECVERR."""
    size = _EXTENDED_ERR.size
    if len(data) < size + 8:
        return None
    origin = _EXTENDED_ERR.unpack_from(data)[1]
    if origin == _ORIGIN_ICMP:
        return IPv4Address(data[size + 4 : size + 8])
    if origin == _ORIGIN_ICMP6 and len(data) >= size + 24:
        return IPv6Address(data[size + 8 : size + 24])
    return None
