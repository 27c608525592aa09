"""What an installation consists of: every file, folder and link, with its text and its rights. Pure but for our data.

Places are those of an administrator (/etc, /usr/local), never those of a distribution's package (/usr/lib, /usr/share):
so `secondpath install` and a .deb never write the same file.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

GROUP = "secondpath"
SERVICE = Path("/etc/systemd/system/secondpath.service")
SYSUSERS = Path("/etc/sysusers.d/secondpath.conf")
LINK = Path("/usr/local/bin/secondpath")
COMPLETIONS = {
    "bash": Path("/usr/local/share/bash-completion/completions/secondpath"),
    "zsh": Path("/usr/local/share/zsh/site-functions/_secondpath"),
    "fish": Path("/usr/local/share/fish/vendor_completions.d/secondpath.fish"),
}
MAN = Path("/usr/local/share/man/man8/secondpath.8")
HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 what PrivateTmp= hides
"""What ProtectHome= and PrivateTmp= hide from the service."""


@dataclass(frozen=True, slots=True)
class File:
    """A file with this text. `kept` is never overwritten and never removed: it belongs to people."""

    path: Path
    text: str
    mode: int = 0o644
    group: str = "root"
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of ours; kept, as what people put into it is theirs."""

    path: Path
    mode: int = 0o750
    group: str = GROUP
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to `target`."""

    path: Path
    target: Path
    kept: bool = False


Piece = File | Folder | Link


def user_piece() -> File:
    """What must be in force before a folder can belong to the group."""
    return File(SYSUSERS, template("secondpath.sysusers"))


def pieces(program: Path, config: Path) -> list[Piece]:
    """Everything else, in the order in which it is made."""
    places = {"@PROGRAM@": str(program), "@CONFIG@": str(config)}
    return [
        *([Folder(config.parent)] if config.parent.name == GROUP else []),
        File(config, template("secondpath.toml", places), 0o640, GROUP, kept=True),
        *([] if program == LINK else [Link(LINK, program)]),
        *(File(path, _printed("completion", shell)) for shell, path in COMPLETIONS.items()),
        File(MAN, _printed("man")),
        File(SERVICE, template("secondpath.service", places)),
    ]


def is_example(text: str, config: Path) -> bool:
    """Whether a configuration is still the example, as we wrote it."""
    return text == template("secondpath.toml", {"@CONFIG@": str(config)})


def template(name: str, places: dict[str, str] | None = None) -> str:
    """A text of ours, with the real paths in it."""
    text = (resources.files("secondpath.cli") / "units" / name).read_text("utf-8")
    for word, place in (places or {}).items():
        text = text.replace(word, place)
    return text


def _printed(*words: str) -> str:
    """What one of our own commands prints."""
    from secondpath.cli.main import main  # it imports us

    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(words)
    return out.getvalue()


def hidden(paths: Iterable[Path]) -> Iterator[Path]:
    """Those of the paths which the service would not see."""
    return (path for path in paths if any(path.is_relative_to(place) for place in HIDDEN))
