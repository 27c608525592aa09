"""What staff feel: a process in a host's namespace that works all day and writes down what came back.

    python -m secondpath.lab.people --spec SPEC --out FILE [--live]

SPEC is JSON (or @file): {"streams": [{"kind", "family", "every_s", "server"?, "source"?, "port"?}], "duration_s"?}.
FILE gets one JSON array a line: [stream, sent_s, answered_s or null, note], CLOCK_MONOTONIC seconds.
With --live one JSON object a second goes to stdout, for a page that shows the office at work.
SIGTERM or SIGINT ends it: what may still be answered is waited for, one patience long at most.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from secondpath.lab.gaps import Sample
from secondpath.lab.habit import Habit
from secondpath.lab.streams import STREAMS, Stream, raise_file_limit

SERVERS = {"ipv4": "192.0.2.10", "ipv6": "2001:db8:ff::10"}
WINDING_UP_S = 0.5
"""How long answers are awaited after the last question; what is younger than that and unanswered is not counted."""


def habits_from(spec: dict[str, Any]) -> list[Habit]:
    """The streams a specification asks for; a lasting UDP flow without a port gets one of its own."""
    habits = []
    for number, wish in enumerate(spec["streams"]):
        port = wish.get("port") or (40000 + number if wish["kind"] in ("lasting-udp", "call") else 0)
        server = wish.get("server") or SERVERS[wish["family"]]
        habits.append(Habit(wish["kind"], wish["family"], wish["every_s"], server, wish.get("source"), port))
    return habits


class Notebook:
    """Writes samples to the file, once a second, and sums them up for the live line."""

    def __init__(self, out: TextIO, live: bool) -> None:
        self.out, self.live = out, live
        self.fresh: list[Sample] = []

    def write(self, sample: Sample) -> None:
        """Note one sample."""
        self.fresh.append(sample)

    def turn_page(self) -> None:
        """Write down the last second."""
        samples, self.fresh = self.fresh, []
        self.out.writelines(f"{json.dumps(s.row(), separators=(',', ':'))}\n" for s in samples)
        self.out.flush()
        if self.live:
            print(json.dumps(summary(samples), separators=(",", ":")), flush=True)  # noqa: T201 - this is the output


def summary(samples: list[Sample]) -> dict[str, Any]:
    """One second in numbers: per stream how many ended, how many were answered, the median wait, the last note."""
    streams: dict[str, dict[str, Any]] = {}
    for name in sorted({s.stream for s in samples}):
        mine = [s for s in samples if s.stream == name]
        waits = sorted(s.answered_s - s.sent_s for s in mine if s.answered_s is not None)
        streams[name] = {
            "ended": len(mine),
            "answered": len(waits),
            "wait_s": round(waits[len(waits) // 2], 4) if waits else None,
            "note": mine[-1].note,
        }
    return {"at_s": round(time.monotonic(), 3), "streams": streams}


class Rhythm:
    """Calls a stream on its grid: tick n is due at start + n × interval, however late the ones before were."""

    def __init__(self, stream: Stream, every_s: float, start_s: float) -> None:
        self.stream, self.every_s, self.due_s = stream, every_s, start_s
        self.loop = asyncio.get_running_loop()
        self.handle = self.loop.call_at(start_s, self.beat)

    def beat(self) -> None:
        """One tick; beats missed by more than a second (the machine slept) are left out."""
        self.stream.tick()
        self.due_s += self.every_s
        now_s = self.loop.time()
        if now_s - self.due_s > 1.0:
            self.due_s = now_s
        self.handle = self.loop.call_at(self.due_s, self.beat)

    def stop(self) -> None:
        """No further tick."""
        self.handle.cancel()


async def work(spec: dict[str, Any], notebook: Notebook) -> None:
    """A working day."""
    loop = asyncio.get_running_loop()
    home_time = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, home_time.set)
    report = notebook.write
    habits = habits_from(spec)
    streams = [STREAMS[habit.kind](habit, report) for habit in habits]
    start_s = loop.time() + 0.02
    rhythms = [
        Rhythm(stream, habit.every_s, start_s + habit.every_s * number / len(habits))
        for number, (stream, habit) in enumerate(zip(streams, habits, strict=True))
    ]
    until_s = start_s + float(spec.get("duration_s") or 86_400)
    while not home_time.is_set() and loop.time() < until_s:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(1.0, max(0.0, until_s - loop.time()))):
                await home_time.wait()
        notebook.turn_page()
    for rhythm in rhythms:
        rhythm.stop()
    await asyncio.sleep(WINDING_UP_S)
    now_s = time.monotonic()
    for stream in streams:
        report_waiting(stream, now_s - WINDING_UP_S, report)
    notebook.turn_page()


def report_waiting(stream: Stream, before_s: float, report: Callable[[Sample], None]) -> None:
    """At the end, what lasting streams still wait for and sent early enough to have been answered is unanswered."""
    waiting = getattr(stream, "waiting", ())
    for sent_s in waiting.values() if isinstance(waiting, dict) else waiting:
        if sent_s < before_s:
            report(Sample(stream.habit.name, sent_s, None, ""))


def main() -> None:
    """`python -m secondpath.lab.people`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--spec", required=True, help="JSON, or @FILE")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--live", action="store_true")
    args = parser.parse_args()
    spec = json.loads(Path(args.spec[1:]).read_text() if args.spec.startswith("@") else args.spec)
    raise_file_limit()
    with args.out.open("w") as out:
        asyncio.run(work(spec, Notebook(out, args.live)))
        out.flush()
        os.fsync(out.fileno())
    sys.exit(0)


if __name__ == "__main__":
    main()
