"""Qdiscs, classes and filters as a kernel (6.18) told them, byte for byte."""

from __future__ import annotations

import struct

import pytest

from secondpath.netlink.monitor import QueueLoss, parse_event
from secondpath.netlink.queueing import (
    ROOT_PARENT,
    Filter,
    HtbClass,
    Qdisc,
    parse_class,
    parse_filter,
    parse_qdisc,
)
from secondpath.netlink.wire import Message, attribute, nest, text, word

HTB = (
    "000000000300000000000071ffffffff03000000080001006874620024000200180002001100030001000000f0000000000000000000000008000500"
    "e803000005000c0000000000"
)
DEFAULT = "000000000200000000000000ffffffff020000000c0001006e6f71756575650005000c0000000000"
CLASS = (
    "000000000300000005000071ff0000710000000008000100687462003400020030000100000100000000000048e80100000100000000000020a10700"
    "400d030050c3000048e8010000000000040000004800070014000100ea01000000000000050000000000000018000300000000000000000000000000"
    "00000000000000001800040005000000000000000000000066dd020059b70000"
)
TURN = (
    "000000000200000000080080f3ffffff0003bd1b080001007533320008000b0000000000ec000200240005000100010000000000000000"
    "000000000000000000000000000000000000000000080002000000008008000b0008000000a8000700a40001000b0001006d6972726564"
    "00004400040014000100000000000000000000000000000000001400070000000000000000000000000000000000180003000000000000"
    "00000000000000000000000000000008000a00000000004800020020000200010000000000000004000000010000000100000001000000"
    "04000000240001000c000000000000000c00000000000000000000000000000000000000000000000900080077616e3000000000"
)


def test_a_qdisc_of_ours_and_the_kernels_default_are_told_apart_by_the_handle() -> None:
    assert parse_qdisc(bytes.fromhex(HTB)) == Qdisc(3, "htb", 0x7100, ROOT_PARENT, {"default": 0xF0})
    assert parse_qdisc(bytes.fromhex(DEFAULT)) == Qdisc(2, "noqueue", 0, ROOT_PARENT, {})


def test_a_class_has_its_rates_in_bits_and_what_it_sent() -> None:
    found = parse_class(bytes.fromhex(CLASS))
    assert found == HtbClass(3, 5, 0xFF, 1_000_000, 4_000_000, 4, True, bytes_=490, packets=5)


def test_a_filter_says_what_it_is_for_and_where_it_redirects_to() -> None:
    assert parse_filter(bytes.fromhex(TURN)) == Filter(2, 7101, "u32", "wan0", 4)


def test_rates_beyond_32_bits_of_bytes_are_read_from_the_place_that_they_have() -> None:
    body = bytearray(bytes.fromhex(CLASS)[:20])
    parms = bytes(44) + struct.pack("=I", 0)
    body += text(1, "htb") + nest(2, attribute(1, parms), attribute(6, struct.pack("=Q", 10**10)))
    found = parse_class(bytes(body))
    assert found is not None
    assert found.rate_bps == 8 * 10**10


@pytest.mark.parametrize(
    ("kind", "options", "read"),
    [
        ("pfifo", word(0, 50)[4:], {"limit": 50}),
        ("fq_codel", word(1, 4999) + word(2, 500), {"target_us": 4999, "limit": 500}),
        ("cake", attribute(2, struct.pack("=Q", 31_875_000)) + word(15, 1), {"rate_bps": 255_000_000, "ingress": 1}),
    ],
)
def test_what_a_queue_was_told_can_be_read(kind: str, options: bytes, read: dict[str, int]) -> None:
    head = struct.pack("=B3xiIII", 0, 7, 0x81230000, 0x71000005, 2)
    body = head + text(1, kind) + attribute(2, options)
    assert parse_qdisc(body) == Qdisc(7, kind, 0x8123, 0x71000005, read)


@pytest.mark.parametrize(
    ("kind", "handle", "parent", "info", "loss"),
    [
        (37, 0x71000000, ROOT_PARENT, 0, QueueLoss(7, 0x7100)),
        (41, 0x71000005, 0x710000FF, 0, QueueLoss(7, 0x7100)),
        (45, 0x80000800, 0xFFFFFFF3, 7101 << 16 | 3, QueueLoss(7, 0xFFFF, 7101)),
    ],
)
def test_a_queue_that_somebody_takes_away_is_an_event(
    kind: int, handle: int, parent: int, info: int, loss: QueueLoss
) -> None:
    assert parse_event(Message(kind, 0, 0, struct.pack("=B3xiIII", 0, 7, handle, parent, info))) == loss
    assert parse_event(Message(kind - 1, 0, 0, struct.pack("=B3xiIII", 0, 7, handle, parent, info))) is None
