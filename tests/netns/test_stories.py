"""Every story of the catalogue holds against the real gateway.

Stories are mostly waiting, so several offices stand at once; which of them are played is what pytest has selected.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeGuard

import pytest
from tests.netns.conftest import a_name

from secondpath.lab.box import Box
from secondpath.lab.measures import Finding
from secondpath.lab.office import Office
from secondpath.lab.stories import STORIES
from secondpath.lab.story import Story
from secondpath.lab.story_run import Report, run_story
from secondpath.lab.topology import find_topology

pytestmark = [pytest.mark.netns, pytest.mark.story]
AT_ONCE = 3
"""Offices beside each other: two cores bear three without people feeling it."""
SLACK = 3.0
"""The seconds of a story are kept by a machine that has time for it, as the bench measures them. Here, where three are
told at once on whatever there is, only what takes several times as long is a defect of the gateway."""


def played(story: Story) -> tuple[Report, str]:
    """The story, in an office of its own; and what the gateway's record and log say of it."""
    with Office.up(find_topology(story.topology), a_name()) as office, Box.of(office, hold=f"{story.hold_s:g}s") as box:
        box.until_well()
        report = run_story(office, story, status=box.status)
        events = subprocess.run(box.argv("events"), capture_output=True, text=True, timeout=20.0, check=False).stdout
        return report, events + box.log.read_text()[-3000:]


def chosen(session: pytest.Session) -> list[Story]:
    """The stories that this run of pytest is about, the longest first."""
    names = {str(item.callspec.params["name"]) for item in session.items if _plays(item)}
    return sorted((STORIES[name] for name in names), key=lambda story: -story.lasts_s)


def _plays(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and item.function is test_the_story_holds


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[tuple[Report, str]]]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {story.name: pool.submit(played, story) for story in chosen(request.session)}


@pytest.mark.parametrize("name", STORIES)
def test_the_story_holds(name: str, reports: dict[str, Future[tuple[Report, str]]]) -> None:
    report, record = reports[name].result()
    print("\n".join(report.sentences()), record, sep="\n\n")
    assert [finding.sentence() for finding in report.findings if not holds(finding)] == []


def holds(finding: Finding) -> bool:
    at_most = finding.expect.at_most
    if finding.held or at_most is None or not finding.expect.measure.endswith("_s"):
        return finding.held
    return isinstance(finding.value, float) and finding.value <= SLACK * at_most
