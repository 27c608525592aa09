"""Who sent an error, by the kernel's control messages."""

import errno
import os
import socket
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from secondpath.model import Family, Line, Outcome, Probe, ProbeKind, Target
from secondpath.sense.attempt import Attempt
from secondpath.sense.egress import Egress
from secondpath.sense.refusal import offender_in, refused, words_of

# As read from the kernel: EHOSTUNREACH by the box itself, for a TCP and for a UDP socket.
IPV4 = bytes.fromhex("71000000 02030100 00000000 00000000 02000000 0a090001 0000000000000000")
IPV6 = bytes.fromhex("71000000 03010300 00000000 00000000 0a000000 00000000 fd090000000000000000000000000001 00000000")


def test_the_offender_is_read_from_what_the_kernel_says() -> None:
    assert offender_in(IPV4) == ip_address("10.9.0.1")
    assert offender_in(IPV6) == ip_address("fd09::1")


def test_a_local_error_has_no_offender() -> None:
    local = bytearray(IPV4)
    local[4] = 1  # SO_EE_ORIGIN_LOCAL
    assert offender_in(bytes(local)) is None


@given(st.binary(max_size=60))
def test_no_control_message_can_raise(data: bytes) -> None:
    offender_in(data)


def test_a_connection_that_this_box_ended_is_nobody_s_answer() -> None:
    line = Line("cable", Family.IPV4)
    probe = Probe(1, line, Target("", ProbeKind.TCP, ip_address("192.0.2.1"), 443), 3.0)
    attempt = Attempt(probe, Egress(line, "wan0", 1, lambda _: None))
    with socket.socket() as sock:
        result = refused(attempt, sock, OSError(errno.ECONNABORTED, ""), 0.0)
    assert (result.outcome, result.rtt_s) == (Outcome.TIMEOUT, None)


def test_every_error_has_words() -> None:
    assert words_of(OSError(errno.ENETUNREACH, "")) == "no route to the network"
    assert words_of(OSError(errno.EMFILE, "")) == os.strerror(errno.EMFILE).lower()
