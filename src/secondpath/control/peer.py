"""Who is at the other end of a Unix socket, by the kernel's word (unix(7))."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59
"""Linux 4.13: the peer's supplementary groups. `socket` has no name for it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process that asked something: its user, and whether it may change anything."""

    pid: int
    uid: int
    may_change: bool

    @property
    def name(self) -> str:
        """The user's name, or its number when nobody has named it."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"user {self.uid}"


def peer_of(sock: socket.socket, allowed_gid: int | None) -> Peer:
    """The peer of a connected socket. Root, our own user and members of the allowed group may change things."""
    pid, uid, gid = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    trusted = uid in (0, os.geteuid())
    member = allowed_gid is not None and (gid == allowed_gid or allowed_gid in _groups_of(sock))
    return Peer(pid, uid, trusted or member)


def _groups_of(sock: socket.socket) -> tuple[int, ...]:
    """The supplementary groups. More than 256 do not fit Python's getsockopt(): then none is believed."""
    try:
        packed = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 1024)
    except OSError:
        return ()
    return struct.unpack(f"{len(packed) // 4}I", packed)
