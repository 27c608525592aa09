"""`secondpath install`: the systemd unit, its user, the command's papers and an example configuration."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from secondpath.cli.asking import add_json, print_json, socket_of
from secondpath.cli.failure import OK, USAGE, Failure
from secondpath.cli.installation import GROUP, SERVICE, SYSUSERS, Piece, hidden, is_example, pieces, user_piece
from secondpath.cli.placing import Fate, Step, compare, compare_for_removal, place_of, put, take_away
from secondpath.cli.run import CONFIG
from secondpath.config.problem import ConfigError
from secondpath.config.reader import load

UNIT = SERVICE.name
SYSTEMD = Path("/run/systemd/system")
"""There while systemd runs the machine (sd_booted(3))."""
SIGNS = {Fate.NEW: "+", Fate.CHANGED: "~", Fate.REMOVED: "-"}
COMMAND_LIMIT_S = 60.0


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "install",
        description="Install the systemd unit (its own user, three capabilities, a sandbox), completions, the manual "
        "page and, where there is none, an example configuration. A second time only what differs is written; "
        "configuration and record are never touched.",
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"(default: {CONFIG})")
    parser.add_argument("--prefix", type=Path, metavar="DIR", help="put files below DIR and run nothing: for packages")
    parser.add_argument("--enable", action="store_true", help="start it now and at every boot")
    parser.add_argument("--remove", action="store_true", help="take it away again; configuration and record stay")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    add_json(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Install or remove, and say what was done."""
    if args.remove and args.enable:
        raise Failure("--remove and --enable contradict each other", USAGE)
    if not args.config.is_absolute():
        raise Failure(f"--config needs a whole path, such as {CONFIG}: the unit has no folder of its own", USAGE)
    if not args.dry_run and args.prefix is None:
        _refuse_without_means(args)
    try:
        return _remove(args) if args.remove else _install(args)
    except PermissionError as why:
        raise Failure(f"{why.filename}: {why.strerror}; use sudo") from None


def program() -> Path:
    """The command of this very installation, as the unit has to start it."""
    return Path(sys.prefix) / "bin" / "secondpath"


def _refuse_without_means(args: argparse.Namespace) -> None:
    if os.geteuid() != 0:
        raise Failure("installing needs root: use sudo (or look first, with --dry-run)")
    if not SYSTEMD.is_dir():
        raise Failure(
            "systemd does not run this machine, so there is nothing to install for it. "
            "Let your own init run this as root, and start it again whenever it ends:\n"
            f"  {program()} run --config {args.config}"
        )


# ── Installing ───────────────────────────────────────────────────────────────────────


def _install(args: argparse.Namespace) -> int:
    prefix = args.prefix or Path("/")
    if (refused := _configuration_refused(args, prefix)) is not None:
        return refused
    unseen = (
        list(hidden([program(), Path(sys.base_prefix), Path(__file__), args.config])) if args.prefix is None else []
    )
    if unseen and not args.dry_run:
        raise Failure(_unseen_sentence(unseen))
    done: list[Step | str] = [*_put([user_piece()], args), *_commands(args, ["systemd-sysusers", str(SYSUSERS)])]
    steps = [*_steps(done), *_put(pieces(program(), args.config), args)]
    done = [*done, *steps[1:]]
    if any(step.piece.path == SERVICE and step.fate in SIGNS for step in steps):
        done += _commands(args, ["systemctl", "daemon-reload"])
    if args.enable:
        done += _commands(args, ["systemctl", "enable", "--now", UNIT])
    cautions = [_unseen_sentence(unseen)] if unseen else []
    _tell(args, done, cautions + _unreadable(args.config, prefix), list(_next(args, steps, prefix)))
    return OK


def _put(wanted: Iterable[Piece], args: argparse.Namespace) -> list[Step]:
    """Each is compared when its turn comes: the group of the later ones exists only after the first."""
    prefix, owned = args.prefix or Path("/"), args.prefix is None and os.geteuid() == 0
    steps = []
    for piece in wanted:
        steps.append(compare(piece, prefix, owned=owned))
        if not args.dry_run:
            put(steps[-1], prefix, owned=owned)
    return steps


def _steps(done: Iterable[Step | str]) -> list[Step]:
    return [one for one in done if isinstance(one, Step)]


def _configuration_refused(args: argparse.Namespace, prefix: Path) -> int | None:
    """2, with all that is wrong, for a configuration that people have written; the example may wait for them."""
    place = prefix / args.config.relative_to("/")
    if not place.exists() or (is_example(place.read_text("utf-8", "replace"), args.config) and not args.enable):
        if args.enable:
            raise Failure(f"there is no {args.config} yet: install without --enable, and fill in the example", USAGE)
        return None
    try:
        load(place)
    except ConfigError as wrong:
        if args.json:
            problems = [{"key": p.key, "line": p.line, "text": p.sentence} for p in wrong.problems]
            print_json({"schema": 1, "ok": False, "problems": problems})
        else:
            print(f"{wrong}\nNothing was installed: the configuration has to be mended first.", file=sys.stderr)
        return USAGE
    return None


