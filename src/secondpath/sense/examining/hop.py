"""Does the gateway of a line answer? Asked by a ping; if it does not answer that, by ARP or neighbour discovery.

The kernel's own table is not asked: an entry may have been true half a minute ago. And ARP is not asked without need:
closing a packet socket waits for all processors (synchronize_net; 25 ms, measured), and this loop has a gateway to run.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_interface

from secondpath.examine.results import NextHop
from secondpath.model import IPAddress
from secondpath.sense.egress import Egress
from secondpath.sense.examining import neighbour
from secondpath.sense.examining.echoing import Echoer

PATIENCE_S = 1.2
"""How long a gateway may take: three questions, as the kernel asks three times (arp(7), mcast_solicit)."""
_AGAIN_S = 0.4
_ETHERNET = 1
_ETH_P_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_ICMP6_FILTER = 1


async def ask_hop(egress: Egress, echoer: Echoer, hop: IPAddress, own: str) -> NextHop:
    """Ask it every way there is; `own` is the line's address with its prefix length."""
    rtt_s = await _ping(echoer, hop, 1)
    if rtt_s is not None:
        return NextHop(hop, None, True, rtt_s)
    reached, rtt_s = await asyncio.gather(_reach(egress, hop, own), _ping(echoer, hop, 3))
    return NextHop(hop, reached, rtt_s is not None, rtt_s)


async def _ping(echoer: Echoer, hop: IPAddress, times: int) -> float | None:
    for _ in range(times):
        with suppress(OSError):  # the kernel, too, has found nobody there
            back = await echoer.ask(hop, _AGAIN_S)
            if back.rtt_s is not None:
                return back.rtt_s
    return None


async def _reach(egress: Egress, hop: IPAddress, own: str) -> bool | None:
    """Whether its hardware address can be had; None where the line has no such thing, or it cannot be asked."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as arp:
            arp.setblocking(False)
            arp.bind((egress.interface, _ETH_P_ARP))
            _, _, _, kind, mac = arp.getsockname()
            if kind != _ETHERNET or len(mac) != 6:
                return None
            source = ip_interface(own).ip
            if isinstance(hop, IPv6Address):
                return await _solicit(egress, mac, hop)
            if isinstance(source, IPv4Address):
                packet, to = neighbour.arp_request(mac, source, hop), (egress.interface, _ETH_P_ARP, 0, 0, _BROADCAST)
                return await _asked(arp, lambda: arp.sendto(packet, to), lambda p: neighbour.is_arp_answer(p, hop))
    except OSError:
        return None
    return None


async def _solicit(egress: Egress, mac: bytes, hop: IPv6Address) -> bool:
    allowed = bytearray(b"\xff" * 32)
    allowed[neighbour.ADVERTISEMENT // 32 * 4 : neighbour.ADVERTISEMENT // 32 * 4 + 4] = struct.pack(
        "=I", 0xFFFFFFFF ^ 1 << neighbour.ADVERTISEMENT % 32
    )
    with egress.open(socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(allowed))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, neighbour.HOP_LIMIT)
        packet = neighbour.solicitation(mac, hop)
        to = (str(neighbour.solicited_group(hop)), 0, 0, socket.if_nametoindex(egress.interface))
        return await _asked(sock, lambda: sock.sendto(packet, to), lambda p: neighbour.is_advertisement(p, hop))


async def _asked(sock: socket.socket, ask: Callable[[], object], answers: Callable[[bytes], bool]) -> bool:
    """Ask again and again, and read until something answers."""
    loop = asyncio.get_running_loop()
    for _ in range(round(PATIENCE_S / _AGAIN_S)):
        ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_S):
                while True:
                    if answers(await loop.sock_recv(sock, 2048)):
                        return True
    return False
