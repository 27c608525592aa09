"""A bug ends the process. The kernel goes on forwarding, and systemd starts a daemon that is whole again.

Left to itself asyncio logs what a callback raised and goes on: a timer that was about to set itself anew is then gone
for good, and the process looks alive while it no longer decides. What only tells of the world is logged and no more:
an error of a connection that nobody waits for any longer, a client that could not be accepted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

ABANDONED = frozenset({"future", "task", "socket", "transport"})
"""Keys of a context (asyncio, `call_exception_handler`) that tell of input and output, not of one of our callbacks."""


class Bug(Exception):  # noqa: N818 it is one
    """Something in our own code went wrong; the cause is the exception itself."""


class Bugs:
    """Keeps the first exception that nothing caught, and calls `end`."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.first: BaseException | None = None
        self._end = end

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the loop's unhandled exceptions come here."""
        loop.set_exception_handler(self._on_exception)

    def raise_first(self) -> None:
        """Raise `Bug` if one was met: the process ends by it, with a traceback and a code that is not 0."""
        if self.first is not None:
            raise Bug("nothing caught this; the kernel goes on as it was told last") from self.first

    def _on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or (isinstance(error, OSError) and not ABANDONED.isdisjoint(context)):
            loop.default_exception_handler(context)
            return
        log.critical("a bug: %s", context.get("message"), exc_info=error, extra={"event": "bug"})
        if self.first is None:
            self.first = error
            self._end()
