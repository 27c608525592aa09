"""The internet's servers: one process in the internet's namespace, until the office's directory is gone.

    udp/tcp 53   DNS, authoritative for zone.NAMES          tcp 22    opens and stays silent
    tcp 80       HTTP: /, /login, /generate_204, /bytes/N   tcp 443   the same in TLS (ca.pem)
    udp/tcp 7    echo (RFC 862)                             tcp 5001  download: says how fast, gets a stream
    udp/tcp 7001 echo that tells: first who it saw, then    tcp 5061, udp 5060  SIP: OPTIONS is answered 200
    udp 10000    mirror for calls (as 7001)                 udp 3478  STUN (RFC 8489), on two anchors of each family

An answer on 7001 begins with the source address the internet saw: so a client learns by which uplink it went.
Every other service is on every address; faults kill single ones. Each ISP also keeps a captive portal waiting, and a
name server that invents names.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import socket
import ssl
import time
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from pathlib import Path

from secondpath.lab.namespaces import inside
from secondpath.lab.services import echo, portal, send_page, silent, sip, sip_answer, stream, stun_answer, telling, told
from secondpath.lab.tls import write_certificates
from secondpath.lab.topology import ANCHORS_IPV4, ANCHORS_IPV6, SERVERS_IPV4, SERVERS_IPV6, STUN_IPV4, STUN_IPV6
from secondpath.lab.wiring import INVENTOR_PORT, PORTAL_PORT
from secondpath.lab.zone import NAMES, Zone

ADDRESSES = (*ANCHORS_IPV4, *SERVERS_IPV4, *ANCHORS_IPV6, *SERVERS_IPV6)
ECHO, SILENT, DNS, HTTP, HTTPS, STREAM, SIP, SIPS, TELLING, MIRROR = 7, 22, 53, 80, 443, 5001, 5060, 5061, 7001, 10000
STUN = 3478
IP_FREEBIND, IPV6_FREEBIND = 15, 78
CONVERSATION_LIMIT_S = 900.0
Talk = Callable[[Reader, Writer], Awaitable[None]]


class World:
    """All servers, and which addresses are slow at present."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.zone = Zone()
        self.inventor = Zone(invented=(SERVERS_IPV4[2], SERVERS_IPV6[2]))
        self.slow_s: dict[str, float] = {}

    # ── UDP ────────────────────────────────────────────────────────────────────────────────────────────────

    def on_datagram(self, port: int, sock: socket.socket, own: str) -> None:
        """Answer everything that waits on one socket."""
        for _ in range(64):
            try:
                data, sender = sock.recvfrom(65535)
            except OSError:
                return
            answer = self.datagram_answer(port, data, sender[0], sender[1])
            if answer is None:
                continue
            delay_s = self.slow_s.get(own, 0.0) if port == DNS else 0.0
            if delay_s:
                asyncio.get_running_loop().call_later(delay_s, send_quietly, sock, answer, sender)
            else:
                send_quietly(sock, answer, sender)

    def datagram_answer(self, port: int, data: bytes, sender: str, sender_port: int) -> bytes | None:
        """What a UDP service says to a datagram."""
        if port == DNS:
            return self.zone.answer(data)
        if port == INVENTOR_PORT:
            return self.inventor.answer(data)
        if port == SIP:
            return sip_answer(data)
        if port == STUN:
            return stun_answer(data, sender, sender_port)
        return data if port == ECHO else told(sender, data)

    # ── TCP ────────────────────────────────────────────────────────────────────────────────────────────────

    async def http(self, reader: Reader, writer: Writer) -> None:
        """HTTP/1.1 with keep-alive, as much of RFC 9112 as a GET needs."""
        own = writer.get_extra_info("sockname")[0]
        while head := await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(self.slow_s.get(own, 0.0))
            await send_page(writer, head.split(b" ", 2)[1].decode(errors="replace"))
            if b"connection: close" in head.lower():
                return

    async def dns(self, reader: Reader, writer: Writer) -> None:
        """DNS over TCP (RFC 7766): a length, then the message."""
        own = writer.get_extra_info("sockname")[0]
        while length := await reader.readexactly(2):
            answer = self.zone.answer(await reader.readexactly(int.from_bytes(length, "big")))
            if answer is None:
                return
            await asyncio.sleep(self.slow_s.get(own, 0.0))
            writer.write(len(answer).to_bytes(2, "big") + answer)

    async def control(self, reader: Reader, writer: Writer) -> None:
        """One order from the lab: {"slow": ADDRESS, "delay_s": S}."""
        order = json.loads(await reader.readline())
        self.slow_s[order["slow"]] = float(order["delay_s"])
        writer.write(json.dumps({"at_s": time.monotonic()}).encode() + b"\n")


