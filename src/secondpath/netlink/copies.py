"""Copies of packets that rules hand over (`log group N`), by nfnetlink_log (linux/netfilter/nfnetlink_log.h).

Needs CAP_NET_ADMIN and a kernel with CONFIG_NETFILTER_NETLINK_LOG. One socket has a group to itself. Where nobody has
it, or its owner does not read fast enough, the kernel throws copies away; the packets themselves never wait for us.
"""

import errno
import struct
from typing import Self

from secondpath.netlink.wire import NETLINK_NETFILTER, NetlinkError, Socket, attribute, attributes, messages

_SUBSYSTEM = 4 << 8  # NFNL_SUBSYS_ULOG
_PACKET, _CONFIG = _SUBSYSTEM, _SUBSYSTEM | 1  # NFULNL_MSG_*
_COMMAND, _MODE = 1, 2  # NFULA_CFG_CMD, NFULA_CFG_MODE
_PAYLOAD = 9  # NFULA_PAYLOAD
_BIND, _COPY_PACKET = b"\x01", 2
_MODE_BODY = struct.Struct(">IBx")
SNAP_BYTES = 4096
AT_ONCE = 64


class Copies:
    """The copies of one group. Raises `NetlinkError`: EBUSY where somebody else has it.

    `buffer_bytes` bounds what may lie unread; what is more is lost, and counted in `lost`.
    """

    def __init__(self, group: int, *, buffer_bytes: int = 1 << 20) -> None:
        self.lost = 0
        self._socket = Socket(NETLINK_NETFILTER, buffer_bytes=buffer_bytes)
        head = struct.pack(">BBH", 0, 0, group)
        try:
            self._socket.request(_CONFIG, 0, head + attribute(_COMMAND, _BIND), f"take group {group} of copies")
            mode = attribute(_MODE, _MODE_BODY.pack(SNAP_BYTES, _COPY_PACKET))
            self._socket.request(_CONFIG, 0, head + mode, f"ask for whole packets of group {group}")
        except NetlinkError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the group back."""
        self._socket.close()

    def fileno(self) -> int:
        """For a selector or an event loop."""
        return self._socket.fileno()

    def read(self) -> list[bytes]:
        """Some packets that have been handed over since the last read, as IP has them; never waits.

        At most AT_ONCE datagrams are taken, so that a flood of answers never holds up anything else.
        """
        found: list[bytes] = []
        for _ in range(AT_ONCE):
            try:
                datagram = self._socket.receive(wait=False)
            except NetlinkError as fault:
                if fault.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            if datagram is None:
                break
            for part in messages(datagram):
                if part.kind == _PACKET and (packet := attributes(part.body, 4).get(_PAYLOAD)):
                    found.append(packet)
        return found
