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
from secondpath.decide.homecoming import Homecoming
from secondpath.decide.word import Word
from secondpath.engine.apart import Apart
from secondpath.engine.shapes import Shapes
from secondpath.engine.ways import Ways
from secondpath.judge.asking import Asking
from secondpath.judge.blame import Beside, verdict_of
from secondpath.judge.ladder import Ladder
from secondpath.judge.line import LineJudge
from secondpath.judge.probing import TEMPOS
from secondpath.model import (
    CARRIES,
    AnswerSeen,
    Cause,
    Family,
    FlowsReading,
    InsideChange,
    Instant,
    InterfaceChange,
    Line,
    LineState,
    Observation,
    Override,
    OverrideKind,
    ProbeResult,
    RateReading,
    Reload,
    Site,
    Steering,
    Step,
    TrafficSample,
    Transition,
    UsageReading,
    Verdict,
    VerdictCode,
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
        self.word = Word()
        self.judges: dict[Line, LineJudge] = {}
        self.trust: dict[Line, Trust] = {}
        self.homecoming = Homecoming()
        self.ways = Ways(site, self.homecoming)
        self._steering: Steering | None = None
        self._asking = Asking()
        self.apart, self.shapes = Apart(self._asking.applications), Shapes()
        self._transitions: list[Transition] = []
        self._expected: Instant = math.inf
        self._touched: set[Line] = set()
        self._look_at: dict[Line, Instant] = {}
        self._seen: dict[Line, tuple[object, ...]] = {}
        self._news, self._blame_owed = True, False
        self._alike: Mapping[Line, str] = {}
        self._inside: dict[str, bool] = {}
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
        proving = frozenset(self.holds(now))
        travels = self.apart.travels(self.steering().lanes) if now >= self._asking.applications.due else {}
        probes, ask_at = self._asking.ask(now, self.site, self.judges, self._in_use(), proving, travels)
        for probe in probes:
            self._look_at[probe.line] = min(self._look_at[probe.line], self.judges[probe.line].deadline(now))
        self._expected = self._deadline_after(now, ask_at)
        return Step(self.steering(), (*self._transitions, *self._asking.told), tuple(probes))

    def deadline(self) -> Instant:
        """The instant at which `step` must be called again if nothing happens before."""
        return self._expected

    def states(self, now: Instant) -> dict[Line, LineState]:
        """Every line with its measurement, in the office's order of preference."""
        return {line: judge.measured(now) for line, judge in self.judges.items()}

    def steering(self) -> Steering:
        """The steering as it stands."""
        if self._steering is None or self.ways.changed:
            steering = self.homecoming.steering(self.apart.steering(self.site, self.ways))
            self._steering = self.shapes.shaped(self.site, steering, self.ways.stages)
        return self._steering

    def refusal(self, override: Override) -> str | None:
        """Why a person's word could not be followed now: an uplink's name and its state; None when it can."""
        is_home = not any(self.ways.home(f, self.judges) for f in Family)
        return self.word.refusal(override, self.site, self._states, is_home)

    @property
    def ladders(self) -> Mapping[Line, Ladder]:
        """What is known to work on each line, or to fail, beside answering at all."""
        return self._asking.trials.ladders

    def holds(self, now: Instant) -> dict[Line, float]:
        """Seconds until traffic may go home, for each line that is well again and has not served its hold yet."""
        return {line: s for line, trust in self.trust.items() if 0 < (s := trust.served_at() - now) < math.inf}

    def memory(self, now: Instant) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it."""
        holds = {str(line): trust.memory(now) for line, trust in self.trust.items()}
        own = {"holds": holds, "left": self.homecoming.memory(now)} | self.shapes.memory(now)
        return self.word.memory(now) | own | self.apart.memory(now) | self.ways.memory()

    def recall(self, now: Instant, memory: Mapping[str, Any], passed_s: float) -> None:
        """Take up what an earlier life of ours remembered, `passed_s` seconds ago. Lines that are gone are left out."""
        self.word.recall(now, memory, passed_s, self.judges)
        self.apart.recall(now, memory, self.site, passed_s)
        self.ways.recall(memory)
        self.shapes.recall(now, memory, passed_s)
        elsewhere = (line for line in self.judges if line not in self.ways.lines())
        self.homecoming.recall(now, memory.get("left", {}), passed_s, elsewhere)
        self._steering = None
        for line, trust in self.trust.items():
            trust.recall(now - passed_s, memory.get("holds", {}).get(str(line), ()), self.site.failover)

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
            if self._asking.of_application(now, observation, self.judges):
                self._news = True
            elif judge is not None:
                judge.answered(now, observation)
                self._asking.trials.answered(now, observation)
                self._touched.add(judge.line)
                if self.shapes.answered(now, judge):
                    self._steering = None
        elif isinstance(observation, TrafficSample):
            if judge := self.judges.get(observation.line):
                judge.see_traffic(now, observation)
                self._touched.add(judge.line)
        elif isinstance(observation, InterfaceChange):
            for judge in (j for j in self.judges.values() if j.line.uplink == observation.uplink):
                judge.see_interface(now, observation)
                self._touched.add(judge.line)
        elif isinstance(observation, Override):
            self._news = True
            self._obey(now, observation)
        elif isinstance(observation, Reload):
            self._settle(now, observation.site)
            self._note(now, "config", "", observation.site.name, "reload")
        else:
            self._learn(now, observation)

    def _learn(self, now: Instant, told: InsideChange | AnswerSeen | FlowsReading | UsageReading | RateReading) -> None:
        if isinstance(told, InsideChange):
            if told.connected or told.network in self._inside:  # what never was connected is not missed
                self._inside[told.network], self._news = told.connected, True
        elif isinstance(told, AnswerSeen):
            self._news |= self.apart.see(now, told)
        elif isinstance(told, UsageReading):
            self._news |= self.ways.read(told.uplink, told.stage, told.pace_bps)
        elif isinstance(told, RateReading):
            self._steering = self.shapes.see(told, self._steering)
        elif self.homecoming.see(told):
            self._steering, self._news = None, True

    def _settle(self, now: Instant, site: Site) -> None:
        """Take a configuration over: lines that stay keep all that is known of them."""
        before, kept_interfaces = self.judges, {u.name: u.interface for u in self.site.uplinks}
        self.site, self.judges, self._look_at, self._steering, self._news = site, {}, {}, None, True
        waves = TEMPOS[site.failover.profile].waves
        for uplink in site.uplinks:
            for family in Family:
                line = Line(uplink.name, family)
                known = before.get(line) if kept_interfaces.get(uplink.name) == uplink.interface else None
                judge = known or LineJudge(line, now, (), waves)
                beside = self.judges.get(Line(uplink.name, Family.IPV4), judge)
                judge.load, judge.doubts = beside.load, beside.doubts  # both share the cable and its queue
                judge.configure(site.targets_of(family), waves, (uplink.down_bps, uplink.up_bps))
                self.judges[line] = judge
                self.trust.setdefault(line, Trust(site.failover.hold_s))
                self._look_at[line] = now
        self._inside = {n.name: self._inside[n.name] for n in site.networks if n.name in self._inside}
        self._asking.trials.settle({line: judge.targets for line, judge in self.judges.items()})
        self.apart.settle(now, site)
        self.ways.settle(now, site)
        self.shapes.settle(site)
        for gone in set(self.trust) - set(self.judges):
            del self.trust[gone]
        self.homecoming.keep(self.judges)
        self.word.keep(self.judges)

    def _adopt(self, now: Instant, adopted: Steering | None) -> None:
        """Begin with the lanes and the calls that the kernel already holds, so that a restart moves nobody."""
        if adopted is not None:
            self.ways.adopt(adopted, self.trust)
            self.homecoming.adopt(now, adopted.calling, self._states, self.site.failover)
        self._decide(now)
        self._transitions = []

    def _obey(self, now: Instant, override: Override) -> None:
        if self.refusal(override) is not None:
            return
        homes = [self.ways.home(f, self.judges) for f in Family] if override.kind is OverrideKind.FAILBACK else []
        self.word.obey(now, override, self._states)
        for home in filter(None, homes):
            self.trust[home].excuse()
        to, duration_s = override.uplink, override.duration_s or None
        self._note(now, "override", "", override.kind.value, to or "", uplink=to, duration_s=duration_s, by=override.by)

    @property
    def _states(self) -> dict[Line, LineState]:
        return {line: judge.state for line, judge in self.judges.items()}

    # judging

    def _judge(self, now: Instant) -> bool:
        """Look at every line of which something new may be seen; whether anything is new for the decision."""
        news = self._news
        self._climb(now)
        for line, judge in self.judges.items():
            if not news and line not in self._touched and now < self._look_at[line]:
                continue
            before, after = judge.state, judge.look(now)
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
        if trials.due(now):
            muffled = frozenset(line for line, j in self.judges.items() if j.muffled(now))
            doubted = frozenset(line for line, j in self.judges.items() if j.suspicion is not None)
            trials.look(now, self._states, doubted, muffled)
            self._touched |= {line for line, j in self.judges.items() if j.see_rungs(now, trials.ladders[line])}
        if (alike := trials.alike(now)) != self._alike:
            self._alike, self._news = alike, True

    def _tell(self, now: Instant, judge: LineJudge, before: LineState) -> None:
        after = judge.state
        if after.health is not before.health:
            if after.health in CARRIES:
                self.ways.well_again(after.line)
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
        apart, nowhere = self.apart.ailing(self.steering().lanes)
        silent = tuple(name for name, connected in self._inside.items() if not connected)
        verdict = verdict_of(self._states, Beside(self._alike, apart, nowhere, silent))
        if replace(verdict, evidence=()) != replace(self.verdict, evidence=()):
            lines = ",".join(str(line) for line in verdict.lines)
            self._note(now, "verdict", self.verdict.code.value, verdict.code.value, lines, what=verdict.what or None)
        self.verdict = verdict

    # deciding

    def _decide(self, now: Instant) -> None:
        for subject, before, after, reason, detail in self.ways.decide(now, self.judges, self.trust, self.word):
            self._note(now, subject, before, after, reason, **detail)
        lanes, at_rest = self.steering().lanes, self.word.at_rest(now)
        for moved, left, to, why in self.apart.decide(now, self.site, self.judges, self.ways, lanes, at_rest):
            self._note(now, f"application:{moved}", left, to, why)
        if self.apart.stale():
            self._steering = None
            self._blame(now)
        times = [self.word.at_rest_until, self.apart.deadline(now), self.homecoming.deadline(now)]
        times += self.ways.deadlines()
        times += [trust.served_at() for trust in self.trust.values()]
        self._decide_at = min((t for t in times if t > now), default=math.inf)

    # when to look again

    def _in_use(self) -> frozenset[Line]:
        return self.apart.lines() | self.ways.lines()

    def _deadline_after(self, now: Instant, ask_at: Instant) -> Instant:
        """The next instant at which anything could change by itself."""
        return min((t for t in (self._decide_at, ask_at, *self._look_at.values()) if t > now), default=math.inf)

    def _note(
        self, now: Instant, subject: str, before: str, after: str, reason: str, **detail: str | int | float | None
    ) -> None:
        self._transitions.append(Transition(now, subject, before, after, reason, detail))
