"""The demo at a terminal: one loop that hears keys, people and the gateway, and draws at most four times a second."""

from __future__ import annotations

import argparse
import contextlib
import selectors
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.live import Live

from secondpath.cli.demo_desks import Office, wishes_of
from secondpath.cli.demo_effect import Effect
from secondpath.cli.demo_end import Ending, turn_to_nobody
from secondpath.cli.demo_feeds import Notebook, Watch
from secondpath.cli.demo_keys import HOME, MEND, QUIT, Key, key_of, pressed, single_keys
from secondpath.cli.demo_page import Sight, page
from secondpath.cli.demo_stage import Scene, on_stage
from secondpath.cli.demo_story import kept
from secondpath.cli.failure import OK
from secondpath.cli.screen import console_of, marks_of
from secondpath.lab.box import Box
from secondpath.lab.errors import LabError
from secondpath.lab.seat import Seat
from secondpath.wire.messages import Verb

DRAW_GAP_S = 0.25
DRAW_AT_LEAST_S = 1.0
HANG_UP_S = 1.0
"""A dead terminal is noticed by writing to it; the signal that says so comes within this time."""
WELCOME = "The office is at work. Press a key and watch what people feel and what the box does."


def show(args: argparse.Namespace) -> int:
    """Build, show until somebody quits, take down."""
    console = console_of(args)
    with Ending() as ending:
        print("Building a virtual office; nothing of it touches this machine's network: ", end="", flush=True)
        with on_stage(
            Scene(args.name, keep=args.keep), ending, lambda step: print(f"{step} ", end="", flush=True)
        ) as box:
            print()
            with _terminal_may_go(ending):
                _watch(box, console, ending)
            if args.keep and not ending.is_set():
                print("\n".join(kept(args.name)))
        if args.keep and not ending.is_set():
            return OK
        print("The office has been taken down; nothing of it is left.")
        return ending.exit_code if ending.number else OK


@contextlib.contextmanager
def _terminal_may_go(ending: Ending) -> Iterator[None]:
    try:
        yield
    except OSError:
        if not ending.wait(HANG_UP_S):
            raise
        turn_to_nobody()


