"""`secondpath completion`: what the shell may complete, made from the argument parser itself."""

from __future__ import annotations

import argparse
from typing import Any

from secondpath.cli.failure import OK

_WHERE = """\
bash:  secondpath completion bash > /usr/local/share/bash-completion/completions/secondpath
zsh:   secondpath completion zsh > /usr/local/share/zsh/site-functions/_secondpath
fish:  secondpath completion fish > ~/.config/fish/completions/secondpath.fish
"""


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser("completion", epilog=_WHERE)
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from secondpath.cli.parser import build
    from secondpath.cli.table import COMMANDS

    parser = build(COMMANDS)
    if args.shell == "fish":
        from secondpath.cli.fish import completion

        print(completion(parser), end="")
    else:
        import shtab

        _mark_files(parser)
        print(shtab.complete(parser, shell=args.shell))
    return OK


def _mark_files(parser: argparse.ArgumentParser) -> None:
    """Tell shtab which arguments are files and folders: those that say so to people."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name in action.choices:
                _mark_files(action.choices[name])
        elif action.metavar in {"FILE", "DIR"}:
            action.complete = shtab.FILE if action.metavar == "FILE" else shtab.DIRECTORY  # type: ignore[attr-defined]
