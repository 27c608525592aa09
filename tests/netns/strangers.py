"""Hands inside the hosts of a standing office: sockets, forged packets, and a look at the gateway's connection table.

A socket stays in the namespace it was made in, so a test enters a host just long enough to open it.
"""

from __future__ import annotations

import errno
import re
import secrets
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from tests.patience import PATIENCE_S

from secondpath.act.kernel.poke import checksum
from secondpath.lab.box import Box
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.wire.messages import Verb

FAMILIES = ("ipv4", "ipv6")
SERVER = {"ipv4": "192.0.2.10", "ipv6": "2001:db8:ff::10"}
BYSTANDER = {"ipv4": "192.0.2.12", "ipv6": "2001:db8:ff::12"}
"""A server that nobody else asks."""
FIREWALLED = {"ipv4": "192.0.2.13", "ipv6": "2001:db8:ff::13"}
STAFF = {"ipv4": "10.44.10.10", "ipv6": "fd44:10::10"}
GUEST = {"ipv4": "10.44.20.10", "ipv6": "fd44:20::10"}
OFFICE = {
    "cable": {"ipv4": "198.51.100.2", "ipv6": "2001:db8:1::2"},
    "lte": {"ipv4": "203.0.113.2", "ipv6": "2001:db8:2::2"},
}
ISP = {"cable": "isp-a", "lte": "isp-b"}
WAN = {"cable": "wan0", "lte": "wwan0"}
TELLING, ECHO, SILENT, STREAM = 7001, 7, 22, 5001
SYN, ACK, FIN, RST = 0x02, 0x10, 0x01, 0x04
SO_BINDTODEVICE = 25
TWO_SYNS_S = 1.5
"""A SYN that is not answered goes out again after a second (RFC 6298)."""
NFT_MSG_NEWGEN = 15


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def version(family: str) -> int:
    return 4 if family == "ipv4" else 6


# ── Sockets ──────────────────────────────────────────────────────────────────────────


def make(
    office: Office, host: str, address: str, kind: socket.SocketKind, source: tuple[str, int] | None = None
) -> socket.socket:
    """A socket in a host, of the family of an address; bound when a source is given. It waits with patience."""
    with inside(office.host_netns(host)):
        sock = socket.socket(family_of(address), kind)
    sock.settimeout(PATIENCE_S)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if source is not None:
        sock.bind(source)
    return sock


def connect(office: Office, host: str, to: tuple[str, int], source: tuple[str, int] | None = None) -> socket.socket:
    """A TCP connection; OSError when there is none."""
    sock = make(office, host, to[0], socket.SOCK_STREAM, source)
    try:
        sock.connect(to)
    except BaseException:
        sock.close()
        raise
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def is_silent(office: Office, host: str, to: tuple[str, int], source: tuple[str, int] | None = None) -> bool:
    """Whether a TCP connection is neither granted nor refused: the SYN goes out twice within this time."""
    with make(office, host, to[0], socket.SOCK_STREAM, source) as sock:
        sock.settimeout(TWO_SYNS_S)
        return sock.connect_ex(to) in (errno.EAGAIN, errno.ETIMEDOUT)


def seen(office: Office, host: str, server: str, source: tuple[str, int] | None = None) -> tuple[str, int]:
    """The address and port from which a server on the internet sees a question over UDP."""
    asking = make(office, host, server, socket.SOCK_DGRAM, source)
    with asking as sock, serve(office, "internet", socket.SOCK_DGRAM, 9000, server) as asked:
        sock.sendto(b"?", (server, 9000))
        _, place = asked.recvfrom(2048)
        asked.sendto(b"!", place)
        assert sock.recv(16) == b"!", "the answer finds its way back"
    return place[0], place[1]


def who_tcp(office: Office, host: str, server: str, source: tuple[str, int] | None = None) -> str:
    """The address that a server on the internet sees over TCP."""
    with connect(office, host, (server, TELLING), source) as sock:
        return sock.recv(2048).split(b" ")[0].decode()


def serve(office: Office, host: str, kind: socket.SocketKind, port: int, address: str = "::") -> socket.socket:
    """A socket on all addresses (or one) of a host; TCP listens. `::` serves both families."""
    with inside(office.host_netns(host)):
        sock = socket.socket(family_of(address), kind)
    if address == "::":
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    if kind is socket.SOCK_STREAM:
        sock.listen(128)
    sock.settimeout(PATIENCE_S)
    return sock


