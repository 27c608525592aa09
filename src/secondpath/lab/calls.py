"""Telephone calls whose every packet is timed, and the load beside them.

    python -m secondpath.lab.calls answer SERVER PORT OUT       far end: answers whoever calls, until stdin ends
    python -m secondpath.lab.calls call SERVER PORT COUNT OUT   COUNT calls, both ways, until stdin ends
    python -m secondpath.lab.calls load SERVER DOWN UP          so many downloads and uploads, until stdin ends

A call is RTP as G.711 makes it (RFC 3551): 160 bytes each 20 ms, each side by a clock of its own. A packet carries when
it really left; when it arrived the kernel says. So what is measured is the path, not how busy the machine is.
OUT gets one JSON line for each call heard: {"call", "sent", "transits": [seconds or null, by sequence number]}.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PACKET_S = 0.020
PAYLOAD_BYTES = 160
HEAD = struct.Struct("!BBHIId")  # RTP (RFC 3550, 5.1), and the second of CLOCK_REALTIME at which it left
SILENCE = bytes(PAYLOAD_BYTES - 8)
STREAM, SINK = 5001, 22
TIMESTAMP = 35  # SO_TIMESTAMPNS
CLOCK = struct.Struct("@qq")


@dataclass(slots=True)
class Leg:
    """What is sent to and heard from one far end."""

    to: tuple[str, int]
    number: int
    due_s: float
    sent: int = 0
    transits: dict[int, float] = field(default_factory=dict)

    def packet(self) -> bytes:
        """The next packet, to be sent now."""
        self.sent += 1
        head = (0x80, 0, self.sent & 0xFFFF, self.sent * 160 & 0xFFFFFFFF, self.number, time.clock_gettime(0))
        return HEAD.pack(*head) + SILENCE

    def heard(self, data: bytes, arrived_s: float) -> None:
        """Take in what came."""
        _, _, _, stamp, _, left_s = HEAD.unpack_from(data)
        self.transits[stamp // 160] = arrived_s - left_s

    def row(self, sent: int) -> str:
        """For the file; what the far end sent may be known only from what came."""
        known = max(self.transits, default=0)
        transits = [self.transits.get(n) for n in range(1, max(sent, known) + 1)]
        return json.dumps({"call": self.number, "transits": transits}) + "\n"


class Phones:
    """All calls of one side, over one socket each way."""

    def __init__(self, sockets: list[socket.socket], answering: bool) -> None:
        self.sockets, self.answering = sockets, answering
        self.legs: dict[tuple[socket.socket, tuple[str, int]], Leg] = {}
        self.select = selectors.DefaultSelector()
        for sock in sockets:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, TIMESTAMP, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.select.register(sock, selectors.EVENT_READ)
        self.select.register(sys.stdin, selectors.EVENT_READ)

    def talk(self) -> None:
        """Until somebody closes our standard input; what is under way then is waited for."""
        until_s = None
        while until_s is None or time.monotonic() < until_s:
            now_s = time.monotonic()
            due_s = min((leg.due_s for leg in self.legs.values()), default=now_s + 0.1)
            for key, _ in self.select.select(max(0.0, min(0.1, due_s - now_s))):
                if key.fileobj is sys.stdin:
                    self.select.unregister(sys.stdin)
                    until_s = time.monotonic() + 1.5
                else:
                    self.hear(key.fileobj)  # type: ignore[arg-type]
            if until_s is None:
                self.speak()
            else:
                for leg in self.legs.values():
                    leg.due_s = until_s

    def speak(self) -> None:
        """Send all that is due, each on its grid."""
        now_s = time.monotonic()
        for (sock, to), leg in self.legs.items():
            while leg.due_s <= now_s:
                leg.due_s += PACKET_S
                with suppress(OSError):
                    sock.sendto(leg.packet(), to)

    def hear(self, sock: socket.socket) -> None:
        """Take in all that waits in a socket."""
        while True:
            try:
                data, more, _, sender = sock.recvmsg(2048, 64)
            except OSError:
                return
            seconds, nanoseconds = CLOCK.unpack(more[0][2]) if more else (0, 0)
            leg = self.legs.get((sock, sender))
            if leg is None and self.answering:
                number = HEAD.unpack_from(data)[4]
                leg = self.legs[sock, sender] = Leg(sender, number, time.monotonic())
            if leg is not None and len(data) >= HEAD.size:
                leg.heard(data, seconds + nanoseconds / 1e9)

    def write(self, out: Path) -> None:
        """What was heard."""
        out.write_text("".join(leg.row(0) for leg in self.legs.values()))


def answer(server: str, port: int, out: Path) -> None:
    """The far end. It speaks from the very address that was called, or no translation would know it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((server, port))
        phones = Phones([sock], answering=True)
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for it
        phones.talk()
        phones.write(out)


def call(server: str, port: int, count: int, out: Path) -> None:
    """People in the office call."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    phones = Phones(sockets, answering=False)
    start_s = time.monotonic()
    for number, sock in enumerate(sockets):
        leg = Leg((server, port), number, start_s + PACKET_S * number / count)
        phones.legs[sock, (server, port)] = leg
    print("ready", flush=True)  # noqa: T201
    phones.talk()
    phones.write(out)


def load(server: str, down: int, up: int) -> None:
    """As much as can be, over so many connections each way; one that breaks off is opened again."""
    select = selectors.DefaultSelector()
    select.register(sys.stdin, selectors.EVENT_READ)
    for number in range(down + up):
        _open(select, server, upwards=number >= down)
    print("ready", flush=True)  # noqa: T201
    while True:
        for key, events in select.select(1.0):
            if key.fileobj is sys.stdin:
                return
            _move(select, key, events, server)


def _open(select: selectors.BaseSelector, server: str, *, upwards: bool) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.connect_ex((server, SINK if upwards else STREAM))
    select.register(sock, selectors.EVENT_WRITE, ["send" if upwards else "ask"])


def _move(select: selectors.BaseSelector, key: selectors.SelectorKey, events: int, server: str) -> None:
    sock, state = key.fileobj, key.data
    assert isinstance(sock, socket.socket)
    try:
        if state[0] == "send":
            sock.send(bytes(65536))
        elif state[0] == "ask":
            sock.send(b"0 0\n")
            state[0] = "read"
            select.modify(sock, selectors.EVENT_READ, state)
        elif events and not sock.recv(1 << 18):
            raise EOFError
    except BlockingIOError:
        return
    except (OSError, EOFError):
        select.unregister(sock)
        sock.close()
        _open(select, server, upwards=state[0] == "send")


def main(words: list[str]) -> None:
    """By the first word."""
    if words[0] == "answer":
        answer(words[1], int(words[2]), Path(words[3]))
    elif words[0] == "call":
        call(words[1], int(words[2]), int(words[3]), Path(words[4]))
    else:
        load(words[1], int(words[2]), int(words[3]))


if __name__ == "__main__":
    main(sys.argv[1:])
