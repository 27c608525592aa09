"""Offices whose engine is recorded, as the daemon does it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, cast

from tests.office import World, office

from secondpath.engine.mind import Engine
from secondpath.model import Family, Instant, Line, Observation, Site, Step
from secondpath.record.tape import Cut, Tape, pack
from secondpath.wire.incident import Incident, parse

CABLE = {Line("cable", family) for family in Family}


class Taped:
    """An engine that steps through a tape."""

    def __init__(self, engine: Engine, tape: Tape, stepped: Callable[[Step], None] | None = None) -> None:
        self.engine, self.tape, self.stepped = engine, tape, stepped

    def step(self, now: Instant, observation: Observation | None = None) -> Step:
        step = self.tape.step(self.engine, now, observation)
        if self.stepped is not None:
            self.stepped(step)
        return step

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


def taped_office(a_site: Site | None = None, *, seed: int = 1) -> tuple[World, Tape, list[Cut]]:
    """An office that is recorded from here on, its tape, and what the tape hands over."""
    cuts: list[Cut] = []
    world, tape = office(a_site, seed=seed), Tape(cuts.append)
    world.engine = cast(Engine, Taped(world.engine, tape))
    return world, tape, cuts


def content(cut: Cut) -> bytes:
    """The file of an incident."""
    return zlib.decompress(pack(cut).record)


def incident_of(cut: Cut) -> Incident:
    """The incident as its reader has it."""
    return parse(content(cut))


def black_hole(seed: int = 1) -> tuple[World, Cut]:
    """An office at work whose cable goes silent, and what was recorded of it."""
    world, tape, cuts = taped_office(seed=seed)
    world.run_for(40.0)
    world.dead |= CABLE
    world.run_for(10.0)
    tape.close()
    return world, cuts[-1]
