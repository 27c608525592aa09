"""Settings below /proc/sys, with what they were before we came, so that `clear` can put them back.

The memory of what was lives in the run directory: it is gone after a reboot, and so are the settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from secondpath.act.settings import ACCOUNT, FORWARD4, FORWARD6, PRIORITY4, V4, V6

PROC = Path("/proc/sys")
MEMORY = "sysctls.json"


def read_settings(proc: Path = PROC) -> dict[str, str]:
    """The settings that may have to change, as they are."""
    patterns = (ACCOUNT, FORWARD4, FORWARD6, PRIORITY4, f"{V4}/*/rp_filter", f"{V6}/*/accept_ra")
    found = {}
    for pattern in patterns:
        for path in proc.glob(pattern):
            try:
                found[str(path.relative_to(proc))] = path.read_text().strip()
            except OSError:
                continue  # an interface went away while we looked
    return found


def write_setting(path: str, value: str, run_dir: Path, proc: Path = PROC) -> bool:
    """Set one, remembering what it was before our first change; False when it is not there any more.

    OSError where that cannot be remembered: then nothing is set, since `clear` could not put it back.
    """
    place = proc / path
    try:
        before = place.read_text().strip()
    except FileNotFoundError:
        return False
    memory = read_memory(run_dir)
    first = memory[path][0] if path in memory else before
    try:
        _keep(run_dir, memory | {path: [first, value]})
    except OSError as error:
        words = f"{path} stays {before}, since that cannot be remembered: {error.strerror}"
        raise OSError(error.errno, words, str(run_dir / MEMORY)) from error
    try:
        place.write_text(value)
    except FileNotFoundError:
        return False
    return True


def _keep(run_dir: Path, memory: Mapping[str, list[str]]) -> None:
    """Written beside and put in place: whatever happens meanwhile, the old memory or the new one is there."""
    run_dir.mkdir(mode=0o750, parents=True, exist_ok=True)  # somebody may have tidied it away since the start
    beside = run_dir / f"{MEMORY}.new"
    beside.write_text(json.dumps(memory))
    beside.replace(run_dir / MEMORY)


def read_memory(run_dir: Path) -> dict[str, list[str]]:
    """Path -> [value before us, value we set]."""
    try:
        memory: Mapping[str, list[str]] = json.loads((run_dir / MEMORY).read_text())
    except (OSError, ValueError):
        return {}
    return dict(memory)


def restore_settings(run_dir: Path, proc: Path = PROC) -> list[str]:
    """Put back what was, except where somebody else has changed it since; the paths that were put back."""
    restored = []
    memory = read_memory(run_dir)
    order = sorted(memory, key=lambda path: path.endswith("all/forwarding") or path == FORWARD4)
    for path in order:
        before, ours = memory[path]
        place = proc / path
        try:
            if place.read_text().strip() == ours and before != ours:
                place.write_text(before)
                restored.append(path)
        except OSError:
            continue  # the interface is gone, and its settings with it
    (run_dir / MEMORY).unlink(missing_ok=True)
    return restored
