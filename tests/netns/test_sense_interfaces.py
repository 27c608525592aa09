"""The uplinks' interfaces, followed through the kernel's own events."""

import asyncio
import struct
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.netns.netlink_namespace import Namespace
from tests.unit.sense.world import World, world

from secondpath import clock
from secondpath.model import Family, InterfaceChange, Uplink
from secondpath.netlink.driver import Driver
from secondpath.netlink.monitor import LINKS, LinkEvent, Monitor
from secondpath.netlink.route import Route
from secondpath.netlink.wire import NETLINK_ROUTE, Socket
from secondpath.sense.interfaces import Interfaces

pytestmark = pytest.mark.netns

CABLE, LTE = Uplink("cable", "wan0"), Uplink("lte", "wan1")
OWN_TABLES = frozenset({1001, 1002})
CARRIER_BUDGET_S = 0.05
CUT, TWIN, FLAP = "wan5", "wan6", "flap"
ROUNDS = 5


@pytest.fixture
def office() -> Iterator[World]:
    with world() as built:
        plug_in(built)
        yield built


def plug_in(office: World, mtu: int = 1500) -> None:
    """wan2, whose other end is up; wan2 itself is not."""
    office.gateway.run("ip", "link", "add", "wan2", "mtu", str(mtu), "type", "veth", "peer", "far2")
    office.gateway.run("ip", "link", "set", "far2", "up")


class Watch:
    """What was delivered, and waiting for what will be."""

    def __init__(self, root: Path, *uplinks: Uplink) -> None:
        self.seen: list[InterfaceChange] = []
        self.news = asyncio.Event()
        self.interfaces = Interfaces(self.deliver, uplinks, OWN_TABLES, root)

    def deliver(self, change: InterfaceChange) -> None:
        self.seen.append(change)
        self.news.set()

    def state(self, uplink: str) -> InterfaceChange:
        return next(change for change in reversed(self.seen) if change.uplink == uplink)

    async def until(self, uplink: str, holds: Callable[[InterfaceChange], bool]) -> InterfaceChange:
        async with asyncio.timeout(5):
            while not holds(self.state(uplink)):
                self.news.clear()
                await self.news.wait()
        return self.state(uplink)

    async def until_carrier(self, uplink: str, *, carrier: bool) -> InterfaceChange:
        return await self.until(uplink, lambda change: change.carrier is carrier)


Story = Callable[[Watch], Coroutine[None, None, None]]


def follow(office: World, root: Path, *uplinks: Uplink) -> Callable[[Story], None]:
    """Play a story with a started watch."""

    def play(story: Story) -> None:
        async def run() -> None:
            watch = Watch(root, *uplinks)
            watch.interfaces.start()
            try:
                await story(watch)
            finally:
                watch.interfaces.close()

        office.play(run)

    return play


def settle(office: World) -> None:
    """Wait until the kernel's own link-local addresses are no longer tentative, so that they change nothing later."""
    while "tentative" in office.gateway.run("ip", "-6", "addr"):
        pass


def set_link(namespace_socket: Socket, index: int, *, up: bool) -> None:
    """RTM_NEWLINK with IFF_UP set or not: as `ip link set up|down`, without the time of starting a program."""
    namespace_socket.request(16, 0, struct.pack("=BxHiII", 0, 0, index, int(up), 1), "set a link")


def test_start_tells_the_whole_state_of_every_uplink_before_it_returns(office: World, tmp_path: Path) -> None:
    settle(office)

    async def story(watch: Watch) -> None:
        assert watch.state("cable") == InterfaceChange(
            "cable",
            present=True,
            admin_up=True,
            carrier=True,
            addresses=("10.0.0.2/24", "fd00::2/64"),
            gateways=(ip_address("10.0.0.1"), ip_address("fd00::1")),
            mtu=1500,
        )
        assert not watch.state("modem").present
        assert watch.state("lte").gateways == (), "its default routes are in tables of our own"

    follow(office, tmp_path, CABLE, LTE, Uplink("modem", "wwan9"))(story)


def test_a_cut_cable_is_told_within_milliseconds_even_when_links_flap(office: World, tmp_path: Path) -> None:
    """Ten events in a row, far more than the one in a second that the kernel tells of by itself."""
    provider = office.providers[0]
    with provider.inside():
        hand = Socket(NETLINK_ROUTE)
        with Route() as route:
            index = next(link.index for link in route.links() if link.name == "line")
    took: dict[bool, list[float]] = {True: [], False: []}

    async def story(watch: Watch) -> None:
        for up in [False, True] * 5:
            start = clock.now()
            set_link(hand, index, up=up)
            await watch.until_carrier("cable", carrier=up)
            took[up].append(clock.now() - start)
        assert watch.state("cable").admin_up

    with hand:
        follow(office, tmp_path, CABLE)(story)
    assert sorted(took[False])[2] < CARRIER_BUDGET_S, f"cut: {took[False]}"
    assert sorted(took[True])[2] < CARRIER_BUDGET_S, f"mended: {took[True]}"


