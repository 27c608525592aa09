"""Two providers and a gateway in namespaces, and servers that answer as the world does: for the tests of sense.

Both providers have the same target addresses, so only the counters tell by which uplink a probe left. The gateway's
main default route leads to the first; marks 1 and 2 lead to the first and the second.
"""

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeVar

import dns.flags
import dns.message
import dns.rcode
from tests.netns.netlink_namespace import Namespace
from tests.patience import PATIENCE_S

from secondpath.model import Family, Line, Probe, ProbeKind, ProbeResult, Target
from secondpath.sense.prober import Prober
from secondpath.sense.stamp import CONTROL_BYTES, kernel_wall_s, want_stamps

T = TypeVar("T")

HERE = {Family.IPV4: "192.0.2.1", Family.IPV6: "2001:db8:ff::1"}
BLACK_HOLE = {Family.IPV4: "192.0.2.66", Family.IPV6: "2001:db8:ff::66"}
UNREACHABLE = {Family.IPV4: "192.0.2.77", Family.IPV6: "2001:db8:ff::77"}
FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
HOST_ROUTE = {Family.IPV4: 32, Family.IPV6: 128}

KNOBS = ("ipv4.ip_forward=1", "ipv4.icmp_ratemask=0", "ipv6.conf.all.forwarding=1", "ipv6.icmp.ratemask=")
"""A provider says every refusal: no kind of ICMP is limited. Without that for each peer (ratelimit=0) there is still
icmp_msgs_per_sec: 1000 a second, in older kernels for all namespaces together; what exceeds it is silence."""

COUNT = """
table inet count {
  counter ipv4 { }
  counter ipv6 { }
  chain in { type filter hook prerouting priority -300;
    ip daddr 192.0.2.0/24 counter name ipv4
    ip6 daddr 2001:db8:ff::/64 counter name ipv6
  }
  chain out { type filter hook output priority 300;
    ip saddr 192.0.2.0/24 counter name ipv4
    ip6 saddr 2001:db8:ff::/64 counter name ipv6
  }
}
"""


@dataclass(frozen=True)
class World:
    """The namespaces: `gateway` has wan0 and wan1, `providers[n]` the other end of wan<n>."""

    gateway: Namespace
    providers: Sequence[Namespace]

    def play(self, story: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a story inside the gateway."""
        with self.gateway.inside():
            return asyncio.run(story())

    def traffic(self, provider: int, family: Family) -> tuple[int, int]:
        """Packets and bytes between a provider's targets and the office so far, both ways, IP headers included."""
        listed = self.providers[provider].run("nft", "-j", "list", "counter", "inet", "count", str(family))
        counter = next(entry["counter"] for entry in json.loads(listed)["nftables"] if "counter" in entry)
        return counter["packets"], counter["bytes"]

    def packets(self, provider: int, family: Family) -> int:
        return self.traffic(provider, family)[0]


@contextmanager
def world() -> Iterator[World]:
    """Build it; whatever happens, take it down."""
    with ExitStack() as stack:
        names = ("gw", "isp0", "isp1")
        made = [Namespace(f"spse-{os.getpid()}-{name}") for name in names]
        for namespace in made:
            stack.callback(namespace.remove)
        built = World(made[0], made[1:])
        for number in range(2):
            _wire(built, number)
        built.gateway.run("ip", "route", "add", "default", "via", "10.0.0.1")
        built.gateway.run("ip", "-6", "route", "add", "default", "via", "fd00::1")
        yield built


def _wire(built: World, number: int) -> None:
    gateway, provider, mark = built.gateway, built.providers[number], str(number + 1)
    table = f"100{mark}"
    prefix = f"fd00:0:0:{number:x}"
    gateway.run("ip", "link", "add", f"wan{number}", "type", "veth", "peer", "name", "line", "netns", provider.name)
    for namespace, name, host in ((gateway, f"wan{number}", 2), (provider, "line", 1)):
        namespace.run("ip", "addr", "add", f"10.0.{number}.{host}/24", "dev", name)
        namespace.run("ip", "addr", "add", f"{prefix}::{host}/64", "dev", name, "nodad")
        namespace.run("ip", "link", "set", name, "up")
    for family, hop in (("-4", f"10.0.{number}.1"), ("-6", f"{prefix}::1")):
        gateway.run("ip", family, "route", "add", "default", "via", hop, "dev", f"wan{number}", "table", table)
        gateway.run("ip", family, "rule", "add", "fwmark", mark, "lookup", table)
    for knob in KNOBS:
        provider.run("sysctl", "-qw", f"net.{knob}")
    for family in Family:
        bits = HOST_ROUTE[family]
        provider.run("ip", "addr", "add", f"{HERE[family]}/{bits}", "dev", "lo", *_nodad(family))
        provider.run("ip", "route", "add", "blackhole", f"{BLACK_HOLE[family]}/{bits}")
        provider.run("ip", "route", "add", "unreachable", f"{UNREACHABLE[family]}/{bits}")
    provider.run("nft", "-f", "-", given=COUNT)


def _nodad(family: Family) -> Sequence[str]:
    return ("nodad",) if family is Family.IPV6 else ()


class Desk:
    """A prober whose results are waited for."""

    def __init__(self) -> None:
        self.results: asyncio.Queue[ProbeResult] = asyncio.Queue()
        self.prober = Prober(self.results.put_nowait)
        self.number = 0

    def probe(self, kind: ProbeKind, address: str, port: int = 0, **more: Any) -> Probe:
        """A question on the uplink named in `more` ("main" unless said); `host` and `path` go to the target."""
        self.number += 1
        target = Target("", kind, ip_address(address), port, more.get("host", ""), more.get("path", "/"))
        line = Line(more.get("uplink", "main"), target.family)
        return Probe(
            self.number, line, target, more.get("timeout_s", PATIENCE_S), more.get("ttl"), more.get("watched", False)
        )

    async def result(self) -> ProbeResult:
        return await asyncio.wait_for(self.results.get(), 2 * PATIENCE_S)

    async def ask(self, kind: ProbeKind, address: str, port: int = 0, **more: Any) -> ProbeResult:
        """Ask, and wait for the first result."""
        self.prober.ask(self.probe(kind, address, port, **more))
        return await self.result()


@asynccontextmanager
async def desk(**uplinks: tuple[str, int]) -> AsyncIterator[Desk]:
    """A desk with the uplinks given as name=(interface, mark); "main" leaves by wan1 where nothing is said."""
    opened = Desk()
    for name, (interface, mark) in (uplinks or {"main": ("wan1", 2)}).items():
        opened.prober.bind(name, interface, mark)
    try:
        yield opened
    finally:
        opened.prober.close()
        await asyncio.sleep(0)  # one turn, in which cancelled probes close their sockets


def until_stamped() -> None:
    """Wait until the kernel stamps a packet when it arrives and not when it is read, five new sockets in a row."""
    until_s = time.monotonic() + PATIENCE_S
    while not all(_stamped_on_arrival() for _ in range(5)):
        assert time.monotonic() < until_s, "the kernel stamps what is read, not what arrives"


READ_LATE_S = 0.01


def _stamped_on_arrival() -> bool:
    time.sleep(5 * READ_LATE_S)  # in which the kernel stops stamping if nobody wants it any more
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        want_stamps(sock)
        sock.sendto(b"?", sock.getsockname())
        sent_s = time.time()
        time.sleep(READ_LATE_S)  # a box that is busy: that is what is tried
        stamp_s = kernel_wall_s(sock.recvmsg(16, CONTROL_BYTES)[1])
    return stamp_s is not None and stamp_s < sent_s + READ_LATE_S


def open_fds() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def socket_at(place: Namespace, family: Family, kind: socket.SocketKind, port: int) -> socket.socket:
    """A socket on the family's target address inside `place`."""
    with place.inside():
        sock = socket.socket(FAMILIES[family], kind)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HERE[family], port))
    return sock


