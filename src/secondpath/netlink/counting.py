"""Named counters of one nftables table, read over and over: what has moved since the last time.

`Nft.counters` tells all of them at any time; this tells the difference, ten times a second and for next to nothing. The
same question is asked with the same sequence number, so where nothing moved the answer is the same to the byte, and
nothing is parsed (25 us instead of 70). After an error the number changes: what is left over is then known as old.

A counter that shows less than before has begun anew (its table was replaced), and so have all after a look at which
there were none: a difference is never negative. The kernel says no more (handles begin anew too), so the one look after
a replacement may tell too little. A dump that a transaction tore may lack some: they are told at the next look.
"""

import struct
from collections.abc import Iterator

from secondpath.netlink.nftables import COUNTER_OBJECT, GET_OBJECT, INET_HEADER
from secondpath.netlink.wire import (
    DONE,
    DUMP,
    ERROR,
    NETLINK_NETFILTER,
    REQUEST,
    NetlinkError,
    Socket,
    answer_error,
    attribute,
    attributes,
    message,
    messages,
    string,
    text,
)

_HEADER_BYTES = 4  # nfgenmsg


class Counting:
    """Follows the counters of the table `inet <table>`, over one open socket. `timeout_s` bounds every wait."""

    def __init__(self, table: str, *, timeout_s: float = 1.0) -> None:
        self._what = f"read the counters of table inet {table}"
        self._asked = INET_HEADER + text(1, table) + attribute(3, struct.pack(">I", COUNTER_OBJECT))
        self._table = table.encode() + b"\0"
        self._socket = Socket(NETLINK_NETFILTER, timeout_s=timeout_s)
        self._sequence = self._socket.reserve()
        self._answer: list[bytes] = []
        self._known: dict[str, tuple[int, int]] = {}
        self.octets: dict[str, int] = {}
        """How many bytes the counters that `moved` told of counted between its last two calls."""

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def moved(self) -> dict[str, int]:
        """How many packets each counter counted since the last call; those that counted none are left out.

        At the first call that is since they are there. Raises `NetlinkError`.
        """
        self.octets = {}
        try:
            answer = self._ask()
            counted = {} if answer == self._answer else self._read(answer)
        except NetlinkError:
            self._sequence, self._answer = self._socket.reserve(), []
            raise
        self._answer = answer
        return counted

    def _ask(self) -> list[bytes]:
        """The datagrams of one dump: as many as last time while they are the same, else to the one that ends it."""
        self._socket.send(message(GET_OBJECT, REQUEST | DUMP, self._sequence, self._asked))
        found: list[bytes] = []
        while True:
            datagram = self._socket.receive() or b""
            found.append(datagram)
            if found == self._answer or (self._answer[: len(found)] != found and self._ends(datagram)):
                return found

    def _ends(self, datagram: bytes) -> bool:
        return any(part.kind in (DONE, ERROR) and part.sequence == self._sequence for part in messages(datagram))

    def _read(self, answer: list[bytes]) -> dict[str, int]:
        found = dict(self._counters(answer))
        known, self._known = self._known, {**self._known, **found} if found else {}
        counted = {}
        for name, (packets, octets) in found.items():
            before, octets_before = known.get(name, (0, 0))
            anew = packets < before
            moved = packets if anew else packets - before
            if moved:
                counted[name] = moved
                self.octets[name] = octets if anew else octets - octets_before
        return counted

    def _counters(self, answer: list[bytes]) -> Iterator[tuple[str, tuple[int, int]]]:
        for part in (part for datagram in answer for part in messages(datagram)):
            if part.sequence != self._sequence:
                continue
            if part.kind in (DONE, ERROR):
                code, words = answer_error(part)
                if code:
                    raise NetlinkError(code, f"{self._what}: {words}")
                continue
            found = attributes(part.body, _HEADER_BYTES)  # NFTA_OBJ_TABLE 1, NAME 2, DATA 4
            if part.body[0] == INET_HEADER[0] and found[1] == self._table:
                counts = attributes(found[4])  # NFTA_COUNTER_BYTES 1, PACKETS 2
                yield string(found[2]), (int.from_bytes(counts[2], "big"), int.from_bytes(counts[1], "big"))
