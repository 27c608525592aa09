"""The few kernel calls the lab makes: enter a namespace, feed a batch to `ip`, `tc` or `nft`, end a process.

A thread that changes its namespace changes only itself (setns(2)), so `inside` is safe in any thread that
makes no other use of the network meanwhile.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from secondpath.lab.errors import LabError

NETNS_DIR = Path("/run/netns")
COMMAND_LIMIT_S = 20.0
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, IFF_RUNNING = 0x8913, 0x40
_LIBC = ctypes.CDLL(None, use_errno=True)


def require_root() -> None:
    """Say so, in a sentence, when we may not make namespaces."""
    if os.geteuid() != 0:
        raise LabError("The lab makes network namespaces, and that needs root: run it with sudo.")


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")


@contextlib.contextmanager
def inside(netns: str) -> Iterator[None]:
    """Run a block in a named namespace; the thread is back home afterwards whatever happens."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(NETNS_DIR / netns, os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def feed(argv: Sequence[str], text: str) -> None:
    """Run a tool on a text; what it says when it fails becomes the error."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
    if done.returncode != 0:
        raise LabError(f"'{' '.join(argv)}' failed: {done.stderr.strip()}\n{text.strip()}")


def batch(tool: str, lines: Iterable[str], netns: str | None = None, *, force: bool = False) -> None:
    """One `ip` or `tc` process for many commands; with `force` it goes on past those that no longer apply."""
    text = "\n".join(lines)
    with inside(netns) if netns else contextlib.nullcontext():
        if force:
            argv = [tool, "-force", "-batch", "-"]
            subprocess.run(argv, input=text, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        else:
            feed([tool, "-batch", "-"], text)


def nft(text: str, netns: str) -> None:
    """One nft transaction in a namespace."""
    with inside(netns):
        feed(["nft", "-f", "-"], text)


def write_sysctls(netns: str, values: dict[str, str]) -> None:
    """Write sysctls below /proc/sys/net of a namespace."""
    with inside(netns):
        for key, value in values.items():
            Path("/proc/sys/net", key).write_text(value)


def links_run(netns: str) -> bool:
    """Whether every link of a namespace is up and has its carrier, in the kernel's own view (IFF_RUNNING)."""
    with inside(netns), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, device in socket.if_nameindex():
            answer = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16sH22x", device.encode(), 0))
            if not struct.unpack_from("16xH", answer)[0] & IFF_RUNNING:
                return False
    return True


def existing() -> set[str]:
    """The names of all named namespaces on this machine."""
    return {entry.name for entry in NETNS_DIR.iterdir()} if NETNS_DIR.is_dir() else set()


def born(pid: int) -> int | None:
    """When a process started (clock ticks since boot), or None when it is gone: with the pid it names one process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def living_in(netns: str) -> list[int]:
    """The processes whose network namespace is this one, ourselves excepted."""
    done = subprocess.run(
        ["ip", "netns", "pids", netns], capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
    )
    return [int(pid) for pid in done.stdout.split() if int(pid) != os.getpid()]


def end(pids: Iterable[int], patience_s: float = 2.0) -> None:
    """End these processes: politely, then for good; return when none is left."""
    left = {pid: started for pid in pids if (started := born(pid)) is not None}
    for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        for pid, started in left.items():
            if born(pid) == started:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        until_s = time.monotonic() + wait_s
        while left and time.monotonic() < until_s:
            left = {pid: started for pid, started in left.items() if born(pid) == started}
            if left:
                time.sleep(0.005)
