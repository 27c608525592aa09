"""What a fault does to the world, as data; and the one hand that does it.

A fault never edits what stands: it adds an nft table of its own, takes a link down, turns a knob. Its healing
removes exactly that. Each change is one transaction or one command, and carrying it out says when it took
effect (CLOCK_MONOTONIC, read as the tool returns: at most a few milliseconds late).
"""

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from secondpath.lab.errors import LabError
from secondpath.lab.namespaces import COMMAND_LIMIT_S, batch, inside, nft
from secondpath.lab.wiring import netns_of


@dataclass(frozen=True, slots=True)
class Nft:
    """One nft transaction in a host."""

    host: str
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """One `ip` or `tc` batch in a host; what no longer applies is passed over."""

    host: str
    tool: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One line to a process of the lab (a relay, the world) through its control socket."""

    process: str
    settings: dict[str, object]


@dataclass(frozen=True, slots=True)
class ForgetTranslations:
    """Remove the destination translations a captive portal left in a host's connection table."""

    host: str


Change = Nft | Lines | Order | ForgetTranslations


def carry_out(change: Change, name: str, directory: Path) -> float:
    """Make one change in the office of that name; returns the instant at which it holds."""
    match change:
        case Nft(host, text):
            nft(text, netns_of(name, host))
        case Lines(host, tool, lines):
            batch(tool, lines, netns_of(name, host), force=True)
        case Order(process, settings):
            return tell_process(directory / f"{process}.sock", settings)
        case ForgetTranslations(host):
            with inside(netns_of(name, host)):
                subprocess.run(
                    ["conntrack", "-D", "--dst-nat"], capture_output=True, timeout=COMMAND_LIMIT_S, check=False
                )
    return time.monotonic()


def tell_process(control: Path, settings: dict[str, object]) -> float:
    """Send one line to a control socket; returns the instant it answers with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(5.0)
        try:
            caller.connect(str(control))
            caller.sendall(json.dumps(settings).encode() + b"\n")
            answer = json.loads(caller.recv(4096))
        except (OSError, ValueError) as error:
            raise LabError(f"The lab's process behind {control} does not answer: {error}.") from error
    return float(answer["at_s"])
