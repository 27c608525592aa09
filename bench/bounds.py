"""What is promised, beside what was measured. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import seconds, table


@dataclass(frozen=True, slots=True)
class Bound:
    """One promise: its words, the key of its number in Answer.measured, what that may be at most or at least."""

    words: str
    key: str
    at_most: float | None = None
    at_least: float | None = None
    unit: str = "s"

    def met(self, value: float) -> bool:
        if math.isnan(value):
            return False
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least

    def shown(self, value: float) -> str:
        if self.unit == "s":
            return seconds(value)
        if self.unit == "%":
            return f"{value * 100:.2f} %"
        return (
            f"{value:g}" if self.unit == "" else f"{value:.2f}" if self.unit == "ratio" else f"{value:.1f} {self.unit}"
        )

    def promise(self) -> str:
        limit = self.at_most if self.at_most is not None else self.at_least or 0.0
        return f"{'<=' if self.at_most is not None else '>='} {self.shown(limit)}"


BOUNDS = (
    Bound("cable pulled: new flows work again, median", "gaps/cable-cut/new/median", 0.1),
    Bound("  p95", "gaps/cable-cut/new/p95", 0.3),
    Bound("black hole upstream, people working, median", "gaps/blackhole/new/median", 0.7),
    Bound("  p95", "gaps/blackhole/new/p95", 1.2),
    Bound("lasting UDP flow flows on after a switch, p95", "gaps/after/udp/p95", 0.1),
    Bound("TCP of the dead line reset after a switch, p95", "gaps/after/reset/p95", 0.1),
    Bound("  1,000 connections, the last of them", "switch/1000 resets/worst", 0.5),
    Bound("decision to commit, 10k flows, 50k set, median", "switch/median", 0.001),
    Bound("  p99", "switch/p99", 0.02),
    Bound("  50 applications, 20k flows, the worst", "switch/applications/worst", 0.05),
    Bound("packets with another's source at an ISP", "strays/at ISPs", 0, unit=""),
    Bound("  held back by our guard", "strays/held", 0, unit=""),
    Bound("bytes of guests on the metered backup", "guests/bytes", 0, unit=""),
    Bound("left on the backup 10 s after the failbacks", "strays/left", 0, unit=""),
    Bound("calls and tunnels cut by the way home", "homecoming/cut", 0, unit=""),
    Bound("  people's bytes on the standby 10 s after", "homecoming/bytes", 0, unit=""),
    Bound("killed and started: READY, reconciled, p95", "restart/ready/p95", 1.0),
    Bound("  packets of people lost meanwhile", "restart/lost", 0, unit=""),
    Bound("ruleset flushed by others: new flows again, p95", "restart/flush/p95", 3.0),
    Bound("a third uplink by reload: up, p95", "restart/third/p95", 0.5),
    Bound("failovers with one target dead", "false/one target dead", 0, unit=""),
    Bound("failovers at 5 % loss", "false/5 % loss", 0, unit=""),
    Bound("failovers in six cuts of 5 s", "false/cuts of 5 s", 1, unit=""),
    Bound("moves in days of 5 % loss, 900 ms, one dead (simulated)", "days/moves", 0, unit=""),
    Bound("black hole, nobody at work: median", "out/blackhole, nobody at work/median", 5.0),
    Bound("one family dead: it alone, median", "out/blackhole-v6/median", 1.5),
    Bound("names dead: median", "out/dns-dead/median", 3.0),
    Bound("connections dead, echoes well: median", "out/tcp-dead/median", 8.0),
    Bound("TLS stalls: median", "out/tls-stall/median", 8.0),
    Bound("full-size packets vanish: median", "out/big-packets/median", 8.0),
    Bound("captive portal: median", "out/captive/median", 8.0),
    Bound("loss of 60 %: median", "out/loss-60/median", 3.0),
    Bound("  30 %", "out/loss-30/median", 8.0),
    Bound("  15 %", "out/loss-15/median", 15.0),
    Bound("300 ms more round trip: median", "out/delay+300/median", 3.0),
    Bound("jitter that ruins calls: median", "out/jitter-150/median", 3.0),
    Bound("one application: it alone, median", "out/application dead on this path/median", 30.0),
    Bound("faults named rightly", "matrix/right", at_least=0.95, unit="%"),
    Bound("  moves where nobody should have moved", "matrix/moved wrongly", 0, unit=""),
    Bound("  runs that came to grief", "matrix/not measured", 0, unit=""),
    Bound("forwarded TCP over bare masquerade, 1 stream", "throughput/TCP, one stream", at_least=0.95, unit="ratio"),
    Bound("  eight streams", "throughput/TCP, eight streams", at_least=0.95, unit="ratio"),
    Bound("the same with 1,000 known addresses, 1 stream", "recognised/TCP, one stream", at_least=0.9, unit="ratio"),
    Bound("  eight streams", "recognised/TCP, eight streams", at_least=0.9, unit="ratio"),
    Bound("first packet of a first flow in its class", "names/resolver", at_least=0.99, unit="%"),
    Bound("  shaped both ways, 1 stream", "throughput/shaped/TCP, one stream", at_least=0.9, unit="ratio"),
    Bound("  shaped both ways, eight streams", "throughput/shaped/TCP, eight streams", at_least=0.9, unit="ratio"),
    Bound("20 calls on a full 4 Mbit/s backup: loss", "voice/backup/loss", 0.01, unit="%"),
    Bound("  jitter, p95", "voice/backup/jitter", 0.020),
    Bound("  opinion (MOS) of the worst call", "voice/backup/opinion", at_least=4.0, unit=""),
    Bound("3 calls on a full 600 kbit/s backup: loss", "voice/low/loss", 0.01, unit="%"),
    Bound("  a payment meanwhile", "voice/low/payment", 3.0),
    Bound("  a sign-in meanwhile", "voice/low/sign-in", 10.0),
    Bound("idle: RSS", "idle/rss", 45.0, unit="MiB"),
    Bound("  CPU of a core", "idle/cpu", 0.015, unit="%"),
    Bound("  questions to the metered standby, 30 days", "idle/lte/MB a month", 10.0, unit="MB"),
)
ELSEWHERE = ("Shown elsewhere: 'second uplink dies, all die' by tests/netns, bad configs by tests/golden.",)


def verdicts(measured: Mapping[str, float]) -> list[dict[str, Any]]:
    """Every bound whose number was measured."""
    return [
        {"words": b.words.strip(), "key": b.key, "promise": b.promise(), "measured": b.shown(measured[b.key]),
         "met": b.met(measured[b.key])}
        for b in BOUNDS if b.key in measured
    ]  # fmt: skip


def lines(measured: Mapping[str, float]) -> Sequence[str]:
    """The table for people."""
    rows = [
        [b.words, b.promise(), b.shown(measured[b.key]), "met" if b.met(measured[b.key]) else "NOT MET"]
        for b in BOUNDS
        if b.key in measured
    ]
    return [*table(["shown by", "promised", "measured", ""], rows), *ELSEWHERE] if rows else []
