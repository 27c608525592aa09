"""The account of a decision in sentences: one for every link of its chain, and one for how the replay went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from secondpath import __version__
from secondpath.model import Cause, Health, Instant, Line, LineState, Outcome, ProbeKind, Site, Transition
from secondpath.tell.catalogue import (
    ACCOUNT,
    BY_ANOTHER,
    DIFFERENCE,
    DOUBTED_ALONE,
    DOUBTED_BESIDE,
    FAMILIES,
    REPLAYED,
    UNASKED,
)
from secondpath.tell.figures import delay, duration, listed, local
from secondpath.tell.words import event_text, note
from secondpath.wire.account import Difference, Kind, Link, Question, Replay
from secondpath.wire.incident import Header

NOTHING = "nothing."


def link_text(link: Link, site: Site | None) -> str:
    """What a link tells, in a sentence."""
    if link.transition is not None:
        return event_text(link.transition, site)
    template = ACCOUNT[link.kind]
    if link.kind is Kind.DOUBTED:
        beside = bool(link.facts.get("sibling"))
        template = (DOUBTED_BESIDE if beside else template) if link.questions else DOUBTED_ALONE
    return template.format_map(_facts(link, site))


def replay_text(replay: Replay) -> str:
    """How a replay went, in a sentence or two."""
    began, ended = (f"{_local(replay.header, at):%H:%M:%S}" for at in (replay.began, replay.ended))
    said = REPLAYED[replay.same].format(steps=_count(replay.steps, "step"), began=began, ended=ended)
    version = replay.header.version
    return said if version == __version__ else said + BY_ANOTHER.format(version=version)


def difference_text(header: Header, difference: Difference, site: Site | None = None) -> str:
    """Where a replay gave something else."""
    if difference.question is not None:
        return UNASKED.format(at=clock_text(header, difference.at), number=difference.question)
    recorded, replayed = (_told(each, site) for each in (difference.recorded, difference.replayed))
    return DIFFERENCE.format(at=clock_text(header, difference.at), recorded=recorded, replayed=replayed)


def clock_text(header: Header, at: Instant) -> str:
    """An instant by the office's clock, to the millisecond."""
    return f"{_local(header, at):%H:%M:%S.%f}"[:-3]


def _told(transition: Transition | None, site: Site | None) -> str:
    return NOTHING if transition is None else event_text(transition, site)


def _local(header: Header, at: Instant) -> datetime:
    return local(header.wall_of(at), header.timezone)


def _facts(link: Link, site: Site | None) -> dict[str, str]:
    facts = {"answers": listed(_answers(link.questions)), "count": _count(len(link.questions), "question")}
    if link.line is not None:
        facts |= {"line": _line(link.line), "uplink": link.line.uplink}
    if link.questions:
        first = link.questions[0]
        facts |= {"asked": _asked(first), "patience": delay(first.overdue_at - first.asked_at), "first": _answer(first)}
    said = link.facts
    if link.kind is Kind.LOSS:
        facts |= {"lost": str(said["lost"]), "count": _count(int(said["asked"] or 0), "question")}
    elif link.kind is Kind.HELD:
        facts |= {name: duration(float(said[f"{name}_s"] or 0)) for name in ("good", "hold")}
    elif link.kind is Kind.EARLIER:
        facts["times"] = _count(int(said["times"] or 0), "time")
    elif link.kind in (Kind.CONVICTED, Kind.FAILED):
        facts["addresses"] = _count(int(said["addresses"] or 0), "address", "addresses")
    elif link.kind is Kind.INTERFACE and link.line is not None:
        facts["note"] = note(LineState(link.line, Health.DOWN, Cause(str(said["cause"])), link.at), site)
    return facts


def _line(line: Line) -> str:
    return f"{line.uplink} ({FAMILIES[line.family]})"


def _asked(question: Question) -> str:
    kind = "ping" if question.target.kind is ProbeKind.ICMP else question.target.kind.upper()
    return f"{question.target.address} ({kind})"


def _answer(question: Question) -> str:
    """How one question ended."""
    if question.answered:
        return f"{_asked(question)} answered in {_took(question)}"
    outcome = question.outcome
    return f"{_asked(question)} {'no answer' if outcome in (None, Outcome.TIMEOUT) else outcome}"


def _answers(questions: Iterable[Question]) -> Iterable[str]:
    """How some questions ended; those to one address that ended alike are told once."""
    told: dict[str, int] = {}
    for question in questions:
        said = _answer(question)
        told[said] = told.get(said, 0) + 1
    return [said if times == 1 else f"{said} ({times} times)" for said, times in told.items()]


def _took(question: Question) -> str:
    ended_at = question.ended_at if question.ended_at is not None else question.asked_at
    return delay(question.rtt_s or ended_at - question.asked_at)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