class Crowd:
    """A kernel that has just told of a lost carrier, and so tells of the next one up to a second late.

    Two cables like a real card's, which is its own link (veth is only where both ends have one number, and otherwise
    spared from waiting): CUT, and TWIN, which nobody asks for. FLAP is a third, of the gateway or of others.
    """

    def __init__(self, office: World, flapping: Sequence[Namespace]) -> None:
        gateway, provider = office.gateway, office.providers[0]
        self.numbers = {CUT: 105, TWIN: 106, FLAP: 107}
        self._near: dict[str, Monitor] = {}
        self._far: dict[str, Socket] = {}
        for name, (near, far) in {CUT: (gateway, provider), TWIN: (gateway, provider), FLAP: tuple(flapping)}.items():
            self.plug(name, near, far)
            with far.inside():
                self._far[name] = Socket(NETLINK_ROUTE)
            with near.inside():
                self._near[name] = Monitor(LINKS)

    def plug(self, name: str, near: Namespace, far: Namespace) -> None:
        number = str(self.numbers[name])
        ends = [name, "index", number, "type", "veth", "peer", "name", name, "index", number, "netns", far.name]
        near.run("ip", "link", "add", *ends)
        for end in (near, far):
            end.run("ip", "link", "set", name, "up")

    def set(self, name: str, *, up: bool) -> None:
        set_link(self._far[name], self.numbers[name], up=up)

    def tells(self, name: str, *, carrier: bool) -> bool:
        """Whether the kernel has told of it, by itself, since the last time this was asked."""
        events = self._near[name].read()
        return any(isinstance(e, LinkEvent) and e.link.name == name and e.link.carrier is carrier for e in events)

    async def until_told(self, name: str, *, carrier: bool) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._near[name].fileno(), news.set)
        try:
            async with asyncio.timeout(5):
                while not self.tells(name, carrier=carrier):
                    await news.wait()
                    news.clear()
        finally:
            loop.remove_reader(self._near[name].fileno())

    async def flap(self, times: int) -> None:
        """Each time takes the kernel's second. When this returns, the next one has just begun."""
        for _ in range(times):
            for carrier in (False, True):
                self.set(FLAP, up=carrier)
                await self.until_told(FLAP, carrier=carrier)

    async def is_outrun(self, watch: Watch) -> bool:
        """Both cables are cut, the twin first: whether the watch tells of the one before the kernel of the other."""
        for name in (CUT, TWIN):
            self.set(name, up=True)
        await watch.until_carrier("dsl", carrier=True)
        await self.flap(3)  # so the watch has heard of nothing for longer than a second, if it does not hear of these
        self.tells(TWIN, carrier=False)
        for name in (TWIN, CUT):
            self.set(name, up=False)
        await watch.until_carrier("dsl", carrier=False)
        return not self.tells(TWIN, carrier=False)

    async def is_outrun_once(self, watch: Watch) -> None:
        """By waiting for the kernel it is never outrun; a busy machine may make the watch late now and then."""
        for _ in range(ROUNDS):
            if await self.is_outrun(watch):
                return
        pytest.fail("the kernel was always first")

    def close(self) -> None:
        for name in self.numbers:
            self._near[name].close()
            self._far[name].close()


@pytest.mark.parametrize("where", ["here", "in other namespaces"])
@pytest.mark.parametrize("driver", ["answers", "says nothing"])
def test_a_cable_cut_in_the_second_after_another_is_told_before_the_kernel_would(
    office: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, driver: str
) -> None:
    if driver == "says nothing":
        monkeypatch.setattr(Driver, "has_carrier", lambda _self, _interface: None)
    flapping = [office.gateway, office.providers[0]] if where == "here" else office.providers
    with closing(Crowd(office, flapping)) as crowd:
        follow(office, tmp_path, Uplink("dsl", CUT))(crowd.is_outrun_once)