def send_quietly(sock: socket.socket, data: bytes, to: tuple[str, int]) -> None:
    """Send a datagram; when there is no way, it is lost, as datagrams are."""
    with contextlib.suppress(OSError):
        sock.sendto(data, to)


def datagram_socket(address: str, port: int) -> socket.socket:
    """A UDP socket on one address, so that answers leave from where the question arrived."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    free = (socket.IPPROTO_IPV6, IPV6_FREEBIND) if family == socket.AF_INET6 else (socket.IPPROTO_IP, IP_FREEBIND)
    sock.setsockopt(*free, 1)  # the addresses may not be there yet
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setblocking(False)
    sock.bind((address, port))
    return sock


def guarded(talk: Talk) -> Talk:
    """A conversation that ends quietly when the client does, and in any case some day."""

    async def served(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError):
            async with asyncio.timeout(CONVERSATION_LIMIT_S):
                await talk(reader, writer)
                await writer.drain()
        writer.close()

    return served


async def listen(port: int, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
    """Serve TCP on all addresses of both families."""
    for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - in a namespace
        await asyncio.start_server(
            guarded(talk), any_address, port, family=family, ssl=tls, backlog=1024, reuse_address=True
        )


async def serve(home: Path, portals: list[str]) -> None:
    """Open everything, say so by the control socket, and stay until the office is gone."""
    world = World(home)
    certificate, key = write_certificates(home, tuple(NAMES), ADDRESSES)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    for address in ADDRESSES:
        for port in (ECHO, DNS, TELLING, MIRROR, SIP, *((STUN,) if address in (*STUN_IPV4, *STUN_IPV6) else ())):
            sock = datagram_socket(address, port)
            loop.add_reader(sock, world.on_datagram, port, sock, address)
    for port, talk in ((ECHO, echo), (TELLING, telling), (SILENT, silent), (STREAM, stream), (DNS, world.dns)):
        await listen(port, talk)
    await listen(HTTP, world.http)
    await listen(HTTPS, world.http, tls)
    await listen(SIPS, sip, tls)
    for netns in portals:
        with inside(netns):
            listeners = [socket.create_server(("::", PORTAL_PORT), family=socket.AF_INET6, dualstack_ipv6=True)]
            inventor = datagram_socket("::", INVENTOR_PORT)  # both families
        loop.add_reader(inventor, world.on_datagram, INVENTOR_PORT, inventor, "")
        for listener in listeners:
            await asyncio.start_server(guarded(portal), sock=listener)
    await asyncio.start_unix_server(guarded(world.control), home / "world.new")
    (home / "world.new").rename(home / "world.sock")
    gone = asyncio.Event()
    watch_home(home, gone)
    await gone.wait()


def watch_home(home: Path, gone: asyncio.Event) -> None:
    """Look twice a second whether the office is still there."""
    if home.exists():
        asyncio.get_running_loop().call_later(0.5, watch_home, home, gone)
    else:
        gone.set()


def main() -> None:
    """`python -m secondpath.lab.world`: started by the office, ended with it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--portal", action="append", default=[], metavar="NETNS")
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    asyncio.run(serve(args.home, args.portal))


if __name__ == "__main__":
    main()