def accept(listener: socket.socket) -> socket.socket:
    """The next connection; it waits for anything with patience, not for ever."""
    sock, _ = listener.accept()
    sock.settimeout(PATIENCE_S)
    return sock


def readable(socks: Iterable[socket.socket], for_s: float) -> set[socket.socket]:
    """The sockets at which something arrives within a time: the whole of it is waited for."""
    found: set[socket.socket] = set()
    waiting, until_s = set(socks), time.monotonic() + for_s
    while waiting and (left_s := until_s - time.monotonic()) > 0:
        ready = set(select.select(waiting, [], [], left_s)[0])
        found |= ready
        waiting -= ready
    return found


def answered_ports(
    office: Office, host: str, address: str, kind: socket.SocketKind, ports: Sequence[int], source_port: int = 0
) -> dict[int, str]:
    """A scan: the ports at which anything at all came back within a second, and what."""
    with ExitStack() as stack:
        asked = {}
        for port in ports:
            sock = stack.enter_context(make(office, host, address, kind, ("", source_port) if source_port else None))
            sock.setblocking(False)
            sock.connect_ex((address, port))
            if kind is socket.SOCK_DGRAM:
                sock.send(b"\0" * 12)
            asked[port] = sock
        poll = select.poll()
        for sock in asked.values():
            poll.register(sock, select.POLLIN | (select.POLLOUT if kind is socket.SOCK_STREAM else 0))
        by_number = {sock.fileno(): port for port, sock in asked.items()}
        found: dict[int, str] = {}
        until_s = time.monotonic() + 1.0
        while (left_s := until_s - time.monotonic()) > 0:
            for number, _ in poll.poll(left_s * 1000):
                port = by_number[number]
                error = asked[port].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                found[port] = f"errno {error}" if error else "open"
                poll.unregister(number)
        return found


# ── Forged packets ───────────────────────────────────────────────────────────────────


def packed(address: str) -> bytes:
    return ip_address(address).packed


def ip_packet(source: str, dest: str, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    """A packet with any source; its transport checksum must be right already."""
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + packed(source) + packed(dest) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, hops, protocol, 0) + packed(source) + packed(dest)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def summed(source: str, dest: str, protocol: int, segment: bytes, at: int) -> bytes:
    """The segment with its checksum (over the pseudo header) filled in."""
    pseudo = packed(source) + packed(dest) + struct.pack(">IHBB", len(segment), 0, 0, protocol)
    return segment[:at] + struct.pack(">H", checksum(pseudo + segment)) + segment[at + 2 :]


def udp_packet(source: tuple[str, int], dest: tuple[str, int], data: bytes = b"forged") -> bytes:
    segment = struct.pack(">HHHH", source[1], dest[1], 8 + len(data), 0) + data
    return ip_packet(source[0], dest[0], 17, summed(source[0], dest[0], 17, segment, 6))


def tcp_packet(source: tuple[str, int], dest: tuple[str, int], flags: int, data: bytes = b"") -> bytes:
    head = struct.pack(">HHIIHHHH", source[1], dest[1], 1000, 2000, 5 << 12 | flags, 65535, 0, 0)
    return ip_packet(source[0], dest[0], 6, summed(source[0], dest[0], 6, head + data, 16))


def echo_packet(source: str, dest: str, *, reply: bool = False) -> bytes:
    if ":" in source:
        message = summed(source, dest, 58, struct.pack(">BBHHH", 129 if reply else 128, 0, 0, 7, 1) + b"x" * 8, 2)
        return ip_packet(source, dest, 58, message)
    message = struct.pack(">BBHHH", 0 if reply else 8, 0, 0, 7, 1) + b"x" * 8
    return ip_packet(source, dest, 1, message[:2] + struct.pack(">H", checksum(message)) + message[4:])


def forge(office: Office, host: str, packet: bytes, device: str | None = None) -> None:
    """Send a whole packet from a host, by its routes."""
    v6 = packet[0] >> 4 == 6
    with (
        inside(office.host_netns(host)),
        socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
    ):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if device:
            raw.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode())
        dest = str(ip_address(packet[24:40] if v6 else packet[16:20]))
        raw.sendto(packet, (dest, 0))


