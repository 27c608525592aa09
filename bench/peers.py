"""What the peers' shipped settings took, measured once with a black-box bench of the same kind: medians of 3 to 7 runs.

An office with traffic, two providers, dual stack, in namespaces; how long what shows the fault was out. They are not
run again here, since none of them is part of this repository: dpinger is the real program with pfSense's values, lsm
and VyOS's load balancer as they are, mwan3 its own scripts with OpenWrt's services stubbed.
"""

from __future__ import annotations

from bench.figures import Distribution, seconds, table

NEVER = float("inf")
PEERS: dict[str, dict[str, float]] = {
    "dpinger": {
        "cable-cut": 15.2, "next-hop-dead": 15.0, "blackhole": 14.8, "blackhole-out": 14.9, "loss-60": 22.4,
        "loss-30": 46.7, "captive": NEVER,
    },
    "lsm": {
        "cable-cut": 8.2, "next-hop-dead": 7.9, "blackhole": 8.1, "blackhole-out": 8.0, "loss-60": 21.3,
        "loss-30": NEVER, "dns-dead": NEVER, "tcp-dead": NEVER, "captive": NEVER,
    },
    "mwan3": {
        "cable-cut": 1.4, "next-hop-dead": 123.7, "blackhole": 127.0, "blackhole-out": 125.1, "loss-60": NEVER,
        "loss-30": NEVER,
    },
    "vyos-wlb": {
        "cable-cut": 8.7, "next-hop-dead": 7.4, "blackhole": 6.3, "blackhole-out": 6.1, "loss-60": 9.9,
        "loss-30": 20.1, "dns-dead": NEVER, "tcp-dead": NEVER, "captive": NEVER,
    },
}  # fmt: skip
"""Seconds by fault; NEVER is "not in the time given", which was 20 to 220 s."""


def beside(ours: dict[str, Distribution]) -> list[str]:
    """Our median and p95 for each fault that the peers met too, and their medians."""
    rows = [
        [
            fault,
            seconds(ours[fault].median),
            seconds(ours[fault].p95),
            *(_shown(theirs.get(fault)) for theirs in PEERS.values()),
        ]
        for fault in PEERS["vyos-wlb"]
        if fault in ours and ours[fault].n
    ]
    head = "beside the peers' shipped settings (their medians, measured before):"
    return ["", head, *table(["out for", "median", "p95", *PEERS], rows)] if rows else []


def _shown(value: float | None) -> str:
    return "not run" if value is None else "never" if value == NEVER else seconds(value)
