"""What of a line works, rung by rung: names, connections, TLS, the web, packets of full size.

A line that answers echoes may still be useless. Each rung has its own questions, asked of the addresses that the
configuration names and of the same addresses in other ways (`questions_for`). A question that was never answered by
anybody proves nothing by its silence: only one that has been answered before is a witness.

A rung is *failing* when a trial (judge/trials) has convicted it; it is well again after WELL_AFTER answers in a row
from two addresses, where there are two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from secondpath.model import Cause, Instant, Line, Outcome, Probe, ProbeKind, ProbeResult, Target


class Rung(StrEnum):
    """A thing that a line must be able to do, beside answering at all."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    WEB = "web"
    SIZE = "size"


RUNG: Mapping[ProbeKind, Rung] = {
    ProbeKind.DNS: Rung.DNS,
    ProbeKind.TCP: Rung.TCP,
    ProbeKind.TLS: Rung.TLS,
    ProbeKind.HTTPS: Rung.TLS,
    ProbeKind.HTTP: Rung.WEB,
    ProbeKind.SIZE: Rung.SIZE,
}
"""The rung that a question stands on; an echo stands on the ground."""

LEARNED: Mapping[Rung, tuple[ProbeKind, int]] = {
    Rung.SIZE: (ProbeKind.SIZE, 0),
    Rung.TLS: (ProbeKind.TLS, 443),
    Rung.TCP: (ProbeKind.TCP, 443),
    Rung.DNS: (ProbeKind.DNS, 53),
}
"""How an address named for something else is asked on each rung, with the port."""
ANY_NAME = "example.com"
"""Reserved (RFC 2606), and resolved by every public resolver."""

NEEDS: Mapping[Rung, frozenset[Rung]] = {Rung.TLS: frozenset({Rung.TCP}), Rung.WEB: frozenset({Rung.TCP})}
"""A rung that cannot be reached without another one."""
ACQUITTING = frozenset({Outcome.OK, Outcome.UNSENT, Outcome.FORBIDDEN, Outcome.EATEN})
WELL_AFTER = 3
WITNESSES = 2
"""Addresses that must agree before a rung is said to fail."""
PORTAL_S = 60.0
"""How long a redirection tells of a portal."""


@dataclass(slots=True)
class Question:
    """One question on a rung: what was asked and when, when its answer is overdue, and how it ended."""

    probe: Probe
    asked_at: Instant
    overdue_at: Instant
    outcome: Outcome | None = None

    @property
    def target(self) -> Target:
        """Who was asked, and how."""
        return self.probe.target

    def settled(self, now: Instant) -> bool:
        """Whether it need not be waited for any longer."""
        return self.outcome is not None or now >= self.overdue_at

    def failed(self, now: Instant) -> bool:
        """Whether its silence, or what came instead, speaks against the rung.

        What never left says nothing, nor does what this box threw away.
        """
        return self.settled(now) and self.outcome not in ACQUITTING


