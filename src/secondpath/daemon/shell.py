"""The gateway: senses in, engine, kernel out, then the book. A decision is one synchronous turn of the event loop."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from secondpath import clock
from secondpath.act.counting import traffic_counters
from secondpath.act.hand import Hand, Report, Retired
from secondpath.act.kernel.box import Box
from secondpath.act.kernel.nft import RulesetError
from secondpath.act.plane import FIRST, LAST, TABLE
from secondpath.config.problem import ConfigError
from secondpath.daemon.journal import Journal
from secondpath.daemon.knowing import Knowing
from secondpath.daemon.loading import load_site
from secondpath.daemon.picture import picture
from secondpath.daemon.rehearsal import rehearse
from secondpath.daemon.retiring import Ending, Retiring
from secondpath.daemon.saving import LOOK_S, WRITE_S, Saving
from secondpath.daemon.systemd import Systemd
from secondpath.daemon.timers import Timers
from secondpath.daemon.watching import Watching
from secondpath.engine.mind import Engine
from secondpath.model import (
    Family,
    Health,
    InterfaceChange,
    Line,
    Observation,
    Reload,
    Site,
    Steering,
    Step,
    Straggler,
    TrafficSample,
    Transition,
)
from secondpath.record.store import Book
from secondpath.record.tape import Tape
from secondpath.sense.flows import FlowWalk
from secondpath.sense.interfaces import Interfaces
from secondpath.sense.prober import Prober
from secondpath.sense.traffic import Traffic
from secondpath.wire.snapshot import Snapshot

DRIFT_S = 10.0
"""How often the kernel is compared with what it should hold, beside the moments in which it tells of a change."""
MEASURE_S = 10.0
REMEMBER_S = 600.0
MEMORY = "engine"
REFUSED = (OSError, RulesetError)
"""What the kernel raises when it says no."""

log = logging.getLogger(__name__)


class Gateway:
    """One running gateway. `start` takes the box over; `close` lets go of everything but the kernel's state."""

    def __init__(self, config: Path, site: Site, state_dir: Path, run_dir: Path, systemd: Systemd) -> None:
        self._load = partial(load_site, config, state_dir)
        self.site = site
        self.started_at = clock.now()
        self.interfaces: dict[str, InterfaceChange] = {}
        self.changed = asyncio.Event()
        self.book = Book(state_dir / "book.db")
        self.tape = Tape(self.book.keep)
        self.journal = Journal(self.book, site)
        self.saving = Saving(self.deliver, self.journal.write)
        self.box = Box(run_dir)
        self.hand = Hand(self.box)
        self._systemd = systemd
        self._retiring = Retiring(self.box.flows, self._flows_ended)
        self._prober = Prober(self.deliver)
        ours, inside = frozenset(range(FIRST, LAST + 1)), self.deliver
        self._senses = Interfaces(self._on_interface, site.uplinks, ours, Path("/"), inside, site.networks)
        self._traffic = Traffic(self._on_traffic, TABLE)
        self.knowing = Knowing(self.deliver, run_dir)
        self._timers = Timers()
        self._running = False
        self._waiting: list[Step] = []
        self.steering_since = dict.fromkeys(Family, self.started_at)
        self.trouble = ""
        self._refused_before = False
        adopted = self.hand.adopt(site)
        self.engine = Engine(site, self.started_at, adopted)
        self.steering = self.engine.steering()
        self.watching = Watching(self, self.box.flows, FlowWalk())
        self._recall()
        self.saving.settle(site)

    # beginning and end

    def start(self) -> None:
        """Take the box over: what is found is adopted, what differs is mended, and only then the questions begin."""
        self._bind()
        self._senses.start()
        rehearse(self.hand, self.site, self.interfaces)  # refused, it has switched on nothing
        self._steer(self.engine.steering())
        report = self.hand.reconcile(self.site, self.steering, self.interfaces)
        self._retire(report)
        self._end_orphans()
        self.journal.note("daemon", "stopped", "running", "started", changes=len(report.changes))
        self._go_on()
        self.knowing.follow(self.site, self.steering)
        self.saving.tell()
        self._traffic.start()
        self.watching.start()
        for descriptor in self.box.tampering.filenos():
            asyncio.get_running_loop().add_reader(descriptor, self._on_tampering)
        self._timers.every(DRIFT_S, "drift", self._mend_drift)
        self._timers.every(MEASURE_S, "measure", self._measure)
        self._timers.every(REMEMBER_S, "remember", self._remember)
        self._timers.every(LOOK_S, "save", self._save)
        self._timers.every(WRITE_S, "write", self._write_used)
        self._save()

    def close(self) -> None:
        """Stop sensing and deciding. The kernel goes on as it was told last."""
        self._running = False
        self._save()
        self._remember()
        self._timers.close()
        self._retiring.close()
        self._senses.close()
        self._traffic.close()
        self.knowing.close()
        self.watching.close()
        self.saving.close()
        self._prober.close()
        for descriptor in self.box.tampering.filenos():
            asyncio.get_running_loop().remove_reader(descriptor)
        self.journal.note("daemon", "running", "stopped", "stopped")
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
        if step.steering is not self.steering:
            self._follow(step)
        today = clock.wall().date()
        for probe in step.probes:
            self._prober.ask(probe)
            self.saving.spent.note(today, probe)
        for transition in step.transitions:
            self.journal.write(transition)
        if step.transitions:
            self._remember()
            self.changed.set()
        now = clock.now()
        self._systemd.alive(now)
        wait_s = min(self.engine.deadline() - now, self._systemd.ping_in_s(now))
        self._timers.at(wait_s, "deadline", self._on_deadline)

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
        left = step.steering.left - self.steering.left
        self._steer(step.steering)
        try:
            report = self.hand.follow(self.site, step.steering, self.interfaces)
        except REFUSED as error:
            log.warning("the kernel refused a switch (%s): making everything anew", error, extra={"event": "drift"})
            self._refused_before = True
            self._mend_drift()
        else:
            self._retire(report)
        self.knowing.follow(self.site, step.steering)
        if left:
            self.watching.left(left, self.going_home())

    def going_home(self) -> frozenset[Line]:
        """The lines that are being left for home."""
        return frozenset(self.engine.homecoming.going_home())

    def found(self, one: Straggler) -> None:
        """Somebody is on a line where nobody should be."""
        who: dict[str, str | int | float | None]
        who = {"device": one.device, "destination": one.destination, "class": one.traffic_class, "bytes": one.octets}
        self.journal.note(f"straggler:{one.line}", "", "ended", "astray", **who)

    def _on_traffic(self, sample: TrafficSample) -> None:
        self.watching.saw(sample)
        self.deliver(sample)

    def _steer(self, steering: Steering) -> None:
        """Note the steering that the kernel is to follow from now on."""
        for family in Family:
            if self.steering.lane("office", family).uplink != steering.lane("office", family).uplink:
                self.steering_since[family] = clock.now()
        self.steering = steering

    def _on_interface(self, change: InterfaceChange) -> None:
        self.interfaces[change.uplink] = change
        self.deliver(change)
        if self._running:
            self._timers.at(0.0, "reconcile", self._mend_drift)

    def _on_tampering(self) -> None:
        """Somebody changed our kernel: if something of ours is gone, it is put back now and not at the next look."""
        if self.box.tampering.seen() and self._running:
            self._timers.at(0.0, "reconcile", self._mend_drift)

    def _retire(self, report: Report) -> None:
        if report.loaded:
            self._retiring.begin_anew(frozenset(self.hand.numbers.values()))
        self._retiring.retire((*report.retired, *report.cut))
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
        if ending.retired.ident and not left:
            return  # its flows ended with its move, or its barring: that has been told
        self.journal.note(f"sweep:{line}", str(ending.reset), str(left), "swept", reset=ending.reset, left=left)

    # what must be looked at now and then

    def _mend_drift(self) -> None:
        self.hand.reads = self.knowing.listen()
        try:
            report = self.hand.reconcile(self.site, self.steering, self.interfaces)
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

    def listen_again(self) -> bool:
        """Have the table hand answers to our reader if there is a reason now; whether they are read."""
        self._mend_drift()
        return self.hand.reads

    def _complain(self, trouble: str) -> None:
        """Say once that something is wrong, and once that it is over."""
        if trouble == self.trouble:
            return
        self.journal.note(
            "daemon", self.trouble and "trouble", trouble and "trouble", trouble or "the kernel follows again"
        )
        self.trouble = trouble

    def _measure(self) -> None:
        self.book.measure(clock.wall(), self.engine.states(clock.now()).values())

    def _save(self) -> None:
        """Look at what the data allowances have been used for since the last look."""
        self.saving.look(clock.now(), clock.wall(), self.steering, self.hand.numbers, self.box.counters)

    def _write_used(self) -> None:
        if self.saving.worth_writing(clock.wall()):
            self._remember()

    def reload(self) -> str | None:
        """Load the configuration anew. A sentence when it is refused; then everything stays as it was."""
        self._systemd.reloading(clock.now())
        try:
            return self._reload()
        finally:
            self._systemd.ready()

    def _reload(self) -> str | None:
        try:
            site = self._load()
            rehearse(self.hand, site, self.interfaces)
        except ConfigError as error:
            self.journal.note("config", "", "refused", "invalid", problems=len(error.problems))
            return str(error)
        except REFUSED as error:
            return self._stay(error)
        before, engine = self.site, copy.deepcopy(self.engine)
        hand = copy.deepcopy(self.hand, {id(self.box): self.box})
        self._running = False
        try:
            self._adopt_site(site)
            self._retire(self.hand.reconcile(site, self.steering, self.interfaces))
        except REFUSED as error:
            self.engine, self.hand = engine, hand
            self._return_to(before)
            return self._stay(error)
        finally:
            self._go_on()
            self.knowing.follow(self.site, self.steering)
        return None

    def _stay(self, error: Exception) -> str:
        self.journal.note("config", "", "refused", "kernel", detail=str(error))
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
        self.site = self.journal.site = site
        self.saving.settle(site)
        self.deliver(Reload(site))
        self.saving.tell()
        self.hand.number(site)
        self._bind()
        self._senses.watch(site.uplinks, site.networks)
        self._steer(self.engine.steering())

    def _bind(self) -> None:
        self.book.remember("timezone", self.site.timezone)  # so that the book can be read by the office's clock
        for uplink in self.site.uplinks:
            self._prober.bind(uplink.name, uplink.interface, self.hand.numbers[uplink.name])
        self._traffic.watch(traffic_counters(self.hand.numbers))
        self.hand.reads = self.knowing.settle(self.site, self.hand.idents, self.hand.numbers)

    # writing down and telling

    def _remember(self) -> None:
        memory = self.engine.memory(clock.now()) | {"at": clock.wall().timestamp()}
        text = json.dumps(memory, sort_keys=True)
        for key, value in {MEMORY: text, **self.saving.memory(clock.wall())}.items():
            self.book.remember(key, value)

    def _recall(self) -> None:
        """Take up what an earlier life wrote. Another version may have written it: what cannot be read is let go."""
        remembered = self.book.recall()
        self.saving.recall(remembered)
        text = remembered.get(MEMORY)
        if not text:
            return
        try:
            memory = json.loads(text)
            passed_s = clock.wall().timestamp() - memory.pop("at", 0.0)
            self.engine.recall(self.started_at, memory, max(0.0, passed_s))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            log.warning("what was remembered cannot be read: %s", error, extra={"event": "memory"})

    def snapshot(self) -> Snapshot:
        """All that there is to tell at this moment."""
        return picture(self)


def _but_config(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
    return tuple(t for t in transitions if t.subject != "config")
