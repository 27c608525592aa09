"""The daemon is nobody with two capabilities; all of netlink must work for it, and fail cleanly without them."""

import ctypes
import os
import struct
import traceback
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from socket import AF_INET

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces

from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.diag import destroy_sockets
from secondpath.netlink.entries import UNREACHABLE, RouteEntry, RuleEntry
from secondpath.netlink.monitor import Monitor
from secondpath.netlink.nftables import AddElement, Nft, mark_bytes
from secondpath.netlink.route import Route

pytestmark = pytest.mark.netns

NET_ADMIN, NET_RAW = 12, 13
NOBODY = 65534
_LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("cap") as (namespace,):
        namespace.run("nft", "add table inet secondpath; add set inet secondpath seen { type mark; }")
        yield namespace


def as_nobody(capabilities: tuple[int, ...], gateway: Namespace, task: Callable[[], None]) -> str:
    """Run a task in a child without root's powers; its traceback, or "" when all went well."""
    reading, writing = os.pipe()
    with gateway.inside():
        child = os.fork()
        if child == 0:
            try:
                _drop_to(capabilities)
                task()
            except BaseException:  # noqa: BLE001  # a child reports all to its parent
                os.write(writing, traceback.format_exc().encode()[-60_000:])
            finally:
                os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def _drop_to(capabilities: tuple[int, ...]) -> None:
    bits = sum(1 << each for each in capabilities)
    _LIBC.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    header = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    if _LIBC.capset(header, struct.pack("=6I", bits, bits, 0, 0, 0, 0)):
        raise OSError(ctypes.get_errno(), "capset")


def use_everything() -> None:
    with Nft("secondpath") as nft, Conntrack() as conntrack, Route() as route, Monitor() as monitor:
        nft.transaction([AddElement("seen", mark_bytes(1))])
        assert nft.elements("seen") == {mark_bytes(1): None}
        assert nft.counters() == {}
        conntrack.flush(1, 0xFF)
        conntrack.flush(1, 0xFF, unreplied_only=True)
        assert conntrack.count(1, 0xFF) == 0
        entry = RouteEntry(AF_INET, 1001, None, kind=UNREACHABLE, priority=9, protocol=201)
        route.replace_route(entry)
        assert route.routes(1001) == [entry]
        assert monitor.read()
        route.delete_route(entry)
        rule = RuleEntry(AF_INET, 100, table=1001, protocol=201)
        route.add_rule(rule)
        route.delete_rule(rule)
        assert destroy_sockets(IPv4Address("192.0.2.77")) == 0


def test_nobody_with_two_capabilities_can_do_everything(gateway: Namespace) -> None:
    assert as_nobody((NET_ADMIN, NET_RAW), gateway, use_everything) == ""


def read_only() -> None:
    with Route() as route, Monitor() as monitor:
        assert route.links()
        assert route.rules()
        route.addresses()
        route.routes()
        monitor.read()


def test_nobody_at_all_can_read_links_and_routes(gateway: Namespace) -> None:
    assert as_nobody((), gateway, read_only) == ""


def change_a_set() -> None:
    with Nft("secondpath") as nft:
        nft.transaction([AddElement("seen", mark_bytes(2)), AddElement("seen", mark_bytes(3))])


def change_a_route() -> None:
    with Route() as route:
        route.replace_route(RouteEntry(AF_INET, 1001, None, kind=UNREACHABLE))


@pytest.mark.parametrize("change", [change_a_set, change_a_route, Conntrack])
def test_a_change_without_the_capability_is_refused_at_once(gateway: Namespace, change: Callable[[], None]) -> None:
    said = as_nobody((), gateway, change)
    assert "NetlinkError: [Errno 1]" in said
    assert "Operation not permitted" in said
