"""End the gateway's own TCP connections on an address that leads nowhere any more (linux/inet_diag.h, sock_diag.h).

Conntrack entries of forwarded flows are not enough: a socket of this machine (a DNS forwarder's, a VPN's) would go on
sending into the dead line until its retransmissions give up, 15 minutes later. SOCK_DESTROY makes its next call
fail with ECONNABORTED at once, as `ss -K` does.
"""

import errno
import struct
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, IPPROTO_TCP

from secondpath.netlink.wire import NETLINK_SOCK_DIAG, NetlinkError, Socket

_BY_FAMILY, _DESTROY = 20, 21
_ALL_BUT_LISTENING = 0xFFF & ~(1 << 7 | 1 << 10)  # states TCP_CLOSE 7 and TCP_LISTEN 10
_REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2 up to its id
_ID_BYTES = 48  # inet_diag_sockid: ports, addresses, interface, cookie
_ID_AT = 4  # in inet_diag_msg
_SOURCE_AT = _ID_AT + 4
_V4_MAPPED = bytes(10) + b"\xff\xff"


def destroy_sockets(source_address: IPv4Address | IPv6Address, *, timeout_s: float = 5.0) -> int:
    """End every local TCP connection from `source_address`; returns how many. Listening sockets stay.

    IPv6 sockets that speak IPv4 (::ffff:a.b.c.d) are found too. Raises `NetlinkError`: EPERM without CAP_NET_ADMIN,
    EOPNOTSUPP on a kernel without CONFIG_INET_DIAG_DESTROY.
    """
    ended = 0
    with Socket(NETLINK_SOCK_DIAG, timeout_s=timeout_s) as sock:
        for family in (AF_INET, AF_INET6):
            asked = _REQUEST.pack(family, IPPROTO_TCP, 0, _ALL_BUT_LISTENING) + bytes(_ID_BYTES)
            for found in sock.dump(_BY_FAMILY, asked, "list TCP sockets"):
                if _is_from(found, source_address):
                    ended += _destroy(sock, family, found)
    return ended


def _is_from(found: bytes, address: IPv4Address | IPv6Address) -> bool:
    packed = found[_SOURCE_AT : _SOURCE_AT + 16]
    if found[0] == AF_INET:
        return packed[:4] == address.packed
    return packed == (address.packed if address.version == 6 else _V4_MAPPED + address.packed)


def _destroy(sock: Socket, family: int, found: bytes) -> bool:
    ident = found[_ID_AT : _ID_AT + _ID_BYTES]
    try:
        what = "end a TCP connection"
        sock.request(_DESTROY, 0, _REQUEST.pack(family, IPPROTO_TCP, 0, _ALL_BUT_LISTENING) + ident, what)
    except NetlinkError as fault:
        if fault.errno != errno.ENOENT:
            raise
        return False  # it ended by itself in between
    return True
