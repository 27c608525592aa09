"""Counters followed over many looks, whatever happens to their table meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces

from secondpath.model import Family, Line, TrafficSample
from secondpath.netlink.counting import Counting
from secondpath.sense.traffic import Traffic

pytestmark = pytest.mark.netns
PACKETS = """table inet {name} {{
  counter out {{ }}
  counter in {{ }}
  chain leaving {{ type filter hook output priority 0; ip daddr 127.0.0.9 counter name out
  }}
  chain entering {{ type filter hook input priority 0; ip daddr 127.0.0.9 counter name in
  }}
}}
"""
LINE = Line("cable", Family.IPV4)


@pytest.fixture
def gateway() -> Iterator[Namespace]:
    with namespaces("counting") as (namespace,):
        namespace.run("nft", "-f", "-", given=PACKETS.format(name="secondpath"))
        yield namespace


@pytest.fixture
def counting(gateway: Namespace) -> Iterator[Counting]:
    with gateway.inside():
        opened = Counting("secondpath")
    yield opened
    opened.close()


def send(gateway: Namespace, packets: int) -> None:
    """That many packets, each counted once on its way out and once on its way in."""
    sender = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
    sender += f"[s.sendto(b'?', ('127.0.0.9', 9)) for _ in range({packets})]"
    gateway.run("python3", "-c", sender)


def test_what_moved_is_told_once(gateway: Namespace, counting: Counting) -> None:
    assert counting.moved() == {}
    send(gateway, 3)
    assert counting.moved() == {"out": 3, "in": 3}
    assert counting.moved() == {}
    send(gateway, 2)
    assert counting.moved() == {"out": 2, "in": 2}


def test_a_table_that_is_replaced_never_counts_less_than_nothing(gateway: Namespace, counting: Counting) -> None:
    for before, after, told in ((5, 2, 2), (0, 5, 3)):
        send(gateway, before)
        counting.moved()
        gateway.run("nft", "-f", "-", given="delete table inet secondpath\n" + PACKETS.format(name="secondpath"))
        send(gateway, after)
        assert counting.moved() == {"out": told, "in": told}


def test_a_table_that_is_gone_is_nothing_and_comes_back(gateway: Namespace, counting: Counting) -> None:
    send(gateway, 1)
    counting.moved()
    gateway.run("nft", "flush", "ruleset")
    assert counting.moved() == {}
    assert counting.moved() == {}
    gateway.run("nft", "-f", "-", given=PACKETS.format(name="secondpath"))
    send(gateway, 4)
    assert counting.moved() == {"out": 4, "in": 4}


def test_counters_of_others_are_not_ours(gateway: Namespace, counting: Counting) -> None:
    gateway.run("nft", "-f", "-", given=PACKETS.format(name="other") + "table ip secondpath { counter out { }\n}\n")
    counting.moved()
    send(gateway, 1)
    assert counting.moved() == {"out": 1, "in": 1}


def test_more_counters_than_one_datagram_holds(gateway: Namespace, counting: Counting) -> None:
    many = "".join(f"  counter c{number:03d} {{ packets {number} bytes 0\n  }}\n" for number in range(500))
    gateway.run("nft", "-f", "-", given=f"table inet secondpath {{\n{many}}}\n")
    assert counting.moved() == {f"c{number:03d}": number for number in range(1, 500)}
    assert counting.moved() == {}
    send(gateway, 1)
    assert counting.moved() == {"out": 1, "in": 1}


def test_the_sense_tells_what_moves_and_ends_when_it_is_closed(gateway: Namespace) -> None:
    heard: list[TrafficSample] = []

    async def follow() -> None:
        told = asyncio.Event()

        seen = asyncio.Event()

        def hear(sample: TrafficSample) -> None:
            heard.append(sample)
            told.set()

        with gateway.inside():
            traffic = Traffic(hear, "secondpath")
        traffic.watch({"out": (LINE, "out"), "in": (LINE, "in")})
        send(gateway, 7)
        traffic.start()  # what was before is not told
        send(gateway, 2)
        async with asyncio.timeout(5):
            await told.wait()
        traffic.close()
        with gateway.inside():
            witness = Traffic(lambda _: seen.set(), "secondpath")  # by the time it tells, the other one would have
        witness.watch({"out": (LINE, "out")})
        witness.start()
        send(gateway, 2)
        async with asyncio.timeout(5):
            await seen.wait()
        witness.close()

    asyncio.run(follow())
    assert heard == [TrafficSample(LINE, out=2, in_=2, out_bytes=58, in_bytes=58)]
