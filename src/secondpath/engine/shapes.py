"""What has been found of each uplink's rates and calls, and the shapes that follow. Pure.

The rate of a line whose capacity varies is found here, by the delay of the answers that come over it while our own
traffic loads it (decide/pacing); of any other it is the contract's, or what a sense has measured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from secondpath.decide.pacing import CALM_S, LOADED_RATIO, WATCHED_RATIO, Pace, floor_of
from secondpath.decide.shaping import LEAST_PIPE_BPS, shapes_of
from secondpath.judge.delay import Flow
from secondpath.judge.line import LineJudge
from secondpath.judge.probing import FOLLOWED
from secondpath.model import Instant, RateReading, Site, Stage, Steering

LEAST_RATIO = 0.15
"""Of its contract, the least that a line of varying capacity is shaped to. It begins with all of it."""
LEARNED = 20
"""So often must a line have delivered well, before calls keep to what it carries nearly always."""
IDLE_RATIO = 0.5
"""Of that least, what makes a direction idle: a line may carry much less than a quarter of what it is shaped to."""
WORTH_TELLING_RATIO = 0.02
"""A smaller change of the rate is not worth the kernel's work."""
REMEMBERED_S, REMEMBERED_EACH_S = 14 * 86_400.0, 60.0
"""What a line has delivered well is remembered for so long, once in so long."""
MOST_REMEMBERED = 2_000


@dataclass(slots=True)
class Way:
    """One direction of a line whose capacity varies: its rate, and what it has delivered well, by instant."""

    contract_bps: float
    pace: Pace
    delivered: deque[tuple[Instant, float]] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    @classmethod
    def of(cls, contract_bps: float) -> Way:
        """One of which nothing is known but the contract."""
        least = min(contract_bps, max(float(LEAST_PIPE_BPS), LEAST_RATIO * contract_bps))
        return cls(contract_bps, Pace(least, contract_bps, contract_bps, contract_bps, baseline_s=0.0))

    def answered(self, now: Instant, queued_s: float, moved: Flow, calls: bool) -> None:
        """An answer has waited so long, while our traffic moved so much this way."""
        load_bps, queued_s = moved.rate_bps(now), max(0.0, queued_s)  # sooner than usual is no measure of a queue
        if load_bps < min(WATCHED_RATIO * self.pace.rate_bps, IDLE_RATIO * self.pace.least_bps):
            return  # of an idle direction an answer tells nothing
        carried = queued_s <= CALM_S and load_bps > LOADED_RATIO * self.pace.rate_bps and not calls
        self.pace.step(now, queued_s, load_bps, calls)
        if carried and (not self.delivered or now - self.delivered[-1][0] >= REMEMBERED_EACH_S):
            self.remember(now, load_bps)

    def remember(self, now: Instant, bps: float) -> None:
        """It has delivered that without a queue."""
        self.delivered.append((now, bps))
        while now - self.delivered[0][0] > REMEMBERED_S:
            self.delivered.popleft()
        if len(self.delivered) >= LEARNED:
            rates = [each for _, each in self.delivered]
            self.pace.floor_bps, self.pace.base_bps = floor_of(rates), sorted(rates)[len(rates) // 2]


@dataclass(slots=True)
class Shapes:
    """The shapes of one site's uplinks."""

    found: dict[str, RateReading] = field(default_factory=dict)
    ways: dict[tuple[str, str], Way] = field(default_factory=dict)
    """By uplink, and "down" or "up"."""

    def settle(self, site: Site) -> None:
        """Take a configuration over: lines whose capacity varies are followed."""
        before, self.ways = self.ways, {}
        for uplink in site.uplinks:
            for way, contract_bps in (("down", uplink.down_bps), ("up", uplink.up_bps)):
                if contract_bps and uplink.technology in FOLLOWED:
                    known = before.get((uplink.name, way))
                    same = known is not None and known.contract_bps == contract_bps
                    self.ways[uplink.name, way] = known if known and same else Way.of(contract_bps)
        gone = {name for name, _ in before} - {name for name, _ in self.ways}
        for name in gone & self.found.keys():
            self.found[name] = replace(self.found[name], down_bps=None, up_bps=None)

    def see(self, reading: RateReading, steering: Steering | None) -> Steering | None:
        """Take in what was found of an uplink. The steering as it stood, or None where it has to be made anew."""
        before = self.found.get(reading.uplink, RateReading(reading.uplink))
        said = {f.name: value for f in fields(reading) if (value := getattr(reading, f.name)) is not None}
        after = self.found[reading.uplink] = replace(before, **said)
        return None if after != before else steering

    def answered(self, now: Instant, judge: LineJudge) -> bool:
        """A line has answered; whether its rates are others now."""
        queued_s, uplink = judge.delay.queued_s, judge.line.uplink
        if queued_s is None or not {(uplink, "down"), (uplink, "up")} & self.ways.keys():
            return False
        judge.delay.queued_s = None
        found = self.found.get(uplink, RateReading(uplink))
        told = {"down": found.down_bps, "up": found.up_bps}
        for name, way in self._of(uplink):
            way.answered(now, queued_s, judge.load.down if name == "down" else judge.load.up, bool(found.calls))
            if abs(way.pace.rate_bps - (told[name] or 0)) > WORTH_TELLING_RATIO * way.pace.rate_bps:
                told[name] = round(way.pace.rate_bps)
        self.found[uplink] = replace(found, down_bps=told["down"], up_bps=told["up"])
        return self.found[uplink] != found

    def _of(self, uplink: str) -> Iterator[tuple[str, Way]]:
        return ((name, way) for (where, name), way in self.ways.items() if where == uplink)

    def shaped(self, site: Site, steering: Steering, stages: Mapping[str, Stage]) -> Steering:
        """The steering, with the shapes that its lanes and the uplinks' data allowances ask for."""
        spent = {name for name, stage in stages.items() if stage is Stage.USED_UP}
        found = self.found | {name: replace(self.found.get(name, RateReading(name)), spent=True) for name in spent}
        return replace(steering, shapes=shapes_of(site, steering.lanes, found, steering.paces))

    # over a restart

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it: seconds ago, and bit/s."""
        return {
            "delivered": {
                f"{uplink}/{name}": [[now - at, bps] for at, bps in way.delivered]
                for (uplink, name), way in self.ways.items()
                if way.delivered
            }
        }

    def recall(self, now: Instant, memory: Mapping[str, Any], passed_s: float) -> None:
        """Take up what an earlier life remembered, `passed_s` seconds ago."""
        for (uplink, name), way in self.ways.items():
            for ago_s, bps in memory.get("delivered", {}).get(f"{uplink}/{name}", ()):
                way.remember(now - passed_s - float(ago_s), float(bps))
