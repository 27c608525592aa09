"""`secondpath trace`: where a flow goes, as what, by which rule, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from secondpath.cli.asking import add_json, answer, print_json, site_of
from secondpath.cli.failure import OK, USAGE, Failure
from secondpath.cli.parser import hint
from secondpath.config.addresses import is_host_name
from secondpath.model import Network, Site
from secondpath.wire.messages import Request, Verb

FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "trace",
        description="Where a flow from a device of the office to an address or name goes: its class, by which rule, "
        "the uplink, and why. With --config, what that configuration would mean, without asking the daemon.",
    )
    parser.add_argument("source", metavar="SOURCE", type=_source, help="an address inside, for example 10.44.10.7")
    parser.add_argument("destination", metavar="DESTINATION", type=_destination, help="an address or a name")
    parser.add_argument("--port", type=_port, metavar="PORT", help="the destination's port")
    parser.add_argument("--protocol", choices=("tcp", "udp"), help="for a port, tcp unless given")
    parser.add_argument("--mac", metavar="ADDRESS", help="the device's, where a [[device]] has a class of its own")
    parser.add_argument("--network", metavar="NAME", help="the inside network, where SOURCE does not tell")
    parser.add_argument("--config", type=Path, metavar="FILE", help="ask this configuration instead of the daemon")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and tell."""
    protocol = args.protocol or ("tcp" if args.port is not None else None)
    if args.config is not None:
        document: Mapping[str, Any] = _offline(args, protocol)
    else:
        wanted = {"source": args.source, "destination": args.destination, "protocol": protocol}
        wanted |= {"port": args.port, "network": args.network, "mac": args.mac}
        document = answer(args, Request(Verb.TRACE, {k: v for k, v in wanted.items() if v is not None}))
    if args.json:
        print_json(document)
    else:
        _show(args, document)
    return OK


def _offline(args: argparse.Namespace, protocol: str | None) -> Mapping[str, Any]:
    from secondpath.daemon.policy import Asked, at_rest, trace_document

    site = site_of(args.config)
    asked = Asked(args.source, args.destination, protocol, args.port, args.mac or "")
    return trace_document(site, at_rest(site), {}, _network(site, args.network), asked)


def _network(site: Site, name: str | None) -> Network:
    names = [network.name for network in site.networks]
    if name is None and len(names) == 1:
        return site.networks[0]
    if name is None:
        raise Failure(f"which network is that from? Say --network, one of: {', '.join(names)}", USAGE)
    if name not in names:
        raise Failure(f"there is no network named {name!r}{hint(name, names)}", USAGE)
    return next(network for network in site.networks if network.name == name)


def _show(args: argparse.Namespace, document: Mapping[str, Any]) -> None:
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    parts: list[RenderableType] = []
    for flow in _folded(document["flows"]):
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(style="quiet", no_wrap=True)
        table.add_column(overflow="fold")
        for label, text in _facts(document, flow):
            table.add_row(label, text)
        parts += [*([Text()] if parts else []), Text(_heading(document, flow), style="bold"), table]
    show(console_of(args), Group(*parts))


def _folded(flows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Both families told once, where all but their addresses is the same."""
    if len(flows) == 2:
        first, second = ({k: v for k, v in flow.items() if k not in ("family", "address", "rule")} for flow in flows)
        if first == second and flows[0]["rule"]["code"] == flows[1]["rule"]["code"]:
            return [{**flows[0], "family": "both"}]
    return flows


def _heading(document: Mapping[str, Any], flow: Mapping[str, Any]) -> str:
    port = f", {document['protocol']} {document['port']}" if document["port"] is not None else ""
    family = f" ({FAMILIES[flow['family']]})" if flow["family"] in FAMILIES and len(document["flows"]) > 1 else ""
    return f"{document['source']} to {document['destination']}{port}{family}"


def _facts(document: Mapping[str, Any], flow: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    network = document["network"]
    yield "From", f"{network['name']} ({network['interface']})"
    yield "Class", f"{flow['class']}: {flow['rule']['text']}"
    if flow["uplink"] is not None:
        limited = ", limited to a small share of the rate" if flow["treatment"] == "limit" else ""
        yield "Leaves by", f"{flow['uplink']}{limited}: {flow['why']['text']}"
    elif flow["barred_from"]:
        yield "Waits", f"it would leave by {flow['barred_from']}: {flow['why']['text']}"
    else:
        yield "Nowhere", flow["why"]["text"]
    yield "Elsewhere", ", ".join(f"{name}: {fate['treatment']}" for name, fate in flow["on"].items())


def _source(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write one such as 10.44.10.7") from None


def _destination(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    if not is_host_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address or name; write one such as tax.example.com")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write one from 1 to 65535")
    return int(text)
