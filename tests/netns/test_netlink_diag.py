"""Local TCP connections on a dead address end at once; all others live."""

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from tests.netns.netlink_namespace import Namespace, namespaces
from tests.patience import PATIENCE_S

from secondpath.netlink.diag import destroy_sockets

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def gateway() -> Iterator[Namespace]:
    with namespaces("diag") as (namespace,):
        for address in ("192.0.2.2/32", "192.0.2.3/32", "2001:db8::2/128", "2001:db8::3/128"):
            namespace.run("ip", "address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
        yield namespace


def connection(gateway: Namespace, source: str, server: str, port: int) -> tuple[socket.socket, socket.socket]:
    with gateway.inside():
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        listener = socket.create_server((server, port), family=family)
        client = socket.create_connection((server, port), timeout=PATIENCE_S, source_address=(source, 0))
    return client, listener


@pytest.mark.parametrize(
    ("dead", "alive", "server"),
    [("192.0.2.2", "192.0.2.3", "127.0.0.1"), ("2001:db8::2", "2001:db8::3", "::1")],
)
def test_connections_from_the_dead_address_end_and_others_live(
    gateway: Namespace, dead: str, alive: str, server: str
) -> None:
    ending, first = connection(gateway, dead, server, 7101)
    living, second = connection(gateway, alive, server, 7102)
    with ending, first, living, second:
        with gateway.inside():
            assert destroy_sockets(ip_address(dead)) == 1
            assert destroy_sockets(ip_address(dead)) == 0
        with pytest.raises(ConnectionAbortedError) as ended:
            ending.recv(1)
        assert ended.value.errno == errno.ECONNABORTED
        living.sendall(b"still here")
        assert second.accept()[0].recv(100) == b"still here"


def test_an_ipv6_socket_that_speaks_ipv4_is_found(gateway: Namespace) -> None:
    with gateway.inside():
        listener = socket.create_server(("127.0.0.1", 7103))
        client = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        client.settimeout(PATIENCE_S)
        client.bind(("::ffff:192.0.2.2", 0))
        client.connect(("::ffff:127.0.0.1", 7103))
        with listener, client:
            assert destroy_sockets(IPv4Address("192.0.2.2")) == 1
            with pytest.raises(ConnectionAbortedError):
                client.recv(1)


def test_listening_sockets_stay(gateway: Namespace) -> None:
    with gateway.inside():
        first = socket.create_server(("192.0.2.2", 7104))
        second = socket.create_server(("2001:db8::2", 7104), family=socket.AF_INET6)
        with first, second:
            assert destroy_sockets(IPv4Address("192.0.2.2")) == 0
            assert destroy_sockets(IPv6Address("2001:db8::2")) == 0
            with socket.create_connection(("192.0.2.2", 7104), timeout=PATIENCE_S):
                pass
