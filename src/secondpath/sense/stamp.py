"""How long an answer took, as the kernel saw it: a box that is busy reads its answers late, and that is no delay.

Datagrams bear the kernel's receive stamp (SO_TIMESTAMPNS). It is of the wall clock, which may be set while a question
is open; so the same span is also measured on the monotonic clock, and where the two clocks moved apart the monotonic
one is believed. Of a connection the kernel keeps the round trip of its handshake itself (TCP_INFO).
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from secondpath import clock

_SO_TIMESTAMPNS_NEW = 64
"""asm-generic/socket.h: two 64-bit numbers on every machine, safe after 2038 (Linux 5.1)."""
_STAMP = struct.Struct("=qq")
CONTROL_BYTES = 64
"""Room for the control message that bears a stamp."""
_CLOCKS_APART_S = 0.001
_RTT, _TOTAL_RETRANS = 68, 100
"""Where tcpi_rtt (microseconds) and tcpi_total_retrans stand in struct tcp_info (linux/tcp.h)."""
_WORD = struct.Struct("=I")


@dataclass(frozen=True, slots=True)
class Moment:
    """The two clocks, read together: monotonic and wall-clock seconds."""

    monotonic_s: float
    wall_s: float


def take_moment() -> Moment:
    """Now, on both clocks."""
    return Moment(clock.now(), clock.wall().timestamp())


def want_stamps(sock: socket.socket) -> None:
    """Have the kernel stamp what a socket receives; before Linux 5.1 our own stamp must do."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS_NEW, 1)


def keep_stamping() -> socket.socket:
    """A socket that keeps the kernel stamping what arrives as long as it is open.

    Stamping begins only a while after the first socket has asked for it (net_enable_timestamp defers it), and ends with
    the last; until then a packet bears the time at which it was read. That would be the first answer on every socket.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    want_stamps(sock)
    return sock


def kernel_wall_s(ancillary: Iterable[tuple[int, int, bytes]]) -> float | None:
    """The kernel's receive stamp in wall-clock seconds, if the packet carries one."""
    for level, kind, data in ancillary:
        if (level, kind, len(data)) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS_NEW, _STAMP.size):
            seconds, nanoseconds = _STAMP.unpack(data)
            return float(seconds + nanoseconds / 1e9)
    return None


def round_trip_s(sent: Moment, read: Moment, stamp_wall_s: float | None) -> float:
    """Seconds from `sent` to the kernel's stamp, or to `read` when the stamp is missing or cannot be trusted."""
    monotonic_s = read.monotonic_s - sent.monotonic_s
    wall_s = read.wall_s - sent.wall_s
    if stamp_wall_s is None or abs(wall_s - monotonic_s) > _CLOCKS_APART_S:
        return monotonic_s
    kernel_s = stamp_wall_s - sent.wall_s
    return kernel_s if 0 < kernel_s <= monotonic_s + _CLOCKS_APART_S else monotonic_s


def handshake_s(sock: socket.socket, waited_s: float) -> float:
    """Seconds from SYN to SYN-ACK of a connection that stands; `waited_s` is what we saw, for want of better.

    It does not where a SYN was sent again: what was lost then must not vanish.
    """
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOTAL_RETRANS + _WORD.size)
    except OSError:
        return waited_s
    if len(info) < _TOTAL_RETRANS + _WORD.size or _WORD.unpack_from(info, _TOTAL_RETRANS)[0]:
        return waited_s
    kernel_s = float(_WORD.unpack_from(info, _RTT)[0]) / 1e6
    return kernel_s if 0 < kernel_s <= waited_s else waited_s
