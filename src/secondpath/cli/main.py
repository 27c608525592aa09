"""The `secondpath` command: find the command, run it, end with its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from secondpath.cli.failure import OK, Failure
from secondpath.cli.parser import parse

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    try:
        args = parse(sys.argv[1:] if argv is None else argv)
        exit_code = int(args.handler(args))
        sys.stdout.flush()
    except Failure as failure:
        print(f"secondpath: {failure}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough. Nothing may be written at exit either (Python's signal, "Note on SIGPIPE").
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
