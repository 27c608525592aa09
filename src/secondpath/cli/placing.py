"""Put the pieces of an installation where they belong, or take them away; say what differs."""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from secondpath.cli.installation import File, Folder, Link, Piece


class Fate(StrEnum):
    """What becomes, or became, of a piece."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    KEPT = "kept"
    REMOVED = "removed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Step:
    """A piece, what becomes of it, and the lines that differ."""

    piece: Piece
    fate: Fate
    lines: tuple[str, ...] = field(default=())


def place_of(piece: Piece, prefix: Path) -> Path:
    """Where the piece really goes."""
    return prefix / piece.path.relative_to("/")


def compare(piece: Piece, prefix: Path, *, owned: bool) -> Step:
    """What putting it in place would do. `owned`: rights of groups count too."""
    place = place_of(piece, prefix)
    if not place.exists() and not place.is_symlink():
        return Step(piece, Fate.NEW)
    if isinstance(piece, Link):
        same = place.is_symlink() and place.readlink() == piece.target
        return Step(piece, Fate.SAME if same else Fate.CHANGED if place.is_symlink() else Fate.KEPT)
    if isinstance(piece, File) and piece.kept:
        return Step(piece, Fate.KEPT)
    lines = _difference(piece, place) if isinstance(piece, File) else ()
    changed = bool(lines) or not _rights_are_right(piece, place, owned=owned)
    return Step(piece, Fate.CHANGED if changed else Fate.KEPT if piece.kept else Fate.SAME, lines)


def _difference(piece: File, place: Path) -> tuple[str, ...]:
    before = place.read_text("utf-8", "replace")
    diff = difflib.unified_diff(before.splitlines(), piece.text.splitlines(), lineterm="", n=0)
    return tuple(line for line in diff if not line.startswith(("---", "+++", "@@")))


def _rights_are_right(piece: File | Folder, place: Path, *, owned: bool) -> bool:
    found = place.stat()
    group = not owned or found.st_gid == _gid(piece.group)
    return stat.S_IMODE(found.st_mode) == piece.mode and group


def _gid(group: str) -> int:
    """The group's number; -1, which changes nothing, while it does not exist."""
    import grp  # for this alone

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return -1


def put(step: Step, prefix: Path, *, owned: bool) -> None:
    """Carry out a step that `compare` has found. A file is replaced in one moment or not at all."""
    piece, place = step.piece, place_of(step.piece, prefix)
    if step.fate not in (Fate.NEW, Fate.CHANGED):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(piece, Folder):
        place.mkdir(exist_ok=True)
    elif isinstance(piece, Link):
        beside = _beside(place)
        beside.symlink_to(piece.target)
        beside.rename(place)
    else:
        beside = _beside(place)
        beside.write_text(piece.text, "utf-8")
        beside.chmod(piece.mode)
        beside.rename(place)
    if not isinstance(piece, Link):
        if owned:
            os.chown(place, 0, _gid(piece.group))
        place.chmod(piece.mode)


def _beside(place: Path) -> Path:
    beside = place.with_name(f".{place.name}.new")
    beside.unlink(missing_ok=True)
    return beside


def compare_for_removal(piece: Piece, prefix: Path) -> Step:
    """What taking it away would do."""
    place = place_of(piece, prefix)
    if not place.exists() and not place.is_symlink():
        return Step(piece, Fate.ABSENT)
    foreign = isinstance(piece, Link) and not (place.is_symlink() and place.readlink().name == piece.target.name)
    return Step(piece, Fate.KEPT if piece.kept or foreign else Fate.REMOVED)


def take_away(step: Step, prefix: Path) -> None:
    """Carry it out."""
    if step.fate is Fate.REMOVED:
        place_of(step.piece, prefix).unlink()
