"""A person at a desk: people.py started in a host, and afterwards what it felt."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from secondpath.lab.errors import LabError
from secondpath.lab.gaps import Sample, read_samples
from secondpath.lab.office import Office

LEAVE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """One stream somebody at a desk should keep up."""

    kind: str
    family: str = "ipv4"
    every_s: float = 0.05
    server: str | None = None
    source: str | None = None
    port: int | None = None


@dataclass(slots=True)
class Seat:
    """A running people.py."""

    process: subprocess.Popen[str]
    out: Path

    @classmethod
    def take(cls, office: Office, host: str, wishes: Sequence[Wish], *, live: bool = False) -> Self:
        """Sit down at a host and begin to work."""
        out = Path(tempfile.mkstemp(prefix=f"people-{host}-", suffix=".jsonl", dir=office.directory)[1])
        spec = json.dumps({"streams": [asdict(wish) for wish in wishes]})
        arguments = ["--spec", spec, "--out", str(out), *(["--live"] if live else [])]
        with out.with_suffix(".log").open("w") as log:
            pipe = subprocess.PIPE if live else subprocess.DEVNULL
            process = office.spawn_module(host, "secondpath.lab.people", arguments, out=pipe, err=log)
        return cls(process, out)

    def live(self) -> Iterator[dict[str, Any]]:
        """The live lines, as they come; for a seat taken with `live`."""
        for line in self.process.stdout or ():
            yield json.loads(line)

    def samples(self) -> list[Sample]:
        """What has been written down so far (up to a second ago)."""
        return read_samples(self.out)

    def leave(self) -> list[Sample]:
        """Stop working; everything felt. A person who collapsed felt nothing, and that is an error, not a result."""
        self.process.terminate()
        try:
            self.process.wait(LEAVE_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        if self.process.returncode != 0:
            raise LabError(
                f"People stopped working by themselves (exit {self.process.returncode}): see {self.out.stem}.log."
            )
        return self.samples()
