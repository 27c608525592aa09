"""Named counters of one nftables table, read over and over: what has moved since the last time.

`Nft.counters` tells all of them at any time; this tells the difference, ten times a second and for next to nothing.
A dump is compared with the one before as bytes, and only what differs is read. A counter that has begun anew (its table
was replaced, or flushed and loaded again) is known by its new handle, so a difference is never negative.
"""

import struct

from secondpath.netlink.nftables import COUNTER_OBJECT, GET_OBJECT, INET_HEADER
from secondpath.netlink.wire import NETLINK_NETFILTER, Socket, attribute, attributes, string, text

_HEADER_BYTES = 4  # nfgenmsg; it carries the ruleset's generation, which changes with anybody's transaction


class Counting:
    """Follows the counters of the table `inet <table>`, over one open socket."""

    def __init__(self, table: str, *, timeout_s: float = 1.0) -> None:
        self._what = f"read the counters of table inet {table}"
        self._asked = INET_HEADER + text(1, table) + attribute(3, struct.pack(">I", COUNTER_OBJECT))
        self._table = table.encode() + b"\0"
        self._socket = Socket(NETLINK_NETFILTER, timeout_s=timeout_s)
        self._bodies: frozenset[bytes] = frozenset()
        self._known: dict[str, tuple[bytes, int]] = {}

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def moved(self) -> dict[str, int]:
        """How many packets each counter counted since the last call; those that counted none are left out.

        At the first call that is since they are there. Raises `NetlinkError`.
        """
        dumped = self._socket.dump(GET_OBJECT, self._asked, self._what)
        bodies = frozenset(body[_HEADER_BYTES:] for body in dumped if body[0] == INET_HEADER[0])
        fresh, self._bodies = bodies - self._bodies, bodies
        counted = {}
        for body in fresh:
            found = attributes(body)  # NFTA_OBJ_TABLE 1, NAME 2, DATA 4, HANDLE 6
            if found[1] != self._table:
                continue
            name, handle = string(found[2]), found.get(6, b"")
            packets = int.from_bytes(attributes(found[4])[2], "big")  # NFTA_COUNTER_PACKETS
            known_handle, before = self._known.get(name, (handle, 0))
            more = packets - before if known_handle == handle and packets >= before else packets
            self._known[name] = handle, packets
            if more:
                counted[name] = more
        return counted
