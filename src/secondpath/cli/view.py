"""How the office looks in a terminal, made from the status document alone."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from secondpath.cli.screen import Marks
from secondpath.tell.figures import capital, day, delay, duration, listed, local, megabytes, rate, share

STATES = {"up": "up", "degraded": "poor", "down": "down", "unknown": "not known"}
FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}
SAME_MOMENT_S = 2.0


class Row(NamedTuple):
    """One line of the table: an uplink, or one family of it where the two differ."""

    name: str
    line: Mapping[str, Any]
    used: bool
    note: str


def office(document: Mapping[str, Any], marks: Marks, width: int) -> Group:
    """The sentence that matters, the uplinks, and what a person should know besides."""
    parts: list[RenderableType] = [Text(wrapped(document["summary"], width), style="bold"), Text()]
    parts.append(_uplinks(document, marks))
    if facts := list(_facts(document)):
        parts += [Text(), _labelled(facts)]
    return Group(*parts)


def wrapped(text: str, width: int) -> str:
    """The text in lines, with no number parted from its unit."""
    bound = re.sub(r"(\d) (?=(?:s|min|h|d|ms)\b|%)", "\\1\u00a0", text)
    return "\n".join(textwrap.wrap(bound, width, break_on_hyphens=False)).replace("\u00a0", " ")


def happenings(events: Sequence[Mapping[str, Any]], timezone: str) -> Table:
    """Events under their days, oldest first."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    shown = None
    for event in folded(events):
        wall = local(datetime.fromisoformat(event["at"]), timezone)
        if shown != wall.date():
            shown = wall.date()
            table.add_row(Text(day(wall), style="bold"), "")
        table.add_row(f"{wall:%H:%M:%S}", event["text"])
    return table


def numbered(events: Sequence[Mapping[str, Any]], timezone: str) -> Table:
    """Events with their numbers and days, oldest first."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    for event in events:
        wall = local(datetime.fromisoformat(event["at"]), timezone)
        table.add_row(str(event["number"]), f"{day(wall)} {wall:%H:%M:%S}", event["text"])
    return table


def folded(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events, with what befell both families within the same moment told once."""
    told: dict[tuple[str, ...], dict[str, Any]] = {}
    shown: list[Mapping[str, Any]] = []
    for event in events:
        subject = re.sub(r"ipv[46]$", "", event["subject"])
        key = subject, event["before"], event["after"], event["reason"]
        first = told.get(key)
        if first is None or first["subject"] == event["subject"] or _apart_s(first, event) > SAME_MOMENT_S:
            told[key] = dict(event)
            shown.append(told[key])
        else:
            first["text"] = re.sub(r"^IPv[46] t", "T", first["text"].replace(" (IPv4)", "").replace(" (IPv6)", ""))
    return shown


def _apart_s(first: Mapping[str, Any], event: Mapping[str, Any]) -> float:
    return (datetime.fromisoformat(event["at"]) - datetime.fromisoformat(first["at"])).total_seconds()


