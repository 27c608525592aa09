"""`secondpath applications`: the catalogue from which `preset` in a configuration takes its entries."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from secondpath.cli.asking import add_json, print_json
from secondpath.cli.failure import OK, USAGE, Failure
from secondpath.config.office import BUSINESSES
from secondpath.config.presets import GRADES, Preset, nearest_preset
from secondpath.model import CLASSES, PortSpan, SourceBinding

_BOUND = {
    SourceBinding.YES: "yes",
    SourceBinding.NO: "no",
    SourceBinding.UNKNOWN: "not known",
}


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "applications",
        description="List the catalogue of applications, or show one entry of it in full. "
        'An office names what it uses in its configuration: preset = "microsoft-365".',
    )
    parser.add_argument("id", metavar="ID", nargs="?", help="one entry, for example microsoft-365")
    parser.add_argument("--profile", choices=BUSINESSES, help="only what is usual in offices of this kind")
    parser.add_argument(
        "--known", action="store_true", help="instead: what the daemon knows of this office's own, addresses and all"
    )
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the list or the entry."""
    if args.known:
        if args.id or args.profile:
            raise Failure("--known tells of this office's applications; leave ID and --profile out", USAGE)
        from secondpath.cli.known import tell_known

        tell_known(args)
        return OK
    from secondpath.config.shelf import catalogue  # not before it is needed

    known = catalogue()
    if args.id is not None:
        _tell(args, _named(args.id, known))
    else:
        _list(args, [p for p in _ordered(known) if args.profile is None or args.profile in p.profiles])
    return OK


def _named(ident: str, known: Mapping[str, Preset]) -> Preset:
    if ident not in known:
        meant = nearest_preset(ident, known)
        hint = f"; did you mean {meant!r}?" if meant else '; "secondpath applications" lists those that there are'
        raise Failure(f"there is no application {ident!r} in the catalogue{hint}", USAGE)
    return known[ident]


def _ordered(known: Mapping[str, Preset]) -> list[Preset]:
    """The most important classes first, and by name."""
    return sorted(known.values(), key=lambda p: (CLASSES[p.traffic_class].priority, p.name.casefold()))


def _list(args: argparse.Namespace, presets: Sequence[Preset]) -> None:
    if args.json:
        print_json({"schema": 1, "applications": [preset_json(p) for p in presets]})
        return
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="quiet")
    for heading in ("id", "name", "class", "bound", "evidence"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "name")
    for preset in presets:
        bound = Text(_BOUND[preset.source_ip_bound], style="degraded" if _is_bound(preset) else "quiet")
        table.add_row(preset.ident, preset.name, preset.traffic_class, bound, f"{preset.grade} {preset.checked}")
    legend = f"evidence: {'; '.join(f'{grade} {words}' for grade, words in GRADES.items())}."
    what = "bound: whether the service can take the office from its own public address alone."
    show(console_of(args), Group(table, Text(), Text(what, style="quiet"), Text(legend, style="quiet")))


def _tell(args: argparse.Namespace, preset: Preset) -> None:
    if args.json:
        print_json({"schema": 1, "application": preset_json(preset)})
        return
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from secondpath.cli.screen import console_of, show

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _facts(preset):
        table.add_row(label, text)
    written = Text(f'[[application]]\npreset = "{preset.ident}"')
    console = console_of(args)
    show(console, Group(Text(preset.name, style="bold"), Text(), table, Text()))
    for evidence in preset.evidence:
        show(console, Text(f"{evidence.checked}, {GRADES[evidence.grade]}: {evidence.says}."))
        if evidence.page:
            console.print(f"  {evidence.page}", style="quiet", soft_wrap=True)  # whole, so that it can be copied
    show(console, Group(Text(), written))


def _facts(preset: Preset) -> Iterator[tuple[str, str]]:
    yield "Class", preset.traffic_class
    everywhere = set(preset.profiles) == set(BUSINESSES)
    yield "Usual in", "every office" if everywhere else ", ".join(preset.profiles)
    for label, said in (
        ("Domains", preset.match.domains),
        ("Servers", preset.match.servers),
        ("Ports", tuple(map(_port, preset.match.ports))),
    ):
        if said:
            yield label, ", ".join(said)
    yield "Test", preset.test or f"none: {preset.untested}"
    about = f". {preset.binding}" if preset.binding else ""
    yield "Bound", f"{_BOUND[preset.source_ip_bound]}{about}"


def _is_bound(preset: Preset) -> bool:
    return preset.source_ip_bound is SourceBinding.YES


def _port(span: PortSpan) -> str:
    last = f"-{span.last}" if span.last != span.first else ""
    return f"{span.protocol}/{span.first}{last}"


def preset_json(preset: Preset) -> dict[str, Any]:
    """An entry for programs."""
    return {
        "id": preset.ident,
        "name": preset.name,
        "also": list(preset.also),
        "class": preset.traffic_class,
        "profiles": list(preset.profiles),
        "domains": list(preset.match.domains),
        "servers": list(preset.match.servers),
        "ports": [_port(span) for span in preset.match.ports],
        "test": preset.test,
        "untested": preset.untested,
        "source_ip_bound": preset.source_ip_bound,
        "binding": preset.binding,
        "evidence": [
            {"grade": e.grade, "says": e.says, "page": e.page, "checked": e.checked.isoformat()}
            for e in preset.evidence
        ],
    }
