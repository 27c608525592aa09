"""What the peers' shipped settings took, measured once with a black-box bench of the same kind: medians of 3 to 7 runs.

An office with traffic, two providers, dual stack, in namespaces; how long what shows the fault was out. They are not
run again here, since none of them is part of this repository: dpinger is the real program with pfSense's values, lsm
and VyOS's load balancer as they are, mwan3 its own scripts with OpenWrt's services stubbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bench.figures import seconds, table

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


Row = dict[str, float | None]
WRONGLY: dict[str, tuple[str, Row]] = {
    "one target dead": ("false/one target dead", {"dpinger": 1, "lsm": 1, "mwan3": 0, "vyos-wlb": 1}),
    "six cuts of 5 s": ("false/cuts of 5 s", {"dpinger": 0, "lsm": 1, "mwan3": 0, "vyos-wlb": 6}),
}
"""How often traffic was moved off the line: once is right for the cuts, and none at all for a target."""
MONTH_MB: Row = {"dpinger": 300, "lsm": None, "mwan3": 87, "vyos-wlb": 87}
"""Questions to a standby in 30 days, computed from their defaults."""


def beside(measured: Mapping[str, float]) -> list[str]:
    """What our run found (Answer.measured of all questions), and what the peers' shipped settings took or cost."""
    rows = []
    for fault in PEERS["vyos-wlb"]:
        ours = [measured.get(f"out/{fault}/{which}") for which in ("median", "p95")]
        if ours[0] is not None:
            theirs = {name: peer.get(fault) for name, peer in PEERS.items()}
            rows.append([fault, *_cells([*ours, *theirs.values()], seconds)])
    for words, (key, row) in WRONGLY.items():
        if key in measured:
            rows.append(
                [
                    f"{words}: moves",
                    *_cells([measured[key]], "{:.0f}".format),
                    "",
                    *_cells(row.values(), "{:.0f}".format),
                ]
            )
    if "idle/lte/MB a month" in measured:
        a_month = f"{measured['idle/lte/MB a month']:.1f}"
        rows.append(["standby, MB in 30 days", a_month, "", *_cells(MONTH_MB.values(), "{:.0f}".format)])
    if "idle/cpu" in measured:
        rows.append(["CPU while idle, of a core", f"{measured['idle/cpu']:.1%}", "", *_cells([None] * 4, str)])
    head = "Beside the peers' shipped settings (their medians, measured before):"
    return ["", head, *table(["out for", "median", "p95", *PEERS], rows)] if rows else []


def _cells(values: Iterable[float | None], shown: Callable[[float], str]) -> list[str]:
    return ["not run" if v is None else "never" if v == NEVER else shown(v) for v in values]
