"""The file of an incident: what the engine was told and when, so that its decisions can be made again.

Lines of JSON: a header; the engine's whole state; then one line for every step. docs/incidents.md has the format.
Writing needs what was; reading gives forms (wire/graph), which become objects where the classes are known (replay).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NoReturn

from secondpath.model import Instant, Observation, Probe, ProbeResult, Site, Step, Uplink
from secondpath.wire.graph import LeftOut, write
from secondpath.wire.status import stamp

FORMAT = "secondpath incident"
SCHEMA = 1
LIMIT_BYTES = 16 << 20
LIMIT_LINES = 100_000
"""No incident is as large as this; what is larger is none."""
SECRETS: LeftOut = {Site: {"notify": (), "power": None}, Uplink: {"support": {}}}
"""What an incident does not tell, since it may be handed on: addresses with passwords in them, account numbers."""


class IncidentError(Exception):
    """What is no incident, or a broken one; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which office it was, which program, and what the clock on the wall said at the instant `at`."""

    version: str
    office: str
    timezone: str
    at: Instant
    wall: datetime

    def wall_of(self, instant: Instant) -> datetime:
        """The wall-clock time of an instant."""
        return self.wall + timedelta(seconds=instant - self.at)


@dataclass(frozen=True, slots=True)
class State:
    """The engine's whole state: from here on it goes on from this one."""

    form: Any


@dataclass(frozen=True, slots=True)
class Told:
    """One step: its instant, the form of the observation (None for a deadline), and those of the transitions."""

    at: Instant
    saw: Any
    gave: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it was read."""

    header: Header
    lines: tuple[State | Told, ...]


# ── Writing ──────────────────────────────────────────────────────────────────────────


def header_line(header: Header) -> str:
    """The first line."""
    office = {"office": header.office, "timezone": header.timezone}
    when = {"at": header.at, "wall": stamp(header.wall, "microseconds")}
    return _line({"format": FORMAT, "schema": SCHEMA, "version": header.version, **office, **when})


def state_text(engine: object) -> str:
    """The line of an engine's state."""
    return _line({"state": write(engine, SECRETS)})


class StepLines:
    """Writes the lines of steps. A question which the engine asked on the way is told by its number alone."""

    def __init__(self) -> None:
        self._asked: set[int] = set()

    def line(self, at: Instant, observation: Observation | None, step: Step) -> str:
        """The line of one step."""
        form: dict[str, Any] = {"at": at}
        if observation is not None:
            form["saw"] = self._form(observation)
        if step.transitions:
            form["gave"] = [write(transition) for transition in step.transitions]
        self._asked.update(probe.number for probe in step.probes)
        return _line(form)

    def _form(self, observation: Observation) -> Any:
        if not isinstance(observation, ProbeResult):
            return write(observation, SECRETS)
        number = observation.probe.number
        if number in self._asked:
            return write(observation, {ProbeResult: {"probe": number}})
        self._asked.add(number)
        return write(observation)


def _line(form: Mapping[str, Any]) -> str:
    return json.dumps(form, ensure_ascii=True, separators=(",", ":"), allow_nan=False) + "\n"


def number_of(result: Any) -> int | None:
    """The number of the question that a result was read with, unless the question itself stands there."""
    if not isinstance(result, ProbeResult) or isinstance(result.probe, Probe):
        return None
    return int(result.probe)


# ── Reading ──────────────────────────────────────────────────────────────────────────


def parse(text: bytes) -> Incident:
    """The incident in a file's content."""
    if len(text) > LIMIT_BYTES:
        raise IncidentError(f"it is larger than {LIMIT_BYTES >> 20} MiB")
    rows = _rows(text)
    first = next(rows, None)
    if first is None or first.get("format") != FORMAT:
        raise IncidentError("it is no incident of secondpath")
    if first.get("schema") != SCHEMA:
        raise IncidentError(f"it has schema {repr(first.get('schema'))[:20]}, and this secondpath reads {SCHEMA}")
    header = _header(first)
    lines = tuple(_told(number, row) for number, row in enumerate(islice(rows, LIMIT_LINES + 1), start=2))
    if len(lines) > LIMIT_LINES:
        raise IncidentError(f"it has more than {LIMIT_LINES:,} lines")
    if not lines or not isinstance(lines[0], State):
        raise IncidentError("it does not begin with a state")
    return Incident(header, lines)


def _rows(text: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise IncidentError(
                "it is no incident of secondpath" if number == 1 else f"line {number} is no JSON object"
            )
        yield row


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _header(row: Mapping[str, Any]) -> Header:
    try:
        texts = (row["version"], row["office"], row["timezone"], row["wall"])
        wall = datetime.fromisoformat(row["wall"])
        if not all(isinstance(text, str) for text in texts) or wall.tzinfo is None:
            raise TypeError
        header = Header(*texts[:3], _instant(row["at"]), wall)
        header.wall_of(header.at)
    except (LookupError, TypeError, ValueError, OverflowError):
        raise IncidentError("its header is broken") from None
    return header


def _told(number: int, row: Mapping[str, Any]) -> State | Told:
    if row.keys() == {"state"}:
        return State(row["state"])
    gave = row.get("gave", [])
    if not row.keys() <= {"at", "saw", "gave"} or not isinstance(gave, list):
        raise IncidentError(f"line {number} is no step")
    try:
        return Told(_instant(row.get("at")), row.get("saw"), tuple(gave))
    except TypeError:
        raise IncidentError(f"line {number} does not say when it was") from None


def _instant(value: object) -> Instant:
    """An instant of this millennium: what is beyond makes no time of any clock."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e11:
        raise TypeError
    return float(value)
