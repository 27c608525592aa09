"""`secondpath plan`: the commands of the planner. The heavy libraries are imported when a command runs, not before."""

import argparse
import os
import sys
from collections.abc import Callable

from secondpath.cli import plan_act, plan_write

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
Handler = Callable[[argparse.Namespace], int]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `plan` and its commands to a parser; each sets `handler`, which takes the namespace and returns the exit code."""
    plan = subparsers.add_parser("plan", help="is a backup worth it, which one, how big, what if")
    plan.set_defaults(handler=lambda args: _usage(plan))
    commands = plan.add_subparsers(metavar="COMMAND")
    _writers(commands)
    for name, words in _SHEETS.items():
        parser = _command(commands, name, words, plan_act.show_sheets)
        parser.set_defaults(sheet=name)
    _papers(commands)
    explain = _command(commands, "explain", "where a printed number comes from", plan_act.explain)
    explain.add_argument("number", metavar="NUMBER", help="a number as printed (1,600) or its key (impact.ordinary.2h)")


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def _writers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = commands.add_parser("new", help="write a commented plan.toml")
    ask = commands.add_parser("ask", help="interview in the terminal, then write plan.toml")
    for parser, run in ((new, plan_write.new), (ask, plan_write.ask)):
        parser.add_argument("--profile", choices=PROFILES, default="general")
        parser.add_argument(
            "--file", default="plan.toml", help="where to write (default plan.toml); - for standard output"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")
        parser.add_argument("--json", action="store_true", help="say what was written as JSON")
        parser.set_defaults(handler=run)
    serve = commands.add_parser("serve", help="the interview as a page on this computer only")
    serve.add_argument("--port", type=int, default=8737)
    serve.add_argument("--profile", choices=PROFILES, default="general")
    serve.set_defaults(handler=plan_write.serve)


def _papers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    review = _command(commands, "review", "the four-page paper, HTML and PDF", plan_act.review)
    review.add_argument("--out", default="review", help="folder for the files (default review/)")
    notice = _command(commands, "notice", "the one-page notice for staff", plan_act.notice)
    runbook = _command(commands, "runbook", "what to do, by kind of failure", plan_act.runbook)
    for parser in (notice, runbook):
        parser.add_argument("--out", default="", help="file to write, .html or .pdf (default: text on standard output)")
    checklist = _command(commands, "checklist", "what must be done, and what is proven", plan_act.checklist)
    checklist.add_argument("--state", default="", help="file of ticks (default: beside plan.toml, .checklist.json)")
    checklist.add_argument("--status", default="", help="the gateway's status as JSON, or - for standard input")
    checklist.add_argument("--tick", metavar="LINE", default="", help="tick one line")
    checklist.add_argument("--by", default="", help="who ticks it")


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str, run: Handler
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words)
    parser.add_argument("--file", default="plan.toml", help="the plan (default plan.toml)")
    parser.add_argument("--from", dest="records", default="", help="measured records, JSON lines")
    parser.add_argument("--years", type=int, default=20_000, help="simulated years (default 20,000)")
    parser.add_argument("--seed", type=int, default=20_260_101, help="seed of the simulation, printed on the paper")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(handler=run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the planner on its own: `python -m secondpath.cli.plan impact`."""
    parser = argparse.ArgumentParser(prog="secondpath")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["plan", *(sys.argv[1:] if argv is None else argv)])
    run: Handler = args.handler
    try:
        return run(args)
    except BrokenPipeError:
        # Whoever reads us has seen enough (`| head`); what is still buffered must not raise again at exit.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        return 0


if __name__ == "__main__":
    sys.exit(main())
