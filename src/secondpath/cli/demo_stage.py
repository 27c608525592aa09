"""The stage of the demo: an office with its gateway running, which is gone when the curtain falls."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from secondpath.cli.demo_end import Ended, Ending, signals_wait
from secondpath.cli.failure import PROBLEM, USAGE, Failure
from secondpath.control.client import Unreachable
from secondpath.lab import building, namespaces, state
from secondpath.lab.box import Box
from secondpath.lab.errors import LabError
from secondpath.lab.office import Office
from secondpath.lab.topology import TOPOLOGIES, Topology

TOOLS = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables", "conntrack": "conntrack"}
"""What the lab calls, and the package of Debian that has it."""
LOG_LINES, LOG_WIDTH = 3, 200
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """Which office, how its gateway is set other than it is shipped, and whether it stays standing at the end."""

    name: str
    topology: Topology = TOPOLOGIES["office"]
    settings: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False


@contextlib.contextmanager
def sentences(exit_code: int = PROBLEM) -> Iterator[None]:
    """What the lab cannot do becomes a sentence and an exit code."""
    try:
        yield
    except (LabError, Unreachable) as error:
        raise Failure(shortened(str(error).strip()), exit_code) from None


def shortened(text: str) -> str:
    """A sentence stays; of a whole log behind it the last lines stay."""
    lines = text.splitlines()
    return text if len(lines) <= LOG_LINES else "\n".join([f"{lines[0][:LOG_WIDTH]} …", *lines[-LOG_LINES:]])


@contextlib.contextmanager
def on_stage(scene: Scene, ending: Ending, say: Say) -> Iterator[Box]:
    """The office and its gateway, everything well. Afterwards nothing of it is left, whatever happened meanwhile.

    Unless it is to be kept, nobody broke in and nothing went wrong.
    """
    with sentences():
        box = raised(scene.name, scene.topology, ending, say, scene.settings)
    kept = False
    try:
        with sentences(), _ended_first(ending):
            yield box
        kept = scene.keep and not ending.is_set()
    finally:
        if not kept:
            clear(scene.name, scene.topology)


@contextlib.contextmanager
def _ended_first(ending: Ending) -> Iterator[None]:
    """What fails because we were told to end is no failure."""
    try:
        yield
    except (LabError, Unreachable):
        if ending.is_set():
            raise interrupted(ending) from None
        raise


def raised(name: str, topology: Topology, ending: Ending, say: Say, settings: Mapping[str, str] | None) -> Box:
    """A standing office; with `settings`, its gateway runs in it and every uplink is proven. All of it or nothing."""
    require_room(name, topology)
    try:
        with ending.breaking_in():
            office = Office.up(topology, name, watch=say)
            box = Box.of(office, **(settings or {}))
            if settings is not None:
                say("gateway")
                box.start()
                say("proof")
                box.until_well()
            return box
    except BaseException as error:
        if not _is_taken(error):
            clear(name, topology)
        if isinstance(error, Ended) or ending.is_set():
            raise interrupted(ending) from None
        raise


def require_room(name: str, topology: Topology) -> None:
    """Say what this machine lacks, or that the name is taken, before anything is built."""
    with sentences():
        namespaces.require_root()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        packages = " ".join(dict.fromkeys(TOOLS[tool] for tool in missing))
        raise Failure(f"the virtual office needs {', '.join(missing)}: apt install {packages}")
    if not find_spec("cryptography"):
        raise Failure("the virtual office needs Python's cryptography: pip install 'secondpath[lab]'")
    with sentences(USAGE):
        state.directory_of(name)
    if name in state.standing() and not (state.is_stale(name) and not building.standing_hosts(name, topology)):
        raise Failure(f"an office called '{name}' stands already; take it down with: secondpath lab down --name {name}")


def _is_taken(error: BaseException) -> bool:
    """Whether somebody else built an office of that name in the very same moment."""
    return isinstance(error, LabError) and "is up already" in str(error)


def clear(name: str, topology: Topology) -> None:
    """Take away whatever there is of an office."""
    with signals_wait():
        Office(name, topology).down()


def interrupted(ending: Ending) -> Failure:
    """What is said when a signal ended us, and with which exit code."""
    return Failure("interrupted; the office has been taken down", ending.exit_code)
