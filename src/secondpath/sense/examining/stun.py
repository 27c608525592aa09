"""STUN binding requests and their answers, pure (RFC 8489). No authentication: public servers ask for none."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from secondpath.model import Endpoint

COOKIE = bytes.fromhex("2112a442")
TRANSACTION_BYTES = 12
REQUEST, SUCCESS = 0x0001, 0x0101
"""Binding, as a request and as a success response (section 5)."""
_HEADER_BYTES = 20
_MAPPED, _XOR_MAPPED = 0x0001, 0x0020
_OLD = frozenset({0x0004, 0x0005})
"""SOURCE-ADDRESS and CHANGED-ADDRESS of RFC 3489, which old servers still send and section 18.3 keeps reserved."""
_OPTIONAL = 0x8000
"""From here on an attribute that nobody knows may be passed over (section 14)."""
_ADDRESS_BYTES = {1: 4, 2: 16}


def request(transaction: bytes) -> bytes:
    """A binding request without attributes, 20 bytes."""
    return REQUEST.to_bytes(2) + bytes(2) + COOKIE + transaction


def mapped_in(packet: bytes, transaction: bytes) -> Endpoint | None:
    """The address and port that the server saw, if this is its success response to the request of that transaction."""
    if len(packet) < _HEADER_BYTES or packet[4:_HEADER_BYTES] != COOKIE + transaction:
        return None
    if int.from_bytes(packet[:2]) != SUCCESS or int.from_bytes(packet[2:4]) != len(packet) - _HEADER_BYTES:
        return None
    plain: Endpoint | None = None
    masked: Endpoint | None = None
    for kind, value in _attributes(packet[_HEADER_BYTES:]):
        if kind == _XOR_MAPPED:
            masked = masked or _address(_unmasked(value, transaction))
        elif kind == _MAPPED:
            plain = plain or _address(value)
        elif kind < _OPTIONAL and kind not in _OLD:
            return None  # section 6.3.3: it says something that must be understood
    return masked or plain  # section 14.2: the plain one may have been rewritten by a helpful router


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute; values are padded to a multiple of four (section 14)."""
    while len(data) >= 4:
        size = int.from_bytes(data[2:4])
        if size > len(data) - 4:
            return
        yield int.from_bytes(data[:2]), data[4 : 4 + size]
        data = data[4 + size + -size % 4 :]


def _unmasked(value: bytes, transaction: bytes) -> bytes:
    """A masked address as a plain one: port and address are XORed with the cookie and the transaction."""
    mask = bytes(2) + COOKIE[:2] + COOKIE + transaction
    return bytes(a ^ b for a, b in zip(value, mask, strict=False))


def _address(value: bytes) -> Endpoint | None:
    """An address attribute (section 14.1)."""
    size = _ADDRESS_BYTES.get(value[1]) if len(value) > 4 else None
    if size is None or len(value) != 4 + size:
        return None
    return Endpoint(ip_address(value[4:]), int.from_bytes(value[2:4]))
