"""`secondpath run`: the gateway itself, in the foreground."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/secondpath/secondpath.toml")


def add_parser(subparsers: Any) -> None:
    """Its arguments."""
    parser = subparsers.add_parser(
        "run",
        description="Run the gateway in the foreground, as systemd does (Type=notify). SIGHUP loads the configuration "
        "anew; at SIGTERM it ends and the kernel goes on forwarding as it was told last.",
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"(default: {CONFIG})")
    parser.add_argument(
        "--log-format",
        choices=("auto", "text", "json"),
        default="auto",
        help="auto: for the journal under systemd, else text",
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Run until told to end."""
    from secondpath.daemon.start import run as run_daemon  # the other commands need none of it

    return run_daemon(args.config, args.state_dir, args.run_dir, args.log_format)
