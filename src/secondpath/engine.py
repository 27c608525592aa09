"""One site's mind: judge and decide behind five calls and one timer. Pure: `now` is handed down, nothing is fetched.

    engine = Engine(site, now, adopted)         # adopted: the steering found in the kernel, or None
    step = engine.step(now, observation)        # something happened, or None when only the deadline has come
    when = engine.deadline()                    # step again then at the latest
    why_not = engine.refusal(override)          # would a person's word be followed?
    states = engine.states(now); engine.verdict # what it thinks

The daemon calls `step` for every observation and at every deadline; the answer holds the whole steering, what changed,
and the probes to send. The same observations at the same instants give the same answers: a recorded day replays.

When a step comes later than its deadline we were late ourselves (a busy machine, a suspended one): answers may be
lying unread in sockets, so every open question is given more time before its absence counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from secondpath.decide.failback import Trust
from secondpath.decide.policy import Choice, Outlook, choose, flows_to_give_up, lanes_of
from secondpath.judge.asking import Asking
from secondpath.judge.blame import verdict_of
from secondpath.judge.ladder import Ladder
from secondpath.judge.line import LineJudge
from secondpath.judge.probing import TEMPOS
from secondpath.model import (
    Cause,
    Family,
    Health,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Observation,
    Override,
    OverrideKind,
    ProbeResult,
    Reload,
    Site,
    Steering,
    Step,
    TrafficSample,
    Transition,
    Verdict,
    VerdictCode,
    Why,
)

LATE_S = 0.1
"""A step that comes this much after its deadline finds unread answers."""
GRACE_S = 0.05
"""... which are read within this time: they lie in sockets already, with the kernel's time stamps on them."""
ABSENT_S = 5.0
"""A step this late means that we slept; what was good before has to prove itself again."""


