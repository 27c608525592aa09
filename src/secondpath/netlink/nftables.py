"""nftables' sets, maps and counters, read and changed in place; the ruleset itself is loaded by nft(8).

A transaction is one datagram: BATCH_BEGIN, the changes, BATCH_END (linux/netfilter/nfnetlink.h, nf_tables.h). The
kernel checks all of it, then publishes all of it at once; a packet sees the maps before or after, never between.
The acknowledgement is sent after the commit, so when `transaction` returns, every new packet obeys it.

Why not libnftables: it first fetches every interval set of the host. One foreign set of 50,000 networks turns
its 0.1 ms into 0.2-0.9 s; these messages name one set and touch nothing else.

Keys and data are the bytes of the kernel's registers, in the order the set's type has: `mark` 4 bytes in host order
(`mark_bytes`), `nf_proto` 1 byte, `ifname` 16 bytes filled with zeros (`ifname_bytes`), addresses and ports in
network order. Sets with `flags interval` are for nft(8), not for this file.
"""

import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias

from secondpath.netlink.wire import (
    ACK,
    CREATE,
    NETLINK_NETFILTER,
    REQUEST,
    NetlinkError,
    Socket,
    attribute,
    attributes,
    each_attribute,
    message,
    nest,
    string,
    text,
)

_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
_GET_TABLE, _GET_CHAIN, _GET_RULE, GET_OBJECT = (_SUBSYSTEM | number for number in (1, 4, 7, 19))
_GET_SET, _GET_GENERATION = _SUBSYSTEM | 10, _SUBSYSTEM | 16
_NEW_ELEMENT, _GET_ELEMENT, _DELETE_ELEMENT = _SUBSYSTEM | 12, _SUBSYSTEM | 13, _SUBSYSTEM | 14
INET_HEADER = struct.pack(">BBH", 1, 0, 0)  # nfgenmsg: NFPROTO_INET, NFNETLINK_V0
_BATCH_HEADER = struct.pack(">BBH", 0, 0, 10)  # its last field names the subsystem
_TABLE, _SET, _ELEMENTS = 1, 2, 3  # NFTA_SET_ELEM_LIST_*
_KEY, _DATA = 1, 2  # NFTA_SET_ELEM_*
_VALUE, _VERDICT = 1, 2  # NFTA_DATA_*
COUNTER_OBJECT = 1  # NFT_OBJECT_COUNTER
_ANONYMOUS_SET, MAP_SET = 0x1, 0x8  # NFT_SET_ANONYMOUS, NFT_SET_MAP
_JUMP, _GOTO = -3, -4
_CODE = struct.Struct(">i")
_READ_TRIES = 20
_GENERATION = slice(2, 4)  # nfgenmsg's resource: the low bits of the ruleset's generation (nfnl_msg_put)


@dataclass(frozen=True, slots=True)
class Goto:
    """The verdict of a map that sends the packet to `chain` and never comes back."""

    chain: str


@dataclass(frozen=True, slots=True)
class Jump:
    """The verdict of a map that sends the packet through `chain` and comes back."""

    chain: str


@dataclass(frozen=True, slots=True)
class Plain:
    """A verdict without a chain: 0 drop, 1 accept, -1 continue, -5 return (linux/netfilter/nf_tables.h)."""

    code: int


Verdict: TypeAlias = Goto | Jump | Plain


@dataclass(frozen=True, slots=True)
class AddElement:
    """Put `key` into a set, or `key` with `data` into a map.

    The kernel accepts an element that is there already with the same data; with other data it says EEXIST
    (or EBUSY): to change an element, delete it and add it in the same transaction.
    """

    set_name: str
    key: bytes
    data: bytes | Verdict | None = None


@dataclass(frozen=True, slots=True)
class DelElement:
    """Take `key` out of a set or map. ENOENT if it is not in."""

    set_name: str
    key: bytes


Change: TypeAlias = AddElement | DelElement


def mark_bytes(mark: int) -> bytes:
    """A packet or connection mark as sets and maps hold it: four bytes in the order of this machine."""
    return struct.pack("=I", mark)


