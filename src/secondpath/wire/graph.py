"""Objects as JSON and back, exactly: whatever points to what, and without a codec for each class.

Plain values stand for themselves. An object of ours is `{"is": "judge.window.Asked", "at": 1.5, …}`, anything else an
array whose first word says what it is: `["tuple", …]`, `["dict", key, value, …]`, `["model.Health", "up"]`,
`["float", "inf"]`. `["ref", 7]` is an object or container that stands in the text already, counted from 0 in the order
in which they begin: so what was one thing is one thing again.

Reading makes objects of the classes it is handed, plain containers and nothing else, and calls none of their code: a
text from a stranger can be wrong, but it cannot do anything.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = Any
LeftOut: TypeAlias = Mapping[type, Mapping[str, object]]
"""What stands instead of an attribute's value, by class and name: for what must not be told."""
Shapes: TypeAlias = Mapping[str, frozenset[str]]
"""The attributes which objects of a class have, where the class itself does not say so."""

OURS = "secondpath."
PLAIN = frozenset({type(None), bool, int, str})
CONTAINERS = frozenset({dict, list, set, deque})
ADDRESSES: Mapping[str, type] = {
    kind.__name__: kind for kind in (IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv4Interface, IPv6Interface)
}
FLOATS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class UncarriedError(TypeError):
    """Something that has no form here; says what."""


class MalformedError(ValueError):
    """A text that stands for nothing; says why."""


def name_of(kind: type) -> str:
    """The name of one of our classes: its module, without ours, and its own."""
    return f"{kind.__module__.removeprefix(OURS)}.{kind.__qualname__}"


def write(root: object, left_out: LeftOut | None = None) -> Json:
    """The graph that begins at `root`, as JSON has it."""
    return _Writer(left_out or {}).value(root)


def read(form: Json, classes: Mapping[str, type], shapes: Shapes | None = None) -> Any:
    """The graph again, of the classes which are handed in by name."""
    try:
        return _Reader(classes, shapes or {}).value(form)
    except MalformedError:
        raise
    except (TypeError, ValueError, AttributeError, LookupError) as why:
        raise MalformedError(f"something in it is of the wrong kind ({why})") from None
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None


def shapes_in(form: Json) -> dict[str, frozenset[str]]:
    """The attributes of every class of which a form has objects."""
    if isinstance(form, dict):
        inner = [shapes_in(part) for name, part in form.items() if name != "is"]
        return {form["is"]: frozenset(form) - {"is"}} | {k: v for found in inner for k, v in found.items()}
    if isinstance(form, list):
        return {k: v for part in form for k, v in shapes_in(part).items()}
    return {}


class _Plan(NamedTuple):
    """How objects of a class are written: its name, its attributes, whether there may be more, and what goes unsaid."""

    name: str
    names: tuple[str, ...]
    open: bool
    unsaid: Mapping[str, object]


@cache
def _plan(kind: type) -> _Plan:
    if not kind.__module__.startswith(OURS):
        raise UncarriedError(f"a {kind.__module__}.{kind.__qualname__} cannot be written down")
    slots = (vars(c).get("__slots__", ()) for c in reversed(kind.__mro__))
    names = chain.from_iterable((s,) if isinstance(s, str) else s for s in slots)
    said = tuple(name for name in names if name not in ("__weakref__", "__dict__"))
    return _Plan(name_of(kind), said, kind.__dictoffset__ != 0, _unsaid(kind))


NOTHING = (None, "", (), False)


@cache
def _unsaid(kind: type[Any]) -> Mapping[str, object]:
    """Attributes that are nothing unless somebody says otherwise: as long as they are, nothing is written of them."""
    known = fields(kind) if is_dataclass(kind) else ()
    return {f.name: f.default for f in known if any(type(f.default) is type(no) and f.default == no for no in NOTHING)}


