"""Does anybody feel the way home, and is the metered line silent afterwards?

The office works on the standby: ten calls to an address that nobody has named, three tunnels, thirty downloads. The
failback is ordered. Which calls and tunnels were cut (an unanswered question, or another address at the far end)? When
is the last download off the standby? And 10 s after the last call has ended: what do people still send there?
"""

from __future__ import annotations

import time

from bench.ground import PREFERRED, STANDBY, Answer, Ground, Workday, a_gateway, an_office, runs_on
from secondpath.lab.box import Box, config_of
from secondpath.lab.gaps import Sample, between
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import GATEWAY_HOST
from secondpath.model import CLASSES
from secondpath.netlink.conntrack import Conntrack
from secondpath.netlink.flow import Flow
from secondpath.wire.messages import Verb

CALLS, TUNNELS, DOWNLOADS = 10, 3, 30
CALL_PORTS = range(30_000, 30_000 + 2 * CALLS, 2)
TUNNEL_PORTS = (500, 4500, 51820)
VOICE, BULK = CLASSES["voice"].ident, CLASSES["bulk"].ident
OPEN = frozenset({3})
SILENT_AFTER_S = 10.0
LISTEN_S = 10.0


def on_standby(office: Office, ident: int) -> list[Flow]:
    """The flows of a class on the standby."""
    number = [u.name for u in office.topology.uplinks].index(STANDBY) + 1
    with inside(office.host_netns(GATEWAY_HOST)), Conntrack() as table:
        return list(table.dump(ident << 8 | number, 0x7F7F))


def open_bulk(office: Office) -> int:
    return sum(flow.tcp_state in OPEN for flow in on_standby(office, BULK))


def cut(samples: list[Sample], from_s: float, to_s: float, flows: int) -> int:
    """How many of the flows cannot all have gone on: by questions unanswered, or answered from elsewhere."""
    seen = between(samples, from_s, to_s)
    addresses = {sample.note for sample in seen if sample.answered_s is not None}
    unanswered = sum(sample.answered_s is None for sample in seen)
    return min(flows, unanswered + len(addresses) - 1) if seen else flows


def come_home(ground: Ground, office: Office, box: Box) -> dict[str, float]:
    box.order(Verb.FAILOVER, uplink=STANDBY)
    box.until(lambda: runs_on(box, STANDBY), 5.0, f"traffic runs on {STANDBY}")
    calls = Workday(office, [Wish("call", every_s=0.02, port=port) for port in CALL_PORTS])
    tunnels = Workday(office, [Wish("lasting-udp", every_s=0.1, port=port) for port in TUNNEL_PORTS])
    downloads = Workday(office, [Wish("download", every_s=0.02) for _ in range(DOWNLOADS)])
    box.until(lambda: len(on_standby(office, VOICE)) == CALLS, 30.0, "the calls are known")
    box.until(lambda: open_bulk(office) == DOWNLOADS, 90.0, "the downloads are known to be large")
    ground.tell("homecoming: all is known, now home")
    at_s = time.monotonic()
    box.order(Verb.FAILBACK)
    box.until(lambda: runs_on(box, PREFERRED), 3.0, "traffic runs at home")
    box.until(lambda: open_bulk(office) == 0, 30.0, "no download is left on the standby")
    bulk_s = time.monotonic() - at_s
    time.sleep(ground.pick(15, 60))
    ended_s = time.monotonic()
    felt = calls.leave().result()
    tunnelled = tunnels.leave().result()
    time.sleep(max(0.0, ended_s + SILENT_AFTER_S - time.monotonic()))
    isp = office.topology.uplink(STANDBY).isp
    before = office.counters(isp)["to_servers"]
    time.sleep(LISTEN_S)
    after = office.counters(isp)["to_servers"]
    downloads.leave().result()
    return {
        "calls_cut": cut(felt, at_s - 1.0, ended_s - 0.5, CALLS),
        "tunnels_cut": cut(tunnelled, at_s - 1.0, ended_s - 0.5, TUNNELS),
        "bulk_home_s": bulk_s,
        "bytes_later": after.octets - before.octets,
    }


def ask(ground: Ground) -> Answer:
    said = Answer()
    with an_office() as office, a_gateway(office, config_of(office.topology)) as box:
        found = come_home(ground, office, box)
    said.lines = [
        f"failback with {CALLS} calls to an unknown address, {TUNNELS} tunnels, {DOWNLOADS} downloads: "
        f"{found['calls_cut']:.0f} calls and {found['tunnels_cut']:.0f} tunnels cut; the last download was off "
        f"{STANDBY} {found['bulk_home_s']:.2f} s after the order; {SILENT_AFTER_S:.0f} s after the last call people "
        f"sent {found['bytes_later']:.0f} bytes there in {LISTEN_S:.0f} s",
    ]
    said.data = {"homecoming": found}
    said.measured = {
        "homecoming/cut": found["calls_cut"] + found["tunnels_cut"],
        "homecoming/bytes": found["bytes_later"],
    }
    return said