def ifname_bytes(name: str) -> bytes:
    """An interface name as sets and maps hold it: 16 bytes. Raises ValueError for a name over 15 bytes."""
    encoded = name.encode()
    if not 0 < len(encoded) < 16:
        raise ValueError(f"{name!r} is no interface name: 1 to 15 bytes")
    return encoded.ljust(16, b"\0")


def pack_change(table: str, change: Change) -> bytes:
    """The body of the message that makes one change in the table `inet <table>`."""
    element = nest(_KEY, attribute(_VALUE, change.key))
    if isinstance(change, AddElement) and change.data is not None:
        element += nest(_DATA, _pack_data(change.data))
    return _place(table, change.set_name) + nest(_ELEMENTS, nest(1, element))


@lru_cache(maxsize=256)
def _place(table: str, set_name: str) -> bytes:
    return INET_HEADER + text(_TABLE, table) + text(_SET, set_name)


def _pack_data(data: bytes | Verdict) -> bytes:
    match data:
        case bytes():
            return attribute(_VALUE, data)
        case Goto(chain):
            return nest(_VERDICT, attribute(1, _CODE.pack(_GOTO)), text(2, chain))
        case Jump(chain):
            return nest(_VERDICT, attribute(1, _CODE.pack(_JUMP)), text(2, chain))
        case Plain(code):
            return nest(_VERDICT, attribute(1, _CODE.pack(code)))


def parse_elements(body: bytes) -> dict[bytes, bytes | Verdict | None]:
    """The elements in one message of a set dump: key to data, None in a plain set. `*` has the key b""."""
    found: dict[bytes, bytes | Verdict | None] = {}
    for _kind, packed in each_attribute(attributes(body, 4).get(_ELEMENTS, b"")):
        element = attributes(packed)
        key = attributes(element[_KEY])[_VALUE] if _KEY in element else b""
        found[key] = _parse_data(attributes(element[_DATA])) if _DATA in element else None
    return found


def _parse_data(data: dict[int, bytes]) -> bytes | Verdict:
    if _VALUE in data:
        return data[_VALUE]
    verdict = attributes(data[_VERDICT])
    code: int = _CODE.unpack(verdict[1])[0]
    if code == _GOTO:
        return Goto(string(verdict[2]))
    if code == _JUMP:
        return Jump(string(verdict[2]))
    return Plain(code)