def test_an_interface_made_anew_under_its_name_is_asked_as_the_old_one_was(office: World, tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        office.gateway.run("ip", "link", "del", CUT)
        await watch.until("dsl", lambda change: not change.present)
        crowd.numbers[CUT] = 115
        crowd.plug(CUT, office.gateway, office.providers[0])
        await crowd.is_outrun_once(watch)

    with closing(Crowd(office, office.providers)) as crowd:
        follow(office, tmp_path, Uplink("dsl", CUT))(story)


def test_an_interface_that_stands_on_another_loses_its_carrier_with_it(office: World, tmp_path: Path) -> None:
    """As a VLAN on a card does: the kernel tells it of the loss only when it tells everybody."""
    with closing(Crowd(office, office.providers)) as crowd:
        office.gateway.run("ip", "link", "add", "upper", "link", CUT, "type", "macvlan")
        office.gateway.run("ip", "link", "set", "upper", "up")
        follow(office, tmp_path, Uplink("dsl", "upper"))(crowd.is_outrun_once)


def test_a_driver_that_contradicts_the_kernel_changes_nothing(
    office: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some ask the cable itself, and it may be of another opinion for a while, or for ever."""
    settle(office)
    asked: asyncio.Queue[str] = asyncio.Queue()

    def contradict(_driver: Driver, interface: str) -> bool:
        asked.put_nowait(interface)
        return False

    monkeypatch.setattr(Driver, "has_carrier", contradict)

    async def story(watch: Watch) -> None:
        watch.seen.clear()
        for _ in range(5):
            assert await asyncio.wait_for(asked.get(), 5) == "wan0"
        assert watch.seen == []

    follow(office, tmp_path, CABLE)(story)


def test_the_driver_says_whether_there_is_a_carrier(office: World) -> None:
    gateway, provider = office.gateway, office.providers[0]
    with gateway.inside():
        driver = Driver()
    with closing(driver):
        assert driver.has_carrier("wan0") is True
        assert driver.has_carrier("wan2") is False, "not up"
        assert driver.has_carrier("wwan9") is None, "no such interface"
        provider.run("ip", "link", "set", "line", "down")
        assert driver.has_carrier("wan0") is False
        provider.run("ip", "link", "set", "line", "up")
        assert driver.has_carrier("wan0") is True
    assert driver.has_carrier("wan0") is None, "closed"


def test_an_interface_set_down_is_told_from_a_cut_cable(office: World, tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        office.gateway.run("ip", "link", "set", "wan0", "down")
        change = await watch.until("cable", lambda change: not change.admin_up and not change.gateways)
        assert change.present
        assert not change.carrier
        office.gateway.run("ip", "link", "set", "wan0", "up")
        office.gateway.run("ip", "route", "add", "default", "via", "10.0.0.1")
        await watch.until("cable", lambda change: change.carrier and bool(change.gateways))

    follow(office, tmp_path, CABLE)(story)


def test_addresses_and_gateways_are_followed(office: World, tmp_path: Path) -> None:
    run = office.gateway.run

    async def story(watch: Watch) -> None:
        run("ip", "addr", "add", "203.0.113.9/29", "dev", "wan0")
        await watch.until("cable", lambda change: "203.0.113.9/29" in change.addresses)
        run("ip", "route", "replace", "default", "via", "10.0.0.77")
        await watch.until("cable", lambda change: change.gateway(Family.IPV4) == ip_address("10.0.0.77"))
        run("ip", "-6", "route", "replace", "default", "via", "fd00::77")
        await watch.until("cable", lambda change: change.gateway(Family.IPV6) == ip_address("fd00::77"))
        run("ip", "addr", "del", "10.0.0.2/24", "dev", "wan0")
        await watch.until("cable", lambda change: "10.0.0.2/24" not in change.addresses)
        run("ip", "route", "del", "default")
        await watch.until("cable", lambda change: change.gateway(Family.IPV4) is None)

    follow(office, tmp_path, CABLE)(story)


def test_an_address_is_not_told_before_it_may_be_used(office: World, tmp_path: Path) -> None:
    office.gateway.run("ip", "link", "set", "wan2", "up")

    async def story(watch: Watch) -> None:
        office.gateway.run("ip", "addr", "add", "fd00:2::2/64", "dev", "wan2")  # duplicate detection takes a second
        office.gateway.run("ip", "addr", "add", "10.2.0.2/24", "dev", "wan2")
        change = await watch.until("dsl", lambda change: bool(change.addresses))
        assert change.addresses == ("10.2.0.2/24",)
        await watch.until("dsl", lambda change: change.addresses == ("10.2.0.2/24", "fd00:2::2/64"))

    follow(office, tmp_path, Uplink("dsl", "wan2"))(story)


def test_a_modem_that_is_pulled_and_put_back_is_followed(office: World, tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        office.gateway.run("ip", "link", "del", "wan2")
        await watch.until("dsl", lambda change: not change.present)
        plug_in(office, mtu=1420)
        office.gateway.run("ip", "link", "set", "wan2", "up")
        change = await watch.until("dsl", lambda change: change.carrier)
        assert change.mtu == 1420

    follow(office, tmp_path, Uplink("dsl", "wan2"))(story)


def test_the_tables_of_other_tools_count_and_ours_do_not(office: World, tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        assert watch.state("lte").gateways == ()
        office.gateway.run("ip", "route", "add", "default", "via", "10.0.1.9", "table", "42")
        await watch.until("lte", lambda change: change.gateways == (ip_address("10.0.1.9"),))
        office.gateway.run("ip", "route", "add", "default", "via", "10.0.1.1", "metric", "900")
        await watch.until("lte", lambda change: change.gateways == (ip_address("10.0.1.1"),))

    follow(office, tmp_path, LTE)(story)


def test_a_lease_names_the_gateway_where_no_route_does_even_if_it_is_written_late(
    office: World, tmp_path: Path
) -> None:
    async def story(watch: Watch) -> None:
        assert watch.state("lte").gateways == ()
        leases = tmp_path / "var/lib/dhcp"
        leases.mkdir(parents=True)
        lease = 'lease {\n  interface "wan1";\n  fixed-address 10.0.1.2;\n  option routers 10.0.1.1;\n}\n'
        (leases / "dhclient.wan1.leases").write_text(lease)
        await watch.until("lte", lambda change: change.gateways == (ip_address("10.0.1.1"),))

    follow(office, tmp_path, LTE)(story)


def test_a_tunnel_without_addresses_of_its_link_needs_no_gateway(office: World, tmp_path: Path) -> None:
    office.gateway.run("ip", "tuntap", "add", "ppp0", "mode", "tun")
    office.gateway.run("ip", "addr", "add", "100.64.0.5", "peer", "100.64.0.1", "dev", "ppp0")

    async def story(watch: Watch) -> None:
        change = watch.state("lte")
        assert change.point_to_point
        assert change.addresses == ("100.64.0.5/32",)
        assert not watch.state("cable").point_to_point

    follow(office, tmp_path, CABLE, Uplink("lte", "ppp0"))(story)


def test_a_reload_tells_only_what_is_new_or_differs(office: World, tmp_path: Path) -> None:
    settle(office)

    async def story(watch: Watch) -> None:
        watch.seen.clear()
        watch.interfaces.watch((CABLE, LTE))
        assert [change.uplink for change in watch.seen] == ["lte"]
        watch.interfaces.watch((CABLE, Uplink("lte", "wan1", gateways=(ip_address("10.0.1.1"),))))
        assert [change.uplink for change in watch.seen] == ["lte", "lte"]
        assert watch.seen[-1].gateways == (ip_address("10.0.1.1"),)

    follow(office, tmp_path, CABLE)(story)


def test_nothing_is_told_when_nothing_changed(office: World, tmp_path: Path) -> None:
    settle(office)

    async def story(watch: Watch) -> None:
        watch.seen.clear()
        watch.news.clear()
        office.gateway.run("ip", "route", "add", "198.18.0.0/15", "via", "10.0.0.1")
        office.gateway.run("ip", "route", "add", "default", "via", "10.0.0.5", "metric", "99", "table", "1001")
        office.gateway.run("ip", "link", "set", "wan2", "up")
        office.gateway.run("ip", "link", "set", "wan0", "mtu", "1400")
        await watch.news.wait()
        assert [change.mtu for change in watch.seen] == [1400]

    follow(office, tmp_path, CABLE)(story)


def test_after_lost_events_everything_is_read_again(office: World, tmp_path: Path) -> None:
    """More events than the socket can hold, unread; the last of them matters."""
    many = "".join(f"addr add 10.9.{n >> 8}.{n & 255}/32 dev wan2\n" for n in range(4000))
    batch = tmp_path / "batch"
    batch.write_text(many)

    async def story(watch: Watch) -> None:
        for _ in range(2):  # blocking on purpose: the loop cannot read meanwhile
            office.gateway.run("ip", "-batch", str(batch))
            office.gateway.run("ip", "addr", "flush", "dev", "wan2")
        office.gateway.run("ip", "addr", "add", "10.0.0.99/24", "dev", "wan0")
        await watch.until("cable", lambda change: "10.0.0.99/24" in change.addresses)

    follow(office, tmp_path, CABLE)(story)
