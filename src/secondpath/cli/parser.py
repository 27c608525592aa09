"""The argument parser: global options before or after the command, and a hint for what was misspelt."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import textwrap
from collections.abc import Container, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from secondpath import __version__
from secondpath.cli.failure import USAGE
from secondpath.cli.table import COMMANDS

RUN_DIR = Path("/run/secondpath")
STATE_DIR = Path("/var/lib/secondpath")

EXIT_CODES = """\
exit codes:
  0  all is well, or it was done
  1  a problem was found, or the daemon refused
  2  wrong usage, or a bad configuration
  3  the daemon cannot be reached
"""
_DESCRIPTION = "Keeps an office online when its internet connection fails, and proves beforehand that it will."
_TAKES_VALUE = frozenset({"--run-dir", "--state-dir", "--color"})


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that knows what was probably meant."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", Formatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is."""
        missing = message.removeprefix("the following arguments are required: ")
        said = f"{missing} is missing" if missing != message else re.sub(r"^argument [\w/ -]+: ", "", message)
        print(f"{self.prog}: {said}\nSee: {self.prog} --help", file=sys.stderr)
        raise SystemExit(USAGE)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help in at most 90 columns, with the names of commands in one."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=26, **options)
        self._width = min(self._width, 90)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Paragraphs are filled; what has lines of its own, such as the exit codes, keeps them."""
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


class Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """The commands: each gets its line of help from the table, and the global options."""

    def add_parser(self, name: str, **options: Any) -> Any:
        """A parser for one command."""
        if name in COMMANDS:
            options["help"] = COMMANDS[name].help
            options.setdefault("description", f"{COMMANDS[name].help[:1].upper()}{COMMANDS[name].help[1:]}.")
        parser = super().add_parser(name, **options)
        _add_globals(parser, absent=True)
        return parser


def build(loaded: Container[str]) -> Parser:
    """The parser: in full for the commands in `loaded`, with a line of help for the others."""
    parser = Parser(prog="secondpath", description=_DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"secondpath {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", action=Commands, parser_class=Parser
    )
    _add_globals(parser, absent=False)
    for name, command in COMMANDS.items():
        if name in loaded:
            import_module(command.module).add_parser(commands)
        else:
            commands.add_parser(name)
    return parser


def _add_globals(parser: argparse.ArgumentParser, *, absent: bool) -> None:
    """Options of all commands. Behind a command they are absent unless given, so that those before it count."""

    def default(value: object) -> object:
        return argparse.SUPPRESS if absent else value

    group = parser.add_argument_group("options of all commands")
    for flag, folder, what in (("--run-dir", RUN_DIR, "the control socket"), ("--state-dir", STATE_DIR, "the record")):
        text = f"where {what} is (default: {folder})"
        group.add_argument(flag, type=Path, metavar="DIR", default=default(folder), help=text)
    text = "when to use colour (default: auto; NO_COLOR is respected)"
    group.add_argument("--color", choices=("auto", "always", "never"), default=default("auto"), help=text)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, or the end of the program with a hint."""
    name = command_in(argv)
    if name is not None and name not in COMMANDS:
        _end(f"there is no command {name!r}{hint(name, COMMANDS)}", "secondpath")
    parser = build({name} if name else ())
    if not argv:
        parser.print_help()
        raise SystemExit(USAGE)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        _refuse(parser, name, unknown[0])
    if name is None:
        _end("a command is missing", "secondpath")
    return args


def command_in(argv: Sequence[str]) -> str | None:
    """The first word that is neither an option nor the value of one."""
    words = iter(argv)
    for word in words:
        if word in _TAKES_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def hint(word: str, known: Iterable[str]) -> str:
    """The nearest spelling, as the end of a sentence."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _refuse(parser: Parser, name: str | None, word: str) -> NoReturn:
    prog = f"secondpath {name}" if name else "secondpath"
    if not word.startswith("-"):
        _end(f"{word!r} is one argument too many", prog)
    option = word.partition("=")[0]
    known = re.findall(r"--[a-z][a-z-]*", _help_of(parser, name))
    _end(f"there is no option {option!r}{hint(option, dict.fromkeys(known))}", prog)


def _help_of(parser: Parser, name: str | None) -> str:
    for action in parser._actions:
        if name and isinstance(action, Commands):
            return str(action.choices[name].format_help())
    return parser.format_help()


def _end(sentence: str, prog: str) -> NoReturn:
    print(f"{prog}: {sentence}\nSee: {prog} --help", file=sys.stderr)
    raise SystemExit(USAGE)
