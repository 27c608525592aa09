"""Read the catalogue that ships with us: every file in the folder `catalogue`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from secondpath.config.presets import Preset, parse_catalogue


@cache
def catalogue() -> Mapping[str, Preset]:
    """Every entry by its id, read once."""
    files = sorted((resources.files("secondpath.config") / "catalogue").iterdir(), key=lambda file: file.name)
    return parse_catalogue((file.name, file.read_text("utf-8")) for file in files if file.name.endswith(".toml"))