class Engine:
    """Judges every line of a site and decides where each class travels."""

    def __init__(self, site: Site, now: Instant, adopted: Steering | None = None) -> None:
        self.site = site
        self.verdict = Verdict(VerdictCode.STARTING)
        self.pinned: dict[Family, str] = {}
        self.at_rest_until: Instant = -math.inf
        self.judges: dict[Line, LineJudge] = {}
        self.trust: dict[Line, Trust] = {}
        self._generations: dict[Line, int] = {}
        self._given_up: set[Line] = set()
        self._drained_at: dict[Line, Instant] = {}
        self._choices: dict[Family, Choice] = {f: Choice(None, Why.NO_UPLINK) for f in Family}
        self._steering: Steering | None = None
        self._asking = Asking()
        self._transitions: list[Transition] = []
        self._expected: Instant = math.inf
        self._touched: set[Line] = set()
        self._look_at: dict[Line, Instant] = {}
        self._seen: dict[Line, tuple[object, ...]] = {}
        self._news, self._blame_owed = True, False
        self._alike: Mapping[Line, str] = {}
        self._decide_at: Instant = -math.inf
        self._settle(now, site)
        self._adopt(now, adopted)

    # the five calls

    def step(self, now: Instant, observation: Observation | None = None) -> Step:
        """Take one observation in (or none: a deadline has come) and answer with everything that follows from it."""
        self._transitions = []
        self._mind_lateness(now)
        if observation is not None:
            self._take_in(now, observation)
        if self._judge(now) or now >= self._decide_at:
            self._decide(now)
        probes = self._asking.ask(now, self.site, self.judges, self._in_use(), frozenset(self.holds(now)))
        for probe in probes:
            self._look_at[probe.line] = min(self._look_at[probe.line], self.judges[probe.line].deadline(now))
        self._expected = self._deadline_after(now)
        return Step(self.steering(), tuple(self._transitions), tuple(probes))

    def deadline(self) -> Instant:
        """The instant at which `step` must be called again if nothing happens before."""
        return self._expected

    def states(self, now: Instant) -> dict[Line, LineState]:
        """Every line with its measurement, in the office's order of preference."""
        return {line: judge.measured(now) for line, judge in self.judges.items()}

    def steering(self) -> Steering:
        """The steering as it stands."""
        if self._steering is None:
            self._steering = Steering(lanes_of(self.site, self._choices), dict(self._generations))
        return self._steering

    def refusal(self, override: Override) -> str | None:
        """Why a person's word could not be followed now: an uplink's name and its state; None when it can."""
        if override.kind is OverrideKind.FAILOVER:
            if override.uplink not in {u.name for u in self.site.uplinks}:
                return f"there is no uplink named {override.uplink}"
            lines = [j.state for j in self.judges.values() if j.line.uplink == override.uplink]
            if not any(s.health in (Health.UP, Health.DEGRADED) for s in lines):
                return f"{override.uplink} is not proven to work: it is {lines[0].health} ({lines[0].cause})"
        if override.kind is OverrideKind.FAILBACK and not any(self._home(f) for f in Family):
            return "traffic already uses the most preferred uplink that works"
        return None

    def standing_override(self, now: Instant) -> tuple[Override | None, float | None]:
        """The person's word that is in force, and for how many seconds yet (None: until it is taken back)."""
        if now < self.at_rest_until:
            left_s = self.at_rest_until - now
            return Override(OverrideKind.HOLD, None, left_s), left_s
        if self.pinned:
            return Override(OverrideKind.FAILOVER, next(iter(self.pinned.values()))), None
        return None, None

    @property
    def ladders(self) -> Mapping[Line, Ladder]:
        """What is known to work on each line, or to fail, beside answering at all."""
        return self._asking.trials.ladders

    def holds(self, now: Instant) -> dict[Line, float]:
        """Seconds until traffic may go home, for each line that is well again and has not served its hold yet."""
        left = {line: trust.served_at() - now for line, trust in self.trust.items()}
        return {line: left_s for line, left_s in left.items() if 0 < left_s < math.inf}

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it."""
        return {
            "pinned": {family.value: name for family, name in self.pinned.items()},
            "at_rest_s": max(0.0, self.at_rest_until - now),
            "holds": {str(line): [trust.hold_s, trust.failed] for line, trust in self.trust.items()},
        }

    def recall(self, now: Instant, memory: Mapping[str, Any], passed_s: float) -> None:
        """Take up what an earlier life of ours remembered, `passed_s` seconds ago. Lines that are gone are left out."""
        for family in Family:
            name = memory.get("pinned", {}).get(family.value)
            if name is not None and Line(name, family) in self.judges:
                self.pinned[family] = name
        self.at_rest_until = max(self.at_rest_until, now + memory.get("at_rest_s", 0.0) - passed_s)
        for line, trust in self.trust.items():
            hold_s, failed = memory.get("holds", {}).get(str(line), (trust.hold_s, False))
            trust.hold_s = max(trust.hold_s, min(float(hold_s), self.site.failover.hold_max_s))
            trust.failed = trust.failed or bool(failed)

    # taking in

    def _mind_lateness(self, now: Instant) -> None:
        lag_s = now - self._expected
        if lag_s < LATE_S:
            return
        for line, judge in self.judges.items():
            judge.grant(now + GRACE_S)
            self._touched.add(line)
        self._asking.trials.grant(now + GRACE_S)
        if lag_s >= ABSENT_S:
            for trust in self.trust.values():
                trust.begin_again(now)

    def _take_in(self, now: Instant, observation: Observation) -> None:
        if isinstance(observation, ProbeResult):
            judge = self.judges.get(observation.probe.line)
            if judge is not None:
                judge.answered(now, observation)
                self._asking.trials.answered(now, observation)
                self._touched.add(judge.line)
        elif isinstance(observation, TrafficSample):
            judge = self.judges.get(observation.line)
            if judge is not None:
                judge.see_traffic(now, observation)
                self._touched.add(judge.line)
        elif isinstance(observation, InterfaceChange):
            for judge in (j for line, j in self.judges.items() if line.uplink == observation.uplink):
                judge.see_interface(now, observation)
                self._touched.add(judge.line)
        elif isinstance(observation, Override):
            self._news = True
            self._obey(now, observation)
        elif isinstance(observation, Reload):
            self._settle(now, observation.site)
            self._note(now, "config", "", observation.site.name, "reload")

    def _settle(self, now: Instant, site: Site) -> None:
        """Take a configuration over: lines that stay keep all that is known of them."""
        before, kept_interfaces = self.judges, {u.name: u.interface for u in self.site.uplinks}
        self.site, self.judges, self._steering, self._news = site, {}, None, True
        waves = TEMPOS[site.failover.profile].waves
        for uplink in site.uplinks:
            for family in Family:
                line = Line(uplink.name, family)
                known = before.get(line) if kept_interfaces.get(uplink.name) == uplink.interface else None
                judge = known or LineJudge(line, now, (), waves)
                judge.load = self.judges.get(Line(uplink.name, Family.IPV4), judge).load  # both share the line's queue
                judge.configure(site.targets_of(family), waves, (uplink.down_bps, uplink.up_bps))
                self.judges[line] = judge
                self.trust.setdefault(line, Trust(site.failover.hold_s))
                self._generations.setdefault(line, 0)
                self._look_at[line] = now
        self._asking.trials.settle({line: judge.targets for line, judge in self.judges.items()})
        for family, choice in self._choices.items():
            if choice.uplink is not None and choice.uplink not in {u.name for u in site.uplinks}:
                self._choices[family] = Choice(None, Why.NO_UPLINK)
        for gone in set(self._generations) - set(self.judges):
            del self._generations[gone], self.trust[gone]
            self._drained_at.pop(gone, None)
        self.pinned = {f: name for f, name in self.pinned.items() if Line(name, f) in self.judges}

    def _adopt(self, now: Instant, adopted: Steering | None) -> None:
        """Begin with the lanes that the kernel already holds, so that a restart moves nobody."""
        for (_, family), lane in (adopted.lanes if adopted else {}).items():
            if lane.uplink is not None and Line(lane.uplink, family) in self.judges:
                self._choices[family] = Choice(lane.uplink, lane.why)
        names = [u.name for u in self.site.uplinks]
        for family, choice in self._choices.items():
            for preferred in names[: names.index(choice.uplink)] if choice.uplink else ():
                self.trust[Line(preferred, family)].failed = True  # it was left for a reason: it has to serve its hold
        self._decide(now)
        self._transitions = []

    def _obey(self, now: Instant, override: Override) -> None:
        if self.refusal(override) is not None:
            return
        if override.kind is OverrideKind.FAILOVER and override.uplink is not None:
            for family in Family:
                judge = self.judges[Line(override.uplink, family)]
                if judge.state.health in (Health.UP, Health.DEGRADED):
                    self.pinned[family] = override.uplink
        elif override.kind is OverrideKind.FAILBACK:
            self.pinned, self.at_rest_until = {}, -math.inf
            for family in Family:
                home = self._home(family)
                if home is not None:
                    self.trust[home].excuse()
        elif override.kind is OverrideKind.HOLD:
            self.at_rest_until = now + override.duration_s
        else:
            self.pinned, self.at_rest_until = {}, -math.inf
        words = {"uplink": override.uplink, "duration_s": override.duration_s or None, "by": override.by}
        self._note(now, "override", "", override.kind.value, override.uplink or "", **words)

    def _home(self, family: Family) -> Line | None:
        """The most preferred line that is up, if traffic of the family is not already there."""
        for uplink in self.site.uplinks:
            if uplink.name == self._choices[family].uplink:
                return None
            judge = self.judges[Line(uplink.name, family)]
            if judge.state.health is Health.UP:
                return judge.line
        return None

    # judging

    def _judge(self, now: Instant) -> bool:
        """Look at every line of which something new may be seen; whether anything is new for the decision."""
        news = self._news
        self._climb(now)
        for line, judge in self.judges.items():
            if not news and line not in self._touched and now < self._look_at[line]:
                continue
            before = judge.state
            after = judge.look(now)
            self._asking.trials.take_over(judge)
            self._look_at[line] = judge.deadline(now)
            self.trust[line].see(now, after.health, self.site.failover)
            seen = (after.health, after.cause, judge.suspected(now), judge.recovering())
            if seen != self._seen.get(line):
                self._seen[line], self._news = seen, True
                self._tell(now, judge, before)
        self._touched.clear()
        if self._news or self._blame_owed:
            self._blame(now)
        news, self._news = self._news, False
        return news

    def _climb(self, now: Instant) -> None:
        """What works on each line beside answering at all."""
        trials = self._asking.trials
        doubted = frozenset(line for line, j in self.judges.items() if j.suspicion is not None or j.queued(now))
        if trials.look(now, {line: judge.state for line, judge in self.judges.items()}, doubted):
            self._touched |= {line for line, j in self.judges.items() if j.see_rungs(now, trials.ladders[line])}
        if (alike := trials.alike(now)) != self._alike:
            self._alike, self._news = alike, True

    def _tell(self, now: Instant, judge: LineJudge, before: LineState) -> None:
        after = judge.state
        if after.health is not before.health:
            if after.health in (Health.UP, Health.DEGRADED):
                self._given_up.discard(after.line)
        elif after.cause is before.cause or after.cause in (Cause.RECOVERING, Cause.STARTING):
            return
        shown = judge.measured(now).measurement
        self._note(
            now, f"line:{after.line}", before.health.value, after.health.value, after.cause.value,
            loss_ratio=round(shown.loss_ratio, 4), samples=shown.samples, rtt_s=shown.rtt_s, **judge.doubted(),
        )  # fmt: skip

    def _blame(self, now: Instant) -> None:
        self._blame_owed = any(j.questioned() or j.recovering() for j in self.judges.values() if j.fit())
        if self._blame_owed:
            return  # some line is about to be known better: a moment's patience spares people a wrong sentence
        verdict = verdict_of({line: judge.state for line, judge in self.judges.items()}, self._alike)
        if replace(verdict, evidence=()) != replace(self.verdict, evidence=()):
            lines = ",".join(str(line) for line in verdict.lines)
            self._note(now, "verdict", self.verdict.code.value, verdict.code.value, lines, what=verdict.what or None)
        self.verdict = verdict

    # deciding

    def _decide(self, now: Instant) -> None:
        for family in Family:
            before = self._choices[family]
            pinned = self.pinned.get(family)
            if pinned is not None and self.judges[Line(pinned, family)].state.health is Health.DOWN:
                del self.pinned[family]
                pinned = None
            after = choose(self._outlooks(now, family), before.uplink, pinned, now < self.at_rest_until)
            if after != before:
                self._choices[family] = after
                self._steering = None
            if after.uplink != before.uplink:
                self._leave(now, family, before.uplink, after)
        for line, judge in self.judges.items():
            self._give_up_flows(now, line, judge)
        times = (self.at_rest_until, *self._drained_at.values(), *(t.served_at() for t in self.trust.values()))
        self._decide_at = min((t for t in times if t > now), default=math.inf)

    def _outlooks(self, now: Instant, family: Family) -> tuple[Outlook, ...]:
        return tuple(
            Outlook(j.state, self.trust[line].served_at() <= now, j.suspected(now), j.rtt_s())
            for line, j in self.judges.items()
            if line.family is family
        )

    def _leave(self, now: Instant, family: Family, left: str | None, choice: Choice) -> None:
        """Traffic of a family goes elsewhere. Going home, what is in progress on the backup may finish there."""
        names, cause = [u.name for u in self.site.uplinks], ""
        if left is not None and Line(left, family) in self.judges:
            line = Line(left, family)
            cause = self.judges[line].state.cause.value
            if choice.uplink is not None and names.index(choice.uplink) < names.index(left):  # going home
                self._drained_at[line] = now + self.site.failover.drain_s
        if choice.uplink is not None:
            self._drained_at.pop(Line(choice.uplink, family), None)
        if left is not None and (was := self.judges.get(Line(left, family))) and not was.state.offered:
            return  # nothing moved: nobody has ever set this family up there
        self._note(now, f"steering:{family}", left or "", choice.uplink or "", choice.why.value, left_because=cause)

    def _give_up_flows(self, now: Instant, line: Line, judge: LineJudge) -> None:
        """Retire the flows of a dead line once another carries the family; and those that outstayed their drain."""
        used = self._choices[line.family].uplink
        carrier = self.judges.get(Line(used, line.family)) if used else None
        if carrier is None or (line in self._given_up and judge.state.health is Health.DOWN):
            return
        drained_at = self._drained_at.get(line)
        if flows_to_give_up(line, judge.state, used, carrier.state.health, drained_at, now):
            self._generations[line] += 1
            self._steering = None
            self._drained_at.pop(line, None)
            if judge.state.health is Health.DOWN:
                self._given_up.add(line)
            self._note(now, f"flows:{line}", "", "given up", judge.state.cause.value)

    # when to look again

    def _in_use(self) -> frozenset[Line]:
        return frozenset(Line(c.uplink, f) for f, c in self._choices.items() if c.uplink is not None)

    def _deadline_after(self, now: Instant) -> Instant:
        """The next instant at which anything could change by itself."""
        looks = (judge.deadline(now) for judge in self.judges.values())
        times = [self._decide_at, self._asking.deadline(now, self.site), *looks]
        return min((t for t in times if t > now), default=math.inf)

    def _note(
        self, now: Instant, subject: str, before: str, after: str, reason: str, **detail: str | int | float | None
    ) -> None:
        self._transitions.append(Transition(now, subject, before, after, reason, detail))
