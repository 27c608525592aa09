"""The real kernel behind the two calls of a kernel: `read` what it holds of ours, `apply` changes to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, ip_interface
from pathlib import Path

from secondpath.act.kernel import nft, queues, routes, sysctls
from secondpath.act.kernel.flows import Flows
from secondpath.act.kernel.tampering import Tampering
from secondpath.act.plane import (
    TABLE,
    Change,
    DataPlane,
    DropRoute,
    DropRule,
    Elements,
    Flip,
    LoadRuleset,
    PutRoute,
    PutRule,
    Set,
)
from secondpath.act.tree import Abilities, QueueChange
from secondpath.netlink.diag import destroy_sockets
from secondpath.netlink.nftables import Nft
from secondpath.netlink.route import Route as RouteSocket
from secondpath.netlink.wire import NetlinkError

log = logging.getLogger(__name__)


class Box:
    """The kernel of this box (its network namespace). `run_dir` remembers what the sysctls were."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.flows = Flows()
        self._nft = Nft(TABLE)
        self._routes = RouteSocket()
        self._elements: Elements = {}
        self._abilities: Abilities | None = None
        self._unqueued = ""
        self.tampering = Tampering(self._nft.port)

    def close(self) -> None:
        """Give the sockets back; the kernel keeps all it holds."""
        self.flows.close()
        self._nft.close()
        self.tampering.close()
        self._routes.close()

    def read(self) -> DataPlane:
        """What the kernel holds of ours."""
        ruleset, elements = nft.read_table(self._nft)
        self._elements = elements
        return DataPlane(
            ruleset,
            elements,
            routes.read_rules(self._routes),
            routes.read_routes(self._routes),
            sysctls.read_settings(),
            queues.read_queues(self._routes.links()),
        )

    def abilities(self) -> Abilities:
        """What this kernel has for shaping: tried once, when first somebody asks."""
        if self._abilities is None:
            self._abilities = queues.try_abilities()
        return self._abilities

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes, in their order. Raises RulesetError or NetlinkError where the kernel says no."""
        for change in changes:
            match change:
                case Flip(elements):
                    nft.flip(self._nft, elements, self._elements)
                    merged = {**self._elements, **elements}
                    self._elements = {place: value for place, value in merged.items() if value is not None}
                case LoadRuleset():
                    nft.load(self._nft, change)
                    self._elements = dict(change.elements)
                case PutRoute(route):
                    routes.put_route(self._routes, route)
                case DropRoute(route):
                    routes.drop_route(self._routes, route)
                case PutRule(rule):
                    routes.put_rule(self._routes, rule)
                case DropRule(rule):
                    routes.drop_rule(self._routes, rule)
                case Set(path, value):
                    sysctls.write_setting(path, value, self.run_dir)
                case _:
                    self._queue(change)

    def _queue(self, change: QueueChange) -> None:
        """Without it people's traffic is carried, too: what is refused is told, and tried again another time."""
        said = queues.change_queues(change, self.run_dir)
        if said and said != self._unqueued:
            log.warning("not shaped: %s", said, extra={"event": "shaping"})
        self._unqueued = said or self._unqueued

    def counters(self) -> dict[str, tuple[int, int]]:
        """Our named counters: packets and bytes."""
        return self._nft.counters()

    def inside_prefixes(self, interfaces: frozenset[str]) -> tuple[str, ...]:
        """The IPv6 prefixes (not link-local) on the office's own interfaces."""
        indexes = {link.index for link in self._routes.links() if link.name in interfaces}
        found = set()
        for address in self._routes.addresses():
            placed = ip_interface(f"{address.address}/{address.prefixlen}")
            if address.index in indexes and isinstance(placed, IPv6Interface) and not placed.is_link_local:
                found.add(str(placed.network))
        return tuple(sorted(found))

    def network_of(self, source: str, interfaces: frozenset[str]) -> str | None:
        """The one of these interfaces on whose network an address lies: the smallest such network's."""
        names = {link.index: link.name for link in self._routes.links() if link.name in interfaces}
        address = ip_interface(source).ip
        around = [
            (placed.network.prefixlen, names[each.index])
            for each in self._routes.addresses()
            if each.index in names and address in (placed := ip_interface(f"{each.address}/{each.prefixlen}")).network
        ]
        return max(around)[1] if around else None

    def end_own_connections(self, addresses: Iterable[str]) -> int:
        """Abort the gateway's own TCP connections from these addresses; how many there were."""
        ended = 0
        for text in addresses:
            address: IPv4Address | IPv6Address = ip_interface(text).ip
            try:
                ended += destroy_sockets(address)
            except NetlinkError:
                continue  # a kernel built without INET_DIAG_DESTROY
        return ended