class Ear:
    """Hears every IP packet that a device of a host receives or sends, from its making on."""

    def __init__(self, office: Office, host: str, device: str) -> None:
        with inside(office.host_netns(host)):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.sock.bind((device, 3))
        self.sock.setblocking(False)
        self._packets: list[bytes] = []

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def heard(self) -> list[bytes]:
        """The IP packets that came in (not those sent) since the making, those before too."""
        while True:
            try:
                data, place = self.sock.recvfrom(65535)
            except BlockingIOError:
                return list(self._packets)
            except OSError:  # the cable was pulled meanwhile: said once
                continue
            if place[1] in (0x0800, 0x86DD) and place[2] != socket.PACKET_OUTGOING:
                self._packets.append(data)

    def until(self, holds: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Listen until what was heard so far is as it should be; that."""
        until_s = time.monotonic() + PATIENCE_S
        while not holds(packets := self.heard()):
            left_s = until_s - time.monotonic()
            assert left_s > 0, "what should be heard is not"
            select.select([self.sock], [], [], left_s)
        return packets

    def before(self, token: bytes) -> list[bytes]:
        """All that came before the packet with a token: whoever was sent on this way earlier is among them, or lost."""
        packets = self.until(lambda heard: any(token in packet for packet in heard))
        return packets[: next(place for place, packet in enumerate(packets) if token in packet)]


def ask_by(box: Box, uplink: str, family: str) -> bytes:
    """The gateway asks the internet by an uplink until it is answered; a token in the last question.

    The answer comes in after all that was forged out there before. So whatever the gateway had to say to that, it has
    said, or passed on, before it sends anything else.
    """
    token, server = b"token " + secrets.token_bytes(8), BYSTANDER[family]
    with make(box.office, "gw", server, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, WAN[uplink].encode())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, numbers_of(box)[uplink])
        sock.connect((server, ECHO))
        sock.settimeout(1.0)
        ask(sock, b"first")
        ask(sock, token)
    return token


def ask(sock: socket.socket, question: bytes) -> None:
    """Ask an echo until it answers."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        sock.send(question)
        with suppress(TimeoutError):
            while sock.recv(64) != question:
                pass
            return
    raise TimeoutError(question)


def tell_inside(office: Office, host: str, address: str) -> bytes:
    """A packet from a host to one inside the office; the token in it."""
    token = b"token " + secrets.token_bytes(8)
    with make(office, host, address, socket.SOCK_DGRAM) as sock:
        sock.sendto(token, (address, 9))
    return token


def ends(packet: bytes) -> tuple[str, str, int]:
    """Source, destination and protocol of a packet."""
    if packet[0] >> 4 == 6:
        return str(ip_address(packet[8:24])), str(ip_address(packet[24:40])), packet[6]
    return str(ip_address(packet[12:16])), str(ip_address(packet[16:20])), packet[9]


# ── The gateway's connection table, counters and events ──────────────────────────────


@dataclass(frozen=True, slots=True)
class Tracked:
    """One line of `conntrack -L`."""

    protocol: str
    state: str
    source: str
    dest: str
    sport: int
    dport: int
    mark: int

    @property
    def ends(self) -> tuple[str, str, int, str, int]:
        return self.protocol, self.source, self.sport, self.dest, self.dport


def tracked(office: Office, host: str = "gw") -> list[Tracked]:
    """All entries of both families."""
    lines = [
        line for family in FAMILIES for line in office.run(host, ["conntrack", "-L", "-f", family]).stdout.splitlines()
    ]
    return list(_entries(lines))


def _entries(lines: Iterable[str]) -> Iterator[Tracked]:
    for line in lines:
        words = line.split()
        first: dict[str, str] = {}
        for key, value in re.findall(r"(\w+)=(\S+)", line):
            first.setdefault(key, value)
        state = words[3] if words[0] == "tcp" else ""
        ports = (int(first.get("sport", first.get("id", 0))), int(first.get("dport", 0)))
        yield Tracked(words[0], state, first["src"], first["dst"], *ports, int(first.get("mark", 0)))


def gateway_counters(box: Box) -> Counter[str]:
    """Our named counters, in packets."""
    said = box.office.run("gw", ["nft", "list", "counters", "table", "inet", "secondpath"], check=True).stdout
    return Counter({name: int(count) for name, count in re.findall(r"counter (\w+) \{\s*packets (\d+)", said)})


def wrong_source(office: Office) -> dict[str, int]:
    """What each ISP has seen with a source that is not its customer's."""
    return {uplink.name: office.counters(uplink.isp)["wrong_source"].packets for uplink in office.topology.uplinks}


def numbers_of(box: Box) -> dict[str, int]:
    """Each uplink's number in marks."""
    said = box.office.run("gw", ["nft", "list", "map", "inet", "secondpath", "ways"], check=True).stdout
    found = dict(re.findall(r'"(\w+)" : goto from_(\d+)', said))
    return {u.name: int(found[u.interface]) for u in box.office.topology.uplinks}


def events(box: Box, subject: str, after: str | None = None) -> list[dict[str, Any]]:
    """The events told about a subject, oldest first, with `at_s` on the clock of time.monotonic."""
    wall_ahead_s = time.time() - time.monotonic()
    found = []
    for event in box.order(Verb.EVENTS, limit=20).data["events"]:
        if event["subject"] == subject and after in (None, event["after"]):
            found.append({**event, "at_s": datetime.fromisoformat(event["at"]).timestamp() - wall_ahead_s})
    return found


class Commits(threading.Thread):
    """When the gateway's kernel committed each switch: each transaction that gave up an epoch or put one in its place.

    Events are later: acting comes before writing.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(daemon=True)
        with inside(office.host_netns("gw")):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
        self.sock.bind((0, 1 << 6))  # NFNLGRP_NFTABLES is the seventh group
        self.sock.settimeout(0.2)
        self.at_s: list[float] = []
        self._over, self._first = threading.Event(), threading.Event()

    def of(self, box: Box, subjects: Sequence[str]) -> dict[str, float]:
        """When each of some switches was committed, given what they are told as; they may have shared a transaction."""
        told = sorted((events(box, subject)[-1]["number"], subject) for subject in subjects)
        assert self.at_s, "the kernel has committed something"
        return {subject: self.at_s[min(place, len(self.at_s) - 1)] for place, (_, subject) in enumerate(told)}

    def wait(self) -> None:
        """Wait for the first commit, asking the gateway nothing: it works undisturbed."""
        assert self._first.wait(PATIENCE_S), "no switch came"

    def run(self) -> None:
        switched = False
        while not self._over.is_set():
            try:
                data = self.sock.recv(1 << 20)
            except TimeoutError:
                continue
            switched = switched or b"route_of\0" in data
            if switched and any(kind & 0xFF == NFT_MSG_NEWGEN for kind in _message_kinds(data)):
                self.at_s.append(time.monotonic())
                self._first.set()
                switched = False

    def __enter__(self) -> Commits:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self.sock.close()


def _message_kinds(data: bytes) -> Iterator[int]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        yield kind
        data = data[(length + 3) & ~3 :]


def move(box: Box, to: str) -> float:
    """Ask for a failover to an uplink; returns when both families use it: the instant of that."""
    answer = box.order(Verb.FAILOVER, uplink=to)
    assert answer.ok, answer.error
    box.until(lambda: box.uses() == to and box.uses("ipv6") == to, PATIENCE_S, f"both families use {to}")
    return time.monotonic()


def go_home(box: Box) -> float:
    """Ask for the failback; the instant at which both families are home."""
    home = box.office.topology.uplinks[0].name
    if box.uses() != home or box.uses("ipv6") != home:
        answer = box.order(Verb.FAILBACK)
        assert answer.ok, answer.error
        box.until(lambda: box.uses() == home and box.uses("ipv6") == home, PATIENCE_S, "both families are home")
    return time.monotonic()


@contextmanager
def on(box: Box, uplink: str) -> Iterator[None]:
    """While the block runs, the office uses that uplink; afterwards it is home."""
    if uplink == box.office.topology.uplinks[0].name:
        go_home(box)
    else:
        move(box, uplink)
    try:
        yield
    finally:
        go_home(box)
