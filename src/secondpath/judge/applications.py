"""Which application works over which line: each is asked as its `test` says, and tried as a rung is (judge/trials).

An application may be dead on one path and well on another, while the line answers everybody else. It is asked over the
line that it uses, every TEST_S where people are at work. A question that fails accuses: the same is asked twice more
here, and at once over the other lines. It does not work here when three in a row have failed here; and it works
elsewhere when two in a row were answered there since. What fails over every line is the application's own trouble: it
is told, and moves nobody.

A failure says nothing of the application while the line itself is doubted, down or tried for a rung, nor where it
queued behind our own traffic at any time since the question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from secondpath.judge.ladder import Question
from secondpath.judge.line import LineJudge
from secondpath.judge.names import LOOK_AGAIN_S, Names, Wanted, fixed_addresses, names_of, parse_test
from secondpath.judge.probing import TIMEOUT_MOST_S
from secondpath.judge.seen import Seen
from secondpath.model import (
    CARRIES,
    Application,
    Family,
    Instant,
    IPAddress,
    Line,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    Site,
    Target,
)

TEST_S, TEST_IDLE_S = 10.0, 60.0
"""Pace of the test over the line in use, while people are at work by it (judge/traffic) and while nobody is ..."""
METERED_SLOWER = 6.0
"""... and so much slower on a metered one."""
FAILURES, PROOFS = 3, 2
"""So many failures in a row convict, so many answers in a row prove."""
COMPARE_S, COMPARE_MOST_S = 30.0, 900.0
"""What fails over every line is compared again after so long; the pause doubles each time, up to the second."""
KINDS: Mapping[str, tuple[ProbeKind, int]] = {
    "https": (ProbeKind.TLS, 443),
    "http": (ProbeKind.HTTP, 80),
    "sips": (ProbeKind.TLS, 5061),
    "sip": (ProbeKind.TCP, 5060),
    "tcp": (ProbeKind.TCP, 0),
    "dns": (ProbeKind.DNS, 53),
    "icmp": (ProbeKind.ICMP, 0),
}
"""How the path to an application is asked for each kind of `test`: a handshake proves it and signs in nowhere."""
OPEN_MOST = 512
NEVER_LEFT = frozenset({Outcome.UNSENT, Outcome.FORBIDDEN})


@dataclass(slots=True)
class Way:
    """One application over one line: failures and answers in a row, and the questions that were counted."""

    asked_at: Instant = -math.inf
    failed: int = 0
    good: int = 0
    turn: int = 0
    open: dict[int, Instant] = field(default_factory=dict)
    heard: tuple[Question, ...] = ()

    @property
    def works(self) -> bool | None:
        """None while nothing is known."""
        return False if self.failed >= FAILURES else True if self.good else None

    @property
    def proven(self) -> bool:
        """Whether it works so surely that one may go there."""
        return self.good >= PROOFS

    def forget(self) -> None:
        """What was known is not to be compared with what comes."""
        self.failed = self.good = 0
        self.heard = ()


@dataclass(slots=True)
class Known:
    """What is known of one application: its ways, and when to compare them again where none works."""

    application: Application
    ways: dict[Line, Way] = field(default_factory=dict)
    compare_at: dict[Family, Instant] = field(default_factory=dict)
    pause_s: dict[Family, float] = field(default_factory=dict)

    def way(self, line: Line) -> Way:
        """What is known of it over a line."""
        return self.ways.setdefault(line, Way())


def is_tested(application: Application) -> bool:
    """Whether it can be asked whether it works."""
    return bool(application.test) and bool(names_of(application) or fixed_addresses(application))


class Applications:
    """All applications of a site that can be tested."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.names = Names()
        self.seen = Seen()
        self._all: tuple[Application, ...] = ()
        self._tests: dict[int, tuple[str, Question]] = {}
        self._travels: dict[tuple[str, Family], frozenset[Line]] = {}
        self._unsure_at: dict[Line, Instant] = {}
        self.due: Instant = -math.inf
        """When there may be something to ask."""

    def settle(self, now: Instant, site: Site) -> None:
        """Take a configuration over; what is known of applications that stay as they are is kept."""
        kept, self.known = self.known, {}
        for application in filter(is_tested, site.applications):
            before = kept.get(application.name)
            same = before is not None and before.application == application
            self.known[application.name] = before if before is not None and same else Known(application)
        self._all = site.applications
        self.names.settle(site.applications)
        self.seen.settle(dict.fromkeys(name for a in site.applications for name in names_of(a)))
        self.due = now

    def destinations(self) -> dict[str, frozenset[IPAddress]]:
        """Every address that an application is known by: what we asked for, and what people were answered."""
        return {a.name: self.names.all_of(a.name) | self.seen.of(names_of(a)) for a in self._all}

    def learned(self) -> int:
        """Another number whenever an address is learned or let go."""
        return self.names.learned + self.seen.learned

    def works(self, name: str, line: Line) -> bool | None:
        """Whether an application works over a line; None while that is not known."""
        return self.known[name].way(line).works

    def proven(self, name: str, line: Line) -> bool:
        """Whether it works there so surely that one may go there."""
        return self.known[name].way(line).proven

    def heard(self, name: str, family: Family) -> tuple[Question, ...]:
        """The questions that tell how an application fares over the lines of a family."""
        ways = self.known[name].ways.items() if name in self.known else ()
        return tuple(q for line, way in ways if line.family is family for q in way.heard)

    # asking

    def ask(
        self,
        now: Instant,
        site: Site,
        judges: Mapping[Line, LineJudge],
        used: Mapping[tuple[str, Family], frozenset[str]],
        unsure: frozenset[Line],
    ) -> Iterator[Wanted]:
        """What to ask now, each with what is to be told of the probe that was made of it.

        `used` are the uplinks by which each application and family travels: its class's first, then its own.
        """
        self.due = math.inf
        steady = {line for line, j in judges.items() if j.fit() and j.state.health in CARRIES and line not in unsure}
        for (name, family), uplinks in used.items():
            known = self.known[name]
            lines = [Line(uplink, family) for uplink in sorted(uplinks)]
            if any(self.names.to_ask(name, family, uplink) for uplink in uplinks):
                self._travels[name, family] = frozenset(lines)
                yield from self._ask_lines(now, site, judges, known, lines, steady)
        wanted, again = self.names.ask(now, site, steady, {uplink for uplinks in used.values() for uplink in uplinks})
        yield from wanted
        self.due = min(self.due, again)

    def _ask_lines(
        self,
        now: Instant,
        site: Site,
        judges: Mapping[Line, LineJudge],
        known: Known,
        lines: list[Line],
        steady: set[Line],
    ) -> Iterator[Wanted]:
        for line in lines:
            way = known.way(line)
            pace_s = TEST_S if judges[line].traffic.busy(now) else TEST_IDLE_S
            pace_s *= METERED_SLOWER if site.uplink(line.uplink).metered else 1.0
            due = way.asked_at + pace_s
            if 0 < way.failed < FAILURES and not self._waits(now, way):
                due = now
            somebody_may_come = now + TEST_S
            self.due = min(self.due, due if due > now else now + LOOK_AGAIN_S, somebody_may_come)
            if line in steady and now >= due:
                wanted = max(1, FAILURES - way.failed) if way.failed else 1
                for _ in range(wanted):
                    yield from self._test(now, known, line)
        if any(known.way(line).failed for line in lines):
            yield from self._compare(now, known, lines, steady)

    def _compare(self, now: Instant, known: Known, lines: list[Line], steady: set[Line]) -> Iterator[Wanted]:
        """It fails where it travels: does it work over the others? What fails there too is asked again, seldom."""
        family = lines[0].family
        others = sorted(line for line in steady if line.family is family and line not in lines)
        if now < known.compare_at.get(family, -math.inf):
            self.due = min(self.due, known.compare_at[family])
            return
        for line in others:
            way = known.way(line)
            if way.failed >= FAILURES or way.proven or self._waits(now, way):
                continue
            for _ in range(PROOFS - way.good):
                yield from self._test(now, known, line)
            self.due = min(self.due, now + LOOK_AGAIN_S)
        settled = all(known.way(line).failed >= FAILURES or known.way(line).proven for line in others)
        if others and settled and all(known.way(line).works is False for line in (*others, *lines)):
            pause_s = known.pause_s.get(family, COMPARE_S)
            known.compare_at[family] = now + pause_s
            known.pause_s[family] = min(2 * pause_s, COMPARE_MOST_S)
            for line in others:
                known.way(line).forget()
            self.due = min(self.due, now + pause_s)

    def everywhere(self, name: str, family: Family) -> bool:
        """Whether it was last found to fail over every line."""
        known = self.known[name]
        works = any(way.works for line, way in known.ways.items() if line.family is family)
        return family in known.compare_at and not works

    def _waits(self, now: Instant, way: Way) -> bool:
        for number in [n for n, at in way.open.items() if now > at + 2 * TIMEOUT_MOST_S]:
            del way.open[number]  # the question ended without a result: its line was taken away
        return bool(way.open)

    def _test(self, now: Instant, known: Known, line: Line) -> Iterator[Wanted]:
        """The test of an application over a line, of the addresses of its host in turn; none where it has none."""
        application, way = known.application, known.way(line)
        way.asked_at = now
        addresses = self.names.to_ask(application.name, line.family, line.uplink)
        if not addresses:
            return
        said = parse_test(application.test or "")
        kind, port = KINDS[said.scheme]
        address = addresses[way.turn % len(addresses)]
        way.turn += 1

        def asked(probe: Probe) -> None:
            way.open[probe.number] = now
            self._tests[probe.number] = application.name, Question(probe, now, now + probe.timeout_s)
            while len(self._tests) > OPEN_MOST:
                del self._tests[next(iter(self._tests))]

        yield line, Target(application.test or "", kind, address, said.port or port, said.host, said.path), asked

    # answers

    def asked(self, number: int) -> bool:
        """Whether a question was one of these."""
        return number in self._tests or self.names.asked(number)

    def waiting(self) -> bool:
        """Whether a test is under way."""
        return bool(self._tests)

    def doubt(self, now: Instant, lines: Iterable[Line]) -> None:
        """Tests that are under way over these lines convict nobody."""
        self._unsure_at |= dict.fromkeys(lines, now)

    def answered(self, now: Instant, result: ProbeResult) -> None:
        """Note how a question ended that was `asked` here."""
        self.due = now
        if result.probe.number not in self._tests:
            self.names.answered(now, result)
            return
        name, question = self._tests.pop(result.probe.number)
        known = self.known.get(name)
        if known is not None:
            self._note(now, known, question, result)

    def _note(self, now: Instant, known: Known, question: Question, result: ProbeResult) -> None:
        line = result.probe.line
        way = known.way(line)
        way.open.pop(result.probe.number, None)
        question.outcome = result.outcome
        self.due = now
        if result.outcome is Outcome.OK:
            if way.failed >= FAILURES:
                known.compare_at.pop(line.family, None)
                known.pause_s.pop(line.family, None)
            if way.failed:
                way.forget()
            way.good += 1
            way.heard = (*way.heard, question)[-PROOFS:]
        elif result.outcome not in NEVER_LEFT and self._unsure_at.get(line, -math.inf) < question.asked_at:
            if not way.failed:
                way.forget()
                if line in self._travels.get((known.application.name, line.family), ()):
                    self._begin_trial(known, line)
            way.failed += 1
            way.heard = (*way.heard, question)[-FAILURES:]

    def _begin_trial(self, known: Known, accused: Line) -> None:
        """Over other lines only what is answered from now on proves anything."""
        for line, way in known.ways.items():
            if line.family is accused.family and line != accused and not way.failed:
                way.forget()
