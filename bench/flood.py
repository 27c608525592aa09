"""As much as a line takes, upwards or downwards, by a few TCP connections.

python -m bench.flood serve                          TCP 5303, until stdin ends: throws away, or sends without end
python -m bench.flood move SERVER up|down STREAMS    until stdin ends
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable

PORT = 5303
CHUNK = bytes(1 << 16)


def _pour(sock: socket.socket) -> None:
    try:
        while True:
            sock.sendall(CHUNK)
    except OSError:
        return


def _drain(sock: socket.socket) -> None:
    try:
        while sock.recv(1 << 16):
            pass
    except OSError:
        return


def _attend(sock: socket.socket) -> None:
    with sock:
        (_pour if sock.recv(1) == b"d" else _drain)(sock)


def _until_stdin_ends() -> None:
    print("ready", flush=True)
    sys.stdin.read()


def _in_background(task: Callable[..., None], *arguments: socket.socket) -> None:
    threading.Thread(target=task, args=arguments, daemon=True).start()


def serve() -> None:
    """Answer everybody who comes."""
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)

    def welcome() -> None:
        while True:
            _in_background(_attend, listener.accept()[0])

    _in_background(welcome)
    _until_stdin_ends()


def move(server: str, way: str, streams: int) -> None:
    """Open the connections and keep them full."""
    for _ in range(streams):
        sock = socket.create_connection((server, PORT), 10.0)
        sock.settimeout(None)
        sock.sendall(b"d" if way == "down" else b"u")
        _in_background(_drain if way == "down" else _pour, sock)
    _until_stdin_ends()


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else move(sys.argv[2], sys.argv[3], int(sys.argv[4]))
