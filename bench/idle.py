"""What does the gateway cost while nothing happens? Memory, CPU, wake-ups, and the bytes of its questions per uplink.

The floor is a bare Python with asyncio that sleeps. Bytes are IP bytes as the ISP forwards them, both ways: what a
metered contract counts. ARP and neighbour discovery stay on the cable and are not billed. A month is what was asked in
the first minutes, while the gateway learns who answers what, and from then on the pace of the second half; what comes
once in hours is not seen here (a metered standby is asked about its rungs every two hours, some 2 MB in 30 days).
"""

from __future__ import annotations

import time

from bench.figures import table
from bench.ground import Answer, Ground, a_gateway, an_office, spawn_bench
from bench.machine import Use, memory_bytes
from secondpath.lab.office import Office
from secondpath.lab.topology import GATEWAY_HOST

MONTH_H = 30 * 24
SETTLE_S = 5.0


def octets(office: Office) -> dict[str, tuple[int, int]]:
    """IP bytes and packets through each ISP so far, both ways, by uplink."""
    found = {}
    for uplink in office.topology.uplinks:
        counters = office.counters(uplink.isp)
        both = counters["from_office"], counters["to_office"]
        found[uplink.name] = sum(c.octets for c in both), sum(c.packets for c in both)
    return found


def ask(ground: Ground) -> Answer:
    minutes = ground.pick(1, 10)
    with an_office() as office, a_gateway(office) as box:
        assert box.process is not None
        bare = spawn_bench(office, GATEWAY_HOST, "sleeper")
        time.sleep(SETTLE_S)
        pids = {"secondpath": box.process.pid, "bare asyncio": bare.pid}
        used, sent = {name: Use.of(pid) for name, pid in pids.items()}, octets(office)
        time.sleep(30.0 * minutes)
        sent_halfway, halfway_s = octets(office), time.monotonic()
        time.sleep(30.0 * minutes)
        second_half_h = (time.monotonic() - halfway_s) / 3600
        later, sent_later = {name: Use.of(pid) for name, pid in pids.items()}, octets(office)
        held = {name: memory_bytes(pid) for name, pid in pids.items()}
    said = Answer()
    rows = []
    for name in pids:
        spent_s = later[name].at_s - used[name].at_s
        cpu = (later[name].cpu_s - used[name].cpu_s) / spent_s
        wakeups = (later[name].wakeups - used[name].wakeups) / spent_s
        rss, pss = held[name]["VmRSS"] / 2**20, held[name]["Pss"] / 2**20
        rows.append([name, f"{rss:.1f}", f"{pss:.1f}", f"{cpu * 100:.2f} %", f"{wakeups:.1f}"])
        said.data[name] = {"rss_mib": rss, "pss_mib": pss, "cpu_ratio": cpu, "wakeups_per_s": wakeups}
    said.lines = [f"after {minutes} min idle:", *table(["", "RSS MiB", "Pss MiB", "CPU", "wakes/s"], rows), ""]
    rows = []
    for uplink, (now, packets) in sent_later.items():
        first = sent_halfway[uplink][0] - sent[uplink][0]
        per_hour = (now - sent_halfway[uplink][0]) / second_half_h
        per_hour_packets = (packets - sent_halfway[uplink][1]) / second_half_h
        month = first + per_hour * MONTH_H
        cells = [f"{first / 1000:.1f} kB", f"{per_hour / 1000:.1f} kB", f"{per_hour_packets:.0f}"]
        rows.append([uplink, *cells, f"{month / 1e6:.1f} MB"])
        said.data[f"probes/{uplink}"] = {
            "first_bytes": first, "bytes_per_hour": per_hour, "packets_per_hour": per_hour_packets
        }  # fmt: skip
        if not ground.quick:  # in a minute it has not learned all
            said.measured[f"idle/{uplink}/MB a month"] = month / 1e6
    said.lines += table(["questions and answers, IP bytes", "learning", "then an hour", "packets", "in 30 days"], rows)
    said.data["minutes"] = minutes
    said.measured |= {"idle/rss": said.data["secondpath"]["rss_mib"], "idle/cpu": said.data["secondpath"]["cpu_ratio"]}
    return said
