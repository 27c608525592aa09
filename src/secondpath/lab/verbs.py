"""What the command line calls: one plain function per verb. Errors are LabError, whose text is the message."""

import os
import sys
import time
from collections.abc import Callable

from secondpath.lab import namespaces
from secondpath.lab.office import Office
from secondpath.lab.state import standing
from secondpath.lab.topology import Topology, find_topology, without_delay

DEFAULT_NAME = "office"


def up(
    name: str = DEFAULT_NAME,
    topology: str = "office",
    *,
    delay: bool = True,
    watch: Callable[[str], None] = lambda _step: None,
) -> Office:
    """Build an office and leave it standing. `delay=False` leaves the relays out."""
    chosen: Topology = find_topology(topology)
    return Office.up(chosen if delay else without_delay(chosen), name, watch=watch)


def down(name: str = DEFAULT_NAME) -> None:
    """Take an office away, whatever is left of it."""
    namespaces.require_root()
    Office.attach(name).down()


def break_(name: str, fault: str, uplink: str | None = None) -> float:
    """Break something; returns the CLOCK_MONOTONIC instant it took effect."""
    namespaces.require_root()
    return Office.attach(name).inject(fault, uplink)


def mend(name: str, fault: str | None = None, uplink: str | None = None) -> float:
    """Mend one fault, on one uplink or wherever it is in; or mend everything."""
    namespaces.require_root()
    office = Office.attach(name)
    if fault is None:
        return office.mend()
    if uplink is not None:
        return office.heal(fault, uplink)
    at_s = time.monotonic()
    for where in [place for one, place in office.broken() if one == fault]:
        at_s = office.heal(fault, where)
    return at_s


def shell(name: str, host: str, argv: tuple[str, ...] = ()) -> None:
    """Become a shell (or a command) in a host; does not return."""
    namespaces.require_root()
    netns = Office.attach(name).host_netns(host)
    command = argv or (os.environ.get("SHELL", "/bin/bash"),)
    environment = {**os.environ, "PS1": f"[{name}:{host}] # "}
    sys.stdout.flush()
    os.execvpe("ip", ["ip", "netns", "exec", netns, *command], environment)  # noqa: S606 - to become it is the point


def list_offices() -> dict[str, list[tuple[str, str | None]]]:
    """Every standing office and the faults that are in it."""
    return {name: Office.attach(name).broken() for name in standing()}
