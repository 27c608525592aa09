"""`secondpath plan`: the commands of the planner. The heavy libraries are imported when a command runs, not before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from secondpath.cli import plan_act, plan_write
from secondpath.cli.asking import add_json
from secondpath.cli.failure import USAGE
from secondpath.cli.parser import Commands, Parser, hint

PROFILES = ("cpa", "law", "escrow", "clinic", "retail", "general")
_SHEETS = {
    "impact": "what an outage costs, by duration and season",
    "options": "the choices compared by cost and expected loss",
    "size": "bandwidth and data the backup needs",
    "audit": "what the connections share (path diversity)",
    "power": "UPS runtime and size",
    "availability": "hours offline, single points of failure, what to fix first",
    "deadlines": "chance of missing a deadline, and the dated calendar",
}
_BEGIN = """begin with:
  secondpath plan ask --profile cpa
  secondpath plan options
  secondpath plan review
"""
Handler = Callable[[argparse.Namespace], int]


class AnyWord(dict[str, Any]):
    """The commands there are. argparse takes every word for one of them, so that ours is the refusal."""

    def __contains__(self, key: object) -> bool:
        return True


class PlanCommands(Commands):
    """The commands of the planner; a misspelt one gets a hint."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.choices = AnyWord()

    def add_parser(self, name: str, **options: Any) -> Any:
        """A parser for one command."""
        parser = super().add_parser(name, **options)
        self.choices[name] = parser
        return parser

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Find the command."""
        if values[0] not in self._name_parser_map:
            parser.error(f"there is no command {values[0]!r}{hint(values[0], self._name_parser_map)}")
        super().__call__(parser, namespace, values, option_string)


class PlanParser(Parser):
    """A parser of one of them, which knows what was probably meant by an option."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments; what nobody knows ends the program with a hint."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and not unknown[0].startswith("-"):
            self.error(f"{unknown[0]!r} is one argument too many")
        if unknown:
            option = unknown[0].partition("=")[0]
            self.error(f"there is no option {option!r}{hint(option, self._option_string_actions)}")
        return found, unknown


def add_parser(subparsers: Any) -> None:
    """Its arguments; each command sets `handler`, which takes the namespace and returns the exit code."""
    plan = subparsers.add_parser(
        "plan",
        description="Is a backup worth it, which one, how big, what if: ranges with their sources, from what the "
        "office knows and what its gateway has measured.",
        epilog=_BEGIN,
    )
    plan.set_defaults(handler=lambda args: _usage(plan))
    commands = plan.add_subparsers(title="commands", metavar="COMMAND", action=PlanCommands, parser_class=PlanParser)
    _writers(commands)
    for name, words in _SHEETS.items():
        parser = _command(commands, name, words, plan_act.show_sheets)
        parser.set_defaults(sheet=name)
    _papers(commands)
    explain = _command(commands, "explain", "where a printed number comes from", plan_act.explain)
    explain.add_argument("number", metavar="NUMBER", help="a number as printed (1,600) or its key (impact.ordinary.2h)")


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return USAGE


def _named(commands: Any, name: str, words: str, run: Handler) -> Any:
    parser = commands.add_parser(name, help=words, description=f"{words[:1].upper()}{words[1:]}.")
    parser.set_defaults(handler=run)
    return parser


def _profile(text: str) -> str:
    if text in PROFILES:
        return text
    raise argparse.ArgumentTypeError(f"there is no profile {text!r}{hint(text, PROFILES)}")


def _add_profile(parser: Any) -> None:
    words = f"the kind of office: {', '.join(PROFILES)} (default: the office's own, else general)"
    parser.add_argument("--profile", metavar="PROFILE", type=_profile, help=words)


def _writers(commands: Any) -> None:
    new = _named(commands, "new", "write a commented plan.toml", plan_write.new)
    ask = _named(commands, "ask", "interview in the terminal, then write plan.toml", plan_write.ask)
    for parser in (new, ask):
        _add_profile(parser)
        parser.add_argument(
            "--office", metavar="FILE", type=Path, help="take name, connections, plans and prices from this office.toml"
        )
        parser.add_argument(
            "--file", metavar="FILE", default="plan.toml", help="where to write (default: plan.toml); - for output"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")
        add_json(parser)
    serve = _named(commands, "serve", "the interview as a page on this computer only", plan_write.serve)
    serve.add_argument("--port", metavar="PORT", type=int, default=8737, help="where to listen (default: 8737)")
    _add_profile(serve)


def _papers(commands: Any) -> None:
    review = _command(commands, "review", "the four-page paper, HTML and PDF", plan_act.review)
    review.add_argument("--out", metavar="DIR", default="review", help="folder for the files (default: review)")
    notice = _command(commands, "notice", "the one-page notice for staff", plan_act.notice)
    runbook = _command(commands, "runbook", "what to do, by kind of failure", plan_act.runbook)
    for parser in (notice, runbook):
        words = "file to write, .html or .pdf (default: text on standard output)"
        parser.add_argument("--out", metavar="FILE", default="", help=words)
    checklist = _command(commands, "checklist", "what must be done, and what is proven", plan_act.checklist)
    checklist.add_argument(
        "--state", metavar="FILE", default="", help="file of ticks (default: beside the plan, .checklist.json)"
    )
    checklist.add_argument(
        "--status", metavar="FILE", default="", help="what `secondpath status --json` says; - for standard input"
    )
    checklist.add_argument("--tick", metavar="LINE", default="", help="tick one line")
    checklist.add_argument("--by", metavar="NAME", default="", help="who ticks it")


def _command(commands: Any, name: str, words: str, run: Handler) -> Any:
    parser = _named(commands, name, words, run)
    parser.add_argument("--file", metavar="FILE", default="plan.toml", help="the plan (default: plan.toml)")
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="records",
        default="",
        help="measured records: what `secondpath events --json` says, or JSON lines",
    )
    parser.add_argument("--years", metavar="N", type=int, default=20_000, help="simulated years (default: 20,000)")
    parser.add_argument(
        "--seed", metavar="N", type=int, default=20_260_101, help="seed of the simulation, printed on the paper"
    )
    add_json(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the planner on its own: `python -m secondpath.cli.plan impact`."""
    from secondpath.cli.main import main as whole

    return whole(["plan", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
