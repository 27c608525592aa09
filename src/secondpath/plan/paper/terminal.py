"""Tables, explanations and checklists for a terminal: aligned columns, wrapped notes, no control characters."""

import textwrap

from secondpath.plan.explain import Figure
from secondpath.plan.paper.checklist import Mark, progress
from secondpath.plan.paper.tables import Sheet
from secondpath.plan.rounding import DISCLAIMER

WIDTH = 110
_CELL = 44
_SIGNS = {"verified": "[v]", "ticked": "[x]", "open": "[ ]", "contradicted": "[!]"}


def safe(text: str) -> str:
    """The text without control characters: a name from a file must not move the cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)


def printed(sheets: tuple[Sheet, ...], office: str) -> str:
    """All tables under each other."""
    parts = [safe(office), *(_sheet(sheet) for sheet in sheets), DISCLAIMER]
    return "\n\n".join(parts)


def _sheet(sheet: Sheet) -> str:
    rows = [tuple(safe(cell) for cell in row) for row in (sheet.head, *sheet.rows)]
    wrapped = [[textwrap.wrap(cell, _CELL) or [""] for cell in row] for row in rows]
    columns = range(len(sheet.head))
    widths = [max(len(line) for row in wrapped for line in row[i]) for i in columns]
    lines = []
    for number, row in enumerate(wrapped):
        for k in range(max(len(cell) for cell in row)):
            cells = [(row[i][k] if k < len(row[i]) else "").ljust(widths[i]) for i in columns]
            lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    note = textwrap.fill(safe(sheet.note), WIDTH) if sheet.note else ""
    return "\n".join(part for part in (safe(sheet.title), *lines, note) if part)


def explained(figures: tuple[Figure, ...], asked: str) -> str:
    """Every figure found, with its formula and inputs."""
    if not figures:
        return (
            f"No printed number looks like '{safe(asked)}'. Try a key such as impact.ordinary.2h or option.none.loss."
        )
    return "\n\n".join(_figure(figure) for figure in figures[:6])


def _figure(figure: Figure) -> str:
    lines = [f"{figure.key}: {safe(figure.title)}", f"  printed   {safe(figure.shown)}   [{figure.tag}]"]
    lines += textwrap.wrap(f"formula   {figure.formula}", WIDTH, initial_indent="  ", subsequent_indent="            ")
    lines.append("  from")
    for item in figure.inputs:
        lines.append(f"    {item.path} = {item.shown}   tag {item.tag}, grade {item.grade}, checked {item.checked_on}")
        lines += textwrap.wrap(
            safe(f"{item.note}; source: {item.source}"), WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8
        )
    return "\n".join(lines)


def checked(found: tuple[Mark, ...]) -> str:
    """The checklist."""
    lines, part = [progress(found)], ""
    for mark in found:
        if mark.item.part != part:
            part = mark.item.part
            lines.append(f"\n{part}")
        who = f"  ({mark.state} by {safe(mark.by)} {safe(mark.on)})".replace(" )", ")") if mark.by else ""
        lines.append(f"  {_SIGNS[mark.state]} {mark.item.key}: {mark.item.words}{who}")
    return "\n".join(lines)
