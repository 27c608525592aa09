"""Do guests cost anything on the metered backup? Failovers while guests surf, counted from the first packet on.

The gate stands in the gateway behind everything that decides (lab/toll), so what it counts has really left, or come in.
Half of the failovers are cut cables, half are orders: the path is left alive, and guests' connections with it.
"""

from __future__ import annotations

from bench.ground import FAMILIES, PREFERRED, STANDBY, Answer, Ground, Workday, a_gateway, an_office, go_home, runs_on
from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.toll import Passed, Toll
from secondpath.wire.messages import Verb

SURFING = [Wish(kind, f, 0.02) for f in FAMILIES for kind in ("download", "new-udp", "new-tcp", "lasting-udp")]
BUSY_PACKETS = 50


def fail_over(office: Office, box: Box, *, by_cable: bool) -> None:
    """Onto the standby."""
    if by_cable:
        office.inject("cable-cut", PREFERRED)
    else:
        answered = box.order(Verb.FAILOVER, uplink=STANDBY)
        assert answered.ok, answered.error
    box.until(lambda: runs_on(box, STANDBY), 10.0, f"traffic runs on {STANDBY}")


def count(office: Office, box: Box, failovers: int) -> tuple[Passed, Passed]:
    """What guests moved on the standby and on the preferred uplink during so many failovers."""
    topology = office.topology
    inside = next(i.interface for i in topology.insides if i.host == "guest")
    gate, home = (Toll(office, inside, topology.uplink(u).interface).stand() for u in (STANDBY, PREFERRED))
    guests = Workday(office, SURFING, "guest")
    guests.until_working()
    for number in range(failovers):
        was = home.passed()
        box.until(lambda was=was: (home.passed() - was).packets > BUSY_PACKETS, 20.0, "guests surf")  # type: ignore[misc]
        fail_over(office, box, by_cable=number % 2 == 0)
        office.mend()
        go_home(box)
    guests.leave().result()
    return gate.passed(), home.passed()


def ask(ground: Ground) -> Answer:
    said = Answer()
    failovers = ground.pick(20, 100)
    with an_office() as office, a_gateway(office) as box:
        there, here = count(office, box, failovers)
    said.lines = [
        f"{failovers} failovers, half of them cut cables, guests surfing (UDP, TCP, downloads, both families): "
        f"{there.octets} bytes of theirs on {STANDBY}, {here.octets / 1e6:.1f} MB on {PREFERRED} in between"
    ]
    said.data = {"failovers": failovers, "guest_bytes": there.octets, "guest_bytes_at_home": here.octets}
    said.measured = {"guests/bytes": there.octets}
    return said
