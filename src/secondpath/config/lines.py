"""On which line each key stands: tomllib does not tell, and a message without a line makes people search.

`find_lines` walks a text that tomllib has already found good, so it never has to judge: it follows headers and keys,
and steps over values, descending only into arrays and inline tables.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

from secondpath.config.problem import KeyPath

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_REST_OF_LINE = re.compile(r"[^\n]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_SCALAR = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"{3,5}'  # the end may hold two quotes of the text itself
    r"|'''[\s\S]*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^,\]}#\n]+"  # numbers, booleans, dates (which may hold a space)
)


DEEPEST = 12
"""No key of ours stands deeper; noting the lines of deeper ones would cost n² for a key of n parts."""


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.newlines = [i for i, c in enumerate(text) if c == "\n"]
        self.lines: dict[KeyPath, int] = {}
        self.lengths: dict[KeyPath, int] = {}

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def starts(self, mark: str) -> bool:
        return self.text.startswith(mark, self.at)

    def note(self, path: KeyPath) -> None:
        if len(path) <= DEEPEST:
            self.lines.setdefault(path, bisect_right(self.newlines, self.at - 1) + 1)

    def document(self) -> None:
        table: KeyPath = ()
        while self.skip(_BLANK) or self.at < len(self.text):
            if self.at >= len(self.text):
                return
            if self.starts("["):
                table = self.header()
            else:
                self.pair(table)
            self.skip(_REST_OF_LINE)

    def header(self) -> KeyPath:
        many = self.starts("[[")
        self.at += 2 if many else 1
        self.skip(_SPACE)
        path: KeyPath = ()
        for part in self.key()[:DEEPEST]:
            path = self.inside((*path, part))
        if many:
            # `inside` stepped into the list's last table; a new one begins here
            name = path[:-1] if path and isinstance(path[-1], int) else path
            path = (*name, self.lengths.get(name, 0))
            self.lengths[name] = self.lengths.get(name, 0) + 1
            self.note(name)
        self.note(path)
        return path

    def inside(self, path: KeyPath) -> KeyPath:
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def key(self) -> list[str]:
        parts = [_plain(self.skip(_KEY_PART))]
        while self.skip(_DOT):
            parts.append(_plain(self.skip(_KEY_PART)))
        self.skip(_SPACE)
        return parts

    def pair(self, table: KeyPath) -> None:
        start = self.at
        path = (*table, *self.key())
        end, self.at = self.at, start
        for length in range(len(table) + 1, min(len(path), DEEPEST) + 1):
            self.note(path[:length])
        self.at = end + 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def value(self, path: KeyPath) -> None:
        self.note(path)
        if self.starts("["):
            self.array(path)
        elif self.starts("{"):
            self.inline_table(path)
        else:
            self.skip(_SCALAR)

    def array(self, path: KeyPath) -> None:
        self.at += 1
        count = 0
        self.skip(_BLANK)
        while not self.starts("]"):
            self.value((*path, count))
            count += 1
            self.skip(_BLANK)
            self.at += self.starts(",")
            self.skip(_BLANK)
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self.skip(_SPACE)
        while not self.starts("}"):
            self.pair(path)
            self.skip(_SPACE)
            self.at += self.starts(",")
            self.skip(_SPACE)
        self.at += 1


def _plain(part: str) -> str:
    return str(tomllib.loads(f"key = {part}")["key"]) if part[:1] in ("'", '"') else part


def find_lines(text: str) -> Mapping[KeyPath, int]:
    """The line (from 1) of every key and list entry of a good TOML text."""
    walk = _Walk(text.replace("\r\n", "\n"))
    walk.document()
    return walk.lines


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of a key; of what surrounds it where the key itself is missing."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)
