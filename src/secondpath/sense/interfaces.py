"""The interfaces of the uplinks, followed by netlink: a cut cable is told in milliseconds, without a probe.

The kernel's events carry links and addresses whole, so a lost carrier is delivered before anything else is read. Routes
are read again instead: IPv4 routes vanish without an event when their interface or their address goes.
Nothing is held back or smoothed here; whether a change deserves trust is for judge to say.

A trap, measured: the kernel tells of lost carriers at most once a second (net/core/link_watch.c), counted over the
interfaces of all network namespaces. A cable that is cut within a second of another is told up to a second late,
although who asks is answered right at once. So the drivers are asked all the time at a slow step, and at a quick one
after every link event: one power cut may take the modems of two lines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from secondpath import clock
from secondpath.model import InsideChange, InterfaceChange, Network, Uplink
from secondpath.netlink.driver import Driver
from secondpath.netlink.entries import RouteEntry
from secondpath.netlink.links import Address, Link
from secondpath.netlink.monitor import (
    ADDRESSES,
    LINKS,
    ROUTES,
    AddressEvent,
    Event,
    LinkEvent,
    Monitor,
    Overrun,
    RouteEvent,
)
from secondpath.netlink.route import Route
from secondpath.netlink.wire import NetlinkError
from secondpath.sense.gateways import choose_gateways, is_foreign_default, needs_no_gateway
from secondpath.sense.leases import read_leases, routers_for
from secondpath.sense.usable import has_carrier, usable_addresses

_LOG = logging.getLogger(__name__)
_AGAIN_S = 2.0
"""How often a missing gateway is looked for (lease files send no event), and a failed reading is repeated."""
_STEP_S = 0.2
"""How often carriers are asked for. A step of two lines takes 0.2 ms of CPU, most of it for waking up."""
_WARY_STEP_S = 0.02
_WARY_S = 1.1
"""How often, and how long, they are asked for after a link event."""


class Interfaces:
    """Delivers an `InterfaceChange` for an uplink, an `InsideChange` for a network, when and only when it changed.

    `own_tables` are the routing tables that act fills; `root` is where lease files are found, other than / in tests.
    """

    def __init__(
        self,
        deliver: Callable[[InterfaceChange], None],
        uplinks: tuple[Uplink, ...],
        own_tables: frozenset[int],
        root: Path = Path("/"),
        deliver_inside: Callable[[InsideChange], None] = lambda _: None,
        networks: tuple[Network, ...] = (),
    ) -> None:
        self._deliver = deliver
        self._deliver_inside = deliver_inside
        self._uplinks = uplinks
        self._networks = networks
        self._connected: dict[str, bool] = {}
        self._own_tables = own_tables
        self._root = root
        self._links: dict[int, Link] = {}
        self._addresses: dict[tuple[int, str, int], Address] = {}
        self._defaults: list[RouteEntry] = []
        self._told: dict[str, InterfaceChange] = {}
        self._monitor: Monitor | None = None
        self._route: Route | None = None
        self._again: asyncio.TimerHandle | None = None
        self._driver: Driver | None = None
        self._step: asyncio.TimerHandle | None = None
        self._wary_until = 0.0
        self._failing = False

    def start(self) -> None:
        """Deliver the state of every uplink before this returns, then follow. NetlinkError without netlink."""
        self._monitor = Monitor(LINKS | ADDRESSES | ROUTES)  # first, so that no change falls between the two
        self._route = Route()
        self._driver = Driver()
        self._read_all(self._route)
        self._tell()
        self._be_wary()
        asyncio.get_running_loop().add_reader(self._monitor.fileno(), self._follow, self._monitor)

    def watch(self, uplinks: tuple[Uplink, ...], networks: tuple[Network, ...] = ()) -> None:
        """Follow these uplinks and networks from now on. Only what is new or differs is delivered."""
        self._uplinks, self._networks = uplinks, networks
        self._connected = {n.name: self._connected[n.name] for n in networks if n.name in self._connected}
        names = {uplink.name for uplink in uplinks}
        self._told = {name: change for name, change in self._told.items() if name in names}
        self._tell()

    def close(self) -> None:
        """Stop following. A second time does nothing."""
        for timer in (self._again, self._step):
            if timer is not None:
                timer.cancel()
        if self._monitor is not None:
            asyncio.get_running_loop().remove_reader(self._monitor.fileno())
            self._monitor.close()
            self._monitor = None
        if self._route is not None:
            self._route.close()
            self._route = None
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _follow(self, monitor: Monitor) -> None:
        """Take in all events that wait; tell links and addresses first, then what reading the routes adds."""
        try:
            events = monitor.read()
        except NetlinkError:  # an unreadable event is a lost one
            events = [Overrun()]
        if any(isinstance(event, Overrun) for event in events):
            self._reread(self._read_all)
            return
        if any(isinstance(event, LinkEvent) for event in events):
            self._be_wary()
        touched = [event for event in events if self._take(event)]
        if touched:
            self._tell()
            self._reread(self._read_defaults)

    def _take(self, event: Event) -> bool:
        """Put one event into what is known; whether it can concern an uplink."""
        match event:
            case LinkEvent(link, deleted):
                before = self._is_watched(link.index)
                self._links.pop(link.index, None)
                if not deleted:
                    self._links[link.index] = link
                return before or self._is_watched(link.index)
            case AddressEvent(address, deleted):
                self._addresses.pop(_key(address), None)
                if not deleted:
                    self._addresses[_key(address)] = address
                return self._is_watched(address.index)
            case RouteEvent(route, _):
                return is_foreign_default(route, self._own_tables)
        return False

    def _is_watched(self, index: int) -> bool:
        inside = {network.interface for network in self._networks}
        at = self._links.get(index)
        return (at is not None and at.name in inside) or any(link.index == index for link in self._watched())

    def _watched(self) -> list[Link]:
        """The interfaces of the uplinks, and those on which they stand."""
        names = {uplink.interface for uplink in self._uplinks}
        return [part for link in self._links.values() if link.name in names for part in self._stack(link)]

    def _stack(self, link: Link) -> list[Link]:
        """An interface, that on which it stands, and so on down; the two ends of a veth stand on each other."""
        stack = [link]
        while (below := self._links.get(stack[-1].lower or 0)) is not None and below not in stack:
            stack.append(below)
        return stack

    def _reread(self, read: Callable[[Route], None]) -> None:
        """Read from the kernel and tell; when that fails, what is known stays, and next time all is read, soon."""
        if self._route is None:
            return
        try:
            (self._read_all if self._failing else read)(self._route)
        except NetlinkError as error:
            if not self._failing:
                _LOG.warning("interfaces cannot be read: %s", error)
            self._failing = True
            self._look_again()
            return
        if self._failing:
            _LOG.info("interfaces can be read again")
        self._failing = False
        self._tell()

    def _read_all(self, route: Route) -> None:
        links, addresses, routes = route.links(), route.addresses(), route.routes()
        self._links = {link.index: link for link in links}
        self._addresses = {_key(address): address for address in addresses}
        self._keep_defaults(routes)

    def _read_links(self, route: Route) -> None:
        self._links = {link.index: link for link in route.links()}

    def _read_defaults(self, route: Route) -> None:
        self._keep_defaults(route.routes())

    def _keep_defaults(self, routes: Sequence[RouteEntry]) -> None:
        self._defaults = [route for route in routes if is_foreign_default(route, self._own_tables)]

    def _tell(self) -> None:
        """Deliver the uplinks whose state is another than was told last."""
        states = [self._state(uplink) for uplink in self._uplinks]
        for state in states:
            if self._told.get(state.uplink) != state:
                self._told[state.uplink] = state
                self._deliver(state)
        if any(_may_find_gateway(state) for state in states):
            self._look_again()
        self._tell_inside()

    def _tell_inside(self) -> None:
        """Deliver the networks where something is connected that was not, or the other way round."""
        links = {link.name: link for link in self._links.values()}
        for network in self._networks:
            link = links.get(network.interface)
            connected = link is not None and link.up and all(has_carrier(part) for part in self._stack(link))
            if self._connected.get(network.name) is not connected:
                self._connected[network.name] = connected
                self._deliver_inside(InsideChange(network.name, connected))

    def _state(self, uplink: Uplink) -> InterfaceChange:
        link = next((link for link in self._links.values() if link.name == uplink.interface), None)
        if link is None:
            return InterfaceChange(uplink.name, present=False, admin_up=False, carrier=False)
        addresses = [address for address in self._addresses.values() if address.index == link.index]
        point_to_point = needs_no_gateway(link, addresses, self._defaults)
        gateways = choose_gateways(uplink.gateways, self._defaults, link.index, ())
        if not point_to_point and not any(hop.version == 4 for hop in gateways):
            held = [address.address for address in addresses if isinstance(address.address, IPv4Address)]
            leased = routers_for(read_leases(self._root, link.name, link.index), held) if held else ()
            gateways = choose_gateways(uplink.gateways, self._defaults, link.index, leased)
        return InterfaceChange(
            uplink=uplink.name,
            present=True,
            admin_up=link.up,
            carrier=all(has_carrier(part) for part in self._stack(link)),
            addresses=usable_addresses(addresses, point_to_point=point_to_point),
            gateways=gateways,
            point_to_point=point_to_point,
            mtu=link.mtu,
        )

    def _be_wary(self) -> None:
        now = clock.now()
        if now >= self._wary_until:  # else the next step is near, and events must not put it off for ever
            self._step_after(_WARY_STEP_S)
        self._wary_until = now + _WARY_S

    def _step_after(self, delay_s: float) -> None:
        if self._step is not None:
            self._step.cancel()
        self._step = asyncio.get_running_loop().call_later(delay_s, self._on_step)

    def _on_step(self) -> None:
        """Ask for the carriers; where one is not what is known, take in what waits and read all links."""
        if self._monitor is None or self._route is None or self._driver is None:
            return
        self._step_after(_WARY_STEP_S if clock.now() < self._wary_until else _STEP_S)
        if any(_has_changed(link, self._driver, self._route) for link in self._watched()):
            self._follow(self._monitor)  # first: events that wait are older than what is read now
            self._reread(self._read_links)

    def _look_again(self) -> None:
        if self._again is None and self._monitor is not None:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._on_again)

    def _on_again(self) -> None:
        self._again = None
        if self._failing:
            self._reread(self._read_all)
        else:
            self._tell()


def _may_find_gateway(state: InterfaceChange) -> bool:
    """Whether an IPv4 gateway is missing that a lease file may still name."""
    has_address = any("." in address for address in state.addresses)
    return has_address and not state.point_to_point and not any(hop.version == 4 for hop in state.gateways)


def _has_changed(link: Link, driver: Driver, route: Route) -> bool:
    """Whether an interface is another than is known: by its driver's word, and where that is none or new, by netlink's.

    Some drivers ask the cable itself and know before the kernel, so their word alone changes nothing.
    """
    if driver.has_carrier(link.name) is link.carrier:
        return False
    try:
        return route.link(link.index) != link
    except NetlinkError:
        return True  # to be read with all the rest, where errors are told


def _key(address: Address) -> tuple[int, str, int]:
    return address.index, str(address.address), address.prefixlen
