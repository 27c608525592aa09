"""Playing a story without a terminal: each step as it happens, then what was measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from secondpath.cli.asking import print_json
from secondpath.cli.demo_end import Ending
from secondpath.cli.demo_findings import findings_json, table
from secondpath.cli.demo_stage import Scene, interrupted, on_stage
from secondpath.cli.failure import OK, PROBLEM
from secondpath.lab.state import directory_of
from secondpath.lab.story import Story
from secondpath.lab.story_run import Report, run_story
from secondpath.lab.topology import find_topology
from secondpath.model import Failover

Tell = Callable[[str], None]


def play(args: argparse.Namespace, story: Story) -> int:
    """Play it as often as asked, each time in a fresh office, and say what held."""
    tell = _told_nobody if args.json else _told
    tell(f"{story.name}: {story.words}")
    for line in _differences(story):
        tell(line)
    reports = []
    with Ending() as ending:
        for number in range(1, args.runs + 1):
            last = number == args.runs
            if args.runs > 1:
                tell(f"\nRun {number} of {args.runs}")
            reports.append(_one(_scene(args, story, args.keep and last), story, ending, tell))
    exit_code = _conclude(args, story, reports)
    for line in kept(args.name) if args.keep else ():
        tell(line)
    return exit_code


def settings_of(story: Story) -> dict[str, str]:
    """What the gateway is told beyond what it is shipped with."""
    return {} if story.hold_s == Failover().hold_s else {"hold": f"{story.hold_s:g}s"}


def _scene(args: argparse.Namespace, story: Story, keep: bool) -> Scene:
    return Scene(args.name, find_topology(story.topology), settings_of(story), keep)


def _one(scene: Scene, story: Story, ending: Ending, tell: Tell) -> Report:
    tell("        building the office")
    with on_stage(scene, ending, lambda _step: None) as box:
        tell("        people are at work, the gateway runs, every uplink is proven")
        report = run_story(box.office, story, tell=tell, status=box.status, stop=ending)
    if ending.is_set():
        raise interrupted(ending)
    return report


def kept(name: str) -> list[str]:
    """How to get into an office that was left standing."""
    return [
        f"The office '{name}' stays, with its gateway. To see it, enter it, take it down:",
        f"  secondpath watch --run-dir {directory_of(name) / 'gateway' / 'run'}",
        f"  secondpath lab shell --name {name} staff",
        f"  secondpath lab down --name {name}",
    ]


def _differences(story: Story) -> list[str]:
    shipped = Failover().hold_s
    hold = f", and it goes home after {story.hold_s:g} s instead of {shipped:g} s, so that nobody has to wait"
    return [
        f"The gateway is set as it is shipped, but it probes addresses of the virtual internet"
        f"{'' if story.hold_s == shipped else hold}."
    ]


def _conclude(args: argparse.Namespace, story: Story, reports: list[Report]) -> int:
    held = all(report.held for report in reports)
    if args.json:
        print_json(_document(story, reports, held))
    else:
        from secondpath.cli.screen import console_of, marks_of, show  # rich is for people only

        console = console_of(args)
        show(console, table(reports, marks_of(console)))
        print(_verdict(reports))
    return OK if held else PROBLEM


def _verdict(reports: list[Report]) -> str:
    count = len(reports[0].findings)
    if len(reports) == 1:
        failed = sum(not finding.held for finding in reports[0].findings)
        return f"All {count} expectations held." if not failed else f"{failed} of {count} expectations did not hold."
    well = sum(report.held for report in reports)
    return f"All {count} expectations held in {well} of {len(reports)} runs."


def _document(story: Story, reports: list[Report], held: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "story": story.name,
        "text": story.words,
        "settings": settings_of(story),
        "held": held,
        "runs": [findings_json(report) for report in reports],
    }


def _told(words: str) -> None:
    print(words)
    sys.stdout.flush()


def _told_nobody(_words: str) -> None:
    pass
