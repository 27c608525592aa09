"""Namespace tests need root; without it they fail with a sentence, they are never passed over."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator

import pytest

from secondpath.lab.box import Box
from secondpath.lab.office import Office
from secondpath.lab.topology import find_topology, without_delay

LONGEST = (
    "test_gateway_restart",
    "test_demo",
    "test_gateway_homecoming",
    "test_gateway_shaping",
    "test_gateway_names",
    "test_gateway_rungs",
    "test_gateway_stories",
    "test_lab_faults",
    "test_check_path",
    "test_complaints",
    "test_gateway_applications",
    "test_doctor",
    "test_gateway_firewall",
    "test_lab_people",
    "test_own_rules",
    "test_complaints_flows",
    "test_path",
)
"""Files by the time they take, which is mostly waiting: begun last, one of them would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, for the workers take file by file."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(autouse=True)
def _root() -> None:
    assert os.geteuid() == 0, "the namespace tests need root: they build networks of their own in the kernel"


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Whoever started us with signals ignored (nohup, `&` in a script) has not meant what we start, and interrupt."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # no deed either; but children get the default back


def a_name() -> str:
    """A name for an office that nobody else uses."""
    return f"t{uuid.uuid4().hex[:6]}"


@pytest.fixture
def office() -> Iterator[Office]:
    """The standard office with its delays (30 ms by cable, 50 ms by lte)."""
    with Office.up(find_topology("office"), a_name()) as standing:
        yield standing


@pytest.fixture
def quick_office() -> Iterator[Office]:
    """The same without relays: no delay, full speed."""
    with Office.up(without_delay(find_topology("office")), a_name()) as standing:
        yield standing


@pytest.fixture
def box(office: Office) -> Iterator[Box]:
    """The standard office with its gateway running and everything well."""
    with Box.of(office) as running:
        running.until_well()
        yield running


@pytest.fixture
def quick_box(quick_office: Office) -> Iterator[Box]:
    """The office without delays, with its gateway running and everything well."""
    with Box.of(quick_office) as running:
        running.until_well()
        yield running
