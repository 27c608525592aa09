"""How an examination looks in a terminal, made from the document of check-path alone: facts first, sentences last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from secondpath.cli.screen import Marks
from secondpath.cli.view import FAMILIES
from secondpath.tell.figures import delay, listed, share

OUTCOMES = {"ok": "ok", "timeout": "no answer", "refused": "refused", "redirected": "redirected", "unsent": "not sent"}
DENIALS = {
    "honest": "says NXDOMAIN of a name that cannot exist",
    "invented": "invents an address for a name that cannot exist",
    "other": "says neither yes nor no of a name that cannot exist",
    "silent": "says nothing of a name that cannot exist",
}
NEIGHBOURS = {"ipv4": "ARP", "ipv6": "neighbour discovery"}


def examination(document: Mapping[str, Any], marks: Marks) -> Group:
    """Every line with all that was found, then a sentence for each."""
    parts: list[RenderableType] = []
    for uplink in document["uplinks"]:
        for family, line in uplink["lines"].items():
            if rows := list(_rows(uplink, family, line, marks)):
                parts += [Text(f"{uplink['name']} {FAMILIES[family]} on {uplink['interface']}", style="bold")]
                parts += [_indented(rows), Text()]
    parts.append(_sentences(document, marks))
    spent = sum(line["bytes"] for uplink in document["uplinks"] for line in uplink["lines"].values())
    parts += [Text(), Text(f"Examined in {document['took_s']:.1f} s with {octets(spent)} of traffic.", style="quiet")]
    return Group(*parts)


def octets(count: int) -> str:
    """Bytes as people read them: 900 bytes, 12 kB (1 kB is 1000 bytes)."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB"


def _indented(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(width=1)
    table.add_column(style="quiet", no_wrap=True, width=8)
    table.add_column(overflow="fold")
    for label, said in rows:
        table.add_row("", label, said)
    return table


def _sentences(document: Mapping[str, Any], marks: Marks) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for uplink in document["uplinks"]:
        for family, line in uplink["lines"].items():
            mark, style = (marks.up, "up") if line["ok"] else (marks.down, "down")
            if not line["offered"]:
                mark, style = marks.none, "quiet"
            name = Text(f"{uplink['name']} {FAMILIES[family]}", style="bold")
            table.add_row(Text(mark, style=style), name, Text(line["text"]))
    return table


def _rows(
    uplink: Mapping[str, Any], family: str, line: Mapping[str, Any], marks: Marks
) -> Iterator[tuple[str, RenderableType]]:
    if line["address"] is None:
        return
    yield "Address", Text(line["address"])
    if line["gateway"] is not None:
        yield "Gateway", _gateway(line["gateway"], family)
    yield from _labelled("Asked", (_probe(probe, marks) for probe in line["probes"]))
    yield from _labelled("Latency", (_anchor(anchor) for anchor in line["anchors"]))
    if line["mtu"] is not None:
        yield "Packets", Text(_packets(line["mtu"], uplink["interface"]))
    yield from _labelled("DNS", (_resolver(resolver) for resolver in line["dns"]))
    if line["probes"]:
        yield "NAT", Text(line["nat"]["text"])
    if line["portal"] is not None:
        yield "Portal", Text("yes, web requests are redirected" if line["portal"] else "none")
    if uplink["metered"] and line["bytes"]:
        yield "Data", Text(f"{octets(line['bytes'])}; at most {octets(line['bytes_limit'])} are allowed here")
    if line["unfinished"]:
        yield "Late", Text(f"not finished in time: {listed(line['unfinished'])}")


def _labelled(label: str, said: Iterator[Text]) -> Iterator[tuple[str, Text]]:
    for number, text in enumerate(said):
        yield label if number == 0 else "", text


def _gateway(hop: Mapping[str, Any], family: str) -> Text:
    ways = {NEIGHBOURS[family]: hop["neighbour"], "ping": hop["echo"]}
    does, does_not = ([way for way, said in ways.items() if said is wanted] for wanted in (True, False))
    said = [f"answers {listed(does)}"] if does else []
    said += [f"does not answer {listed(does_not, 'or')}"] if does_not else []
    rtt = f", {delay(hop['rtt_s'])}" if hop["rtt_s"] is not None else ""
    return Text(f"{hop['address']} {listed(said, 'but') or 'was not asked'}{rtt}")


def _probe(probe: Mapping[str, Any], marks: Marks) -> Text:
    good = probe["outcome"] == "ok"
    rtt = f" {delay(probe['rtt_s'])}" if probe["rtt_s"] is not None else ""
    word = OUTCOMES[probe["outcome"]]
    detail = f" ({probe['detail']})" if not good and probe["detail"] not in ("", word) else ""
    mark = Text(marks.up if good else marks.down, style="up" if good else "down")
    return Text.assemble(mark, f" {probe['target']} {word}{rtt}{detail}")


def _anchor(anchor: Mapping[str, Any]) -> Text:
    if not anchor["received"]:
        return Text(f"{anchor['address']} answers none of {anchor['sent']} echoes")
    jitter = f", jitter {delay(anchor['jitter_s'])}" if anchor["jitter_s"] is not None else ""
    lost = f"{share(anchor['loss_ratio'])} of {anchor['sent']} lost"
    return Text(f"{anchor['address']} median {delay(anchor['median_s'])}{jitter}, {lost}")


def _packets(mtu: Mapping[str, Any], interface: str) -> str:
    if mtu["path_bytes"] is None:
        return f"not found out; {interface} takes {mtu['interface_bytes']} bytes"
    if mtu["path_bytes"] >= mtu["interface_bytes"]:
        return f"up to {mtu['path_bytes']} bytes, all that {interface} takes"
    who = f"{mtu['told_by']} says so" if mtu["told_by"] else "no router says so"
    return f"up to {mtu['path_bytes']} bytes, less than the {mtu['interface_bytes']} of {interface}; {who}"


def _resolver(resolver: Mapping[str, Any]) -> Text:
    if resolver["outcome"] == "ok":
        said = f"answers for {resolver['name']} in {delay(resolver['rtt_s'])}"
    else:
        said = f"{OUTCOMES[resolver['outcome']]} for {resolver['name']}"
    if resolver["outcome"] != "ok" and resolver["impossible_name"] == "silent":
        return Text(f"{resolver['resolver']} {said}")
    return Text(f"{resolver['resolver']} {said}; {DENIALS[resolver['impossible_name']]}")