def _uplinks(document: Mapping[str, Any], marks: Marks) -> Table:
    table = Table(box=None, header_style="quiet", padding=(0, 2, 0, 0), pad_edge=False)
    for heading, side in (("", "left"), ("Uplink", "left"), ("State", "left"), ("For", "right")):
        table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    for heading in ("Loss", "Delay"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    now = datetime.fromisoformat(document["at"])
    for uplink in document["uplinks"]:
        for row in _rows(document, uplink):
            table.add_row(*_cells(row, now, marks))
    return table


def _cells(row: Row, now: datetime, marks: Marks) -> Iterator[RenderableType]:
    line, health = row.line, row.line["health"]
    word = STATES[health] if line["offered"] else "not set up"
    seen = line["samples"] > 0
    yield Text(marks.used if row.used else " ")
    yield Text(row.name, style="bold" if row.used else "")
    yield Text(f"{getattr(marks, health)} {word}", style=health)
    yield Text(duration((now - datetime.fromisoformat(line["since"])).total_seconds()))
    yield Text(share(line["loss_ratio"]) if seen else marks.none)
    yield Text(delay(line["rtt_s"]).replace("–", marks.none))
    yield Text(row.note)


def _rows(document: Mapping[str, Any], uplink: Mapping[str, Any]) -> Iterator[Row]:
    """One row where the families agree or only one is there, else one for each."""
    offered = {family: line for family, line in uplink["lines"].items() if line["offered"]}
    lines = offered or uplink["lines"]
    agreed = {(line["health"], _used(document, uplink["name"], family)) for family, line in lines.items()}
    if len(lines) == 2 and len(agreed) == 2:
        for family, line in lines.items():
            used = _used(document, uplink["name"], family)
            yield Row(f"{uplink['name']} {FAMILIES[family]}", line, used, _note(line, used, ""))
    elif lines:
        family, line = next(iter(lines.items()))
        used = _used(document, uplink["name"], family)
        only = f"{FAMILIES[family]} only" if len(offered) == 1 else ""
        yield Row(uplink["name"], line, used, _note(_worse(list(lines.values())), used, only))


def _worse(lines: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(lines, key=lambda line: float(line["loss_ratio"]))


def _used(document: Mapping[str, Any], uplink: str, family: str) -> bool:
    return bool(document["active"][family]["uplink"] == uplink)


def _note(line: Mapping[str, Any], used: bool, only: str) -> str:
    parts = ["in use"] if used and line["health"] != "down" else []
    if line["health"] != "up":
        parts.append(line["note"])
    elif not used:
        left = line["hold_left_s"]
        parts.append(f"ready; home in {duration(left)}" if left else "ready")
    return ", ".join(part for part in [*parts, only] if part)


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if document["paused"]:
        yield "Paused", listed(document["paused"]) + _in_part(document)
    if apart := list(_apart(document)):
        yield "Apart", listed(apart)
    for text in dict.fromkeys(f["text"] for f in document.get("finishing", ()) if f["text"]):
        yield "Finishing", capital(text)
    for one in document.get("stragglers", ()):
        who = f"{one['device']} to {one['destination']} ({one['class']}, {megabytes(one['bytes'])})"
        yield "Straggler", f"{who} was still on {one['uplink']}, and was ended"
    if document["override"]:
        yield "Asked", document["override"]["text"]
    if document["advice"]:
        yield "To do", document["advice"]
    for uplink in document["uplinks"]:
        if allowance := uplink.get("allowance"):
            yield "Data", f"{uplink['name']}: {allowance['text']}"
    for number, text in enumerate(_shaped(document)):
        yield "" if number else "Shaped", text
    yield from _evidence(document)


def _evidence(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was counted, and what is amiss."""
    evidence = document["evidence"] or {}
    for uplink in (u["name"] for u in document["uplinks"] if u["metered"]):
        asked = (evidence.get("questions") or {}).get(uplink)
        if asked and "budget_bytes" in asked:
            days = "today" if asked["days"] == 1 else f"in {asked['days']} days"
            spent, most = megabytes(asked["bytes"]), megabytes(asked["budget_bytes"])
            yield "Questions", f"testing {uplink} has cost {spent} {days} (standing by: below {most} in 30 days)"
    if (told := evidence.get("recognition")) and told["flows"]:
        yield "Known", _known(told)
    resolver = ((told or {}).get("resolver") or {}).get("trouble")
    for trouble in (evidence.get("trouble"), evidence.get("book"), resolver):
        if trouble:
            yield "Trouble", str(trouble)


def _known(told: Mapping[str, Any]) -> str:
    """How much of what began was recognised."""
    known = share(1 - told["unrecognised"] / told["flows"])
    shared = len(told["shared"])
    also = f"; {shared} {'addresses are' if shared > 1 else 'address is'} shared between classes" if shared else ""
    return f"{known} of {told['flows']:,} new connections were recognised{also}"


def _shaped(document: Mapping[str, Any]) -> Iterator[str]:
    """What shapes each uplink, to which rates, and what stands in the way."""
    for uplink in document["uplinks"]:
        shaping = uplink.get("shaping") or {}
        ways = [f"{rate(shaping[way]['rate_bps'])} {way}" for way in ("down", "up") if shaping.get(way)]
        means = {shaping[way]["by"] for way in ("down", "up") if shaping.get(way)}
        parts = [f"{listed(ways)} ({listed(sorted(means))})"] if ways else []
        if parts := [*parts, *shaping.get("why_not", ())]:
            yield f"{uplink['name']}: {'; '.join(parts)}"


def _apart(document: Mapping[str, Any]) -> Iterator[str]:
    """The applications that travel elsewhere than their class."""
    for application in document.get("applications", ()):
        ways = {application["uplink"][family]: FAMILIES[family] for family in application["apart"]}
        for uplink, family in ways.items():
            only = "" if len(application["apart"]) == 2 else f" ({family})"
            yield f"{application['name']} by {uplink}{only}"


def _in_part(document: Mapping[str, Any]) -> str:
    """The one family that travels on a metered backup, when the other does not."""
    metered = {uplink["name"] for uplink in document["uplinks"][1:] if uplink["metered"]}
    active = {family: lane["uplink"] for family, lane in document["active"].items() if lane["uplink"]}
    there = [FAMILIES[family] for family, uplink in active.items() if uplink in metered]
    return f" ({there[0]} only)" if len(there) < len(active) and there else ""


def _labelled(facts: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(label, text)
    return table
