"""Many TCP connections from one host, and the instant at which each was reset.

    python -m bench.crowd --out FILE SERVER PORT COUNT TALK_S [SERVER PORT COUNT TALK_S …]

Prints `ready N` when the N that got in are open. TALK_S is how often each asks something; 0: it only waits, as a
download or an idle session does. FILE gets one JSON line for each connection, when all have ended or stdin or time is
out: {"server", "talk_s", "reset_s" (CLOCK_MONOTONIC) or null, "how"}.
"""

from __future__ import annotations

import argparse
import errno
import heapq
import json
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CONNECT_LIMIT_S = 8.0
LIMIT_S = 60.0


@dataclass(slots=True)
class Client:
    """One connection."""

    sock: socket.socket
    server: str
    talk_s: float
    connected: bool = False
    reset_s: float | None = None
    how: str = ""


def connect(server: str, port: int, talk_s: float) -> Client:
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.connect_ex((server, port))
    return Client(sock, server, talk_s)


def look(client: Client, now_s: float) -> bool:
    """Read what is there; whether the connection has ended."""
    try:
        while client.sock.recv(65536):
            pass
        client.how = "closed"
    except BlockingIOError:
        return False
    except OSError as error:
        client.how = errno.errorcode.get(error.errno or 0, "?")
    client.reset_s = now_s
    return True


def open_all(poll: select.epoll, clients: dict[int, Client]) -> None:
    until_s = time.monotonic() + CONNECT_LIMIT_S
    waiting = set(clients)
    while waiting and time.monotonic() < until_s:
        for number, _ in poll.poll(0.2):
            if number in waiting and not clients[number].sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                waiting.discard(number)
                clients[number].connected = True
                poll.modify(number, select.EPOLLIN)
    for number in waiting:  # one that does not get in is counted, not waited for
        clients.pop(number).sock.close()


def live(poll: select.epoll, clients: dict[int, Client]) -> None:
    """Talk and listen until every connection has ended."""
    start_s = time.monotonic()
    talkers = [n for n, c in clients.items() if c.talk_s]
    due = [(start_s + clients[n].talk_s * k / max(1, len(talkers)), n) for k, n in enumerate(talkers)]
    heapq.heapify(due)
    left = len(clients)
    poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
    while left and time.monotonic() < start_s + LIMIT_S:
        ready = poll.poll(max(0.0, min(0.2, due[0][0] - time.monotonic())) if due else 0.2)
        now_s = time.monotonic()
        for number, _ in ready:
            if number == sys.stdin.fileno():
                return
            if look(clients[number], now_s):
                poll.unregister(number)
                left -= 1
        while due and due[0][0] <= now_s:
            at_s, number = heapq.heappop(due)
            if clients[number].reset_s is None:
                heapq.heappush(due, (at_s + clients[number].talk_s, number))
                try:
                    clients[number].sock.send(b"?" * 31 + b"\n")
                except OSError:
                    continue  # the next look tells


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("groups", nargs="+")
    args = parser.parse_args()
    poll, clients = select.epoll(), {}
    for server, port, count, talk_s in zip(*[iter(args.groups)] * 4, strict=True):
        for _ in range(int(count)):
            client = connect(server, int(port), float(talk_s))
            clients[client.sock.fileno()] = client
            poll.register(client.sock.fileno(), select.EPOLLOUT | select.EPOLLIN)
            if len(clients) % 50 == 0:
                time.sleep(0.02)  # as people come in the morning: not all in one packet burst
    open_all(poll, clients)
    print(f"ready {len(clients)}", flush=True)
    live(poll, clients)
    rows = ({"server": c.server, "talk_s": c.talk_s, "reset_s": c.reset_s, "how": c.how} for c in clients.values())
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
