"""`secondpath policy`: what travels where, by class and by application."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from secondpath.cli.asking import add_json, answer, print_json, site_of
from secondpath.cli.failure import OK
from secondpath.tell.figures import listed
from secondpath.wire.messages import Request, Verb

BY = {"office": "*", "allowance": "+"}
"""Whose word a treatment is, where it is not the default."""
LEGEND = {"office": "* as the configuration says", "allowance": "+ to keep the data of the plan"}


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "policy",
        description="What travels where: every class on every uplink (keep, limit or block), and where it travels now. "
        "With FILE, what that configuration would mean, without asking the daemon.",
    )
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a configuration, for example office.toml")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    if args.file is None:
        document = answer(args, Request(Verb.POLICY))
    else:
        from secondpath.daemon.policy import policy_document

        document = policy_document(site_of(args.file), None, {})
    if args.json:
        print_json(document)
        return OK
    _show(args, document)
    return OK


def _show(args: argparse.Namespace, document: Mapping[str, Any]) -> None:
    from rich.console import Group, RenderableType
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    parts: list[RenderableType] = [_table(document, "Class", document["classes"])]
    if document["applications"]:
        parts += [Text(), _table(document, "Application", document["applications"])]
    parts += [Text(note, style="quiet") for note in ("", *_notes(document))]
    show(console_of(args), Group(*parts))


def _table(document: Mapping[str, Any], heading: str, rows: list[Mapping[str, Any]]) -> Any:
    from rich.table import Table

    uplinks = [uplink["name"] for uplink in document["uplinks"]]
    table = Table(box=None, header_style="quiet", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(heading, overflow="fold")
    if heading == "Application":
        table.add_column("class", no_wrap=True)
    for name in uplinks:
        table.add_column(name, overflow="fold")
    if document["running"]:
        table.add_column("now", overflow="fold")
    for row in rows:
        cells = [row["name"], *([row["class"]] if heading == "Application" else [])]
        cells += [row["on"][name]["treatment"] + BY.get(row["on"][name]["by"], "") for name in uplinks]
        table.add_row(*cells, *([_now(row["now"])] if document["running"] else []))
    return table


def _now(lanes: Mapping[str, Mapping[str, Any]]) -> str:
    """Where it travels: once where both families agree."""
    said = {family: _lane(lane) for family, lane in lanes.items()}
    different = dict.fromkeys(said.values())
    names = {"ipv4": "IPv4", "ipv6": "IPv6"}
    if len(different) == 1:
        return next(iter(different))
    return ", ".join(f"{names[family]} {words}" for family, words in said.items())


def _lane(lane: Mapping[str, Any]) -> str:
    if lane["uplink"] is None:
        return f"waits ({lane['barred_from']})" if lane["barred_from"] else "no line"
    return f"{lane['uplink']}, limited" if lane["treatment"] == "limit" else str(lane["uplink"])


def _notes(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [*document["classes"], *document["applications"]]
    words = {fate["by"] for row in rows for fate in row["on"].values()}
    yield from (line for word, line in LEGEND.items() if word in words)
    for row in document["classes"]:
        if row["own_order"]:
            yield f"{row['name']} prefers {', '.join(row['order'])}"
    if stays := [row["name"] for row in document["classes"] if row["when_poor"] == "stay"]:
        yield f"staying on a line that is merely poor: {listed(stays)}"
    yield "keep: all it wants; limit: a small share of the rate; block: refused"
