"""The gateway: senses in, engine, kernel out, then the book. A decision is one synchronous turn of the event loop."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from secondpath import clock
from secondpath.act.counting import traffic_counters
from secondpath.act.hand import Hand, Report, Retired
from secondpath.act.kernel.box import Box
from secondpath.act.kernel.nft import RulesetError
from secondpath.act.plane import FIRST, LAST, TABLE
from secondpath.config.problem import ConfigError
from secondpath.config.reader import load
from secondpath.daemon.rehearsal import rehearse
from secondpath.daemon.retiring import Ending, Retiring
from secondpath.daemon.systemd import Systemd
from secondpath.engine import Engine
from secondpath.model import (
    Family,
    Health,
    InterfaceChange,
    Observation,
    Reload,
    Site,
    Steering,
    Step,
    Transition,
)
from secondpath.record.spent import Spent
from secondpath.record.store import Book
from secondpath.record.tape import Tape
from secondpath.sense.interfaces import Interfaces
from secondpath.sense.prober import Prober
from secondpath.sense.traffic import Traffic
from secondpath.tell.words import event_text
from secondpath.wire.snapshot import Event, Snapshot
from secondpath.wire.status import event_name

DRIFT_S = 10.0
"""How often the kernel is compared with what it should hold, beside the moments in which it tells of a change."""
MEASURE_S = 10.0
RECENT = 20
REMEMBER_S = 600.0
MEMORY, SPENT = "engine", "questions"
REFUSED = (OSError, RulesetError)
"""What the kernel raises when it says no."""

log = logging.getLogger(__name__)


class Gateway:
    """One running gateway. `start` takes the box over; `close` lets go of everything but the kernel's state."""

    def __init__(self, config: Path, site: Site, state_dir: Path, run_dir: Path, systemd: Systemd) -> None:
        self.config = config
        self.site = site
        self.started_at = clock.now()
        self.interfaces: dict[str, InterfaceChange] = {}
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.changed = asyncio.Event()
        self.book = Book(state_dir / "book.db")
        self.tape = Tape(self.book.keep)
        self.spent = Spent()
        self.box = Box(run_dir)
        self.hand = Hand(self.box)
        self._systemd = systemd
        self._retiring = Retiring(self.box.flows, self._flows_ended)
        self._prober = Prober(self.deliver)
        self._senses = Interfaces(self._on_interface, site.uplinks, frozenset(range(FIRST, LAST + 1)))
        self._traffic = Traffic(self.deliver, TABLE)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running = False
        self._waiting: list[Step] = []
        self._steering_since = dict.fromkeys(Family, self.started_at)
        self._trouble = ""
        self._refused_before = False
        self._told = 0
        adopted = self.hand.adopt(site)
        self.engine = Engine(site, self.started_at, adopted)
        self._steering = self.engine.steering()
        self._recall()

    # beginning and end

    def start(self) -> None:
        """Take the box over: what is found is adopted, what differs is mended, and only then the questions begin."""
        self._bind()
        self._senses.start()
        rehearse(self.hand, self.site, self.interfaces)  # refused, it has switched on nothing
        self._steer(self.engine.steering())
        report = self.hand.reconcile(self.site, self._steering, self.interfaces)
        self._retire(report)
        self._end_orphans()
        self._note("daemon", "stopped", "running", "started", changes=len(report.changes))
        self._go_on()
        self._traffic.start()
        for descriptor in self.box.tampering.filenos():
            asyncio.get_running_loop().add_reader(descriptor, self._on_tampering)
        self._every(DRIFT_S, "drift", self._mend_drift)
        self._every(MEASURE_S, "measure", self._measure)
        self._every(REMEMBER_S, "remember", self._remember)

    def close(self) -> None:
        """Stop sensing and deciding. The kernel goes on as it was told last."""
        self._running = False
        self._remember()
        for timer in self._timers.values():
            timer.cancel()
        self._retiring.close()
        self._senses.close()
        self._traffic.close()
        self._prober.close()
        for descriptor in self.box.tampering.filenos():
            asyncio.get_running_loop().remove_reader(descriptor)
        self._note("daemon", "running", "stopped", "stopped")
        self.box.close()
        self.tape.close()
        self.book.close()

    # the loop

    def deliver(self, observation: Observation) -> None:
        """The one door: something happened. Decided and acted on before this returns."""
        self._take(self.tape.step(self.engine, clock.now(), observation))

    def _take(self, step: Step) -> None:
        if not self._running:
            self._waiting.append(step)  # the kernel is being taken over, or a reload is under way
            return
        if step.steering is not self._steering:
            self._follow(step)
        today = clock.wall().date()
        for probe in step.probes:
            self._prober.ask(probe)
            self.spent.note(today, probe)
        for transition in step.transitions:
            self._write_down(transition)
        if step.transitions:
            self._remember()
            self.changed.set()
        now = clock.now()
        self._systemd.alive(now)
        wait_s = min(self.engine.deadline() - now, self._systemd.ping_in_s(now))
        self._at(wait_s, "deadline", self._on_deadline)

    def _go_on(self) -> None:
        """Take up what was answered while the kernel was being made to follow: all but the steering.

        The kernel has been given the newest one; an older one would move it back for a moment, and end flows.
        """
        self._running = True
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            self._take(replace(step, steering=self.engine.steering()))
        self._on_deadline()

    def _on_deadline(self) -> None:
        self._take(self.tape.step(self.engine, clock.now()))

    def _follow(self, step: Step) -> None:
        """The kernel first. Its refusal means drift (our table is gone, say): then everything is made anew."""
        self._steer(step.steering)
        try:
            report = self.hand.follow(self.site, step.steering, self.interfaces)
        except REFUSED as error:
            log.warning("the kernel refused a switch (%s): making everything anew", error, extra={"event": "drift"})
            self._refused_before = True
            self._mend_drift()
        else:
            self._retire(report)

    def _steer(self, steering: Steering) -> None:
        """Note the steering that the kernel is to follow from now on."""
        for family in Family:
            if self._steering.lane("office", family).uplink != steering.lane("office", family).uplink:
                self._steering_since[family] = clock.now()
        self._steering = steering

    def _on_interface(self, change: InterfaceChange) -> None:
        self.interfaces[change.uplink] = change
        self.deliver(change)
        if self._running:
            self._at(0.0, "reconcile", self._mend_drift)

    def _on_tampering(self) -> None:
        """Somebody changed our kernel: if something of ours is gone, it is put back now and not at the next look."""
        if self.box.tampering.seen() and self._running:
            self._at(0.0, "reconcile", self._mend_drift)

    def _retire(self, report: Report) -> None:
        if report.loaded:
            self._retiring.begin_anew(frozenset(self.hand.numbers.values()))
        self._retiring.retire(report.retired)
        for line in {retired.line for retired in report.retired}:
            interface = self.interfaces.get(line.uplink)
            judged = self.engine.judges.get(line)
            if interface is not None and judged is not None and judged.state.health is Health.DOWN:
                mark = ":" if line.family is Family.IPV6 else "."
                self.box.end_own_connections(a for a in interface.addresses if mark in a.split("/")[0])

    def _end_orphans(self) -> None:
        """A crash, or a refusal, in the middle of a switch leaves flows of epochs that nobody routes any more."""
        live = {(epoch, self.hand.numbers[line.uplink]) for line, epoch in self.hand.epochs.items()}
        names = {number: name for name, number in self.hand.numbers.items()}
        lines = {line.uplink: line for line in self.hand.epochs}
        orphans = self.box.flows.orphans(frozenset(live), frozenset(names))
        self._retiring.retire(Retired(lines[names[number]], epoch, number) for epoch, number in orphans)

    def _flows_ended(self, ending: Ending) -> None:
        line, left = ending.retired.line, ending.left
        self._note(f"sweep:{line}", str(ending.reset), str(left), "swept", reset=ending.reset, left=left)

    # what must be looked at now and then

    def _mend_drift(self) -> None:
        try:
            report = self.hand.reconcile(self.site, self._steering, self.interfaces)
        except REFUSED as error:
            self._refused_before = True
            self._complain(f"the kernel does not take our table: {error}")
            return
        self._complain("")
        self._retire(report)
        if self._refused_before:  # then the report of what was retired was lost with the refusal
            self._refused_before = False
            self._end_orphans()
        if report.changes:
            kinds = ", ".join(sorted({type(c).__name__ for c in report.changes}))
            log.info("the kernel differed and was mended: %s", kinds, extra={"event": "reconcile"})

    def _complain(self, trouble: str) -> None:
        """Say once that something is wrong, and once that it is over."""
        if trouble == self._trouble:
            return
        self._note("daemon", self._trouble and "trouble", trouble and "trouble", trouble or "the kernel follows again")
        self._trouble = trouble

    def _measure(self) -> None:
        self.book.measure(clock.wall(), self.engine.states(clock.now()).values())

    def reload(self) -> str | None:
        """Load the configuration anew. A sentence when it is refused; then everything stays as it was."""
        self._systemd.reloading(clock.now())
        try:
            return self._reload()
        finally:
            self._systemd.ready()

    def _reload(self) -> str | None:
        try:
            site = load(self.config)
            rehearse(self.hand, site, self.interfaces)
        except ConfigError as error:
            self._note("config", "", "refused", "invalid", problems=len(error.problems))
            return str(error)
        except REFUSED as error:
            return self._stay(error)
        before, engine = self.site, copy.deepcopy(self.engine)
        hand = copy.deepcopy(self.hand, {id(self.box): self.box})
        self._running = False
        try:
            self._adopt_site(site)
            self._retire(self.hand.reconcile(site, self._steering, self.interfaces))
        except REFUSED as error:
            self.engine, self.hand = engine, hand
            self._return_to(before)
            return self._stay(error)
        finally:
            self._go_on()
        return None

    def _stay(self, error: Exception) -> str:
        self._note("config", "", "refused", "kernel", detail=str(error))
        return f"the kernel does not take this configuration: {error}"

    def _return_to(self, site: Site) -> None:
        """The kernel refused in the middle: everything as it was, and nobody is told of the attempt."""
        self._waiting.clear()
        self._adopt_site(site)
        self._waiting = [replace(step, transitions=_but_config(step.transitions)) for step in self._waiting]
        self._mend_drift()

    def _adopt_site(self, site: Site) -> None:
        for name in {u.name for u in self.site.uplinks} - {u.name for u in site.uplinks}:
            self._prober.unbind(name)
            self.interfaces.pop(name, None)
        self.site = site
        self.deliver(Reload(site))
        self.hand.number(site)
        self._bind()
        self._senses.watch(site.uplinks)
        self._steer(self.engine.steering())

    def _bind(self) -> None:
        self.book.remember("timezone", self.site.timezone)  # so that the book can be read by the office's clock
        for uplink in self.site.uplinks:
            self._prober.bind(uplink.name, uplink.interface, self.hand.numbers[uplink.name])
        self._traffic.watch(traffic_counters(self.hand.numbers))

    # writing down and telling

    def _note(self, subject: str, before: str, after: str, reason: str, **detail: str | int | float | None) -> None:
        self._write_down(Transition(clock.now(), subject, before, after, reason, detail))

    def _write_down(self, transition: Transition) -> None:
        wall = clock.wall()
        self.book.append(transition, wall)
        self._told += 1
        self.recent.append(Event(self._told, wall, transition))
        fields = {"subject": transition.subject, "before": transition.before, "after": transition.after}
        more = {"event": event_name(transition), "fields": fields}
        log.info("%s", event_text(transition, self.site), extra=more)

    def _remember(self) -> None:
        memory = self.engine.memory(clock.now()) | {"at": clock.wall().timestamp()}
        text = json.dumps(memory, sort_keys=True)
        self.book.remember(MEMORY, text)
        self.book.remember(SPENT, self.spent.text(clock.wall().date()))

    def _recall(self) -> None:
        """Take up what an earlier life wrote. Another version may have written it: what cannot be read is let go."""
        remembered = self.book.recall()
        text = remembered.get(MEMORY)
        if not text:
            return
        try:
            self.spent.take_up(remembered.get(SPENT, ""))
            memory = json.loads(text)
            passed_s = clock.wall().timestamp() - memory.pop("at", 0.0)
            self.engine.recall(self.started_at, memory, max(0.0, passed_s))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            log.warning("what was remembered cannot be read: %s", error, extra={"event": "memory"})

    def snapshot(self) -> Snapshot:
        """All that there is to tell at this moment."""
        now = clock.now()
        override, left_s = self.engine.standing_override(now)
        return Snapshot(
            site=self.site,
            at=now,
            wall=clock.wall(),
            started_at=self.started_at,
            steering=self.engine.steering(),
            steering_since=dict(self._steering_since),
            lines=self.engine.states(now),
            verdict=self.engine.verdict,
            override=override,
            override_left_s=left_s,
            hold_left_s=self.engine.holds(now),
            interfaces=dict(self.interfaces),
            recent=tuple(self.recent),
            evidence=self._evidence(),
        )

    def _evidence(self) -> dict[str, object]:
        """What the kernel counted and what is amiss."""
        try:
            counters = {name: packets for name, (packets, _) in self.box.counters().items()}
        except OSError:
            counters = {}
        epochs = {str(line): epoch for line, epoch in self.hand.epochs.items()}
        questions = self.spent.of(clock.wall().date(), {u.name for u in self.site.uplinks if u.metered})
        return {"counters": counters, "questions": questions, "epochs": epochs,
                "trouble": self._trouble, "book": self.book.trouble,
                "rungs": {str(line): ladder.rungs() for line, ladder in self.engine.ladders.items()}}  # fmt: skip

    # timers

    def _at(self, delay_s: float, name: str, call: Callable[[], None]) -> None:
        """Call once, later; the same name again replaces the earlier call."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if delay_s < float("inf"):
            self._timers[name] = asyncio.get_running_loop().call_later(max(0.0, delay_s), call)

    def _every(self, period_s: float, name: str, call: Callable[[], None]) -> None:
        def again() -> None:
            call()
            self._at(period_s, name, again)

        self._at(period_s, name, again)


def _but_config(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
    return tuple(t for t in transitions if t.subject != "config")
