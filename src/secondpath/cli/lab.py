"""`secondpath lab`: a virtual office in network namespaces, to break and to mend."""

from __future__ import annotations

import argparse
import re
from collections import ChainMap
from collections.abc import Iterable
from typing import Any

from secondpath.cli.asking import add_json, print_json
from secondpath.cli.demo_end import Ending
from secondpath.cli.demo_stage import raised, sentences
from secondpath.cli.failure import OK, USAGE, Failure
from secondpath.cli.parser import Commands, Parser, hint
from secondpath.lab import faults, verbs
from secondpath.lab.box import Box
from secondpath.lab.breaking import Fault
from secondpath.lab.errors import unknown
from secondpath.lab.office import Office
from secondpath.lab.state import standing
from secondpath.lab.topology import GATEWAY_HOST, TOPOLOGIES, Topology, find_topology, without_delay


class AnyWord(ChainMap[str, argparse.ArgumentParser]):
    """The commands there are. argparse takes every word for one of them, so that ours is the refusal."""

    def __contains__(self, key: object) -> bool:
        return True


class LabCommands(Commands):
    """The commands of the lab; a misspelt one gets a hint."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.choices = AnyWord(self._name_parser_map)  # type: ignore[assignment]

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Find the command."""
        if values[0] not in self._name_parser_map:
            parser.error(f"there is no command {values[0]!r}{hint(values[0], self._name_parser_map)}")
        super().__call__(parser, namespace, values, option_string)


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "lab",
        description="A virtual office in network namespaces of this machine: staff, guests, two providers and an "
        "internet. Nothing of it touches the real network. Needs root.",
        epilog=f"topologies:\n{_topologies()}\n\nhosts:\n{_hosts()}\n\nfaults:\n{_faults()}",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="verb", required=True, action=LabCommands, parser_class=Parser
    )
    _add_up(commands)
    _add_command(commands, "down", _down, "take the office away, whatever is left of it")
    broken = _add_command(commands, "break", _break, "break something", f"faults:\n{_faults()}")
    broken.add_argument("fault", metavar="FAULT", help="what breaks, for example cable-cut, loss-30 or delay+300")
    broken.add_argument("uplink", metavar="UPLINK", nargs="?", help="where, unless it is a server that breaks")
    mended = _add_command(commands, "mend", _mend, "mend everything, or one fault", f"faults:\n{_faults()}")
    mended.add_argument("fault", metavar="FAULT", nargs="?", help="only this one")
    mended.add_argument("uplink", metavar="UPLINK", nargs="?", help="only there")
    shell = _add_command(commands, "shell", _shell, "a shell in a host, or one command", f"hosts:\n{_hosts()}")
    shell.add_argument("host", metavar="HOST", help="for example staff")
    shell.add_argument("argv", metavar="-- CMD", nargs=argparse.REMAINDER, help="a command instead of a shell")
    add_json(_add_command(commands, "list", _list, "the offices that stand, and what is broken in them", named=False))


def _add_up(commands: Any) -> None:
    parser = _add_command(commands, "up", _up, "build an office", f"topologies:\n{_topologies()}")
    parser.add_argument("--topology", metavar="T", default="office", help="how it is connected (default: office)")
    parser.add_argument("--no-delay", action="store_true", help="plain cables upstream: no delay, full speed")
    parser.add_argument("--gateway", action="store_true", help=f"run the gateway in it, on host {GATEWAY_HOST}")


def _add_command(commands: Any, verb: str, work: Any, words: str, epilog: str = "", named: bool = True) -> Any:
    parser = commands.add_parser(
        verb, help=words, description=f"{words[:1].upper()}{words[1:]}.", epilog=epilog, prog=f"secondpath lab {verb}"
    )
    if named:
        default = verbs.DEFAULT_NAME if verb == "up" else "the only one that stands"
        parser.add_argument("--name", metavar="N", help=f"the office (default: {default})")
    parser.set_defaults(handler=work)
    return parser


# ── The commands ─────────────────────────────────────────────────────────────────────────────────────────────


def _up(args: argparse.Namespace) -> int:
    name = args.name or verbs.DEFAULT_NAME
    with sentences(USAGE):
        topology = find_topology(args.topology)
    chosen = without_delay(topology) if args.no_delay else topology
    with Ending() as ending, sentences():
        box = raised(name, chosen, ending, lambda _step: None, {} if args.gateway else None)
    print(f"The office '{name}' stands: {topology.words}. Its hosts: {', '.join(topology.hosts)}.")
    option = f" --name {name}" if len(standing()) > 1 else ""
    for line in _next(box, option, args.gateway):
        print(f"  {line}")
    return OK


