"""Transactions, elements and counters against the kernel's nftables, with nft(8) as the witness."""

import errno
import socket
import struct
from collections.abc import Iterator
from functools import partial

import pytest
from tests.netns.netlink_namespace import Interrupted, Namespace, namespaces

from secondpath.netlink.nftables import (
    MAP_SET,
    AddElement,
    DelElement,
    Goto,
    Jump,
    Nft,
    Plain,
    ifname_bytes,
    mark_bytes,
)
from secondpath.netlink.wire import NETLINK_NETFILTER, NetlinkError

pytestmark = pytest.mark.netns

RULESET = """
table inet secondpath {
  map route_of { type mark : verdict; elements = { 0x00010001 : goto via_1, 0x7 : drop } }
  map lane_office { typeof meta nfproto : ct mark; elements = { ipv4 : 0x00010101, ipv6 : 0x00020101 } }
  map arrive { type ifname : mark; elements = { "wan0" : 0x00010001 } }
  map mark_of { type mark : mark; elements = { 0x1 : 0x2 } }
  set inside { type ifname; elements = { "lan0" } }
  set empty { type mark; }
  set fresh { type mark; flags timeout; }
  counter wrong_source { }
  counter seen { }
  chain via_1 { meta mark set meta mark and 0xffffff00 or 0x1 accept
  }
  chain via_2 { tcp dport { 80, 443 } accept
  }
  chain out { type filter hook output priority 0; oifname "lo" counter name seen
  }
}
table inet other { counter seen { }
  chain theirs { accept
  }
}
table ip secondpath { counter seen { }
}
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("nft") as (namespace,):
        yield namespace


@pytest.fixture
def nft(gateway: Namespace) -> Iterator[Nft]:
    gateway.run("nft", "flush", "ruleset")
    gateway.run("nft", "-f", "-", given=RULESET)
    with gateway.inside():
        opened = Nft("secondpath")
    with opened:
        yield opened


def listed(gateway: Namespace, kind: str, name: str) -> str:
    return gateway.run("nft", "list", kind, "inet", "secondpath", name)


def test_the_elements_read_are_those_that_nft_loaded(nft: Nft) -> None:
    assert nft.elements("route_of") == {mark_bytes(0x10001): Goto("via_1"), mark_bytes(7): Plain(0)}
    assert nft.elements("lane_office") == {
        bytes([socket.AF_INET]): mark_bytes(0x00010101),
        bytes([socket.AF_INET6]): mark_bytes(0x00020101),
    }
    assert nft.elements("arrive") == {ifname_bytes("wan0"): mark_bytes(0x00010001)}
    assert nft.elements("mark_of") == {mark_bytes(1): mark_bytes(2)}
    assert nft.elements("inside") == {ifname_bytes("lan0"): None}
    assert nft.elements("empty") == {}


def test_one_transaction_changes_sets_maps_and_verdicts_of_every_kind(nft: Nft, gateway: Namespace) -> None:
    ipv4 = bytes([socket.AF_INET])
    nft.transaction(
        [
            AddElement("route_of", mark_bytes(0x20002), Goto("via_2")),
            AddElement("route_of", mark_bytes(0x30002), Jump("via_2")),
            AddElement("route_of", mark_bytes(0x40002), Plain(1)),
            DelElement("route_of", mark_bytes(0x10001)),
            DelElement("lane_office", ipv4),
            AddElement("lane_office", ipv4, mark_bytes(0x00030102)),
            AddElement("arrive", ifname_bytes("wwan0"), mark_bytes(0x00020002)),
            AddElement("inside", ifname_bytes("guest0")),
            AddElement("mark_of", mark_bytes(3), mark_bytes(4)),
        ]
    )
    routes = listed(gateway, "map", "route_of")
    assert "0x00020002 : goto via_2" in routes
    assert "0x00030002 : jump via_2" in routes
    assert "0x00040002 : accept" in routes
    assert "0x00010001" not in routes
    assert "ipv4 : 0x00030102" in listed(gateway, "map", "lane_office")
    assert '"wwan0" : 0x00020002' in listed(gateway, "map", "arrive")
    assert '"guest0"' in listed(gateway, "set", "inside")
    assert "0x00000003 : 0x00000004" in listed(gateway, "map", "mark_of")
    assert nft.elements("route_of")[mark_bytes(0x30002)] == Jump("via_2")


def test_a_failed_transaction_changes_nothing(nft: Nft, gateway: Namespace) -> None:
    before = gateway.run("nft", "list", "ruleset")
    with pytest.raises(NetlinkError) as refused:
        nft.transaction(
            [
                AddElement("route_of", mark_bytes(0x20002), Goto("via_2")),
                DelElement("mark_of", mark_bytes(0x99)),
                DelElement("inside", ifname_bytes("lan0")),
            ]
        )
    assert refused.value.errno == errno.ENOENT
    assert "mark_of" in str(refused.value)
    assert mark_bytes(0x99).hex() in str(refused.value)
    assert gateway.run("nft", "list", "ruleset") == before


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (AddElement("route_of", mark_bytes(2), Goto("no_such_chain")), errno.ENOENT),
        (AddElement("no_such_set", mark_bytes(2)), errno.ENOENT),
        (AddElement("mark_of", mark_bytes(1), mark_bytes(9)), errno.EEXIST),
        (AddElement("mark_of", b"\1\2\3", mark_bytes(9)), errno.EINVAL),
        (AddElement("mark_of", mark_bytes(8)), errno.EINVAL),
        (AddElement("inside", ifname_bytes("x"), mark_bytes(8)), errno.EINVAL),
    ],
)
def test_a_refused_change_says_why_and_the_next_one_is_served(nft: Nft, change: AddElement, number: int) -> None:
    with pytest.raises(NetlinkError) as refused:
        nft.transaction([change])
    assert refused.value.errno == number
    assert change.set_name in refused.value.what
    nft.transaction([AddElement("empty", mark_bytes(5))])
    assert nft.elements("empty") == {mark_bytes(5): None}


def test_many_refusals_in_one_transaction_raise_the_first_and_leave_no_debris(nft: Nft) -> None:
    with pytest.raises(NetlinkError, match=f"the key {mark_bytes(1000).hex()}"):
        nft.transaction([DelElement("empty", mark_bytes(key)) for key in range(1000, 1500)])
    nft.transaction([AddElement("empty", mark_bytes(5))])
    assert nft.elements("empty") == {mark_bytes(5): None}


def test_the_same_element_twice_is_accepted(nft: Nft) -> None:
    nft.transaction([AddElement("mark_of", mark_bytes(1), mark_bytes(2))])
    assert nft.elements("mark_of") == {mark_bytes(1): mark_bytes(2)}


def test_no_changes_are_no_transaction(nft: Nft) -> None:
    nft.transaction([])


def test_a_thousand_elements_come_back_as_they_went(nft: Nft) -> None:
    wanted = {mark_bytes(key): mark_bytes(key * 7) for key in range(10, 1010)}
    nft.transaction([AddElement("mark_of", key, data) for key, data in wanted.items()])
    nft.transaction([DelElement("mark_of", mark_bytes(1))])
    assert nft.elements("mark_of") == wanted


def test_counters_are_those_of_our_table_and_reading_does_not_reset_them(nft: Nft, gateway: Namespace) -> None:
    with gateway.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x" * 100, ("127.0.0.1", 9))
    counted = nft.counters()
    assert set(counted) == {"wrong_source", "seen"}
    assert counted["wrong_source"] == (0, 0)
    packets, size = counted["seen"]
    assert packets >= 1
    assert size >= 128
    again = nft.counters()["seen"]
    assert again[0] >= packets
    told = listed(gateway, "counter", "seen").split()
    assert (int(told[told.index("packets") + 1]), int(told[told.index("bytes") + 1])) == again


def test_chains_are_those_of_our_table_and_some_are_hooked(nft: Nft) -> None:
    assert nft.chains() == {"via_1": False, "via_2": False, "out": True}


def test_sets_are_those_of_our_table_with_their_flags(nft: Nft) -> None:
    maps = dict.fromkeys(("route_of", "lane_office", "arrive", "mark_of"), MAP_SET)
    assert nft.sets() == {**maps, "inside": 0, "empty": 0, "fresh": 0x10}, "none that belongs to a rule"


def test_a_table_that_is_not_there_is_said_so(nft: Nft, gateway: Namespace) -> None:
    assert nft.table_exists()
    gateway.run("nft", "delete", "table", "inet", "secondpath")
    assert not nft.table_exists()
    assert nft.chains() == {}
    assert nft.counters() == {}
    for read in (partial(nft.elements, "route_of"), nft.sets):
        with pytest.raises(NetlinkError) as refused:
            read()
        assert refused.value.errno == errno.ENOENT


def test_a_packet_obeys_the_map_as_soon_as_the_transaction_returns(nft: Nft, gateway: Namespace) -> None:
    gateway.run(
        "nft",
        "-f",
        "-",
        given="""table inet secondpath {
          map port_of { type inet_service : verdict; }
          counter hit { }
          chain count_it { counter name hit drop
          }
          chain flip { type filter hook output priority 1; udp dport vmap @port_of
          }
        }""",
    )
    port = struct.pack(">H", 4999)
    with gateway.inside():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for turn in range(200):
            nft.transaction([AddElement("port_of", port, Goto("count_it"))])
            with pytest.raises(PermissionError):
                sender.sendto(b"x", ("127.0.0.1", 4999))
            nft.transaction([DelElement("port_of", port)])
            sender.sendto(b"x", ("127.0.0.1", 4999))
            assert nft.counters()["hit"][0] == turn + 1


def test_a_set_that_changes_while_it_is_read_is_never_read_half(nft: Nft, gateway: Namespace) -> None:
    before, after = ([mark_bytes(key) for key in range(start, start + 2000)] for start in (10, 5010))
    nft.transaction([AddElement("empty", key) for key in before])
    with gateway.inside(), Nft("secondpath") as reader, Interrupted(NETLINK_NETFILTER) as interrupted:
        reader._socket.close()
        reader._socket = interrupted
        interrupted.change = lambda: nft.transaction(
            [*(DelElement("empty", key) for key in before), *(AddElement("empty", key) for key in after)]
        )
        assert set(reader.elements("empty")) == set(after)
        assert interrupted.change is None
