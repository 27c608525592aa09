"""How the demo looks: people on the left, the box on the right, what a key press cost and the keys below."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from secondpath.cli.demo_desks import Feeling, State
from secondpath.cli.demo_effect import seconds
from secondpath.cli.demo_keys import legend
from secondpath.cli.screen import FINE, Marks
from secondpath.cli.view import FAMILIES, STATES, folded
from secondpath.tell.figures import delay, duration, listed, local, share

KEY_WIDTH = 20
TALL = 30
"""From this height on the news have more room."""
FASTEST_S, SLOWEST_S = 0.01, 1.0
LEVELS, PLAIN_LEVELS = "▁▂▃▄▅▆▇█", "_.-~=+*#"
STYLES = {
    State.STARTING: "unknown",
    State.WORKING: "up",
    State.PATCHY: "degraded",
    State.STALLED: "down",
    State.PAUSED: "unknown",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything the page shows, at one moment of the monotonic clock."""

    now_s: float
    document: Mapping[str, Any]
    feelings: Sequence[Feeling]
    news: Sequence[str]
    broken: Collection[tuple[str, str | None]]


def page(sight: Sight, width: int, height: int, marks: Marks) -> Group:
    """The whole screen, exactly as high as the terminal."""
    keys = _keys(sight, width)
    rooms = 3 if height < TALL else 5
    news = _news(sight.news, width, rooms)
    body = max(1, height - len(keys) - rooms - 3)
    left, right = (width - 2) // 2, width - (width - 2) // 2 - 2
    staff = _fitted(_staff(sight, left, marks), body)
    box = _fitted(_box(sight, right, marks, body), body)
    columns = Table.grid(padding=(0, 2, 0, 0))
    columns.add_column(width=left, no_wrap=True, overflow="crop")
    columns.add_column(width=right, no_wrap=True, overflow="crop")
    for one, other in zip(staff, box, strict=True):
        columns.add_row(one, other)
    line = Text(("─" if marks is FINE else "-") * width, style="quiet")
    return Group(_head(sight, width), line, columns, line, *news, *keys)


def _head(sight: Sight, width: int) -> Text:
    wall = local(datetime.fromisoformat(sight.document["at"]), sight.document["timezone"])
    name = f"secondpath demo: {sight.document['site']}"
    return Text.assemble((name, "bold"), " " * max(1, width - len(name) - 8), f"{wall:%H:%M:%S}")


def _fitted(lines: Sequence[Text], height: int) -> list[Text]:
    return [*lines[:height], *(Text() for _ in range(height - len(lines)))]


# ── The people ───────────────────────────────────────────────────────────────────────────────────────────────


def _staff(sight: Sight, width: int, marks: Marks) -> list[Text]:
    return [
        Text("WHAT PEOPLE FEEL", style="quiet"),
        *(t for f in sight.feelings for t in _desk(f, sight.now_s, width, marks)),
    ]


def _desk(feeling: Feeling, now_s: float, width: int, marks: Marks) -> Iterator[Text]:
    """Two lines: how it goes, and when it last did not."""
    style = STYLES[feeling.state]
    shown = feeling.state in (State.WORKING, State.PATCHY)
    wait = delay(feeling.wait_s) if shown and feeling.wait_s else ""
    head = Text.assemble(
        (f"{_mark(feeling.state, marks)} ", style),
        (f"{feeling.name:<11} ", "bold"),
        (f"{feeling.state:<8}", style),
        f"{wait:>7} ",
    )
    yield head + sparkline(feeling.waits, width - len(head), marks)
    yield Text(f"  {_story(feeling, now_s)}", style="quiet" if feeling.state is State.WORKING else style)


def _mark(state: State, marks: Marks) -> str:
    return {
        State.WORKING: marks.up,
        State.PATCHY: marks.degraded,
        State.STALLED: marks.down,
        State.PAUSED: marks.none,
        State.STARTING: marks.unknown,
    }[state]


def _story(feeling: Feeling, now_s: float) -> str:
    only = f"{FAMILIES[feeling.only]} only: " if feeling.only else ""
    if feeling.state is State.PAUSED:
        return f"{only}for {duration(feeling.stalled_s)}, the line is metered"
    if feeling.state is State.STALLED:
        return f"{only}nothing for {duration(feeling.stalled_s)}"
    if feeling.state is State.PATCHY:
        return f"{only}{share(feeling.lost_ratio)} get no good answer"
    if feeling.state is State.STARTING:
        return "people sit down"
    if feeling.last is None:
        return "no interruption so far"
    return f"interrupted {seconds(feeling.last.length_s)}, {duration(now_s - feeling.last.end_s)} ago"


