"""After its connection was reset, a client may use the same port again: programs that bind it, routers behind us.

The old connection's entry stands in the way for as long as it lives: it belongs to a retired epoch, so the new SYN
would be taken for a late packet of the old connection and dropped.
"""

from __future__ import annotations

import socket

import pytest
from tests.netns.strangers import ECHO, FAMILIES, SERVER, connect, make

from secondpath.lab.box import Box

pytestmark = pytest.mark.netns

PORT = {"ipv4": 40123, "ipv6": 40124}
TWO_RETRIES_S = 6.0
"""A SYN is sent again after 1, 3 and 7 s (RFC 6298); the entry of a reset connection lives for 10 s, or for days."""


def test_the_port_of_a_reset_connection_serves_a_new_one_after_two_tries_at_most(quick_box: Box) -> None:
    office = quick_box.office
    old = {f: connect(office, "staff", (SERVER[f], ECHO), ("", PORT[f])) for f in FAMILIES}
    for sock in old.values():
        sock.sendall(b"?")
        assert sock.recv(1) == b"?"
        sock.settimeout(TWO_RETRIES_S)
    office.inject("cable-cut", "cable")
    for sock in old.values():
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        sock.close()
    for family in FAMILIES:
        with make(office, "staff", SERVER[family], socket.SOCK_STREAM, ("", PORT[family])) as new:
            new.settimeout(TWO_RETRIES_S)
            new.connect((SERVER[family], ECHO))
            new.sendall(b"?")
            assert new.recv(1) == b"?"
