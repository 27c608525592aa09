"""An engine from its written state, stepped through what it was told then, and compared with what it gave.

A file may come from a stranger. It can only name classes of the engine's rooms, whose code it cannot choose; what does
not fit together ends in a IncidentError, with a sentence.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from typing import Any

from secondpath import __version__
from secondpath.engine.mind import Engine
from secondpath.model import Instant, Observation, Probe, ProbeResult, Site, Step, Transition, Uplink
from secondpath.wire.account import Difference, Replay
from secondpath.wire.graph import MalformedError, name_of, read, shapes_in, write
from secondpath.wire.incident import Header, Incident, IncidentError, State, Told, number_of

ROOMS = ("secondpath.model", "secondpath.engine", "secondpath.judge.", "secondpath.decide.")
"""Where the classes of the engine's state are at home."""
BARE = Site("", "", "", {}, (Uplink("a", "a"),), ())
"""The least office that an engine can be made for."""
TRANSITIONS = 100_000
"""No incident has as many, and no reader of one so much patience."""

See = Callable[[Engine, Instant, Observation | None, Step], None]


@cache
def classes() -> dict[str, type]:
    """All classes of the engine's rooms, by name. Importing the engine has brought them here."""
    modules = [module for name, module in sys.modules.items() if f"{name}.".startswith(ROOMS) or name in ROOMS]
    found = (it for module in modules for it in vars(module).values() if isinstance(it, type))
    return {name_of(kind): kind for kind in found if f"{kind.__module__}.".startswith(ROOMS)}


@cache
def shapes() -> dict[str, frozenset[str]]:
    """The attributes of the engine's objects, from an engine that has just begun."""
    return shapes_in(write(Engine(BARE, 0.0)))


def restored(form: Any) -> Engine:
    """The engine whose state was written; MalformedError when it is none."""
    engine = read(form, classes(), shapes())
    if not isinstance(engine, Engine):
        raise MalformedError("it is not the state of an engine")
    return engine


def rerun(incident: Incident, see: See | None = None) -> Replay:
    """Step an engine through an incident. `see` is called after every step."""
    header = incident.header
    try:
        return _rerun(header, incident.lines, see)
    except MalformedError as why:
        raise IncidentError(_sentence(header, str(why))) from None
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as why:
        said = f"an engine in such a state cannot step ({type(why).__name__})"
        raise IncidentError(_sentence(header, said)) from None


def _sentence(header: Header, why: str) -> str:
    why = textwrap.shorten(why, 200, placeholder=" …")
    if header.version != __version__:
        return f"it was written by secondpath {header.version[:20]}, and this is {__version__}: {why}"
    return f"it is broken: {why}"


def _rerun(header: Header, lines: Iterable[State | Told], see: See | None) -> Replay:
    engine, probes, instants = Engine(BARE, 0.0), dict[int, Probe](), list[Instant]()
    given: list[Transition] = []
    differences: list[Difference] = []
    for line in lines:
        if isinstance(line, State):
            engine, probes = restored(line.form), {}
            continue
        observation = None if line.saw is None else read(line.saw, classes())
        if isinstance(observation, ProbeResult):
            probe = _probe(observation, probes)
            if probe is None:
                differences.append(Difference(line.at, question=number_of(observation)))
                break
            observation = replace(observation, probe=probe)
        step = engine.step(line.at, observation)
        probes |= {probe.number: probe for probe in step.probes}
        instants.append(line.at)
        given += step.transitions
        differences += _compared(line, step.transitions)
        if len(given) > TRANSITIONS:
            raise MalformedError("it does not come to rest")
        if see is not None:
            see(engine, line.at, observation, step)
    began, ended = (instants[0], instants[-1]) if instants else (header.at, header.at)
    return Replay(header, len(instants), began, ended, tuple(given), tuple(differences))


def _probe(result: ProbeResult, probes: dict[int, Probe]) -> Probe | None:
    """The question of a result; None for one that this engine has not asked."""
    number = number_of(result)
    if number is None:
        return probes.setdefault(result.probe.number, result.probe)
    return probes.get(number)


def _compared(line: Told, given: tuple[Transition, ...]) -> Iterator[Difference]:
    recorded = [read(form, classes()) for form in line.gave]
    for then, now in zip_longest(recorded, given):
        if not all(each is None or _sound(each) for each in (then, now)):
            raise MalformedError("it tells of something that is no transition")
        if then != now:
            yield Difference(line.at, then, now)


def _sound(it: object) -> bool:
    """Whether it is a transition that can be told."""
    if not isinstance(it, Transition) or not isinstance(it.detail, dict):
        return False
    texts = (it.subject, it.before, it.after, it.reason, *it.detail)
    return all(type(text) is str for text in texts) and isinstance(it.at, float | int)