def _watch(box: Box, console: Console, ending: Ending) -> None:
    with contextlib.ExitStack() as stack:
        notebooks = []
        for host, wishes in wishes_of().items():
            seat = Seat.take(box.office, host, wishes, live=True)
            notebooks.append(stack.enter_context(contextlib.closing(Notebook(host, seat))))
        watch = stack.enter_context(contextlib.closing(Watch(box.run_dir / "control.sock")))
        keys = stack.enter_context(single_keys())
        live = stack.enter_context(Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop"))
        Show(box, console, live, box.status()).run(keys, notebooks, watch, ending)


class Show:
    """What is known at this moment, and what a key does about it."""

    def __init__(self, box: Box, console: Console, live: Live, document: Mapping[str, Any]) -> None:
        self.box, self.console, self.live, self.document = box, console, live, document
        self.people = Office(time.monotonic())
        self.news: deque[str] = deque([WELCOME], maxlen=6)
        self.effect: Effect | None = None
        self.broken: list[tuple[str, str | None]] = []
        self.quits = False
        self.drawn_s = 0.0

    def run(self, keys: int, notebooks: list[Notebook], watch: Watch, ending: Ending) -> None:
        """Until somebody quits."""
        with selectors.DefaultSelector() as ears:
            ears.register(keys, selectors.EVENT_READ, lambda: self.hear(pressed(keys)))
            ears.register(watch.fd, selectors.EVENT_READ, lambda: self.see(watch.read()))
            ears.register(ending.fd, selectors.EVENT_READ, lambda: None)
            for notebook in notebooks:
                ears.register(notebook.fd, selectors.EVENT_READ, lambda n=notebook: self.feel(n))
            fresh = True
            while not self.quits and not ending.is_set():
                fresh = self.draw_when_due(fresh)
                for ready, _ in ears.select(
                    (DRAW_GAP_S if fresh else DRAW_AT_LEAST_S) - (time.monotonic() - self.drawn_s)
                ):
                    ready.data()
                    fresh = True

    def draw_when_due(self, fresh: bool) -> bool:
        """Draw, unless nothing is new or it was done a moment ago; whether there is still something to draw."""
        now_s = time.monotonic()
        if now_s - self.drawn_s < (DRAW_GAP_S if fresh else DRAW_AT_LEAST_S):
            return fresh
        self.drawn_s = now_s
        sight = Sight(
            now_s,
            self.document,
            self.people.feelings(now_s, "guest" in self.document["paused"]),
            self.told(now_s),
            self.broken,
        )
        width, height = self.console.size
        self.live.update(page(sight, width, height, marks_of(self.console)), refresh=True)
        return False

    def told(self, now_s: float) -> list[str]:
        """The news, and what is being measured."""
        if self.effect is None:
            return list(self.news)
        age_s = now_s - self.effect.at_s
        so_far = f" So far: {self.effect.sentence(now_s)}." if age_s > 3.0 else ""
        return [*self.news, f"{self.effect.words}, {age_s:.0f} s ago: measuring what it costs.{so_far}"]

    # ── What comes in ────────────────────────────────────────────────────────────────────────────────────────

    def feel(self, notebook: Notebook) -> None:
        """A page of somebody's notebook."""
        samples, now_s = notebook.read(), time.monotonic()
        self.people.take(notebook.host, samples)
        self.people.forget(now_s)
        if self.effect is not None:
            if notebook.host == "staff":
                self.effect.take(samples)
            if self.effect.is_settled(now_s):
                self.conclude()

    def see(self, document: Mapping[str, Any] | None) -> None:
        """The gateway's view. A way home that nobody asked for just now is measured too."""
        if document is None:
            return
        before, self.document = self.document["active"], document
        home = document["uplinks"][0]["name"]
        came = any(before[f]["uplink"] != lane["uplink"] == home for f, lane in document["active"].items())
        if came and self.effect is None:
            self.begin("The box went home by itself", time.monotonic() - DRAW_GAP_S)

    def hear(self, typed: str | None) -> None:
        """Keys that were pressed; None: the terminal is gone."""
        if typed is None:
            self.quits = True
            return
        for letter in typed.lower():
            try:
                self.do(letter)
            except LabError as error:
                self.news.append(str(error))

    # ── What is done ─────────────────────────────────────────────────────────────────────────────────────────

    def do(self, letter: str) -> None:
        """What one key asks for."""
        if letter == QUIT:
            self.quits = True
        elif letter == MEND:
            self.mend()
        elif letter == HOME:
            self.go_home()
        elif key := key_of(letter):
            self.turn(key)

    def turn(self, key: Key) -> None:
        """Break it, or mend it if it is broken."""
        if (key.fault, key.uplink) in self.broken:
            self.begin(key.undone, self.box.office.heal(key.fault, key.uplink))
        else:
            self.begin(key.done, self.box.office.inject(key.fault, key.uplink))
        self.broken = self.box.office.broken()

    def mend(self) -> None:
        """Everything."""
        if not self.broken:
            self.news.append("Nothing is broken.")
            return
        self.begin("All mended", self.box.office.mend())
        self.broken = []

    def go_home(self) -> None:
        """What `secondpath failback` does."""
        now_s = time.monotonic()
        response = self.box.order(Verb.FAILBACK)
        if response.ok:
            self.begin("Sent home by hand", now_s)
        else:
            self.news.append(f"Not now: {response.error}.")

    def begin(self, words: str, at_s: float) -> None:
        """Something was done: from now on its cost is measured; what was measured before is said."""
        self.conclude()
        self.effect = Effect(words, at_s)

    def conclude(self) -> None:
        """Say what was measured."""
        if self.effect is not None:
            self.news.append(f"{self.effect.words}: {self.effect.sentence(time.monotonic())}.")
        self.effect = None