def sparkline(waits: Sequence[float | None], width: int, marks: Marks) -> Text:
    """Answer times of the last seconds, on a scale of 10 ms to 1 s; a cross where nothing came back."""
    levels, text = LEVELS if marks is FINE else PLAIN_LEVELS, Text()
    for wait in waits[-max(0, width) :] if width > 0 else ():
        if wait is None:
            text.append("×" if marks is FINE else "x", style="down")
        else:
            ratio = math.log(max(wait, FASTEST_S) / FASTEST_S) / math.log(SLOWEST_S / FASTEST_S)
            text.append(levels[min(len(levels) - 1, int(ratio * len(levels)))], style="quiet")
    return text


# ── The box ──────────────────────────────────────────────────────────────────────────────────────────────────


def _box(sight: Sight, width: int, marks: Marks, height: int) -> list[Text]:
    document = sight.document
    lines = [Text("WHAT THE BOX SEES AND DOES", style="quiet")]
    lines += [Text(line, style="bold") for line in wrapped(document["summary"], width)]
    lines.append(Text())
    lines += _uplinks(document, width, marks)
    if document["paused"]:
        lines += [Text(line) for line in wrapped(f"Paused: {listed(document['paused'])}", width, 2)]
    lines.append(Text())
    return lines + _events(document, width, height - len(lines))


def _uplinks(document: Mapping[str, Any], width: int, marks: Marks) -> Iterator[Text]:
    """Each uplink, or each family of it where the two differ; what the summary says already is not said twice."""
    now = datetime.fromisoformat(document["at"])
    for uplink in document["uplinks"]:
        lines, used = uplink["lines"], {f for f, lane in document["active"].items() if lane["uplink"] == uplink["name"]}
        same = len({(line["health"], family in used) for family, line in lines.items()}) == 1
        for family, line in list(lines.items())[: 1 if same else None]:
            name = uplink["name"] if same else f"{uplink['name']} {FAMILIES[family]}"
            yield _uplink(name, line, family in used, now, marks)
            if line["health"] != "up" and line["note"] not in document["summary"]:
                yield from (Text(f"    {text}", style=line["health"]) for text in wrapped(line["note"], width - 4))


def _uplink(name: str, line: Mapping[str, Any], used: bool, now: datetime, marks: Marks) -> Text:
    health = line["health"]
    age = duration((now - datetime.fromisoformat(line["since"])).total_seconds())
    return Text.assemble(
        f"{marks.used if used else ' '} ",
        (f"{name:<11}", "bold" if used else ""),
        (f"{getattr(marks, health)} {STATES[health]:<9}", health),
        f"{age:>6} {'' if health == 'down' else delay(line['rtt_s']).replace('–', marks.none):>7}",
    )


def _events(document: Mapping[str, Any], width: int, height: int) -> list[Text]:
    """The newest that fit, oldest first; sweeps are for technicians."""
    shown: list[Text] = []
    for event in reversed(folded([e for e in document["events"] if not e["event"].startswith("sweep")])):
        wall = local(datetime.fromisoformat(event["at"]), document["timezone"])
        first, *more = wrapped(f"{wall:%H:%M:%S} {event['text']}", width, 9 if width > 48 else 2)
        lines = [Text.assemble((first[:8], "quiet"), first[8:]), *map(Text, more)]
        if len(shown) + len(lines) > height:
            break
        shown = lines + shown
    return shown


# ── Below ────────────────────────────────────────────────────────────────────────────────────────────────────


def _news(news: Sequence[str], width: int, rooms: int) -> list[Text]:
    """The newest is bold and whole, earlier ones above it as far as there is room."""
    shown: list[Text] = []
    for number, said in enumerate(reversed(news)):
        lines = [Text(line, style="" if number else "bold") for line in wrapped(said, width)][:rooms]
        if len(shown) + len(lines) > rooms:
            break
        shown = lines + shown
    return _fitted(shown, rooms)


def _keys(sight: Sight, width: int) -> list[Text]:
    """The keys in columns; what is broken is marked by an exclamation mark as well as by its new words."""
    entries = legend(sight.broken)
    each = max(1, min(len(entries), width // KEY_WIDTH))
    rows = math.ceil(len(entries) / each)
    each = math.ceil(len(entries) / rows)
    lines = []
    for start in range(0, len(entries), each):
        line = Text()
        for key, words, is_in in entries[start : start + each]:
            cell = Text.assemble((f"[{key}]", "bold"), f" {words}", (" !" if is_in else "", "degraded"))
            line += cell + " " * max(1, width // each - len(cell))
        line.truncate(width)
        lines.append(line)
    return lines


def wrapped(text: str, width: int, hanging: int = 0) -> list[str]:
    """The text in lines, with no number parted from its unit."""
    bound = re.sub(r"(\d) (?=(?:s|min|h|d|ms|packets?|connections?)\b|%)", "\\1\u00a0", text)
    lines = textwrap.wrap(bound, max(8, width), subsequent_indent=" " * hanging, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]
