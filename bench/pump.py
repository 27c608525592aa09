"""As many bytes or packets as two paths take, by turns of some milliseconds, at next to no cost of our own.

    python -m bench.pump sink                                        TCP 5301 and UDP 5302, until stdin ends
    python -m bench.pump race NETNS NETNS tcp|udp ARGUMENT SECONDS   seconds of each turn, one JSON line

A race is run by one process with sockets in both namespaces: a turn on the one path, then the same on the other. So
what else the machine does meets both alike, and what matters is the ratio within a pair of turns.

TCP (ARGUMENT: streams): sendfile(2) from memory; a turn ends when all of it is acknowledged (SIOCOUTQ, tcp(7)), and the
receiver lets the kernel throw away what came (MSG_TRUNC). UDP (ARGUMENT: bytes a packet): one call hands 60 packets to
the kernel, which cuts them apart before the device (UDP_SEGMENT, gso_max_segs 1 on it); they are forwarded before the
call returns, so a turn is what that costs.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

from secondpath.lab.namespaces import inside
from secondpath.lab.topology import SERVERS_IPV4

TCP_PORT, UDP_PORT = 5301, 5302
SERVER = SERVERS_IPV4[0]
CHUNK = 1 << 20
UDP_SEGMENT, SIOCOUTQ = 103, 0x5411
PACKETS, SENDS = 60, 20
POLL_S = 0.0001


def sink() -> None:
    """Take everything and keep nothing."""
    listener = socket.create_server(("::", TCP_PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    deaf = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)  # never read: the kernel drops what does not fit
    deaf.bind(("::", UDP_PORT))
    rubbish = bytearray(CHUNK)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN | select.EPOLLHUP)
    senders: dict[int, socket.socket] = {}
    print("ready", flush=True)
    while True:
        for number, _ in poll.poll():
            if number == sys.stdin.fileno():
                return
            if number == listener.fileno():
                sock, _ = listener.accept()
                senders[sock.fileno()] = sock
                poll.register(sock, select.EPOLLIN)
            elif not senders[number].recv_into(rubbish, CHUNK, socket.MSG_TRUNC):
                poll.unregister(number)
                senders.pop(number).close()


def tcp_turn(netns: str, streams: int, turn_bytes: int) -> Callable[[], None]:
    """A turn: that many bytes in all, until the last is acknowledged."""
    memory = os.memfd_create("pump")
    os.truncate(memory, CHUNK)
    with inside(netns):
        socks = [socket.create_connection((SERVER, TCP_PORT), 5.0) for _ in range(streams)]
    for sock in socks:
        sock.setblocking(False)

    def turn() -> None:
        left = dict.fromkeys((s.fileno() for s in socks), turn_bytes // streams)
        poll = select.epoll()
        for number in left:
            poll.register(number, select.EPOLLOUT)
        while left:
            for number, _ in poll.poll(1.0):
                try:
                    left[number] -= os.sendfile(number, memory, 0, min(CHUNK, left[number]))
                except BlockingIOError:
                    continue
                if left[number] <= 0:
                    del left[number]
                    poll.unregister(number)
        while any(unacknowledged(s) for s in socks):
            time.sleep(POLL_S)

    return turn


def unacknowledged(sock: socket.socket) -> int:
    waiting: int = struct.unpack("i", fcntl.ioctl(sock, SIOCOUTQ, bytes(4)))[0]
    return waiting


def udp_turn(netns: str, size: int) -> Callable[[], None]:
    """A turn: 20 calls of 60 packets."""
    with inside(netns):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        sock.connect((SERVER, UDP_PORT))
    data = bytes(PACKETS * size)

    def turn() -> None:
        for _ in range(SENDS):
            sock.send(data)

    return turn


def race(turns: tuple[Callable[[], None], Callable[[], None]], lasts_s: float) -> tuple[list[float], list[float]]:
    """Turn and turn about, who begins changes; the seconds that each turn took."""
    took: tuple[list[float], list[float]] = ([], [])
    for turn in turns:
        turn()  # addresses are resolved, windows are open
        turn()
    until_s = time.monotonic() + lasts_s
    while time.monotonic() < until_s:
        for who in (0, 1) if len(took[0]) % 2 else (1, 0):
            began_s = time.perf_counter()
            turns[who]()
            took[who].append(time.perf_counter() - began_s)
    return took


def main() -> None:
    match sys.argv[1:]:
        case ["sink"]:
            sink()
        case ["race", one, other, "tcp", streams, turn_bytes, seconds]:
            both = tuple(tcp_turn(netns, int(streams), int(turn_bytes)) for netns in (one, other))
            print(json.dumps(race((both[0], both[1]), float(seconds))))
        case ["race", one, other, "udp", size, seconds]:
            both = tuple(udp_turn(netns, int(size)) for netns in (one, other))
            print(json.dumps(race((both[0], both[1]), float(seconds))))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