@dataclass(slots=True)
class Ladder:
    """The rungs of one line.

    `worked` counts, by URI, which questions were answered here; `failing` has since when a rung fails, and `heard` what
    convicted it: questions of this line, and answers over others.
    """

    line: Line
    questions: tuple[Target, ...] = ()
    worked: dict[str, int] = field(default_factory=dict)
    failing: dict[Rung, Instant] = field(default_factory=dict)
    heard: dict[Rung, tuple[Question, ...]] = field(default_factory=dict)
    redirected_at: Instant | None = None
    answered_at: dict[Rung, Instant] = field(default_factory=dict)
    _streaks: dict[Rung, list[str]] = field(default_factory=dict)
    _open: dict[int, Question] = field(default_factory=dict)

    def asked(self, now: Instant, probe: Probe, overdue_at: Instant) -> None:
        """Note a question that leaves now."""
        if probe.target.kind in RUNG:
            self._open[probe.number] = Question(probe, now, overdue_at)
            while len(self._open) > 64:
                del self._open[next(iter(self._open))]

    def question(self, number: int) -> Question | None:
        """A question by its probe's number, while it is remembered."""
        return self._open.get(number)

    def answered(self, now: Instant, result: ProbeResult) -> None:
        """Note how a question ended."""
        question = self._open.get(result.probe.number)
        if question is None:
            return
        question.outcome = result.outcome
        rung, uri = RUNG[question.target.kind], question.target.uri
        if result.outcome is Outcome.REDIRECTED:
            self.redirected_at = now
        if result.outcome is not Outcome.OK:
            self._streaks.pop(rung, None)
            return
        self.worked[uri] = self.worked.get(uri, 0) + 1
        for good in (rung, *NEEDS.get(rung, ())):
            self.answered_at[good] = now
            self._rise(good, str(question.target.address))

    def _rise(self, rung: Rung, witness: str) -> None:
        """One more answer in a row; enough of them, and a failing rung is well again."""
        if rung not in self.failing:
            return
        streak = self._streaks.setdefault(rung, [])
        streak.append(witness)
        there = {str(t.address) for t in self.on(rung)}
        if len(streak) >= WELL_AFTER and len(set(streak)) >= min(WITNESSES, len(there)):
            del self.failing[rung]
            del self._streaks[rung]

    def on(self, rung: Rung) -> list[Target]:
        """The questions that stand on a rung."""
        return [t for t in self.questions if RUNG.get(t.kind) is rung]

    def suspects(self, now: Instant) -> list[Rung]:
        """Rungs whose newest settled question failed, while they are not known to fail."""
        newest: dict[Rung, bool] = {}
        for question in reversed(self._open.values()):
            rung = RUNG[question.target.kind]
            if rung not in newest and question.settled(now):
                newest[rung] = question.failed(now)
                if len(newest) == len(Rung):
                    break
        return [rung for rung, failed in newest.items() if failed and rung not in self.failing]

    def forgive(self, rung: Rung) -> None:
        """A trial has acquitted a rung: what was asked before it speaks against it no more."""
        for number in [n for n, q in self._open.items() if RUNG[q.target.kind] is rung and q.outcome is not Outcome.OK]:
            del self._open[number]

    def convict(self, now: Instant, rung: Rung, heard: Iterable[Question]) -> None:
        """A trial has found a rung failing, by what was heard."""
        self.failing.setdefault(rung, now)
        self.heard[rung] = tuple(heard)
        self._streaks.pop(rung, None)

    def grant(self, until: Instant) -> None:
        """Give open questions time until then: we were late ourselves."""
        for question in self._open.values():
            if question.outcome is None:
                question.overdue_at = max(question.overdue_at, until)

    def rungs(self) -> dict[str, str]:
        """Every rung that two addresses stand for: "well" or "failing"."""
        stood = {rung: {t.address for t in self.on(rung) if t.uri in self.worked} for rung in Rung}
        known = {rung for rung, there in stood.items() if len(there) >= WITNESSES} | self.failing.keys()
        return {rung.value: "failing" if rung in self.failing else "well" for rung in Rung if rung in known}

    def deaf(self) -> frozenset[ProbeKind]:
        """Kinds whose silence is explained by a failing rung: they tell nothing of loss."""
        explained = set(self.failing)
        explained |= {rung for rung, needed in NEEDS.items() if needed & explained}
        return frozenset(kind for kind, rung in RUNG.items() if rung in explained)

    def portal(self, now: Instant) -> bool:
        """Whether somebody else answered in the web's place of late."""
        return self.redirected_at is not None and now - self.redirected_at <= PORTAL_S

    def pending(self, now: Instant) -> list[Instant]:
        """When open questions become overdue."""
        return [q.overdue_at for q in self._open.values() if q.outcome is None and q.overdue_at > now]

    def cause(self, now: Instant) -> Cause | None:
        """What a person should be told first of the rungs that fail; None while none does."""
        if not self.failing:
            return None
        if self.portal(now) and self.failing.keys() & {Rung.TLS, Rung.WEB}:
            return Cause.CAPTIVE
        return next((cause for rung, cause in FIRST.items() if rung in self.failing), Cause.CAPTIVE)


FIRST: Mapping[Rung, Cause] = {
    Rung.TCP: Cause.TCP,
    Rung.SIZE: Cause.PATH_MTU,
    Rung.TLS: Cause.TLS,
    Rung.DNS: Cause.DNS,
}
"""What is told first when several rungs fail: the deepest reason."""


def questions_for(targets: Iterable[Target]) -> tuple[Target, ...]:
    """The questions on the rungs for the targets of one family: those named, and each address in the other ways.

    A way in which an address does not answer is learned: such a question is never a witness (see the module).
    """
    named = list(targets)
    name = next((t.host for t in named if t.kind is ProbeKind.DNS), ANY_NAME)
    asked = [t for t in named if t.kind in RUNG]
    for address in dict.fromkeys(t.address for t in named):
        has = {RUNG[t.kind] for t in asked if t.address == address}
        shown = f"[{address}]" if address.version == 6 else str(address)
        for rung, (kind, port) in LEARNED.items():
            if rung not in has:
                where = f"{shown}:{port}" if kind in (ProbeKind.TCP, ProbeKind.TLS) else shown
                asked.append(Target(f"{kind}://{where}", kind, address, port, name if kind is ProbeKind.DNS else ""))
    return tuple(asked)
