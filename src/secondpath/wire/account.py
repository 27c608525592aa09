"""The account of a decision: the links of its chain, from the first lost question to the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from secondpath.model import Instant, Line, Outcome, Target, Transition
from secondpath.wire.incident import Header
from secondpath.wire.status import event_name, stamp

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A question and how it ended, as far as it was known at the moment of which is told."""

    number: int
    line: Line
    target: Target
    asked_at: Instant
    overdue_at: Instant
    outcome: Outcome | None = None
    ended_at: Instant | None = None
    rtt_s: float | None = None

    @property
    def answered(self) -> bool:
        """Whether a good answer came."""
        return self.outcome is Outcome.OK


class Kind(StrEnum):
    """What a link of the chain tells."""

    EARLIER = "earlier"
    """The line was doubted before, and acquitted each time."""
    UNANSWERED = "unanswered"
    """The question that was lost first."""
    DOUBTED = "doubted"
    """A suspicion, and who was asked because of it."""
    ACQUITTED = "acquitted"
    CONVICTED = "convicted"
    INTERFACE = "interface"
    """A fact of the interface."""
    LOSS = "loss"
    """A brown-out: so many questions were lost."""
    FAILED = "failed"
    """Something failed on a line that answers: who was heard on it."""
    CARRIED = "carried"
    """... and that it works over another line."""
    EATEN = "eaten"
    """Its answers arrived, and this box threw them away."""
    RETURNED = "returned"
    """Answers came again."""
    HELD = "held"
    """The line was good for as long as its hold."""
    PROVEN = "proven"
    """What the line answered to which traffic went."""
    CHANGED = "changed"
    """A transition: what was decided, and what followed."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what it tells of which line, with the questions or the transition that prove it."""

    at: Instant
    kind: Kind
    line: Line | None = None
    questions: tuple[Question, ...] = ()
    transition: Transition | None = None
    facts: Mapping[str, str | int | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """At one step: the transition that was recorded and the one that the replay gave; None where there was none.

    Or a question that was answered then and is not asked now: from there on nothing can be compared.
    """

    at: Instant
    recorded: Transition | None = None
    replayed: Transition | None = None
    question: int | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay gave."""

    header: Header
    steps: int
    began: Instant
    ended: Instant
    transitions: tuple[Transition, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the engine decided the same again."""
        return not self.differences


# ── As JSON ──────────────────────────────────────────────────────────────────────────


def replay_json(replay: Replay, texts: tuple[str, ...]) -> dict[str, Any]:
    """The document of `secondpath replay --json`; `texts` are the sentences of its transitions."""
    told = [
        {**_when(replay.header, each.at), **transition_json(each), "text": text}
        for each, text in zip(replay.transitions, texts, strict=True)
    ]
    return {"schema": SCHEMA, "office": replay.header.office, **comparison_json(replay), "transitions": told}


def comparison_json(replay: Replay) -> dict[str, Any]:
    """How a replay went."""
    header = replay.header
    differences = [
        {
            **_when(header, each.at),
            "recorded": None if each.recorded is None else transition_json(each.recorded),
            "replayed": None if each.replayed is None else transition_json(each.replayed),
            "question": each.question,
        }
        for each in replay.differences
    ]
    span = {"from": _stamp(header, replay.began), "until": _stamp(header, replay.ended)}
    return {"same": replay.same, "version": header.version, "steps": replay.steps, **span, "differences": differences}


def link_json(header: Header, link: Link, text: str) -> dict[str, Any]:
    """One link of the chain."""
    return {
        **_when(header, link.at),
        "kind": link.kind,
        "line": str(link.line) if link.line else None,
        "questions": [_question_json(header, question) for question in link.questions],
        "transition": None if link.transition is None else transition_json(link.transition),
        "facts": dict(link.facts),
        "text": text,
    }


def transition_json(told: Transition) -> dict[str, Any]:
    """A transition, named as events are."""
    facts = {"subject": told.subject, "before": told.before, "after": told.after, "reason": told.reason}
    return {"event": event_name(told), **facts, "detail": dict(told.detail)}


def _question_json(header: Header, question: Question) -> dict[str, Any]:
    return {
        "number": question.number,
        "line": str(question.line),
        "target": question.target.uri,
        "kind": question.target.kind,
        "address": str(question.target.address),
        "asked": _stamp(header, question.asked_at),
        "patience_s": round(question.overdue_at - question.asked_at, 6),
        "outcome": question.outcome,
        "rtt_s": question.rtt_s,
        "took_s": None if question.ended_at is None else round(question.ended_at - question.asked_at, 6),
    }


def _when(header: Header, at: Instant) -> dict[str, Any]:
    return {"at": _stamp(header, at), "at_s": at}


def _stamp(header: Header, at: Instant) -> str:
    return stamp(header.wall_of(at), "milliseconds")
