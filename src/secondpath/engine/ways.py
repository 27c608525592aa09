"""Where the classes travel: what judge knows of the lines, handed to decide, and what becomes of flows left behind.

Classes that choose in the same manner (decide/treatment) choose together; most choose as the class *office* does, which
is what "traffic moved" means. A class with a manner of its own leaves, comes home and drains by the same rules.
Where others go on using a line, the flows that a class left behind there are given up alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from secondpath.decide.failback import Trust
from secondpath.decide.homecoming import Homecoming, Over
from secondpath.decide.policy import Choice, Outlook, choose, flows_to_give_up, lanes_of
from secondpath.decide.treatment import Manner, manners_of
from secondpath.decide.word import Word
from secondpath.judge.line import LineJudge
from secondpath.model import OFFICE, Family, Health, Instant, Lane, Line, LineState, Site, Stage, Steering, Why

Judges: TypeAlias = Mapping[Line, LineJudge]
Trusts: TypeAlias = Mapping[Line, Trust]
Told: TypeAlias = tuple[str, str, str, str, dict[str, str | None]]
"""A transition to be noted: subject, before, after, reason, detail."""


@dataclass(slots=True)
class Ways:
    """The choices of one site, and how far the data allowances of its uplinks are used."""

    site: Site
    homecoming: Homecoming
    manners: dict[str, Manner] = field(default_factory=dict)
    choices: dict[tuple[Manner, Family], Choice] = field(default_factory=dict)
    generations: dict[Line, int] = field(default_factory=dict)
    class_generations: dict[tuple[str, Line], int] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    paces: dict[str, int] = field(default_factory=dict)
    changed: bool = True
    """Whether the lanes, or what was given up, differ from what `lanes` told last."""
    _given_up: set[Line] = field(default_factory=set)
    _drained_at: dict[tuple[Manner, Line], Instant] = field(default_factory=dict)

    # what is so

    @property
    def common(self) -> Manner:
        """The manner in which most choose."""
        return self.manners[OFFICE.name]

    def choice(self, family: Family) -> Choice:
        """The choice of the office's ordinary traffic."""
        return self.choices[self.common, family]

    def lanes(self) -> dict[tuple[str, Family], Lane]:
        """The lane of every class and family."""
        self.changed = False
        own = {(name, f): self.choices[m, f] for name, m in self.manners.items() if m != self.common for f in Family}
        return lanes_of(self.site, {f: self.choice(f) for f in Family}, own, self.stages)

    def lines(self) -> frozenset[Line]:
        """The lines that somebody has chosen."""
        return frozenset(Line(c.uplink, f) for (_, f), c in self.choices.items() if c.uplink is not None)

    def home(self, family: Family, judges: Judges) -> Line | None:
        """The most preferred line that is up, if traffic of the family is not already there."""
        for uplink in self.common.order:
            if uplink == self.choice(family).uplink:
                return None
            if judges[Line(uplink, family)].state.health is Health.UP:
                return Line(uplink, family)
        return None

    # taking in

    def settle(self, now: Instant, site: Site) -> None:
        """Take a configuration over. Who chooses in another manner now begins where he is, as far as others are."""
        before, chose = self.manners, self.choices
        self.site, self.manners, self.choices, self.changed = site, manners_of(site), {}, True
        there = {u.name for u in site.uplinks}
        for name in (OFFICE.name, *self.manners):
            for family in Family:
                was = chose.get((before.get(name, self.manners[name]), family), Choice(None, Why.NO_UPLINK))
                kept = was if was.uplink in there else Choice(None, Why.NO_UPLINK)
                chosen = self.choices.setdefault((self.manners[name], family), kept)
                if kept.uplink not in (None, chosen.uplink):  # its flows stay behind on a line that it has left
                    drained = self.manners[name], Line(kept.uplink or "", family)
                    self._drained_at.setdefault(drained, now + site.failover.drain_s)
        lines = {Line(uplink, family) for uplink in there for family in Family}
        self.generations = {line: self.generations.get(line, 0) for line in sorted(lines)}
        self.class_generations = {key: n for key, n in self.class_generations.items() if key[1] in lines}
        manners = set(self.manners.values())
        self._drained_at = {k: at for k, at in self._drained_at.items() if k[0] in manners and k[1] in lines}
        self._given_up &= lines
        limited = {u.name for u in site.uplinks if u.plan is not None and u.plan.data_bytes}
        self.stages = {uplink: stage for uplink, stage in self.stages.items() if uplink in limited}
        self.paces = {uplink: pace for uplink, pace in self.paces.items() if uplink in limited}

    def adopt(self, adopted: Steering, trust: Trusts) -> None:
        """Begin with the lanes that the kernel already holds, so that a restart moves nobody."""
        there = {u.name for u in self.site.uplinks}
        for (name, family), lane in adopted.lanes.items():
            if lane.uplink in there and name in self.manners:
                self.choices[self.manners[name], family] = Choice(lane.uplink, lane.why)
        for (manner, family), choice in self.choices.items():
            used = choice.uplink or self.choice(family).uplink  # none where its classes were all blocked
            if used != choice.uplink:
                self.choices[manner, family] = self.choice(family)
            for preferred in manner.order[: manner.order.index(used)] if used else ():
                trust[Line(preferred, family)].failed = True  # it was left for a reason: it has to serve its hold

    def read(self, uplink: str, stage: Stage, pace_bps: int | None = None) -> bool:
        """So far is the allowance of an uplink used; whether that is news."""
        known = self.stages.get(uplink, Stage.AMPLE), self.paces.get(uplink)
        if uplink not in {u.name for u in self.site.uplinks} or known == (stage, pace_bps):
            return False
        self.stages[uplink], self.changed = stage, True
        self.paces.pop(uplink, None)
        if pace_bps is not None:
            self.paces[uplink] = pace_bps
        return True

    def well_again(self, line: Line) -> None:
        """A line answers: should it fail once more, its flows are given up once more."""
        self._given_up.discard(line)

    # deciding

    def decide(self, now: Instant, judges: Judges, trust: Trusts, word: Word) -> Iterator[Told]:
        """Choose, for every manner and family, and give up what has to be; what there is to tell of it."""
        for family in Family:
            pinned = word.pinned.get(family)
            if pinned is not None and judges[Line(pinned, family)].state.health is Health.DOWN:
                del word.pinned[family]
                pinned = None
            outlooks = {
                line.uplink: Outlook(j.state, trust[line].served_at() <= now, j.suspected(now), j.rtt_s())
                for line, j in judges.items()
                if line.family is family
            }
            usual, used = self.choice(family), self._used(family)
            for manner in dict.fromkeys((self.common, *self.manners.values())):
                before = self.choices[manner, family]
                order = tuple(outlooks[uplink] for uplink in manner.order)
                after = choose(order, before.uplink, pinned, word.at_rest(now), manner.stays_if_poor)
                if after != before:
                    self.choices[manner, family], self.changed = after, True
                if after.uplink != before.uplink:
                    self._leave(now, manner, family, before.uplink, after)
                    along = (before.uplink, after.uplink) == (usual.uplink, self.choice(family).uplink)
                    if manner == self.common or not along:
                        yield from self._told(manner, family, before.uplink, after, judges)
            self._come_and_go(now, family, used, judges)
        for line, judge in judges.items():
            yield from self._give_up(now, line, judge.state, judges)

    def _used(self, family: Family) -> dict[str, Manner]:
        """The uplinks that somebody has chosen for a family, each with a manner that did."""
        chosen = ((c.uplink, m) for (m, f), c in self.choices.items() if f is family)
        return {uplink: manner for uplink, manner in chosen if uplink is not None}

    def _leave(self, now: Instant, manner: Manner, family: Family, left: str | None, choice: Choice) -> None:
        """Going home, what is in progress on the backup may finish there."""
        if choice.uplink is None:
            return
        if left is not None and _goes_home(manner, left, choice.uplink):
            self._drained_at[manner, Line(left, family)] = now + self.site.failover.drain_s
        self._drained_at.pop((manner, Line(choice.uplink, family)), None)

    def _come_and_go(self, now: Instant, family: Family, before: Mapping[str, Manner], judges: Judges) -> None:
        """A line that nobody has chosen any more is left as a whole: then what is in progress there decides."""
        after = self._used(family)
        for uplink in before.keys() - after.keys():
            manner, line = before[uplink], Line(uplink, family)
            to = self.choices[manner, family].uplink
            if line in judges and to is not None:
                home = _goes_home(manner, uplink, to)
                self.homecoming.move(now, judges[line].state, Line(to, family), home, self.site.failover)
            self._drained_at = {key: at for key, at in self._drained_at.items() if key[1] != line}
        for uplink in after.keys() - before.keys():
            self.homecoming.forget(Line(uplink, family))

    def _told(self, manner: Manner, family: Family, left: str | None, choice: Choice, judges: Judges) -> Iterator[Told]:
        was = judges.get(Line(left or "", family))
        if was is not None and not was.state.offered:
            return  # nothing moved: nobody has ever set this family up there
        detail: dict[str, str | None] = {"left_because": was.state.cause.value if was is not None else ""}
        subjects = (
            [f"steering:{family}"] if manner == self.common else [f"class:{n}/{family}" for n in self._of(manner)]
        )
        for subject in subjects:
            yield subject, left or "", choice.uplink or "", choice.why.value, detail

    def _of(self, manner: Manner) -> list[str]:
        return [name for name, own in self.manners.items() if own == manner]

    def _give_up(self, now: Instant, line: Line, state: LineState, judges: Judges) -> Iterator[Told]:
        """Retire the flows of a dead line once another carries the family; and those that outstayed their drain."""
        drained = {manner: at for (manner, on), at in self._drained_at.items() if on == line}
        if any(self.choices[m, line.family].uplink == line.uplink for m in self.manners.values()):
            yield from self._give_up_classes(now, line, drained)
            return
        used = self.choice(line.family).uplink
        carrier = judges.get(Line(used, line.family)) if used else None
        if carrier is None or (line in self._given_up and state.health is Health.DOWN):
            return
        over = self.homecoming.over(now, state) or (Over.TIME if drained and now >= max(drained.values()) else None)
        if flows_to_give_up(line, state, used, carrier.state.health, over is not None):
            self.generations[line] += 1
            self.changed = True
            self.homecoming.forget(line)
            for manner in drained:
                del self._drained_at[manner, line]
            if state.health is Health.DOWN:
                self._given_up.add(line)
            after = "finished" if over is Over.FINISHED else "given up"
            yield f"flows:{line}", "", after, state.cause.value, {"because": str(over)} if over else {}

    def _give_up_classes(self, now: Instant, line: Line, drained: Mapping[Manner, Instant]) -> Iterator[Told]:
        """Others go on using the line: of those that left it, only their own flows end when their time is over."""
        for manner in [m for m, at in drained.items() if now >= at]:
            del self._drained_at[manner, line]
            for name in self._of(manner):
                self.class_generations[name, line] = self.class_generations.get((name, line), 0) + 1
                self.changed = True
                there = self.choices[manner, line.family].uplink or ""
                yield f"class:{name}/{line.family}", line.uplink, there, "drained", {}

    def deadlines(self) -> list[Instant]:
        """When flows will have been there for long enough."""
        return [*self._drained_at.values()]

    # over a restart

    def memory(self) -> dict[str, Any]:
        """What has to outlive a restart, as JSON has it."""
        return {"stages": {uplink: stage.value for uplink, stage in self.stages.items()}}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take up what an earlier life remembered."""
        for uplink, stage in memory.get("stages", {}).items():
            self.read(uplink, Stage(stage))


def _goes_home(manner: Manner, left: str, to: str) -> bool:
    return left in manner.order and manner.order.index(to) < manner.order.index(left)
