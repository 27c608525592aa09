"""The machine's state beside a result: others use it too, and the hypervisor takes what it wants."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IDLE, IOWAIT, STEAL = 3, 4, 7  # fields of the first line of /proc/stat


@dataclass(frozen=True, slots=True)
class Weather:
    """From one instant to another: the load at its end, and how much of all cores' time was busy or stolen."""

    lasted_s: float
    load: float
    busy_ratio: float
    steal_ratio: float

    def words(self) -> str:
        return (
            f"{self.lasted_s:.0f} s, load {self.load:.1f}, CPU {self.busy_ratio * 100:.0f} % busy, "
            f"{self.steal_ratio * 100:.1f} % stolen"
        )

    def json(self) -> dict[str, float]:
        return {
            "lasted_s": round(self.lasted_s, 1),
            "load_1min": self.load,
            "cpu_busy_ratio": round(self.busy_ratio, 4),
            "cpu_steal_ratio": round(self.steal_ratio, 4),
        }


@dataclass(frozen=True, slots=True)
class Look:
    """The first look; `since` is the weather from then to now."""

    at_s: float
    ticks: tuple[int, ...]

    @classmethod
    def now(cls) -> Look:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        return cls(time.monotonic(), tuple(map(int, fields)))

    def since(self) -> Weather:
        later = Look.now()
        spent = [b - a for a, b in zip(self.ticks, later.ticks, strict=True)]
        total = max(1, sum(spent))
        busy = total - spent[IDLE] - spent[IOWAIT]
        return Weather(later.at_s - self.at_s, os.getloadavg()[0], busy / total, spent[STEAL] / total)


def described() -> dict[str, Any]:
    """What this machine is."""
    return {"cores": os.cpu_count(), "kernel": os.uname().release, "python": platform.python_version()}


@dataclass(frozen=True, slots=True)
class Use:
    """What one process has used so far."""

    at_s: float
    cpu_s: float
    wakeups: int

    @classmethod
    def of(cls, pid: int) -> Use:
        """CPU from /proc/PID/stat, which the kernel scales to the run time it counts exactly (man 5 proc)."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{pid}/status").read_text()
        voluntary = next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))
        return cls(time.monotonic(), cpu_s, int(voluntary.split()[1]))


def memory_bytes(pid: int) -> dict[str, int]:
    """VmRSS, and Pss: the same with shared pages divided among those who share them."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {}
    for name, lines in (("VmRSS", status), ("Pss", rollup)):
        line = next(text for text in lines if text.startswith(f"{name}:"))
        found[name] = int(line.split()[1]) * 1024
    return found
