"""How tables are read: a `Key` says all there is to say of one key, a `Section` takes its values and notes problems.

A `Kind` turns a TOML value into one of ours or raises `WrongError`. Kinds made of parts note the problems of
their parts themselves and go on, so that one reading finds every problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from secondpath.config.problem import MOST_PROBLEMS, Place, WrongError, listed, nearest, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A kind of value: its name for the reference, what a message says is expected, and how it is read."""

    word: str
    expected: str
    read: Callable[[object, Place], T_co]


@dataclass(frozen=True, slots=True)
class Key(Generic[T_co]):
    """One key of a table. `default` is a TOML value; `unset` tells what it means where there is no such value."""

    name: str
    kind: Kind[T_co]
    means: str
    example: str
    default: object = None
    unset: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its heading as people write it, what it is about, and its keys."""

    heading: str
    about: str
    keys: tuple[Key[object], ...]
    hints: Mapping[str, str] | None = None
    """For a key that people expect here and that is spelt otherwise: what to write."""


class Placed(NamedTuple, Generic[T]):
    """A value and where it stands, for rules that look at several values."""

    place: Place
    value: T


class Section:
    """An open table. Unknown keys are noted at once, everything else as it is asked for."""

    def __init__(self, value: object, table: Table, place: Place) -> None:
        if not isinstance(value, dict):
            raise WrongError(f"expected a table, not {shown(value)}")
        self.place = place
        self._values: dict[str, object] = value
        known = [key.name for key in table.keys]
        for name in value:
            if len(place.noted) >= MOST_PROBLEMS:
                break
            if name not in known:
                place.at(name).wrong(f"unknown key; {_what_instead(name, known, table.hints or {})}")

    def __contains__(self, key: Key[object]) -> bool:
        return key.name in self._values

    def place_of(self, key: Key[object]) -> Place:
        """Where the key stands, or would."""
        return self.place.at(key.name)

    def get(self, key: Key[T]) -> T | None:
        """The value of a key; None when it is missing without a default, or wrong (and then noted)."""
        place = self.place_of(key)
        value = self._values.get(key.name, key.default)
        if value is None:
            if key.required:
                place.wrong(f"missing; expected {key.kind.expected}")
            return None
        try:
            return key.kind.read(value, place)
        except WrongError as wrong:
            place.wrong(str(wrong))
            return None

    def get_or(self, key: Key[T], stand_in: T) -> T:
        """The value of a key, or a stand-in with which reading can go on."""
        value = self.get(key)
        return stand_in if value is None else value


def _what_instead(name: str, known: list[str], hints: Mapping[str, str]) -> str:
    if name in hints:
        return hints[name]
    meant = nearest(name, known)
    return f'did you mean "{meant}"?' if meant else f"known here: {', '.join(known)}"


# ── Kinds ────────────────────────────────────────────────────────────────────────────


def text(word: str, expected: str, parse: Callable[[str], T]) -> Kind[T]:
    """A kind that is written as a string."""

    def read(value: object, _place: Place) -> T:
        if not isinstance(value, str):
            raise WrongError(f"expected {expected}, not {shown(value)}")
        return parse(value)

    return Kind(word, expected, read)


def choice(word: str, values: Mapping[str, T], meant: Mapping[str, str] | None = None) -> Kind[T]:
    """One word out of a few; `meant` holds what people say for them elsewhere."""
    expected = listed(f'"{known}"' for known in values)

    def parse(said: str) -> T:
        if said in values:
            return values[said]
        near = (meant or {}).get(said.casefold()) or nearest(said, values)
        instead = f'did you mean "{near}"?' if near else f"expected {expected}"
        raise WrongError(f"unknown {word} {shown(said)}; {instead}")

    return text(word, expected, parse)


def number(first: int, last: int) -> Kind[int]:
    """A whole number, first..last."""
    expected = f"a whole number from {first} to {last}"

    def read(value: object, _place: Place) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongError(f"expected {expected}, not {shown(value)}")
        if not first <= value <= last:
            raise WrongError(f"{shown(value)} is out of range; expected {expected}")
        return value

    return Kind("whole number", expected, read)


def list_of(kind: Kind[T], *, least: int = 1, most: int = 256, write: str = "") -> Kind[tuple[T, ...]]:
    """A list of values of one kind; `write` shows one, for those who left the brackets out."""
    expected = f"a list such as {write}" if write else f"a list of values, each {kind.expected}"

    def read(value: object, place: Place) -> tuple[T, ...]:
        if not isinstance(value, list):
            brackets = f"; write [{shown(value)}]" if isinstance(value, str) else ""
            raise WrongError(f"expected {expected}, not {shown(value)}{brackets}")
        if len(value) < least:
            raise WrongError("is an empty list; expected at least one entry")
        if len(value) > most:
            raise WrongError(f"expected at most {most} entries, not {len(value)}")
        return tuple(good for i, item in enumerate(value) for good in _read_item(kind, item, place.at(i)))

    return Kind(f"list of {kind.word}", expected, read)


def _read_item(kind: Kind[T], item: object, place: Place) -> tuple[T, ...]:
    try:
        return (kind.read(item, place),)
    except WrongError as wrong:
        place.wrong(str(wrong))
        return ()


def one_table(table: Table, build: Callable[[Section], T]) -> Kind[T]:
    """A table, inline or under its own heading."""
    return Kind("table", f"a table {table.heading}", lambda value, place: build(Section(value, table, place)))


def many_tables(
    table: Table, build: Callable[[Section], T], *, least: int = 0, most: int = 256
) -> Kind[tuple[Placed[T], ...]]:
    """A list of tables, one `[[heading]]` each."""

    def read_one(value: object, place: Place) -> Placed[T]:
        return Placed(place, build(Section(value, table, place)))

    entries = list_of(Kind("table", f"a table {table.heading}", read_one), least=least, most=most)

    def read(value: object, place: Place) -> tuple[Placed[T], ...]:
        if isinstance(value, dict):
            raise WrongError(f"there may be several of these: write {table.heading} with two brackets")
        if not isinstance(value, list):
            raise WrongError(f"expected tables under {table.heading}, not {shown(value)}")
        return entries.read(value, place)

    return Kind("tables", f"at least one {table.heading}", read)


def _parse_plain(said: str) -> str:
    if not said.strip():
        raise WrongError("is empty; expected some text")
    if len(said) > 200 or not said.isprintable():
        raise WrongError(f"expected one line of at most 200 printable characters, not {shown(said)}")
    return said.strip()


def _read_flag(value: object, _place: Place) -> bool:
    if not isinstance(value, bool):
        quotes = ", without quotes" if value in ("true", "false") else ""
        raise WrongError(f"expected true or false{quotes}, not {shown(value)}")
    return value


PLAIN = text("text", "some text", _parse_plain)
FLAG = Kind("true or false", "true or false", _read_flag)
