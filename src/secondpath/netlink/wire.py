"""Netlink on the wire: messages, attributes, acknowledgements, dumps.

Everything a kernel subsystem says over netlink has one shape (linux/netlink.h, RFC 3549): a 16-byte header, a fixed
body, then attributes of (length, kind, payload) padded to four bytes, which may nest. A request that changes something
is answered by an acknowledgement (error 0) or an error; a dump by many messages and a DONE.

Three habits of the kernel that this file takes care of, so that no other file has to:

- Answers carry the sequence number of their question. What is left over from an earlier, failed exchange is skipped.
- A dump whose data changed half-way carries NLM_F_DUMP_INTR: it may have gaps, so it is read again from the start.
  (Dumps of nftables' elements and of policy rules never carry it, whatever changed: see there.)
- A socket whose buffer ran over says ENOBUFS once, and something was lost: a dump is read again, all else is an error.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple, Self

NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER = 0, 4, 12

REQUEST, ACK, DUMP_INTERRUPTED = 0x001, 0x004, 0x010
REPLACE, EXCLUSIVE, CREATE, DUMP = 0x100, 0x200, 0x400, 0x300
NESTED = 0x8000
NO_ERRORS: frozenset[int] = frozenset()

ERROR, DONE = 2, 3
_CAPPED, _ANSWER_HAS_ATTRIBUTES = 0x100, 0x200
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_INT = struct.Struct("=i")
_WORD = struct.Struct("=I")
_KIND_MASK = 0x3FFF
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT_CHECK = 270, 10, 11, 12
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_READ_BYTES = 65536  # the kernel never makes a dump datagram larger than 32 KiB
_DUMP_TRIES = 8
_LAST_SEQUENCE = 0x7FFFFFFF


class NetlinkError(OSError):
    """The kernel refused, or did not answer (ETIMEDOUT), or its answer was lost (ENOBUFS) or unreadable (EBADMSG).

    `errno` is the kernel's number; `what` says in words what was asked for and, where the kernel tells (extended
    acknowledgement, Linux 4.12), what was wrong with it.
    """

    def __init__(self, code: int, what: str) -> None:
        super().__init__(code, what)
        self.what = what


class Message(NamedTuple):
    """One netlink message without its 16-byte header; `body` is the fixed part and the attributes.

    `port` is the socket it answers; in an event, the socket by which the change was made (0: the kernel's own).
    """

    kind: int
    flags: int
    sequence: int
    body: bytes
    port: int = 0


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One message ready to send. `body` must be a multiple of four bytes, as all that `attribute` makes is."""
    return _HEADER.pack(16 + len(body), kind, flags, sequence, 0) + body


def messages(datagram: bytes) -> Iterator[Message]:
    """The messages of one datagram. Raises `NetlinkError` EBADMSG where a length leads outside of it."""
    at, end = 0, len(datagram)
    while at < end:
        if end - at < 16:
            raise NetlinkError(errno.EBADMSG, "a netlink message is cut off in its header")
        size, kind, flags, sequence, port = _HEADER.unpack_from(datagram, at)
        if size < 16 or at + size > end:
            raise NetlinkError(errno.EBADMSG, f"a netlink message of {size} bytes does not fit its datagram")
        yield Message(kind, flags, sequence, datagram[at + 16 : at + size], port)
        at += (size + 3) & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes. `payload` is at most 65,531 bytes long."""
    size = 4 + len(payload)
    return _ATTRIBUTE.pack(size, kind) + payload + bytes(-size & 3)


def nest(kind: int, *attributes: bytes) -> bytes:
    """An attribute whose payload is `attributes`."""
    return attribute(kind | NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """An attribute holding a zero-terminated string."""
    return attribute(kind, value.encode() + b"\0")


def each_attribute_at(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The attributes between two places of `data`: kind without its flag bits, where its payload begins and ends.

    Raises `NetlinkError` EBADMSG where a length leads outside.
    """
    while at + 4 <= end:
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < 4 or at + size > end:
            raise NetlinkError(errno.EBADMSG, f"a netlink attribute of {size} bytes does not fit its message")
        yield kind & _KIND_MASK, at + 4, at + size
        at += (size + 3) & ~3


def each_attribute(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The attributes of `data` from byte `start`, as (kind, payload), repeated kinds included. Raises the same."""
    return ((kind, data[begin:end]) for kind, begin, end in each_attribute_at(data, start, len(data)))


def attributes(data: bytes, start: int = 0) -> dict[int, bytes]:
    """The attributes of `data` from byte `start` by kind; of a repeated kind the last. Errors as `each_attribute`."""
    return dict(each_attribute(data, start))


def word(kind: int, value: int) -> bytes:
    """An attribute holding a 32-bit number in the order of this machine."""
    return _ATTRIBUTE.pack(8, kind) + _WORD.pack(value)


def number(payload: bytes) -> int:
    """The number in an attribute of 1, 2, 4 or 8 bytes in the order of this machine."""
    return int.from_bytes(payload, sys.byteorder)


def string(payload: bytes) -> str:
    """The text of a string attribute, without its closing zero."""
    return payload.rstrip(b"\0").decode("utf-8", "replace")


def answer_error(answer: Message) -> tuple[int, str]:
    """(errno, the kernel's own words or "") of an acknowledgement or DONE message; errno 0 means all is well."""
    body = answer.body
    if len(body) < 4:
        return 0, ""
    code = -_INT.unpack_from(body)[0]
    words_at = 4
    if answer.kind == ERROR:
        asked = 16 if answer.flags & _CAPPED else _HEADER.unpack_from(body, 4)[0]
        words_at += (asked + 3) & ~3
    if not answer.flags & _ANSWER_HAS_ATTRIBUTES:
        return code, ""
    return code, string(attributes(body, words_at).get(1, b""))


class Socket:
    """One netlink socket, in the network namespace of the thread that makes it. Not for use by two threads.

    `protocol` is one of NETLINK_*; `groups` a bit mask of multicast groups; `timeout_s` bounds every wait for an
    answer; `buffer_bytes` is asked of the kernel for both directions (half as much may be had without CAP_NET_ADMIN).
    Raises `NetlinkError` when the kernel does not know the protocol.
    """

    def __init__(self, protocol: int, *, groups: int = 0, timeout_s: float = 5.0, buffer_bytes: int = 1 << 20) -> None:
        self._sequence = 0
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        except OSError as fault:
            raise NetlinkError(fault.errno or errno.EIO, f"open netlink protocol {protocol}") from fault
        try:
            self._prepare(groups, timeout_s, buffer_bytes)
        except OSError as fault:
            self._socket.close()
            raise NetlinkError(fault.errno or errno.EIO, f"prepare netlink protocol {protocol}") from fault

    def _prepare(self, groups: int, timeout_s: float, buffer_bytes: int) -> None:
        whole_s = int(timeout_s)
        wait = struct.pack("@ll", whole_s, int((timeout_s - whole_s) * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._enlarge(_SO_RCVBUFFORCE, socket.SO_RCVBUF, buffer_bytes)
        self._enlarge(_SO_SNDBUFFORCE, socket.SO_SNDBUF, buffer_bytes)
        for option in (_CAP_ACK, _EXT_ACK, _STRICT_CHECK):
            try:
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            except OSError:
                continue  # an older kernel: it says less, but nothing wrong
        self._socket.bind((0, groups))
        self._socket.connect((0, 0))  # from now on only the kernel itself can write to us

    def _enlarge(self, forced: int, asked: int, buffer_bytes: int) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, forced, buffer_bytes)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, asked, buffer_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back. A second time does nothing."""
        self._socket.close()

    def fileno(self) -> int:
        """The file descriptor, for a selector or an event loop; -1 once closed."""
        return self._socket.fileno()

    @property
    def port(self) -> int:
        """The number by which the kernel knows this socket."""
        port: int = self._socket.getsockname()[0]
        return port

    def reserve(self, count: int = 1) -> int:
        """The first of `count` sequence numbers in a row that nobody else of this socket uses."""
        if self._sequence + count >= _LAST_SEQUENCE:
            self._sequence = 0
        first = self._sequence + 1
        self._sequence += count
        return first

    def send(self, data: bytes) -> None:
        """Hand messages to the kernel, which carries them out before this returns. Raises `NetlinkError`."""
        try:
            self._socket.send(data)
        except OSError as fault:
            raise NetlinkError(fault.errno or errno.EIO, "send to netlink") from fault

    def receive(self, wait: bool = True) -> bytes | None:
        """One datagram; None if there is none and `wait` is False. Raises `NetlinkError` ETIMEDOUT or ENOBUFS."""
        try:
            return self._socket.recv(_READ_BYTES, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError as fault:
            if not wait:
                return None
            raise NetlinkError(errno.ETIMEDOUT, "the kernel did not answer") from fault
        except OSError as fault:
            raise NetlinkError(fault.errno or errno.EIO, "receive from netlink") from fault

    def settle(self, first: int, last: int, name: Callable[[int], str], forgiven: Container[int] = NO_ERRORS) -> int:
        """Read answers until that of message `last`; only this one needs to have asked for an ACK, errors come anyway.

        An error of any message from `first` to `last` raises `NetlinkError` at once, with `name(its place, from 0)`
        as its words, unless its errno is `forgiven`. Returns how many were forgiven.
        """
        forgotten = 0
        while True:
            for answer in messages(self.receive() or b""):
                if answer.kind != ERROR or not first <= answer.sequence <= last:
                    continue
                code, words = answer_error(answer)
                if code and code not in forgiven:
                    raise _refusal(code, name(answer.sequence - first), words)
                forgotten += code != 0
                if answer.sequence == last:
                    return forgotten

    def request(self, kind: int, flags: int, body: bytes, what: str) -> None:
        """Ask for one change, wait until it is made. Raises `NetlinkError` with `what` in its words."""
        sequence = self.reserve()
        self.send(message(kind, flags | REQUEST | ACK, sequence, body))
        self.settle(sequence, sequence, lambda _place: what)

    def ask(self, kind: int, body: bytes, what: str) -> bytes:
        """Ask for one thing; the body of the message that answers. Raises `NetlinkError` as `request`."""
        sequence = self.reserve()
        self.send(message(kind, REQUEST, sequence, body))
        while True:
            for answer in messages(self.receive() or b""):
                if answer.sequence != sequence:
                    continue
                if answer.kind == ERROR:
                    raise _refusal(answer_error(answer)[0], what, answer_error(answer)[1])
                return answer.body

    def dump(self, kind: int, body: bytes, what: str) -> list[bytes]:
        """The bodies of all messages of a dump, read again if the kernel says that it changed meanwhile.

        Raises `NetlinkError`: EINTR if it never stopped changing, or what the kernel refused with.
        """
        for _ in range(_DUMP_TRIES):
            sequence = self.reserve()
            self.send(message(kind, REQUEST | DUMP, sequence, body))
            bodies = self._read_dump(sequence, what)
            if bodies is not None:
                return bodies
        raise NetlinkError(errno.EINTR, f"{what}: it kept changing while it was read")

    def each_part(self, kind: int, body: bytes, what: str) -> Iterator[list[bytes]]:
        """The bodies of a dump's messages, datagram by datagram: the kernel goes on when the next is asked for.

        It is read once only; who needs it without gaps asks for a `dump`. Raises `NetlinkError` where it is refused.
        """
        sequence = self.reserve()
        self.send(message(kind, REQUEST | DUMP, sequence, body))
        while True:
            bodies: list[bytes] = []
            for part in messages(self.receive() or b""):
                if part[2] != sequence:
                    continue
                if part[0] in (DONE, ERROR):
                    code, words = answer_error(part)
                    if code:
                        raise _refusal(code, what, words)
                    yield bodies
                    return
                bodies.append(part[3])
            yield bodies

    def _read_dump(self, sequence: int, what: str) -> list[bytes] | None:
        bodies: list[bytes] = []
        torn = False
        while True:
            try:
                datagram = self.receive() or b""
            except NetlinkError as fault:
                if fault.errno != errno.ENOBUFS:
                    raise
                torn = True
                continue
            for part in messages(datagram):
                if part[2] != sequence:  # by number: names are three times as slow, and a dump is long
                    continue
                torn = torn or part[1] & DUMP_INTERRUPTED != 0
                if part[0] not in (DONE, ERROR):
                    bodies.append(part[3])
                    continue
                code, words = answer_error(part)
                if code:
                    raise _refusal(code, what, words)
                return None if torn else bodies


def _refusal(code: int, what: str, words: str) -> NetlinkError:
    reason = os.strerror(code)
    return NetlinkError(code, f"{what}: {reason} ({words})" if words else f"{what}: {reason}")
