"""Answers to a plan: put single values into a profile, as a document to work with and as a commented file to keep."""

import copy
import json
import re
from typing import Any

from secondpath.plan.form.questions import Question
from secondpath.plan.form.shelf import text_of, toml_of

_NAMES = ("id", "title")  # what a [[table]] is known by


def value_at(document: dict[str, Any], path: str) -> Any:
    """The value at a path such as `role.staff.people` or `calls.per_h`; None if there is none."""
    place = _place(document, path)
    return place[0].get(place[1]) if place else None


def answered(profile: str, answers: dict[str, Any]) -> dict[str, Any]:
    """The profile's document with these values put in. Paths that the profile does not have are left out."""
    document = copy.deepcopy(toml_of("profiles", f"{profile}.toml"))
    for path, value in answers.items():
        place = _place(document, path)
        if place and value is not None:
            place[0][place[1]] = value
    return document


def _place(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str] | None:
    """The table and key that a path leads to."""
    at: Any = document
    parts = path.split(".")
    for part in parts[:-1]:
        if isinstance(at, list):
            at = next((row for row in at if part in (row.get(name) for name in _NAMES)), None)
        else:
            at = at.get(part) if isinstance(at, dict) else None
    return (at, parts[-1]) if isinstance(at, dict) else None


def understood(question: Question, said: str) -> tuple[Any, str]:
    """What a person's words mean: (value, "") or (None, what was expected). Empty words: (None, "")."""
    said = said.strip()
    if not said:
        return None, ""
    if question.kind == "choice":
        return (said, "") if said in question.among else (None, f"one of {', '.join(question.among)}")
    if question.kind in ("text", "money"):
        return said, ""
    if question.kind == "yes":
        return (said[:1].casefold() in {"y", "t", "1"}, "")
    return _numbers(question, said)


def _numbers(question: Question, said: str) -> tuple[Any, str]:
    words = [w for w in re.split(r"[\s,;]+|\bto\b", said.replace("$", "").replace("[", "").replace("]", "")) if w]
    try:
        points = [float(word) for word in words]
    except ValueError:
        points = []
    wanted = (1, 3) if question.kind == "range" else (1,)
    if len(points) not in wanted or not all(abs(p) < 1e15 for p in points):
        shape = "one number, or three: low, likely, high" if question.kind == "range" else "one number"
        return None, shape
    tidy = [int(p) if p == int(p) else p for p in points]
    return (tidy[0] if len(tidy) == 1 else tidy), ""


def shown(value: Any) -> str:
    """A value as a person would type it."""
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)


def plan_text(profile: str, answers: dict[str, Any]) -> str:
    """The commented plan.toml of a profile with these answers written into it, comments kept."""
    lines = text_of("profiles", f"{profile}.toml").splitlines()
    document = toml_of("profiles", f"{profile}.toml")
    for path, value in answers.items():
        if value is not None and value != value_at(document, path):
            _write(lines, path, value)
    return "\n".join(lines) + "\n"


def _write(lines: list[str], path: str, value: Any) -> None:
    """Replace the value of one key, keeping the comment behind it; inline tables are one more level down."""
    parts = path.split(".")
    section, name = parts[0], parts[1] if len(parts) > 2 else ""
    inside, key, inner = False, parts[-1], ""
    if len(parts) == 4:
        key, inner = parts[2], parts[3]
    for i, line in enumerate(lines):
        if line.startswith("["):
            head = line.split("#")[0].strip()
            inside = head == f"[{section}]" or (head == f"[[{section}]]" and _named(lines, i, name))
        elif inside and re.match(rf"{re.escape(key)}\s*=", line):
            lines[i] = _replaced(line, key, inner, _literal(value))
            return


def _named(lines: list[str], start: int, name: str) -> bool:
    for line in lines[start + 1 :]:
        if line.startswith("["):
            return False
        found = re.match(r'(?:id|title)\s*=\s*"([^"]*)"', line)
        if found and found.group(1) == name:
            return True
    return False


def _replaced(line: str, key: str, inner: str, literal: str) -> str:
    if inner:
        return re.sub(rf'({re.escape(inner)}\s*=\s*)("[^"]*"|[^,}}\s]+)', lambda m: m.group(1) + literal, line, count=1)
    tail = re.search(r"\s+#.*$", line)
    return f"{key} = {literal}{tail.group(0) if tail else ''}"


def _literal(value: Any) -> str:
    """A TOML literal. JSON's strings are TOML's basic strings; control characters are refused when the file is read."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
