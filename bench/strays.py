"""Does anything stay behind, or leave by the wrong door?

First the whole gateway, ordered to the standby and home again, with clients that reconnect every 50 ms: 10 s after the
last failback, which of their flows still live on the standby? Then switches in quick succession under load, each giving
up the flows of the line it leaves (our hand and what follows a switch, told when): packets that reached an ISP with a
source that is not its customer's, and those that our own guard had to hold back.
"""

from __future__ import annotations

import time
from collections import Counter

from bench.ground import (
    FAMILIES,
    PREFERRED,
    STANDBY,
    Answer,
    Ground,
    Told,
    Workday,
    a_gateway,
    an_office,
    runs_on,
    wrong_sources,
)
from secondpath.lab.box import Box
from secondpath.lab.gaps import loss_ratio, of_stream
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import GATEWAY_HOST
from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.flow import Flow
from secondpath.wire.messages import Verb

BETWEEN_S = 0.3
LEFT_AFTER_S = 10.0
OVER = frozenset({7, 8})  # TIME_WAIT, CLOSE: the connection is over, its entry a memory
LOAD = [
    *(Wish(kind, family, 0.005) for kind in ("new-udp", "new-tcp") for family in FAMILIES),
    *(Wish(kind, family, 0.01) for kind in ("lasting-udp", "lasting-tcp") for family in FAMILIES),
    *(Wish("download", family, 0.05) for family in FAMILIES),
    Wish("call", "ipv4", 0.02),
]
RECONNECTING = [Wish(kind, family, 0.05) for kind in ("new-tcp", "new-udp") for family in FAMILIES]


def switch_under_load(office: Office, box: Box, count: int) -> dict[str, int]:
    """The strays of `count` switches, half of them there, half back."""
    people = Workday(office, LOAD)
    people.until_working()
    time.sleep(1.0)
    with Told(office, box.config) as oracle:
        before = wrong_sources(office)
        for number in range(count):
            oracle.order("home!" if number % 2 else "away")
            time.sleep(BETWEEN_S)
        time.sleep(1.0)
        after = wrong_sources(office)
        oracle.order("home!")
    people.leave().result()
    return {name: after[name] - before[name] for name in after}


def living_on(office: Office, number: int) -> list[Flow]:
    """TCP flows with that uplink's number that are not over. Of UDP, packets tell: an entry is only a memory."""
    with inside(office.host_netns(GATEWAY_HOST)), Conntrack() as table:
        flows = list(table.dump(number, 0xFF))
    return [f for f in flows if f.tcp_state is not None and f.tcp_state not in OVER]


def go_home_again_and_again(office: Office, box: Box, count: int) -> dict[str, float]:
    """Orders to the standby and home, `count` times; then what is left there."""
    people = Workday(office, RECONNECTING)
    people.until_working()
    time.sleep(0.5)
    before = wrong_sources(office)
    for _ in range(count):
        for verb, arguments, uplink in ((Verb.FAILOVER, {"uplink": STANDBY}, STANDBY), (Verb.FAILBACK, {}, PREFERRED)):
            answered = box.order(verb, **arguments)
            assert answered.ok, answered.error
            time.sleep(BETWEEN_S / 2)
            box.until(lambda u=uplink: runs_on(box, u), 5.0, f"traffic runs on {uplink}")  # type: ignore[misc]
            time.sleep(BETWEEN_S / 2)
    time.sleep(LEFT_AFTER_S)
    standby = office.topology.uplink(STANDBY)
    was = office.counters(standby.isp)["to_servers"].packets
    left = living_on(office, [u.name for u in office.topology.uplinks].index(STANDBY) + 1)
    time.sleep(2.0)
    packets = office.counters(standby.isp)["to_servers"].packets - was
    after = wrong_sources(office)
    samples = people.leave().result()
    lost = loss_ratio([s for kind in ("new-tcp", "new-udp") for s in of_stream(samples, kind)])
    states = Counter(f.tcp_state for f in left)
    return {
        "flows_left": len(left),
        "packets_in_2_s": packets,
        "strays": sum(after.values()) - sum(before.values()),
        "lost_ratio": lost,
        **{f"left_in_state_{state}": n for state, n in states.items()},
    }


def ask(ground: Ground) -> Answer:
    said = Answer()
    count = ground.pick(20, 100)
    with an_office() as office:
        with a_gateway(office) as box:
            home = go_home_again_and_again(office, box, count)
        ground.tell("strays: now switches that give flows up, under load")
        strays = switch_under_load(office, box, count)
    at_isps = sum(n for name, n in strays.items() if name.startswith("isp"))
    held = sum(n for name, n in strays.items() if not name.startswith("isp"))
    said.lines = [
        f"{count} switches under load: {at_isps} packets with another's source reached an ISP, "
        f"{held} were held by our guard",
        f"{count} failbacks, a client reconnecting each 50 ms (UDP, TCP, both families): 10 s later "
        f"{home['flows_left']:.0f} of its TCP connections live on {STANDBY}; {home['packets_in_2_s']:.0f} UDP packets "
        f"in 2 s there, from source ports used again while their flow drains; strays {home['strays']:.0f}; "
        f"lost {home['lost_ratio'] * 100:.2f} % of flows",
    ]
    said.data = {"switches": count, "strays": strays, "failbacks": home}
    said.measured = {"strays/at ISPs": at_isps, "strays/held": held, "strays/left": home["flows_left"]}
    return said
