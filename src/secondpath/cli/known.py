"""`secondpath applications --known`: what the daemon knows of the office's own applications."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from secondpath.cli.asking import answer, print_json
from secondpath.wire.messages import Request, Verb

FEW = 6
"""So many addresses are shown; JSON has all."""


def tell_known(args: argparse.Namespace) -> None:
    """Ask the daemon and show it."""
    document = answer(args, Request(Verb.APPLICATIONS))
    if args.json:
        print_json(document)
        return
    from rich.table import Table
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    console = console_of(args)
    if not document["applications"]:
        show(console, Text("No application is configured; `secondpath applications` lists the catalogue."))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="quiet")
    for heading in ("name", "class", "last asked for", "addresses"):
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("name", "addresses"))
    for application in document["applications"]:
        table.add_row(application["name"], application["class"], _moment(application["seen"]), _addresses(application))
    show(console, table)
    for line in notes(document):
        show(console, Text(line, style="quiet"))


def _moment(seen: str | None) -> str:
    return f"{datetime.fromisoformat(seen).astimezone():%d %b %H:%M}" if seen else "not yet"


def _addresses(application: Mapping[str, Any]) -> str:
    found: Sequence[Mapping[str, Any]] = application["addresses"]
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return ", ".join(a["address"] for a in found[:FEW]) + more if found else "none yet"


def notes(document: Mapping[str, Any]) -> Iterator[str]:
    """What there is to say besides: shared addresses, the reader, the resolver."""
    for application in document["applications"]:
        given: dict[str, int] = {}
        for address in application["addresses"]:
            if address["given_to"]:
                given[address["given_to"]] = given.get(address["given_to"], 0) + 1
        for other, count in given.items():
            what = "address is" if count == 1 else "addresses are"
            yield f"{count} of {application['name']}'s {what} also {other}'s, which is more important and has it."
    told = document["recognition"] or {}
    if document["applications"] and not told.get("reading", True):
        yield "DNS answers are not read: names below a domain are not known."
    resolver = told.get("resolver")
    if resolver and not resolver["running"]:
        yield f"The office's resolver does not run: {resolver['trouble']}."
