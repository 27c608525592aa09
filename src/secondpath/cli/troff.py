"""A manual page in troff's man macros (man(7), groff_man(7)), from an argparse tree and a file of prose.

The prose is plain text: `# SECTION`; paragraphs; blocks indented by four spaces are printed as they are; a line
`term :: text` is an entry of a list. `@options` and `@commands` stand for what the parser knows.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator

from secondpath import __version__
from secondpath.cli.parser import Commands


def page(parser: argparse.ArgumentParser, prose: str) -> str:
    """The page. The first line of the prose is its date."""
    date, _, body = prose.partition("\n")
    head = f'.TH SECONDPATH 8 "{date}" "secondpath {escaped(__version__)}" "System administration"'
    lines = [head, ".nh", ".ad l"]
    for block in re.split(r"\n\s*\n", body.strip("\n")):
        after_heading = lines[-1].startswith((".SH", ".SS"))
        lines += (line for line in _block(block, parser) if not (after_heading and line == ".PP"))
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that troff prints as it is."""
    said = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq")
    said = said.replace("`", "").replace("…", "...").replace("–", "\\(en").replace("→", "\\(->")
    return f"\\&{said}" if said.startswith((".", "'")) else said


def _block(block: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    if block.startswith("# "):
        yield f".SH {escaped(block[2:].strip())}"
    elif block.strip() == "@options":
        yield from _options(parser._actions)
    elif block.strip() == "@commands":
        yield from _commands(parser)
    elif block.startswith("    "):
        yield from (".PP", ".nf", ".RS 4", *(escaped(line[4:]) for line in block.splitlines()), ".RE", ".fi")
    elif " :: " in block:
        for line in block.splitlines():
            term, _, text = line.partition(" :: ")
            yield from (".TP", f".B {escaped(term)}", escaped(text))
    else:
        yield from (".PP", *(escaped(line) for line in block.splitlines()))


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, Commands):
            for name, sub in action.choices.items():
                yield from _command(name, sub)


def _command(name: str, parser: argparse.ArgumentParser, outer: str = "") -> Iterator[str]:
    own = [a for a in parser._actions if not isinstance(a, argparse._HelpAction) and a.dest not in _GLOBAL]
    positional = [a for a in own if not a.option_strings and not isinstance(a, argparse._SubParsersAction)]
    yield f".SS {escaped(' '.join([*outer.split(), name, *(_placeholder(a) for a in positional)]))}"
    if parser.description:
        yield escaped(parser.description)
    yield from _entries((escaped(_placeholder(a)), a.help) for a in positional if a.help)
    yield from _options(own)
    for action in own:
        if isinstance(action, argparse._SubParsersAction):
            for inner, sub in action.choices.items():
                yield from _command(inner, sub, f"{outer} {name}".strip())


_GLOBAL = frozenset({"run_dir", "state_dir", "color"})


def _options(actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield from _entries((_names(a), a.help) for a in actions if a.option_strings and a.help != argparse.SUPPRESS)


def _names(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {_placeholder(action)}"
    return escaped(", ".join(f"{name}{value}" for name in action.option_strings))


def _placeholder(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None and action.option_strings:
        return "|".join(str(choice) for choice in action.choices)
    return action.dest.upper() if action.option_strings else action.dest


def _entries(entries: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    for term, text in entries:
        yield from (".TP", f".B {term}", escaped((text or "").replace("%%", "%")))
