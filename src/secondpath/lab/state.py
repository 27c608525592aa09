"""What is known of a standing office, on disk, so that another process can attach to it or take it down.

/run/secondpath-lab/<name>/state.json: the topology, the processes we started (pid and birth), the faults that
are in. Written before anything is built, so an interrupted `up` can always be taken down.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from secondpath.lab.errors import LabError, unknown
from secondpath.lab.topology import Inside, Topology, Uplink

RUN_DIR = Path("/run/secondpath-lab")
STALE_S = 30.0
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


@dataclass(slots=True)
class Record:
    """The contents of state.json."""

    topology: Topology
    processes: list[tuple[int, int]] = field(default_factory=list)
    faults: list[tuple[str, str | None]] = field(default_factory=list)


def directory_of(name: str) -> Path:
    """Where an office keeps its files, once its name is found fit."""
    if not NAME.fullmatch(name):
        raise LabError(f"'{name}' cannot name an office: use up to 24 small letters, digits and dashes.")
    return RUN_DIR / name


def standing() -> list[str]:
    """The names of all offices with a state on this machine."""
    return sorted(p.parent.name for p in RUN_DIR.glob("*/state.json") if NAME.fullmatch(p.parent.name))


def is_stale(name: str) -> bool:
    """Whether there is a state that has not changed for longer than building takes."""
    try:
        return time.time() - (directory_of(name) / "state.json").stat().st_mtime > STALE_S
    except FileNotFoundError:
        return False


def create(name: str, topology: Topology) -> None:
    """Make the directory with the first state in it, in one step; or say that the name is taken."""
    directory = directory_of(name)
    fresh = RUN_DIR / f".{name}.{os.getpid()}"
    fresh.mkdir(parents=True)
    _write(fresh, Record(topology))
    try:
        fresh.rename(directory)
    except OSError:
        shutil.rmtree(fresh)
        raise LabError(
            f"An office called '{name}' is up already: take it down first, or choose another name."
        ) from None


def read(name: str) -> Record:
    """The state of a standing office, or a sentence."""
    try:
        raw = json.loads((directory_of(name) / "state.json").read_text())
    except FileNotFoundError:
        raise unknown("office", name, standing()) from None
    return Record(
        topology_from(raw["topology"]),
        [(pid, born) for pid, born in raw["processes"]],
        [(fault, uplink) for fault, uplink in raw["faults"]],
    )


@contextlib.contextmanager
def changed(name: str) -> Iterator[Record]:
    """The state for change: others wait until it is written back."""
    directory = directory_of(name)
    try:
        lock = (directory / "lock").open("w")
    except FileNotFoundError:
        raise unknown("office", name, standing()) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = read(name)
        try:
            yield record
        finally:
            _write(directory, record)


def forget(name: str) -> None:
    """Remove every file of the office, and the parent directory when it was the last."""
    for directory in (directory_of(name), *RUN_DIR.glob(f".{name}.*")):
        shutil.rmtree(directory, ignore_errors=True)
    with contextlib.suppress(OSError):
        RUN_DIR.rmdir()


def _write(directory: Path, record: Record) -> None:
    fresh = directory / "state.json.new"
    fresh.write_text(json.dumps(asdict(record)))
    fresh.replace(directory / "state.json")


def topology_from(raw: dict[str, Any]) -> Topology:
    """The topology that `asdict` and JSON made of one."""
    uplinks = tuple(Uplink(**_with_tuples(u)) for u in raw["uplinks"])
    insides = tuple(Inside(**_with_tuples(i)) for i in raw["insides"])
    return Topology(raw["name"], raw["words"], uplinks, insides)


def _with_tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
