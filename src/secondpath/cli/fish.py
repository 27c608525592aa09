"""Completion for fish (fish-completions(7)), from an argparse tree. shtab knows bash and zsh, not fish."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

_WORD = "complete -c secondpath"


def completion(parser: argparse.ArgumentParser) -> str:
    """The completion file."""
    return "\n".join([f"{_WORD} -f", *_commands(parser)]) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from _options(parser, "")
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, sub in action.choices.items():
                yield f"{_WORD} -n __fish_use_subcommand -a {name} -d {_quoted(helps.get(name, ''))}"
                yield from _options(sub, f" -n {_quoted(f'__fish_seen_subcommand_from {name}')}")
                yield from _arguments(sub, name)


def _options(parser: argparse.ArgumentParser, condition: str) -> Iterator[str]:
    for action in parser._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            names = " ".join(_flag(name) for name in action.option_strings)
            yield f"{_WORD}{condition} {names}{_values(action)} -d {_quoted(action.help or '')}"


def _arguments(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    """The words and files which a command takes; also the commands of a command."""
    condition = f" -n {_quoted(f'__fish_seen_subcommand_from {name}')}"
    for action in parser._actions:
        if action.option_strings:
            continue
        if action.choices is not None:
            yield f"{_WORD}{condition} -a {_quoted(' '.join(str(choice) for choice in action.choices))}"
        elif action.metavar == "FILE":
            yield f"{_WORD}{condition} -F"


def _flag(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def _values(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return f" -x -a {_quoted(' '.join(str(choice) for choice in action.choices))}"
    return " -r -F" if action.metavar in {"FILE", "DIR"} else " -x"


def _quoted(text: str) -> str:
    said = text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'")
    return f"'{said}'"
