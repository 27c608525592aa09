"""How a command ends when it cannot do what was asked."""

from __future__ import annotations

OK, PROBLEM, USAGE, UNREACHABLE = 0, 1, 2, 3
"""The exit codes, as --help tells them."""


class Failure(Exception):  # noqa: N818
    """A sentence for people, and the exit code that goes with it."""

    def __init__(self, sentence: str, exit_code: int = PROBLEM) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