def _next(box: Box, option: str, gateway: bool) -> Iterable[str]:
    """What can be done now."""
    yield f"secondpath lab break{option} cable-cut {box.office.topology.uplinks[0].name}"
    yield f"secondpath lab shell{option} staff -- ping 192.0.2.10"
    if gateway:
        yield f"secondpath watch --run-dir {box.run_dir}"
    yield f"secondpath lab down{option}"


def _down(args: argparse.Namespace) -> int:
    name = _meant(args)
    with sentences():
        verbs.down(name)
    print(f"The office '{name}' is gone.")
    return OK


def _break(args: argparse.Namespace) -> int:
    name = _meant(args)
    fault, where = _place(Office.attach(name).topology, args.fault, args.uplink)
    with sentences():
        verbs.break_(name, args.fault, where)
    print(f"{_at(args.fault, where)}: {said(fault, args.fault)}")
    return OK


def _mend(args: argparse.Namespace) -> int:
    name = _meant(args)
    office = Office.attach(name)
    if args.fault:
        _place(office.topology, args.fault, args.uplink or office.topology.uplinks[0].name)
    mended = [one for one in office.broken() if args.fault in (None, one[0]) and args.uplink in (None, one[1])]
    with sentences():
        verbs.mend(name, args.fault, args.uplink)
    for fault, where in mended:
        print(f"{_at(fault, where)}: mended.")
    if not mended:
        print(f"'{args.fault}' was not broken." if args.fault else "Nothing was broken.")
    return OK


def _shell(args: argparse.Namespace) -> int:
    name = _meant(args)
    with sentences(USAGE):
        Office.attach(name).host_netns(args.host)
    command = tuple(args.argv[1:] if args.argv[:1] == ["--"] else args.argv)
    with sentences():
        verbs.shell(name, args.host, command)
    return OK


def _list(args: argparse.Namespace) -> int:
    with sentences():
        offices = verbs.list_offices()
    if args.json:
        print_json({"schema": 1, "offices": [_office_json(name, broken) for name, broken in offices.items()]})
        return OK
    for name, broken in offices.items():
        faulty = ", ".join(_at(fault, where) for fault, where in broken)
        print(f"{name}: {Office.attach(name).topology.words}; {faulty or 'nothing is broken'}")
    if not offices:
        print("No office stands. Build one with: secondpath lab up")
    return OK


def _office_json(name: str, broken: list[tuple[str, str | None]]) -> dict[str, Any]:
    office = Office.attach(name)
    return {
        "name": name,
        "topology": office.topology.name,
        "hosts": {host: office.host_netns(host) for host in office.topology.hosts},
        "uplinks": [uplink.name for uplink in office.topology.uplinks],
        "faults": [{"fault": fault, "uplink": where} for fault, where in broken],
    }


# ── What was meant ───────────────────────────────────────────────────────────────────────────────────────────


def _meant(args: argparse.Namespace) -> str:
    """The office that was named, else the only one that stands."""
    there = standing()
    if args.name:
        if args.name not in there:
            raise Failure(str(unknown("office", args.name, there)), USAGE)
        return str(args.name)
    if not there:
        raise Failure("no office stands; build one with: secondpath lab up")
    if len(there) > 1:
        raise Failure(f"several offices stand ({', '.join(there)}): say which with --name", USAGE)
    return there[0]


def _place(topology: Topology, fault: str, uplink: str | None) -> tuple[Fault, str | None]:
    """The fault of that name, and where it strikes: an uplink, or nowhere for what is a server's."""
    with sentences(USAGE):
        found, _ = faults.find_fault(fault)
        if not found.on_uplink:
            return found, None
        faults.place(topology, fault, uplink)
    return found, uplink


def said(fault: Fault, name: str) -> str:
    """The words of a fault with the number that its name carries."""
    argument = faults.find_fault(name)[1]
    return re.sub(r"\bN\b", argument, fault.words) if argument else fault.words


def _at(fault: str, uplink: str | None) -> str:
    return f"{fault} on {uplink}" if uplink else fault


def _topologies() -> str:
    return _listed((t.name, t.words) for t in TOPOLOGIES.values())


def _hosts() -> str:
    return _listed((t.name, ", ".join(t.hosts)) for t in TOPOLOGIES.values())


def _faults() -> str:
    return _listed((name, fault.words) for name, fault in faults.FAULTS.items())


def _listed(entries: Iterable[tuple[str, str]]) -> str:
    """Two columns under a heading of argparse's."""
    rows = list(entries)
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name.ljust(width)}  {words}" for name, words in rows)
