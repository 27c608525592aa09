"""Element changes as bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpath.netlink.nftables import (
    AddElement,
    DelElement,
    Goto,
    Jump,
    Plain,
    Verdict,
    ifname_bytes,
    mark_bytes,
    pack_change,
    parse_elements,
)

chains = st.text(alphabet="abcdefgh_0123", min_size=1, max_size=20)
codes = st.sampled_from([0, 1, -1, -5])
verdicts = st.one_of(st.builds(Goto, chains), st.builds(Jump, chains), st.builds(Plain, codes))
data = st.one_of(st.none(), st.binary(min_size=1, max_size=16), verdicts)


@given(st.binary(min_size=1, max_size=64), data)
def test_an_element_packed_is_an_element_parsed(key: bytes, data: bytes | Verdict | None) -> None:
    assert parse_elements(pack_change("secondpath", AddElement("route_of", key, data))) == {key: data}


def test_a_deletion_names_the_key_and_no_data() -> None:
    assert parse_elements(pack_change("secondpath", DelElement("route_of", b"\1\0\0\0"))) == {b"\1\0\0\0": None}


def test_an_added_element_is_laid_out_as_nft_lays_it_out() -> None:
    # as `nft --debug=mnl add element inet t s { 0x00010001 : goto c }` shows it, less the SET_ID of sets just made
    packed = pack_change("t", AddElement("s", mark_bytes(0x00010001), Goto("c")))
    assert packed == b"".join(
        [
            bytes.fromhex("01000000"),
            struct.pack("=HH", 6, 1) + b"t\0\0\0",
            struct.pack("=HH", 6, 2) + b"s\0\0\0",
            struct.pack("=HH", 44, 0x8003),
            struct.pack("=HH", 40, 0x8001),
            struct.pack("=HH", 12, 0x8001) + struct.pack("=HH", 8, 1) + struct.pack("=I", 0x00010001),
            struct.pack("=HH", 24, 0x8002),
            struct.pack("=HH", 20, 0x8002),
            struct.pack("=HH", 8, 1) + struct.pack(">i", -4),
            struct.pack("=HH", 6, 2) + b"c\0\0\0",
        ]
    )


def test_an_interface_name_is_sixteen_bytes() -> None:
    assert ifname_bytes("wan0") == b"wan0" + bytes(12)
    for wrong in ("", "sixteen-bytes-xx"):
        with pytest.raises(ValueError, match="interface name"):
            ifname_bytes(wrong)
