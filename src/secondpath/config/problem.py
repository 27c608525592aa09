"""What is wrong with a configuration, in sentences for people, and the place each sentence is about."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys, and places in lists counted from 0 (people are told them counted from 1)."""

MOST_PROBLEMS = 100
"""After that many a file is no configuration, and nobody reads on."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: the key as people write it ("" for the whole file), a sentence, and the line if known."""

    key: str
    sentence: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.key}: {self.sentence}" if self.key else self.sentence


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong in it."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(name, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.name}: {p}" if p.line is None else f"{self.name}:{p.line}: {p}" for p in self.problems)


class WrongError(Exception):
    """A value that cannot be taken; the text is the sentence. It never leaves this room."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the configuration, and the list in which problems are noted."""

    path: KeyPath = ()
    noted: list[tuple[KeyPath, str]] = field(default_factory=list)

    def at(self, *steps: str | int) -> Place:
        """The place some steps further in."""
        return Place(self.path + steps, self.noted)

    def wrong(self, sentence: str) -> None:
        """Note a problem here."""
        self.noted.append((self.path, sentence))

    def __str__(self) -> str:
        return key_of(self.path)


def key_of(path: KeyPath) -> str:
    """A path as people write it: `uplink[2].plan.renews_on`."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step + 1}]"
        else:
            bare = step if _BARE_KEY.fullmatch(step) else shown(step)
            said += f".{bare}" if said else bare
    return said


def shown(value: object) -> str:
    """A value as a message shows it: short, on one line, and never as Python would print it."""
    if isinstance(value, str):
        short = value if len(value) <= _SHOWN_CHARS else value[: _SHOWN_CHARS - 1] + "…"
        return json.dumps(short, ensure_ascii=not short.isprintable()).replace('\\"', '"')
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else "a huge number"
    if isinstance(value, float):
        return str(value)
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else "a date or time"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known spelling that somebody who wrote `word` most likely meant."""
    by_folded = {k.casefold(): k for k in known}
    folded = word[:64].casefold().replace("_", "-")
    if folded.replace("-", "_") in by_folded:
        return by_folded[folded.replace("-", "_")]
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def listed(words: Iterable[str], last: str = "or") -> str:
    """Words as a sentence lists them: a, b or c."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end
