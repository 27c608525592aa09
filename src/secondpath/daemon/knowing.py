"""How it is known who is who: the reader of DNS answers and the office's resolver, kept in step with the gateway.

The resolver goes on without us: it is adopted at the next start, begun again when it ends, and told at every switch
whom to ask. Where it cannot be run (none installed, or somebody else is on port 53) the reader alone has to do: then
the first packets of a first flow may be the office's, and all else is as with it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from secondpath import clock
from secondpath.act.kernel.dnsmasq import Dnsmasq, ResolverError
from secondpath.act.reading import GROUP
from secondpath.act.recognition import names_of, recognises
from secondpath.act.resolver import resolver_text, servers_of, servers_text
from secondpath.daemon.teaching import Teaching
from secondpath.model import (
    AnswerSeen,
    Family,
    IPAddress,
    Line,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Site,
    Steering,
    Target,
)
from secondpath.sense.answers import Answers, Asked
from secondpath.sense.prober import Prober

RESTART_S, RESTART_MOST_S = 0.5, 60.0
"""After so long a resolver that has ended is begun again; the pause doubles while it does not stay."""
STAYS_S = 30.0
ASK_S, ASK_IDLE_S, ASK_METERED_S = 10.0, 60.0, 600.0
"""How often each server is asked, over the line in use, over another, and over a metered one that is not in use."""
TIMEOUT_S = 2.0
MUTE_AFTER = 2
"""So many questions in a row without an answer, and a server is left out while others answer."""

log = logging.getLogger(__name__)


class Knowing:
    """The reader and the resolver of one gateway."""

    def __init__(self, deliver: Callable[[AnswerSeen], None], run_dir: Path) -> None:
        self.answers = Answers(deliver, GROUP)
        self.teaching = Teaching()
        self.answers.overhear = self._overhear
        self._dnsmasq = Dnsmasq(run_dir / "resolver")
        self._prober = Prober(self._tested)
        self._numbers = itertools.count(1)
        self._asked_at: dict[tuple[Line, IPAddress], float] = {}
        self._failed: dict[tuple[Line, IPAddress], int] = {}
        self._site: Site | None = None
        self._steering: Steering | None = None
        self._idents: Mapping[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._pause_s = RESTART_S
        self._began_at = 0.0
        self._watched: int | None = None
        self._followed: tuple[object, ...] | None = None
        self.trouble = ""

    # in step with the gateway

    def settle(self, site: Site, idents: Mapping[str, int], marks: Mapping[str, int]) -> bool:
        """Take a configuration over, before the table is made: it has to know whether answers are read."""
        for name in {u.name for u in self._site.uplinks} - {u.name for u in site.uplinks} if self._site else ():
            self._prober.unbind(name)
        for uplink in site.uplinks:
            self._prober.bind(uplink.name, uplink.interface, marks[uplink.name])
        self._site, self._idents = site, dict(idents)
        self.answers.watch(name for application in site.applications for name in names_of(application))
        return self.listen()

    def listen(self) -> bool:
        """Read answers if there is a reason to; whether they are read. To be asked again now and then."""
        wanted = self._site is not None and (recognises(self._site) or self.teaching.lesson is not None)
        return wanted and (self.answers.is_open or self.answers.open())

    def follow(self, site: Site, steering: Steering) -> None:
        """The table stands, and this is where the office travels: have the resolver ask there."""
        self._site, self._steering = site, steering
        if site.resolver is None:
            if self._dnsmasq.pid is not None or self._dnsmasq.adopt():
                self._let_go()
                self._dnsmasq.stop()
            self._trouble_is("")
            return
        state = (site, tuple(self._idents.items()), *(steering.lane("office", f).uplink for f in Family), self._mute())
        if self._followed is not None and self._dnsmasq.pid is not None and _same(self._followed, state):
            return
        self._followed = state
        user = "root" if os.geteuid() == 0 else ""
        config = resolver_text(site, self._idents, str(self._dnsmasq.servers), user)
        servers = servers_text(site, steering, self._mute())
        was_config, was_servers = self._dnsmasq.written()
        running = self._dnsmasq.pid is not None or self._dnsmasq.adopt()
        if (config, servers) != (was_config, was_servers):
            self._dnsmasq.write(config, servers)
        if running and config != was_config:
            self._let_go()
            self._dnsmasq.stop()
            running = False
        if running:
            self._watch()
            if servers != was_servers:
                self._dnsmasq.reread()
        elif "restart" not in self._timers:
            self._start()
        if "ask" not in self._timers:
            self._ask_servers()

    def close(self) -> None:
        """Look after them no more. The resolver goes on."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._let_go()
        self._dnsmasq.release()
        self._prober.close()
        self.answers.close()

    def told(self) -> dict[str, object]:
        """What there is to tell: whether answers are read, and how the resolver is."""
        site = self._site
        wanted = site is not None and site.resolver is not None
        mute = [f"{address} over {line}" for line, address in sorted(self._mute(), key=str)]
        state = {"running": self._dnsmasq.pid is not None, "trouble": self.trouble, "mute": mute} if wanted else None
        return {"reading": self.answers.is_open, "resolver": state}

    def _overhear(self, asked: Asked) -> None:
        self.teaching.heard(clock.now(), asked.client, asked.name)

    # the process

    def _start(self) -> None:
        self._timers.pop("restart", None)
        if self._site is None or self._site.resolver is None:
            return
        try:
            self._dnsmasq.start(frozenset(n.interface for n in self._site.networks))
        except (ResolverError, OSError) as why:
            self._trouble_is(str(why))
            self._at(RESTART_MOST_S, "restart", self._start)
            return
        self._began_at = asyncio.get_running_loop().time()
        self._trouble_is("")
        self._watch()

    def _watch(self) -> None:
        if self._watched is None and self._dnsmasq.pidfd is not None:
            self._watched = self._dnsmasq.pidfd
            asyncio.get_running_loop().add_reader(self._watched, self._ended)

    def _let_go(self) -> None:
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched)
            self._watched = None

    def _ended(self) -> None:
        self._let_go()
        words = self._dnsmasq.ended()
        stayed = asyncio.get_running_loop().time() - self._began_at >= STAYS_S
        self._pause_s = RESTART_S if stayed else min(2 * self._pause_s, RESTART_MOST_S)
        self._trouble_is(f"the resolver has ended and is begun again: {words}")
        self._at(self._pause_s, "restart", self._start)

    def _trouble_is(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            log.warning("%s", trouble or "the office's resolver answers", extra={"event": "resolver"})

    # its servers, tested over each uplink

    def _ask_servers(self) -> None:
        self._at(ASK_S, "ask", self._ask_servers)
        site, steering = self._site, self._steering
        if site is None or steering is None or site.resolver is None:
            return
        now = asyncio.get_running_loop().time()
        for uplink in site.uplinks:
            for line in (Line(uplink.name, family) for family in Family):
                used = steering.lane("office", line.family).uplink == uplink.name
                pace_s = ASK_S if used else ASK_METERED_S if uplink.metered else ASK_IDLE_S
                for address in servers_of(site, uplink.name, line.family):
                    if now - self._asked_at.get((line, address), -ASK_METERED_S) >= pace_s - 1.0:
                        self._asked_at[line, address] = now
                        target = Target(f"dns://{address}/", ProbeKind.DNS, address, 53, ".")
                        self._prober.ask(Probe(next(self._numbers), line, target, TIMEOUT_S))

    def _tested(self, result: ProbeResult) -> None:
        place = result.probe.line, result.probe.target.address
        before = self._mute()
        if result.outcome is Outcome.OK:
            self._failed.pop(place, None)
        elif result.outcome is not Outcome.UNSENT:
            self._failed[place] = self._failed.get(place, 0) + 1
            if self._failed[place] < MUTE_AFTER:  # it is asked once more at once
                self._prober.ask(replace(result.probe, number=next(self._numbers)))
        if self._mute() != before and self._site is not None and self._steering is not None:
            self.follow(self._site, self._steering)

    def _mute(self) -> frozenset[tuple[Line, IPAddress]]:
        return frozenset(place for place, failed in self._failed.items() if failed >= MUTE_AFTER)

    def _at(self, delay_s: float, name: str, call: Callable[[], object]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(delay_s, call)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether nothing changed for the resolver; a site is told by which it is, for comparing one takes time."""
    return one[0] is other[0] and one[1:] == other[1:]
