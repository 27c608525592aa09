"""The list of commands: their names, where they live, and their line of help. Adding one is a line here and a file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple


class Command(NamedTuple):
    """A command: the module with its `add_parser`, and one line of help."""

    module: str
    help: str


_ALL: Mapping[str, Command] = {
    name: Command(f"secondpath.cli.{name.replace('-', '_')}", line)
    for name, line in {
        "status": "how the office is connected, each line, and why",
        "watch": "the same, live",
        "events": "what happened",
        "why": "explain a switch, from the first lost question to the verdict",
        "replay": "make the decisions in a recorded file again",
        "check": "check a configuration file and say what it means",
        "applications": "list the applications that `preset` knows, or what is known of the office's own",
        "teach": "propose an entry for an application by what a device asks for",
        "feed": "take Microsoft's list of the networks of Microsoft 365",
        "check-path": "examine the lines as a network engineer would",
        "failover": "send traffic over another uplink, until failback",
        "failback": "send traffic home to the preferred uplink",
        "hold": "leave traffic where it is for a while",
        "release": "end what failover or hold asked for",
        "policy": "what travels where, by class and by application",
        "trace": "where a flow goes, as what, and why",
        "allowance": "how far the data of a plan is used; correct it, lift what it restrains",
        "reload": "load the configuration anew",
        "doctor": "look for what this machine lacks, with the remedy",
        "install": "install the systemd units and their user",
        "run": "run the gateway in the foreground",
        "clear": "take everything of secondpath out of the kernel",
        "plan": "decide which backup an office needs, and how big",
        "lab": "a virtual office in network namespaces",
        "demo": "cut the cable of a virtual office and watch",
        "completion": "print completion for bash, zsh or fish",
        "man": "print the manual page",
    }.items()
}

COMMANDS: Mapping[str, Command] = {name: known for name, known in _ALL.items() if find_spec(known.module)}
"""Those of them which this installation has."""
