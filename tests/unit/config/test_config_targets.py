from __future__ import annotations

from collections.abc import Mapping

import pytest

from secondpath.config.reader import parse
from secondpath.config.targets import DEFAULTS
from secondpath.model import Family, ProbeKind

SITE = parse('uplink = [{ name = "a", interface = "a" }]\nnetwork = [{ name = "b", interface = "b" }]', "office.toml")


@pytest.mark.parametrize("family", list(Family))
def test_the_defaults_of_a_family_ask_four_operators_in_four_ways(family: Family) -> None:
    targets = SITE.targets_of(family)
    uris = {t.uri for t in targets}
    operators = {who for who, said in DEFAULTS if (said["uri"] if isinstance(said, Mapping) else said) in uris}
    assert len({t.address for t in targets}) == len(targets) >= 4
    assert len(operators) >= 3
    assert {t.kind for t in targets} == {ProbeKind.ICMP, ProbeKind.DNS, ProbeKind.TCP, ProbeKind.HTTP}


def test_a_web_check_among_the_defaults_knows_its_host() -> None:
    assert all(t.host for t in SITE.targets if t.kind in (ProbeKind.HTTP, ProbeKind.DNS))
