"""A rehearsal asks, and changes nothing."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
from tests import office

from secondpath.act.hand import Hand
from secondpath.act.kernel.nft import RulesetError
from secondpath.act.paper import Paper
from secondpath.daemon.rehearsal import NOWHERE, rehearse
from secondpath.model import InterfaceChange, Site, Uplink


def running(site: Site, interfaces: dict[str, InterfaceChange]) -> tuple[Paper, Hand]:
    kernel = Paper()
    hand = Hand(kernel)
    hand.adopt(site)
    hand.reconcile(site, NOWHERE, interfaces)
    kernel.applied.clear()
    return kernel, hand


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nft(8) that notes what it was asked, and has no objection."""
    script = tmp_path / "nft"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat > {tmp_path}/text\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return script


INTERFACES = {"cable": office.interface("cable"), "lte": office.interface("lte")}
THIRD = office.site(uplinks=(Uplink("fibre", "wan1"), Uplink("cable", "wan0")))


def test_a_rehearsal_leaves_kernel_and_hand_as_they_are(tool: Path) -> None:
    kernel, hand = running(office.site(), INTERFACES)
    plane, numbers, epochs = copy.deepcopy(kernel.plane), dict(hand.numbers), dict(hand.epochs)
    rehearse(hand, THIRD, INTERFACES)
    assert (kernel.plane, kernel.applied) == (plane, [])
    assert (hand.numbers, hand.epochs) == (numbers, epochs)
    assert hand.kernel is kernel
    assert (tool.parent / "asked").read_text() == "-c -f -\n", "checked, not loaded"
    assert '"wan1"' in (tool.parent / "text").read_text()


def test_what_the_kernel_says_against_it_is_raised(tool: Path) -> None:
    kernel, hand = running(office.site(), INTERFACES)
    tool.write_text("#!/bin/sh\necho 'Error: no such thing' >&2\nexit 1\n")
    with pytest.raises(RulesetError, match="Error: no such thing"):
        rehearse(hand, THIRD, INTERFACES)
    assert kernel.applied == []


def test_where_the_table_stays_the_same_nothing_is_asked(tool: Path) -> None:
    _, hand = running(office.site(), INTERFACES)
    rehearse(hand, office.site(name="Another name"), INTERFACES)
    assert not (tool.parent / "asked").exists()
