"""A leaflet: a short paper of headings, steps and notes, the same for the notice and the runbook."""

from dataclasses import dataclass
from typing import Any

from secondpath.plan.paper.terminal import safe


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with lines; `numbered` steps are done in order. `blanks` are filled in by hand."""

    title: str
    lines: tuple[str, ...]
    numbered: bool = False
    blanks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaflet:
    """A whole leaflet."""

    key: str
    title: str
    office: str
    intro: str
    sections: tuple[Section, ...]
    foot: str


def leaflet_text(paper: Leaflet) -> str:
    """For a terminal."""
    lines = [safe(f"{paper.title} - {paper.office}"), "", safe(paper.intro)]
    for section in paper.sections:
        lines += ["", safe(section.title)]
        lines += [f"  {f'{i}.' if section.numbered else '-'} {safe(line)}" for i, line in enumerate(section.lines, 1)]
        lines += [f"  {safe(blank)}: ____________________" for blank in section.blanks]
    return "\n".join([*lines, "", paper.foot])


def leaflet_record(paper: Leaflet) -> dict[str, Any]:
    """For a machine."""
    return {
        "schema": 1,
        "key": paper.key,
        "title": paper.title,
        "office": paper.office,
        "intro": paper.intro,
        "sections": [
            {"title": s.title, "lines": list(s.lines), "numbered": s.numbered, "blanks": list(s.blanks)}
            for s in paper.sections
        ],
        "foot": paper.foot,
    }
