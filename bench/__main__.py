"""`python -m bench [--quick] [--only NAME …] [--json FILE]`: ask all questions, print what was found."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import (
    bounds,
    days,
    false_alarms,
    gaps,
    guests,
    homecoming,
    idle,
    matrix,
    names,
    restart,
    strays,
    switch,
    throughput,
    voice,
)
from bench.figures import wrapped
from bench.ground import ENDED, STANDING, Answer, Ground
from bench.machine import Look, described
from bench.peers import beside
from secondpath.lab.errors import LabError
from secondpath.lab.namespaces import require_root

SCHEMA = 1
ALONE: dict[str, Callable[[Ground], Answer]] = {
    "switch": switch.ask,
    "throughput": throughput.ask,
    "recognised": throughput.ask_recognised,
    "names": names.ask,
    "strays": strays.ask,
    "homecoming": homecoming.ask,
    "guests": guests.ask,
    "restart": restart.ask,
    "gaps": gaps.ask,
    "voice": voice.ask,
    "days": days.ask,
}
"""Asked one after the other, for they want the machine."""
LAST: dict[str, Callable[[Ground], Answer]] = {"matrix": matrix.ask}
"""Asked at the end: six offices side by side."""
TOGETHER: dict[str, Callable[[Ground], Answer]] = {"idle": idle.ask, "false": false_alarms.ask}
"""Asked side by side: nearly all of their time is waiting."""
TITLES = {
    "gaps": "How long are people without service?",
    "switch": "The switch itself",
    "guests": "What guests cost on the metered backup",
    "strays": "What stays behind, or leaves by the wrong door",
    "homecoming": "Going home with calls, tunnels and downloads in progress",
    "restart": "Ended, started, flushed, reloaded",
    "idle": "What it costs while nothing happens",
    "throughput": "What the rules cost the traffic",
    "recognised": "What they cost where a thousand addresses are known",
    "names": "Is the first packet in its class?",
    "false": "False alarms",
    "days": "A day of it",
    "voice": "How calls sound on a backup that is full",
    "matrix": "Faults, and what is said of them",
}


class Asking:
    """Asks questions and keeps the answers, each with the weather it was found in."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.answers: dict[str, Answer] = {}
        self.weather: dict[str, Any] = {}
        self.failed: dict[str, str] = {}
        self.ended = False

    def ask(self, name: str, question: Callable[[Ground], Answer]) -> None:
        """One question. One that comes to grief is told at the end; the others are still asked."""
        self.ground.tell(f"{name}: begins")
        first = Look.now()
        try:
            self.answers[name] = question(self.ground)
        except Exception as error:  # noqa: BLE001 - told, and the exit code says so
            if self.ended:
                return
            self.failed[name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        self.weather[name] = first.since()
        self.ground.tell(f"{name}: done, {self.weather[name].words()}")

    def all_of(self, wanted: set[str]) -> None:
        for name, question in ALONE.items():
            if name in wanted:
                self.ask(name, question)
        threads = [threading.Thread(target=self.ask, args=(n, q)) for n, q in TOGETHER.items() if n in wanted]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        for name, question in LAST.items():
            if name in wanted:
                self.ask(name, question)

    @property
    def measured(self) -> dict[str, float]:
        return {key: value for answer in self.answers.values() for key, value in answer.measured.items()}

    def printed(self) -> list[str]:
        found: list[str] = []
        for name, title in TITLES.items():
            if name in self.answers:
                found += ["", f"── {title} {'─' * (76 - len(title))}", *self.answers[name].lines]
                found.append(f"[{name}: {self.weather[name].words()}]")
        found += [*beside(self.measured), "", *bounds.lines(self.measured)]
        found += [f"FAILED {name}: {why}" for name, why in self.failed.items()]
        return wrapped(found)

    def document(self, lasted_s: float) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": self.ground.quick,
            "lasted_s": round(lasted_s, 1),
            "machine": described(),
            "questions": {
                name: {"weather": self.weather[name].json(), "measured": answer.measured, "found": answer.data}
                for name, answer in self.answers.items()
            },
            "bounds": bounds.verdicts(self.measured),
            "failed": self.failed,
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: about 15 minutes instead of 80")
    parser.add_argument("--only", action="append", choices=sorted(TITLES), metavar="NAME", help=", ".join(TITLES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    args = parser.parse_args()
    start_s = time.monotonic()

    def tell(words: str) -> None:
        sys.stderr.write(f"{time.monotonic() - start_s:7.1f} s  {words}\n")
        sys.stderr.flush()

    try:
        require_root()
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    asking = Asking(Ground(args.quick, tell))
    try:
        asking.all_of(set(args.only or TITLES))
    except KeyboardInterrupt:
        tell("interrupted: taking the offices down; what was answered by now follows")
        asking.ended = True
        ENDED.set()
        threading.excepthook = lambda _args: None  # whoever still asks finds nobody: no news
        for office in list(STANDING):
            office.down()
    lasted_s = time.monotonic() - start_s
    print("\n".join(asking.printed()))
    kind = "quick" if args.quick else "full"
    print(f"{kind} run, {lasted_s / 60:.1f} minutes{', interrupted' if asking.ended else ''}", flush=True)
    if args.json:
        document = json.dumps(plain(asking.document(lasted_s)), indent=1, allow_nan=False)
        args.json.write_text(document + "\n")
    if asking.ended:
        os._exit(130)  # the threads that still ask have nothing to ask any more
    return 1 if asking.failed else 0


def plain(value: Any) -> Any:
    """As JSON can hold it: what never happened is null."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else value
    return value


if __name__ == "__main__":
    sys.exit(main())
