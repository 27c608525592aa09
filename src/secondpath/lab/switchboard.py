"""Calls and load in a standing office: calls.py started on both sides, and what was heard."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from secondpath.lab.building import python_environment
from secondpath.lab.errors import LabError
from secondpath.lab.namespaces import inside
from secondpath.lab.office import Office
from secondpath.lab.quality import Sound, read_calls, sound_of
from secondpath.lab.topology import INTERNET_HOST, SERVERS_IPV4

PORT = 16384
"""Where the far end of calls waits: beside the mirror, among the ports of RTP."""
LEAVE_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Heard:
    """How every call sounded: what the office sent, and what it heard."""

    up: tuple[Sound, ...]
    down: tuple[Sound, ...]

    @property
    def worst(self) -> Sound:
        """The direction of a call with the least opinion."""
        return min((*self.up, *self.down), key=lambda sound: sound.opinion)


@dataclass(slots=True)
class Switchboard:
    """Starts and ends calls and load; a context manager that leaves nothing running."""

    office: Office
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: type[BaseException] | BaseException | TracebackType | None) -> None:
        for process in reversed(self._running):
            self._end(process)

    def call(self, count: int, host: str = "staff", server: str = SERVERS_IPV4[0]) -> Calls:
        """Begin so many calls."""
        names = [Path(tempfile.mkstemp(prefix=f"{end}-", dir=self.office.directory)[1]) for end in ("far", "near")]
        far = self._start(INTERNET_HOST, "answer", server, str(PORT), str(names[0]))
        near = self._start(host, "call", server, str(PORT), str(count), str(names[1]))
        return Calls(self, far, near, (names[0], names[1]), count)

    def load(self, down: int, up: int = 0, host: str = "staff", server: str = SERVERS_IPV4[3]) -> subprocess.Popen[str]:
        """Begin so many downloads and uploads, each as fast as it can be."""
        return self._start(host, "load", server, str(down), str(up))

    def _start(self, host: str, *words: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "secondpath.lab.calls", *words]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with inside(self.office.host_netns(host)):
            process = subprocess.Popen(argv, start_new_session=True, env=python_environment(), **pipes)
        self.office.remember(process)
        self._running.append(process)
        if not process.stdout or not process.stdout.readline():
            raise LabError(f"'{' '.join(words)}' on {host} did not begin.")
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process not in self._running:
            return
        self._running.remove(process)
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(LEAVE_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


@dataclass(slots=True)
class Calls:
    """Calls in progress."""

    board: Switchboard
    far: subprocess.Popen[str]
    near: subprocess.Popen[str]
    files: tuple[Path, Path]
    count: int

    def end(self) -> Heard:
        """Hang up; a call of which one side heard nothing counts as one that nobody heard."""
        self.board._end(self.near)
        self.board._end(self.far)
        heard = [[sound_of(transits) for transits in read_calls(file)] for file in self.files]
        up, down = ((*sounds, *[sound_of(())] * (self.count - len(sounds))) for sounds in heard)
        return Heard(tuple(up), tuple(down))
