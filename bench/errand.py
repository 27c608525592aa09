"""What somebody does while others download: some pages, each over a TLS connection of its own, and how long it took.

    python -m bench.errand SERVER PATH [PATH …]

Prints seconds. Certificates are not looked at: it is the time that is asked for.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time

PATIENCE_S = 60.0


def fetch(server: str, path: str) -> int:
    """The bytes of one page."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((server, 443), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="www.example.com") as sock,
    ):
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: www.example.com\r\n\r\n".encode())
        come = b""
        while b"\r\n\r\n" not in come:
            come += sock.recv(65536) or _cut_short(server, path)
        head, _, body = come.partition(b"\r\n\r\n")
        wanted = int(head.lower().partition(b"content-length:")[2].split()[0])
        got = len(body)
        while got < wanted:
            got += len(sock.recv(65536) or _cut_short(server, path))
        return got


def _cut_short(server: str, path: str) -> bytes:
    raise EOFError(f"{server} ended in the middle of {path}")


def main(server: str, paths: list[str]) -> None:
    began_s = time.monotonic()
    for path in paths:
        fetch(server, path)
    print(f"{time.monotonic() - began_s:.3f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
