"""How the demo and the lab are told to end: Ctrl-C, `kill`, a closed terminal.

While an office is being built a signal breaks in as an exception, because building is long and undoes itself. At
all other times it only raises a flag that whoever waits will see, so that taking down is never interrupted. The flag
is an Event without a lock: a signal handler that waits for a lock which its own thread holds waits for ever.
A signal that was ignored when we were started (nohup, `&` in a script) stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Ended(BaseException):
    """A signal asks us to end. No `Exception`, so that nobody takes it for an error that can be mended."""


class Ending(threading.Event):
    """Whether we are to end, and by which signal. Use it as a context: inside, the signals are ours."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self._told = False
        self._breaks_in = False
        self._before: dict[signal.Signals, Any] = {}
        self.fd, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.fd)
        os.close(self._bell)

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it."""
        return 128 + self.number

    def is_set(self) -> bool:
        """Whether we are to end."""
        return self._told

    def set(self) -> None:
        """End; whoever waits wakes up."""
        self._told = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until we are to end, at most so long."""
        if not self._told:
            select.select([self.fd], [], [], timeout)
        return self._told

    @contextlib.contextmanager
    def breaking_in(self) -> Iterator[None]:
        """Within, the first signal is an exception."""
        self._breaks_in = True
        try:
            if self._told:
                raise Ended
            yield
        finally:
            self._breaks_in = False

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        first, self.number = not self._told, self.number or number
        self.set()
        if number == signal.SIGHUP:
            turn_to_nobody()
        if first and self._breaks_in:
            raise Ended


def turn_to_nobody() -> None:
    """Where the terminal is gone, what is still said must not become an error."""
    nobody = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
            os.dup2(nobody, descriptor)
    os.close(nobody)


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Within, no signal reaches us, nor any process that we start: an impatient second Ctrl-C has to wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
