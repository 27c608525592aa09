"""What an examination costs."""

from __future__ import annotations

import socket

from hypothesis import given
from hypothesis import strategies as st

from secondpath.sense.examining.meter import _TCP_INFO, Meter, _stream_bytes


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5000)))
def test_a_limit_is_never_passed_by_what_was_asked_before(limit: int, wishes: list[int]) -> None:
    meter = Meter(limit)
    granted = sum(wish for wish in wishes if meter.may(wish))
    assert granted == meter.octets <= limit


def test_without_a_limit_everything_is_counted_and_allowed() -> None:
    meter = Meter(None)
    assert meter.may(10**9)
    meter.add(5)
    assert meter.octets == 10**9 + 5


def test_the_kernel_counts_a_connection_both_ways() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            near.sendall(bytes(1000))
            far.sendall(bytes(500))
            assert len(near.recv(500, socket.MSG_WAITALL)) == 500
            counted = _stream_bytes(near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size), 20)
    assert 1500 + 5 * 52 <= counted <= 1500 + 12 * 52