# ── Servers ──────────────────────────────────────────────────────────────────────────

PAGES = {
    "/generate_204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/empty/generate_204": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "/portal/generate_204": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlogin",
    "/here/generate_204": b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n",
    "/page": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/moved": b"HTTP/1.1 301 Moved\r\nLocation: /page\r\n\r\n",
    "/away": b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\n\r\n",
    "/login": b"HTTP/1.1 511 Network Authentication Required\r\n\r\n",
    "/ill": b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
    "/garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "/nothing": b"",
    "/endless": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
}

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An HTTP server: PAGES; /silent never answers, /reset breaks off."""
    try:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        if path == "/silent":
            await reader.read()
        if path == "/reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            writer.write(PAGES.get(path, b""))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and never says a word."""
    try:
        await reader.read()
    except OSError:
        pass
    finally:
        writer.close()


class Resolver(asyncio.DatagramProtocol):
    """A DNS server; the name asked for says how it behaves."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        question = dns.message.from_wire(data)
        name = str(question.question[0].name)
        if name == "silent.":
            return
        if name == "forged.":
            for ident in (question.id ^ 1, question.id ^ 2):
                forged = dns.message.from_wire(data)
                forged.id = ident
                self.transport.sendto(dns.message.make_response(forged).to_wire(), peer)
            other = dns.message.make_query("other.", "A", id=question.id)
            self.transport.sendto(dns.message.make_response(other).to_wire(), peer)
            self.transport.sendto(b"\0" * 7, peer)
        answer = dns.message.make_response(question)
        codes = {"nxdomain.": dns.rcode.NXDOMAIN, "ill.": dns.rcode.SERVFAIL, "forbidden.": dns.rcode.REFUSED}
        answer.set_rcode(codes.get(name, dns.rcode.NOERROR))
        if name == "large.":
            answer.flags |= dns.flags.TC
        self.transport.sendto(answer.to_wire(), peer)


@asynccontextmanager
async def serving(place: Namespace, family: Family, port: int, server: Server, tls: Any = None) -> AsyncIterator[None]:
    """A TCP server inside `place` on the family's target address."""
    sock = socket_at(place, family, socket.SOCK_STREAM, port)
    running = await asyncio.start_server(server, sock=sock, ssl=tls, backlog=512)
    try:
        yield
    finally:
        running.close()


@asynccontextmanager
async def resolving(place: Namespace, family: Family) -> AsyncIterator[None]:
    """A DNS server inside `place` on the family's target address."""
    sock = socket_at(place, family, socket.SOCK_DGRAM, 53)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Resolver, sock=sock)
    try:
        yield
    finally:
        transport.close()
