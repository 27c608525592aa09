"""The process that is the office's resolver: begun by us, in a session of its own, and left running when we end.

It is known again by its PID file and its command line. pidfd_open(2) tells of its end, whoever began it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from secondpath.netlink.route import Route as RouteSocket

PORT = 53
PLACES = "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/bin"
TEST_S, END_S = 5.0, 1.0


class ResolverError(Exception):
    """The resolver cannot be run; the message says why."""


class Dnsmasq:
    """One dnsmasq, with its files in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config, self.servers = home / "dnsmasq.conf", home / "servers"
        self._pid_file, self._log = home / "dnsmasq.pid", home / "dnsmasq.log"
        self.pid: int | None = None
        self.pidfd: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def adopt(self) -> bool:
        """Take over one that an earlier life of ours began; whether there is one."""
        try:
            pid = int(self._pid_file.read_text())
            said = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return False
        if f"--conf-file={self.config}".encode() not in said.split(b"\0"):
            return False
        try:
            self.pidfd = os.pidfd_open(pid)
        except OSError:
            return False
        self.pid = pid
        return True

    def written(self) -> tuple[str, str]:
        """What stands in its two files; "" for one that is not there."""
        return _text(self.config), _text(self.servers)

    def write(self, config: str, servers: str) -> None:
        """Put its files in place, each at once."""
        self.home.mkdir(mode=0o750, parents=True, exist_ok=True)
        for path, said in ((self.config, config), (self.servers, servers)):
            if _text(path) != said:
                new = path.with_suffix(".new")
                new.write_text(said)
                new.replace(path)

    def start(self, interfaces: frozenset[str]) -> None:
        """Begin one. Raises ResolverError: none is installed, it refuses, or somebody else is on port 53."""
        program = shutil.which("dnsmasq", path=f"{os.environ.get('PATH', '')}:{PLACES}")
        if program is None:
            raise ResolverError("dnsmasq is not installed: apt-get install dnsmasq-base")
        taken = taken_addresses(interfaces)
        if taken:
            raise ResolverError(f"another resolver answers at {taken[0]}, port {PORT}; it is left alone")
        argv = [program, "--keep-in-foreground", f"--conf-file={self.config}"]
        test = subprocess.run([*argv, "--test"], capture_output=True, text=True, timeout=TEST_S, check=False)
        if test.returncode:
            raise ResolverError(f"dnsmasq refuses its configuration: {test.stderr.strip().splitlines()[-1:]}")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*argv, f"--pid-file={self._pid_file}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        self.pidfd = os.pidfd_open(self.pid)
        self._pid_file.write_text(f"{self.pid}\n")

    def reread(self) -> None:
        """Have it read again whom to ask, and forget what it knows."""
        if self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGHUP)

    def ended(self) -> str:
        """It has ended: forget it; its last words."""
        self.release()
        if self._process is not None:
            self._process.poll()
            self._process = None
        self.pid = None
        return _text(self._log).strip().rpartition("\n")[2]

    def stop(self) -> None:
        """End it."""
        if self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGTERM)
            if not select.select([self.pidfd], [], [], END_S)[0]:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
                select.select([self.pidfd], [], [], END_S)
            if self._process is not None:
                self._process.poll()
            self._process = None
        self.release()
        self.pid = None
        self._pid_file.unlink(missing_ok=True)

    def release(self) -> None:
        """Look after it no more, and let it run."""
        if self.pidfd is not None:
            os.close(self.pidfd)
            self.pidfd = None


def taken_addresses(interfaces: frozenset[str]) -> list[str]:
    """Our own addresses on these interfaces at whose port 53 somebody listens already."""
    with RouteSocket() as route:
        indexes = {link.index for link in route.links() if link.name in interfaces}
        own = [(str(a.address), a.index) for a in route.addresses() if a.index in indexes]
    return [address for address, index in own if _is_taken(address, index)]


def _is_taken(address: str, index: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, PORT, 0, index) if family == socket.AF_INET6 else (address, PORT)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have just ended
            try:
                sock.bind(place)
                if kind == socket.SOCK_STREAM:
                    sock.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return True
    return False


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