class _Writer:
    """Writes one graph. It is quick, since the gateway waits for it now and then."""

    def __init__(self, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []

    def value(self, it: Any) -> Json:
        kind = type(it)
        if kind in PLAIN or (kind is float and math.isfinite(it)):
            return it
        number = self._numbers.get(id(it))
        if number is not None:
            return ["ref", number]
        if kind in CONTAINERS:
            return self._container(kind, it)
        if kind is tuple or kind is frozenset:
            return [kind.__name__, *map(self.value, it)]
        return self._other(kind, it)

    def _container(self, kind: type, it: Any) -> Json:
        self._begin(it)
        if kind is dict:
            return ["dict", *(self.value(part) for pair in it.items() for part in pair)]
        if kind is deque:
            return ["deque", it.maxlen, *map(self.value, it)]
        return [kind.__name__, *map(self.value, it)]

    def _other(self, kind: type, it: Any) -> Json:
        if kind is float:
            return ["float", repr(it)]
        if isinstance(it, Enum):
            return [_plan(kind).name, it.value]
        if ADDRESSES.get(kind.__name__) is kind:
            return [kind.__name__, str(it)]
        if isinstance(it, tuple):
            return [_plan(kind).name, *map(self.value, it)]
        return self._object(kind, it)

    def _object(self, kind: type, it: Any) -> Json:
        self._begin(it)
        plan, hidden = _plan(kind), self._left_out.get(kind)
        form: dict[str, Json] = {"is": plan.name}
        for name in chain(plan.names, vars(it)) if plan.open else plan.names:
            held = hidden[name] if hidden and name in hidden else getattr(it, name)
            if name in plan.unsaid and type(held) is type(plan.unsaid[name]) and held == plan.unsaid[name]:
                continue
            form[name] = held if type(held) in PLAIN else self.value(held)
        return form

    def _begin(self, it: object) -> None:
        """Number what may be met again, and keep it as long as its id stands for it."""
        self._numbers[id(it)] = len(self._kept)
        self._kept.append(it)


class _Reader:
    """Reads one graph."""

    def __init__(self, classes: Mapping[str, type], shapes: Shapes) -> None:
        self._classes, self._shapes = classes, shapes
        self._made: list[Any] = []

    def value(self, form: Json) -> Any:
        if isinstance(form, dict):
            return self._object(form)
        if isinstance(form, list):
            return self._array(form)
        return form

    def _array(self, form: list[Json]) -> Any:
        if not form or not isinstance(form[0], str):
            raise MalformedError("an array does not say what it is")
        word, parts = form[0], form[1:]
        if word == "ref":
            (number,) = parts
            if type(number) is not int or not 0 <= number < len(self._made):
                raise MalformedError("it refers to something that is not there")
            return self._made[number]
        if word in ("list", "set", "deque", "dict"):
            return self._container(word, parts)
        return self._constant(word, parts)

    def _container(self, word: str, parts: list[Json]) -> Any:
        if word == "dict":
            if len(parts) % 2:
                raise MalformedError("a dict has a key without a value")
            table: dict[Any, Any] = self._begun({})
            for key, value in zip(parts[::2], parts[1::2], strict=True):
                known = self.value(key)
                table[known] = self.value(value)
            return table
        if word == "deque":
            line: deque[Any] = self._begun(deque(maxlen=parts[0]))
            line.extend(map(self.value, parts[1:]))
            return line
        if word == "set":
            some: set[Any] = self._begun(set())
            some.update(map(self.value, parts))
            return some
        row: list[Any] = self._begun([])
        row.extend(map(self.value, parts))
        return row

    def _constant(self, word: str, parts: list[Json]) -> Any:
        if word == "tuple":
            return tuple(map(self.value, parts))
        if word == "frozenset":
            return frozenset(map(self.value, parts))
        if word == "float":
            (text,) = parts
            return FLOATS[text]
        if word in ADDRESSES:
            (text,) = parts
            if not isinstance(text, str):
                raise MalformedError(f"an {word} is not a text")
            return ADDRESSES[word](text)
        kind = self._class(word)
        if issubclass(kind, Enum):
            (value,) = parts
            return kind(value)
        if issubclass(kind, tuple):
            return tuple.__new__(kind, map(self.value, parts))
        raise MalformedError(f"a {word} is not written so")

    def _object(self, form: dict[str, Json]) -> Any:
        word = form.get("is")
        kind = self._class(word)
        if issubclass(kind, Enum | tuple):
            raise MalformedError(f"a {word} is not written so")
        names = form.keys() - {"is"}
        unsaid = {name: nothing for name, nothing in _unsaid(self._class(word)).items() if name not in names}
        wanted = {f.name for f in fields(kind)} if is_dataclass(kind) else self._shapes.get(str(word), names)
        if odd := sorted((names ^ wanted) - unsaid.keys()):
            raise MalformedError(f"a {word} {'has no' if odd[0] in names else 'lacks its'} {odd[0]!r}")
        it = self._begun(object.__new__(kind))
        for name, part in form.items():
            if name != "is":
                object.__setattr__(it, name, self.value(part))
        for name, nothing in unsaid.items():
            object.__setattr__(it, name, nothing)
        return it

    def _class(self, word: Json) -> type:
        if not isinstance(word, str) or word not in self._classes:
            raise MalformedError(f"nobody knows what a {word!r} is")
        return self._classes[word]

    def _begun(self, it: Any) -> Any:
        self._made.append(it)
        return it
