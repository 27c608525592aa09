"""Reading TOML with a pencil: every key is asked for by name and range, every mistake becomes one sentence.

After a mistake a harmless stand-in is returned so that reading goes on and all errors come out at once; the caller
looks at `problems` before it trusts anything.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from secondpath.config.problem import WrongError
from secondpath.plan.estimate import Estimate, Tag
from secondpath.plan.form.spelling import nearest

LONGEST_TEXT = 400
T = TypeVar("T")


@dataclass(slots=True)
class Table:
    """One table of the file at `path`, over the profile's table of the same name (`fallback`)."""

    own: dict[str, Any]
    fallback: dict[str, Any]
    path: str
    problems: list[str]
    asked: set[str] = field(default_factory=set)

    def where(self, key: str) -> str:
        """The full key path, as the user would look for it."""
        return f"{self.path}.{key}" if self.path else key

    def complain(self, key: str, expected: str, got: object) -> None:
        """Note one problem: key, what was expected, what stood there."""
        shown = repr(got)
        self.problems.append(
            f"{self.where(key)}: expected {expected}, got {shown if len(shown) < 60 else shown[:57] + '...'}"
        )

    def raw(self, key: str) -> Any:
        """The value as written, else as the profile has it, else None."""
        self.asked.add(key)
        return self.own[key] if key in self.own else self.fallback.get(key)

    def tag(self, key: str) -> Tag:
        """P for a value left as the profile has it, E for the office's own."""
        changed = key in self.own and self.own[key] != self.fallback.get(key)
        return Tag.ESTIMATE if changed else Tag.PUBLISHED

    def text(self, key: str, default: str = "") -> str:
        """A line of text of at most 400 characters."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or any(ord(c) < 32 for c in value):
            self.complain(key, f"one line of text, at most {LONGEST_TEXT} characters", value)
            return default
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.complain(key, "true or false", value)
            return default
        return value

    def pick(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """One of a few words."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in known:
            hint = nearest(value, list(known)) if isinstance(value, str) else ""
            self.complain(key, f"one of {', '.join(known)}", value)
            self.problems[-1] += hint
            return known[0]
        return value

    def number(self, key: str, low: float, high: float, unit: str, default: float | None = None) -> float:
        """A number between `low` and `high`."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not _is_number(value) or not low <= value <= high:
            self.complain(key, f"{unit} between {low:,g} and {high:,g}", "nothing" if value is None else value)
            return low if math.isfinite(low) else 0.0
        return float(value)

    def whole(self, key: str, low: int, high: int, unit: str, default: int | None = None) -> int:
        """A whole number between `low` and `high`."""
        value = self.number(key, low, high, unit, default)
        if value != int(value):
            self.complain(key, f"a whole number of {unit}", value)
        return int(value)

    def estimate(self, key: str, low: float, high: float, unit: str) -> Estimate:
        """A number, or [low, likely, high], each within the range."""
        value = self.raw(key)
        points = value if isinstance(value, list) else [value] * 3
        expected = f"{unit} between {low:,g} and {high:,g}, or three such numbers [low, likely, high]"
        fits = len(points) == 3 and all(_is_number(p) and low <= p <= high for p in points)
        if not fits or not points[0] <= points[1] <= points[2]:
            self.complain(key, expected + (" in rising order" if fits else ""), "nothing" if value is None else value)
            return Estimate(low, low, low)
        return Estimate(float(points[0]), float(points[1]), float(points[2]), self.tag(key))

    def parsed(self, key: str, parse: Callable[[str], T], example: str) -> T | None:
        """A quantity written with its unit, such as "25 Mbit/s"; None if it is missing or wrong."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(key, f"a quantity like '{example}'", value)
            return None
        try:
            return parse(value)
        except WrongError as wrong:
            self.problems.append(f"{self.where(key)}: {wrong}")
            return None

    def child(self, key: str) -> "Table":
        """A table inside this one; an empty one over the profile if it is missing."""
        self.asked.add(key)
        own, fallback = self.own.get(key, {}), self.fallback.get(key, {})
        if not isinstance(own, dict):
            self.complain(key, "a table", own)
            own = {}
        return Table(own, fallback if isinstance(fallback, dict) else {}, self.where(key), self.problems)

    def children(self, key: str, name: str) -> list["Table"]:
        """An array of tables, each known by its `name` key; the profile's whole list if none is written."""
        self.asked.add(key)
        defaults = self.fallback.get(key, [])
        rows = self.own.get(key, defaults)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.complain(key, f"one or more [[{key}]] tables", rows)
            return []
        known = {row.get(name): row for row in defaults}
        self._complain_of_twins(key, name, rows)
        return [self._row(key, name, i, row, known) for i, row in enumerate(rows)]

    def _row(self, key: str, name: str, i: int, row: dict[str, Any], known: dict[Any, dict[str, Any]]) -> "Table":
        label = row.get(name)
        shown = label if isinstance(label, str) and label else str(i + 1)
        fallback = known.get(label, {}) if isinstance(label, str) else {}
        return Table(row, fallback, self.where(f"{key}.{shown}"), self.problems)

    def _complain_of_twins(self, key: str, name: str, rows: list[dict[str, Any]]) -> None:
        labels = [repr(row.get(name)) for row in rows]
        for label in sorted({label for label in labels if labels.count(label) > 1}):
            self.complain(key, f"a different {name} for each", label)

    def close(self) -> None:
        """Complain of every key that nobody asked for."""
        for key in self.own:
            if key not in self.asked:
                hint = nearest(key, sorted(self.asked)) or f"; known here: {', '.join(sorted(self.asked))}"
                self.problems.append(f"{self.where(key)}: unknown key{hint}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
