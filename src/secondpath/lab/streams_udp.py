"""Work over UDP: new flows, names, one lasting flow, a call.

A stream ticks on a fixed grid and never waits for an answer before the next tick (see streams.py).
"""

import asyncio
import errno
import itertools
import secrets
import socket
import struct
import time
import zlib
from collections.abc import Iterator

from secondpath.lab.gaps import Sample
from secondpath.lab.habit import DNS, MIRROR, PATIENCE_S, TELLING, Habit, Report, note_of

CALL_PAYLOAD = bytes(160)  # 20 ms of G.711 (RFC 3551)


PORTS_FIRST, PORTS_OF_A_STREAM, STRIPES = 16384, 12000, 4


def _fresh_ports(habit: Habit) -> Iterator[int]:
    """Source ports in turn: one that came back within the 30 s that a gateway remembers it would be an old flow."""
    stripe = zlib.crc32(habit.name.encode()) % STRIPES
    first, begin = PORTS_FIRST + stripe * PORTS_OF_A_STREAM, secrets.randbelow(PORTS_OF_A_STREAM)
    return (first + (begin + turn) % PORTS_OF_A_STREAM for turn in itertools.count())


class NewUdp:
    """A new flow, with a new source port, at every tick: what a name look-up or a new call meets."""

    def __init__(self, habit: Habit, report: Report) -> None:
        self.habit, self.report = habit, report
        self.loop = asyncio.get_running_loop()
        self.source_ports = _fresh_ports(habit)

    def port(self) -> int:
        """The server's port."""
        return TELLING

    def message(self) -> bytes:
        """What is sent."""
        return b"?"

    def tick(self) -> None:
        """Send one question from a fresh port."""
        sent_s = time.monotonic()
        sock = self.fresh_socket()
        try:
            sock.connect((self.habit.server, self.port()))
            sock.send(self.message())
        except OSError as error:
            sock.close()
            self.report(Sample(self.habit.name, sent_s, None, note_of(error)))
            return
        late = self.loop.call_later(PATIENCE_S, self.give_up, sock, sent_s)
        self.loop.add_reader(sock, self.on_answer, sock, sent_s, late)

    def fresh_socket(self) -> socket.socket:
        """A socket on the next port that nobody in this host has: beside a lasting flow it would take its answers."""
        while True:
            try:
                return self.habit.socket(socket.SOCK_DGRAM, next(self.source_ports), shared=False)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise

    def on_answer(self, sock: socket.socket, sent_s: float, late: asyncio.TimerHandle) -> None:
        """The answer, or the error an ICMP message brought."""
        now_s = time.monotonic()
        try:
            answered_s, note = now_s, self.note(sock.recv(2048))
        except OSError as error:
            answered_s, note = None, note_of(error)
        late.cancel()
        self.loop.remove_reader(sock)
        sock.close()
        self.report(Sample(self.habit.name, sent_s, answered_s, note))

    def note(self, answer: bytes) -> str:
        """The address the internet saw."""
        return answer.partition(b" ")[0].decode()

    def give_up(self, sock: socket.socket, sent_s: float) -> None:
        """Nobody answered in time."""
        self.loop.remove_reader(sock)
        sock.close()
        self.report(Sample(self.habit.name, sent_s, None, ""))


def dns_query(number: int, family: str) -> bytes:
    """A question for the A or AAAA record of www.example.com in wire format (RFC 1035 section 4.1)."""
    record = 1 if family == "ipv4" else 28
    head = struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0)
    return head + b"\x03www\x07example\x03com\x00" + struct.pack("!2H", record, 1)


class DnsLookups(NewUdp):
    """A question to a resolver on the internet at every tick: an A or AAAA record."""

    def __init__(self, habit: Habit, report: Report) -> None:
        super().__init__(habit, report)
        self.numbers = itertools.count(1)

    def port(self) -> int:
        """The resolver's."""
        return DNS

    def message(self) -> bytes:
        """A query with the next number."""
        return dns_query(next(self.numbers), self.habit.family)

    def note(self, answer: bytes) -> str:
        """`ok`, or the response code."""
        return "ok" if len(answer) > 12 and answer[3] & 15 == 0 else f"rcode{answer[3] & 15 if len(answer) > 3 else ''}"


class LastingUdp:
    """One flow with a fixed source port for the whole day: a phone's registration, a WireGuard tunnel."""

    def __init__(self, habit: Habit, report: Report) -> None:
        self.habit, self.report = habit, report
        self.loop = asyncio.get_running_loop()
        self.waiting: dict[int, float] = {}
        self.numbers = itertools.count()
        self.sock = habit.socket(socket.SOCK_DGRAM, habit.port)
        self.sock.connect((habit.server, self.server_port()))
        self.loop.add_reader(self.sock, self.on_answers)

    def server_port(self) -> int:
        """The server's port."""
        return TELLING

    def message(self, number: int) -> bytes:
        """A numbered question."""
        return struct.pack("!I", number)

    def number_in(self, question: bytes) -> int:
        """The number in an echoed question."""
        return int(struct.unpack("!I", question[:4])[0])

    def tick(self) -> None:
        """Send the next question."""
        number, sent_s = next(self.numbers), time.monotonic()
        self.give_up(sent_s - PATIENCE_S)
        self.waiting[number] = sent_s
        try:
            self.sock.send(self.message(number))
        except OSError as error:
            del self.waiting[number]
            self.report(Sample(self.habit.name, sent_s, None, note_of(error)))

    def on_answers(self) -> None:
        """Match everything that has come with what was sent."""
        while True:
            try:
                answer = self.sock.recv(2048)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier question: that one stays unanswered
                continue
            who, _, question = answer.partition(b" ")
            sent_s = self.waiting.pop(self.number_in(question), None) if len(question) >= 4 else None
            if sent_s is not None:
                self.report(Sample(self.habit.name, sent_s, time.monotonic(), who.decode()))

    def give_up(self, before_s: float) -> None:
        """Report what was sent before that as unanswered."""
        for number in list(itertools.takewhile(lambda n: self.waiting[n] < before_s, self.waiting)):
            self.report(Sample(self.habit.name, self.waiting.pop(number), None, ""))


class Call(LastingUdp):
    """A telephone call: RTP (RFC 3550) with 160 bytes each 20 ms, mirrored by the other side."""

    def server_port(self) -> int:
        """The mirror's."""
        return MIRROR

    def message(self, number: int) -> bytes:
        """An RTP packet: version 2, payload type 0, sequence number, timestamp of an 8 kHz clock, source."""
        head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, (number * 160) & 0xFFFFFFFF, 0x5EC0D)
        return head + CALL_PAYLOAD

    def number_in(self, question: bytes) -> int:
        """From the timestamp, which wraps later than the sequence number."""
        return int(struct.unpack("!I", question[4:8])[0]) // 160