def _unseen_sentence(unseen: Sequence[Path]) -> str:
    return (
        f"the service could not see {', '.join(dict.fromkeys(map(str, unseen)))}: its sandbox hides the folders of "
        "people and of temporary files. Install secondpath where programs live:\n"
        "  /usr/bin/python3 -m venv /opt/secondpath && /opt/secondpath/bin/pip install secondpath\n"
        "  sudo /opt/secondpath/bin/secondpath install"
    )


def _unreadable(config: Path, prefix: Path) -> list[str]:
    """A configuration that is there but closed to the daemon."""
    place = prefix / config.relative_to("/")
    if prefix != Path("/") or not place.exists():
        return []
    found = place.stat()
    if found.st_mode & 0o004 or (found.st_mode & 0o040 and place.group() == GROUP):
        return []
    return [f"the daemon cannot read {config}: chgrp {GROUP} {config} && chmod g+r {config}"]


def _next(args: argparse.Namespace, steps: Sequence[Step], prefix: Path) -> Iterator[str]:
    """What is left for a person to do."""
    place = prefix / args.config.relative_to("/")
    if not place.exists() or is_example(place.read_text("utf-8", "replace"), args.config):
        yield f"describe the office: $EDITOR {args.config}"
        yield f"secondpath check {args.config}"
    if args.enable:
        yield "secondpath status"
        return
    from secondpath.control.client import is_answered

    if args.prefix is None and is_answered(socket_of(args)):
        if any(step.piece.path == SERVICE and step.fate in SIGNS for step in steps):
            yield "systemctl restart secondpath   (traffic keeps flowing meanwhile)"
        return
    yield "secondpath doctor"
    yield "systemctl enable --now secondpath"


# ── Removing ─────────────────────────────────────────────────────────────────────────


def _remove(args: argparse.Namespace) -> int:
    """Stop, take everything out of the kernel, then take the files away."""
    prefix = args.prefix or Path("/")
    wanted = [*reversed(pieces(program(), args.config)), user_piece()]
    steps = [compare_for_removal(piece, prefix) for piece in wanted]
    done: list[Step | str] = []
    if any(step.piece.path == SERVICE and step.fate is Fate.REMOVED for step in steps):
        done += _commands(args, ["systemctl", "disable", "--now", UNIT])
        if args.prefix is None:
            clearing = [str(program()), "--run-dir", str(args.run_dir), "--state-dir", str(args.state_dir), "clear"]
            done += _commands(args, clearing)
    for step in steps:
        if not args.dry_run:
            take_away(step, prefix)
        done.append(step)
    if SIGNS.keys() & {step.fate for step in steps}:
        done += _commands(args, ["systemctl", "daemon-reload"])
    kept = [str(step.piece.path) for step in steps if step.fate is Fate.KEPT and step.piece.kept]
    rest = f"for good: rm -r {' '.join(dict.fromkeys([str(args.config.parent), str(args.state_dir)]))}; userdel {GROUP}"
    _tell(args, done, [], [rest] if kept and args.prefix is None else [])
    return OK


def _commands(args: argparse.Namespace, command: list[str]) -> list[str]:
    """Run one command on a machine that is really installed to; what was, or would be, run."""
    if args.prefix is not None:
        return []
    if not args.dry_run:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        except OSError as why:
            raise Failure(f"'{' '.join(command)}' could not be run: {why.strerror}") from None
        if done.returncode:
            raise Failure(f"'{' '.join(command)}' failed: {done.stderr.strip() or done.stdout.strip()}")
    return [" ".join(command)]


# ── Saying it ────────────────────────────────────────────────────────────────────────


def _tell(args: argparse.Namespace, done: Sequence[Step | str], cautions: Sequence[str], then: Sequence[str]) -> None:
    prefix = args.prefix or Path("/")
    if args.json:
        files = [{"path": str(place_of(s.piece, prefix)), "fate": s.fate.value, "lines": s.lines} for s in _steps(done)]
        commands = [one for one in done if isinstance(one, str)]
        said = {"dry_run": args.dry_run, "files": files, "commands": commands, "cautions": cautions, "next": then}
        print_json({"schema": 1, "ok": True, **said})
        return
    for one in done:
        for line in _lines(one, prefix):
            print(line)
    if not any(isinstance(one, Step) and one.fate in SIGNS for one in done):
        print("Nothing to change.")
    if args.dry_run:
        print("This is what would be done; nothing was.")
    for caution in cautions:
        print(f"! {caution}")
    for place, sentence in enumerate(then):
        print(f"{'Next: ' if place == 0 else '      '}{sentence}")


def _lines(one: Step | str, prefix: Path) -> Iterator[str]:
    if isinstance(one, str):
        yield f"$ {one}"
    elif one.fate is not Fate.ABSENT:
        yield f"{SIGNS.get(one.fate, '=')} {place_of(one.piece, prefix)}  ({one.fate.value})"
        yield from (f"    {line}" for line in one.lines)
