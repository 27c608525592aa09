"""The keys of the demo, and the terminal that hears them one by one."""

from __future__ import annotations

import contextlib
import os
import sys
import termios
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MEND, HOME, QUIT = "m", "h", "q"
FLOW_CONTROL = termios.IXON
"""Ctrl-S would stop the view for good."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that breaks something; pressed again, it mends that."""

    key: str
    fault: str
    uplink: str | None
    does: str
    undoes: str
    done: str
    undone: str


KEYS = (
    Key("c", "cable-cut", "cable", "cut the cable", "plug it in", "Cable cut", "Cable plugged in"),
    Key(
        "b",
        "blackhole",
        "cable",
        "black hole",
        "end black hole",
        "Black hole behind the cable modem",
        "Black hole ended",
    ),
    Key("o", "loss-30", "cable", "brown-out 30 %", "end brown-out", "Cable line loses 30 %", "Brown-out ended"),
    Key(
        "t",
        "target-dead:192.0.2.1",
        None,
        "kill a target",
        "revive target",
        "One probed address is dead",
        "The address answers again",
    ),
    Key(
        "6",
        "blackhole-v6",
        "cable",
        "IPv6 dies",
        "revive IPv6",
        "IPv6 dead on the cable line",
        "IPv6 back on the cable line",
    ),
    Key("l", "blackhole", "lte", "lte dies", "revive lte", "LTE dead", "LTE back"),
)
OTHERS = ((MEND, "mend all"), (HOME, "go home now"), (QUIT, "quit"))


def legend(broken: Collection[tuple[str, str | None]]) -> list[tuple[str, str, bool]]:
    """Each key, what it would do now, and whether what it breaks is broken."""
    told = []
    for key in KEYS:
        is_in = (key.fault, key.uplink) in broken
        told.append((key.key, key.undoes if is_in else key.does, is_in))
    return [*told, *((key, words, False) for key, words in OTHERS)]


def key_of(pressed: str) -> Key | None:
    """The key that breaks something, if this is one."""
    return next((key for key in KEYS if key.key == pressed.lower()), None)


@contextlib.contextmanager
def single_keys() -> Iterator[int]:
    """The terminal hands over every key at once and shows none; Ctrl-C stays a signal. Yields its descriptor."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    raw = termios.tcgetattr(descriptor)
    raw[0] &= ~FLOW_CONTROL
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    raw[6][termios.VSUSP] = b"\0"  # a view that was stopped would leave its screen behind
    termios.tcsetattr(descriptor, termios.TCSADRAIN, raw)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def pressed(descriptor: int) -> str | None:
    """The keys that wait, or None when the terminal is gone. Arrows and the like are no keys of ours."""
    try:
        typed = os.read(descriptor, 64)
    except OSError:
        return None
    if not typed:
        return None
    return "" if typed.startswith(b"\x1b") else typed.decode(errors="replace")
