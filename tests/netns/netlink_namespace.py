"""A network namespace of a test's own, for the netlink tests.

A network namespace belongs to a thread, and a socket stays in the one it was made in. So a test enters the namespace
just long enough to open its sockets, and uses them from anywhere; commands are children and inherit where we stand.
"""

import ctypes
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

from secondpath.netlink.wire import Socket

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Interrupted(Socket):
    """A socket in the middle of whose next dump the world changes, once: after the first datagram of it."""

    change: Callable[[], None] | None = None

    def receive(self, wait: bool = True) -> bytes | None:
        datagram = super().receive(wait)
        change, self.change = self.change, None
        if change is not None:
            change()
        return datagram


class Namespace:
    """One namespace made with `ip netns add`, its loopback up; `remove` it when done."""

    def __init__(self, name: str) -> None:
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.run("ip", "link", "set", "lo", "up")

    def remove(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace until the block ends."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(Path("/run/netns") / self.name, os.O_RDONLY)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)
            os.close(there)

    def run(self, *command: str, given: str | None = None) -> str:
        """Run a command in the namespace; its standard output. Raises CalledProcessError."""
        with self.inside():
            done = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def json(self, *command: str) -> Any:
        """What a command that prints JSON says."""
        return json.loads(self.run(*command) or "[]")


@contextmanager
def namespaces(*names: str) -> Iterator[list[Namespace]]:
    """Namespaces spnl-<process>-<name>, removed whatever happens."""
    made: list[Namespace] = []
    try:
        for name in names:
            made.append(Namespace(f"spnl-{os.getpid()}-{name}"))
        yield made
    finally:
        for namespace in made:
            namespace.remove()


def until(holds: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds; fail the test if it does not."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        os.sched_yield()
