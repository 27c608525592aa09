"""Flows as bytes: a layout is learned once, and never read into a message that has another."""

import errno
import struct
from dataclasses import replace
from socket import AF_INET, AF_INET6, IPPROTO_ICMP, IPPROTO_ICMPV6

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.netlink.flow import (
    IDENT,
    MARK,
    ORIGINAL,
    PROTOCOL_INFO,
    REPLY,
    SEEN_REPLY,
    STATUS,
    TIMEOUT,
    Flow,
    pack_endpoints,
    pack_tuple,
    read_flows,
)
from secondpath.netlink.wire import NetlinkError, attribute, nest

words = st.integers(0, 2**32 - 1)
ports = st.integers(0, 65535)


def flows_of(family: int, protos: list[int]) -> st.SearchStrategy[Flow]:
    addresses = st.binary(min_size=4, max_size=4) if family == AF_INET else st.binary(min_size=16, max_size=16)
    return st.builds(
        Flow,
        family=st.just(family),
        proto=st.sampled_from(protos),
        source=addresses,
        sport=ports,
        dest=addresses,
        dport=ports,
        reply_source=addresses,
        reply_sport=ports,
        reply_dest=addresses,
        reply_dport=ports,
        mark=words,
        status=words,
        tcp_state=st.none(),
        timeout_s=words,
        ident=words,
    ).flatmap(
        lambda flow: (
            st.integers(0, 9).map(lambda state: replace(flow, tcp_state=state)) if flow.proto == 6 else st.just(flow)
        )
    )


flows = st.one_of(flows_of(AF_INET, [IPPROTO_ICMP, 6, 17, 47]), flows_of(AF_INET6, [IPPROTO_ICMPV6, 6, 17]))


def as_the_kernel_says(flow: Flow, *extra: bytes) -> bytes:
    def told(kind: int, value: int) -> bytes:
        return attribute(kind, struct.pack(">I", value))

    reply = (flow.proto, flow.reply_source, flow.reply_sport, flow.reply_dest, flow.reply_dport)
    state = b"" if flow.tcp_state is None else nest(PROTOCOL_INFO, nest(1, attribute(1, bytes([flow.tcp_state]))))
    return b"".join(
        [
            struct.pack(">BBH", flow.family, 0, 0),
            pack_tuple(flow),
            pack_endpoints(REPLY, reply),
            told(STATUS, flow.status),
            told(TIMEOUT, flow.timeout_s),
            state,
            told(MARK, flow.mark),
            told(IDENT, flow.ident),
            *extra,
        ]
    )


@pytest.mark.slow
@given(st.lists(flows, max_size=20))
def test_flows_of_all_kinds_mixed_are_read_as_they_were_said(wanted: list[Flow]) -> None:
    assert list(read_flows(map(as_the_kernel_says, wanted))) == wanted


@given(st.lists(flows, max_size=20), st.frozensets(st.integers(1, 9)))
def test_only_tcp_in_the_states_that_were_named_is_read(said: list[Flow], states: frozenset[int]) -> None:
    found = list(read_flows(map(as_the_kernel_says, said), states))
    assert found == [flow for flow in said if flow.tcp_state in states]


@given(flows_of(AF_INET, [17]), flows_of(AF_INET, [17]))
def test_two_messages_of_one_length_and_two_layouts_are_told_apart(first: Flow, second: Flow) -> None:
    head, rest = as_the_kernel_says(second)[:4], as_the_kernel_says(second)[4:]
    turned = head + rest[52:104] + rest[:52] + rest[104:]  # the reply before the original: nobody forbids it
    assert len(turned) == len(as_the_kernel_says(first))
    assert list(read_flows([as_the_kernel_says(first), turned, as_the_kernel_says(first)])) == [first, second, first]


@given(flows)
def test_attributes_unheard_of_are_passed_over(flow: Flow) -> None:
    body = as_the_kernel_says(flow, attribute(99, b"news"), nest(98, attribute(1, b"inner")))
    assert list(read_flows([body])) == [flow]


@given(flows_of(AF_INET, [50]))
def test_a_protocol_without_ports_has_ports_zero(flow: Flow) -> None:
    bare = nest(2, attribute(1, b"\x32"))

    def portless(kind: int, source: bytes, dest: bytes) -> bytes:
        return nest(kind, nest(1, attribute(1, source), attribute(2, dest)), bare)

    body = struct.pack(">BBH", AF_INET, 0, 0)
    body += portless(ORIGINAL, flow.source, flow.dest) + portless(REPLY, flow.reply_source, flow.reply_dest)
    (found,) = read_flows([body])
    assert found == replace(
        flow, sport=0, dport=0, reply_sport=0, reply_dport=0, mark=0, status=0, timeout_s=0, ident=0
    )


def a_flow() -> Flow:
    return Flow(AF_INET, 6, b"\1\2\3\4", 5, b"\6\7\x08\x09", 443, b"\6\7\x08\x09", 443, b"\1\2\3\4", 5, 1, 0, 3, 9, 7)


@pytest.mark.parametrize("cut", [1, 5, 21, 60, 114])
def test_a_flow_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(NetlinkError) as refused:
        list(read_flows([as_the_kernel_says(a_flow())[:cut]]))
    assert refused.value.errno == errno.EBADMSG


def test_a_flow_is_read_when_it_is_asked_for_and_not_before() -> None:
    reading = read_flows([as_the_kernel_says(a_flow()), b"\2\0\0\0"])
    assert next(reading) == a_flow()
    with pytest.raises(NetlinkError):
        next(reading)


@pytest.mark.parametrize(("status", "answered"), [(0, False), (SEEN_REPLY, True), (~SEEN_REPLY & 0xFF, False)])
def test_a_flow_is_answered_when_the_kernel_saw_a_reply(status: int, answered: bool) -> None:
    assert replace(a_flow(), status=status).answered is answered


@given(st.binary(max_size=120))
def test_noise_is_read_or_refused(noise: bytes) -> None:
    try:
        list(read_flows([b"\2\0\0\0" + noise]))
    except NetlinkError as fault:
        assert fault.errno == errno.EBADMSG