class Nft:
    """The sets, maps and counters of the one table `inet <table>`, over one open socket.

    `timeout_s` bounds every wait. The table need not exist yet; what needs it says ENOENT.
    """

    def __init__(self, table: str, *, timeout_s: float = 5.0) -> None:
        self.table = table
        self._socket = Socket(NETLINK_NETFILTER, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    @property
    def port(self) -> int:
        """The number by which the kernel knows this socket: events of changes made here carry it."""
        return self._socket.port

    def transaction(self, changes: Iterable[Change]) -> None:
        """Make all changes, in their order and at once; return when they are in force. No changes: nothing is sent.

        Raises `NetlinkError` naming the first change that the kernel refused; then none of them was made. After
        ETIMEDOUT or ENOBUFS it is not known whether they were: read `elements`.
        """
        wanted = list(changes)
        if not wanted:
            return
        first = self._socket.reserve(len(wanted) + 2)
        last = first + len(wanted)
        batch = [message(_BATCH_BEGIN, REQUEST, first, _BATCH_HEADER)]
        for sequence, change in enumerate(wanted, first + 1):
            kind, flags = (_NEW_ELEMENT, REQUEST | CREATE) if type(change) is AddElement else (_DELETE_ELEMENT, REQUEST)
            flags |= ACK if sequence == last else 0
            batch.append(message(kind, flags, sequence, pack_change(self.table, change)))
        batch.append(message(_BATCH_END, REQUEST, last + 1, _BATCH_HEADER))
        self._socket.send(b"".join(batch))
        self._socket.settle(first, last, lambda place: self._name(wanted, place))

    def _name(self, changes: list[Change], place: int) -> str:
        if place == 0:  # BATCH_BEGIN: the kernel speaks of the whole
            return f"change {len(changes)} elements of table inet {self.table}"
        change = changes[place - 1]
        verb = "add to" if isinstance(change, AddElement) else "delete from"
        return f"{verb} set {change.set_name} of table inet {self.table} the key {change.key.hex()}"

    def elements(self, set_name: str) -> dict[bytes, bytes | Verdict | None]:
        """All elements of a set or map at one moment, by key.

        Raises `NetlinkError`: ENOENT if there is no such table or set, EINTR if the ruleset never stopped changing.
        Unlike other dumps, one of elements does not say that a transaction tore it. But every message carries the
        generation of the ruleset, so all of them must have the one that is still current afterwards.
        """
        what = f"read set {set_name} of table inet {self.table}"
        for _ in range(_READ_TRIES):
            bodies = self._socket.dump(_GET_ELEMENT, _place(self.table, set_name), what)
            current = self._socket.ask(_GET_GENERATION, INET_HEADER, what)[_GENERATION]
            if all(body[_GENERATION] == current for body in bodies):
                return {key: data for body in bodies for key, data in parse_elements(body).items()}
        raise NetlinkError(errno.EINTR, f"{what}: the ruleset kept changing while it was read")

    def counters(self) -> dict[str, tuple[int, int]]:
        """The named counters: name to (packets, bytes), both counting on. Empty if there is no such table."""
        asked = INET_HEADER + text(1, self.table) + attribute(3, struct.pack(">I", COUNTER_OBJECT))
        found = {}
        for body in self._socket.dump(GET_OBJECT, asked, f"read the counters of table inet {self.table}"):
            counter = attributes(body, 4)  # NFTA_OBJ_TABLE 1, NAME 2, TYPE 3, DATA 4
            if string(counter[1]) == self.table and body[0] == INET_HEADER[0]:
                values = attributes(counter[4])  # NFTA_COUNTER_BYTES 1, PACKETS 2
                found[string(counter[2])] = int.from_bytes(values[2], "big"), int.from_bytes(values[1], "big")
        return found

    def chains(self) -> dict[str, bool]:
        """The table's chains, and which of them are hooked: called by the kernel itself. Empty without such a table."""
        bodies = self._socket.dump(_GET_CHAIN, INET_HEADER, "read the chains")
        parsed = [attributes(body, 4) for body in bodies]  # NFTA_CHAIN_TABLE 1, NAME 3, HOOK 4
        return {string(chain[3]): 4 in chain for chain in parsed if string(chain[1]) == self.table}

    def sets(self) -> dict[str, int]:
        """The table's sets and maps that have a name, each with its flags (NFT_SET_*). ENOENT without such a table."""
        asked = INET_HEADER + text(1, self.table)
        bodies = self._socket.dump(_GET_SET, asked, f"read the sets of table inet {self.table}")
        parsed = [attributes(body, 4) for body in bodies]  # NFTA_SET_TABLE 1, NAME 2, FLAGS 3
        flags = {string(each[2]): int.from_bytes(each.get(3, b"")) for each in parsed}
        return {name: its for name, its in flags.items() if not its & _ANONYMOUS_SET}

    def rule_count(self) -> int:
        """How many rules the table's chains hold together; 0 if there is no such table."""
        asked = INET_HEADER + text(1, self.table)  # NFTA_RULE_TABLE
        bodies = self._socket.dump(_GET_RULE, asked, f"count the rules of table inet {self.table}")
        return sum(body[0] == INET_HEADER[0] and string(attributes(body, 4)[1]) == self.table for body in bodies)

    def table_exists(self) -> bool:
        """Whether there is a table `inet <table>` in this network namespace."""
        try:
            what = f"look for table inet {self.table}"
            self._socket.request(_GET_TABLE, 0, INET_HEADER + text(1, self.table), what)
        except NetlinkError as fault:
            if fault.errno != errno.ENOENT:
                raise
            return False
        return True
