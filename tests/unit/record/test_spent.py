"""What questions cost, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.office import CABLE4, CABLE6, LTE4, TARGETS

from secondpath.model import Line, Probe, ProbeKind
from secondpath.record.spent import COSTS, DAYS, Spent, cost_bytes

TODAY = date(2026, 3, 1)


def asked(line: Line, kind: ProbeKind = ProbeKind.ICMP) -> Probe:
    return Probe(1, line, next(t for t in TARGETS if t.kind is kind), 3.0)


def test_every_kind_has_a_cost_and_ipv6_costs_more() -> None:
    assert set(COSTS) == set(ProbeKind)
    assert cost_bytes(asked(CABLE6)) == cost_bytes(asked(CABLE4)) + 40 == 128


def test_the_last_thirty_days_count() -> None:
    spent = Spent()
    for age in (0, 0, 3, DAYS - 1, DAYS, 400):
        spent.note(TODAY - timedelta(days=age), asked(LTE4))
    spent.note(TODAY, asked(CABLE4, ProbeKind.DNS))
    assert spent.of(TODAY) == {"lte": {"bytes": 4 * 88, "days": DAYS}, "cable": {"bytes": 154, "days": 1}}


def test_a_restart_goes_on_counting() -> None:
    before, after = Spent(), Spent()
    before.note(TODAY - timedelta(days=5), asked(LTE4))
    before.note(TODAY - timedelta(days=40), asked(LTE4))
    after.take_up(before.text(TODAY))
    after.note(TODAY, asked(LTE4))
    assert after.of(TODAY) == {"lte": {"bytes": 176, "days": 6}}
    assert after.of(TODAY, ["lte"])["lte"]["budget_bytes"] == 10_000_000
    assert Spent().of(TODAY) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"lte": 3}', '{"lte": {"yesterday": 1}}', '{"lte": {"2026-03-01": "x"}}'])
def test_what_cannot_be_read_is_refused_and_changes_nothing(text: str) -> None:
    spent = Spent()
    spent.note(TODAY, asked(LTE4))
    with pytest.raises(ValueError):
        spent.take_up(text)
    assert spent.of(TODAY) == {"lte": {"bytes": 88, "days": 1}}
    spent.take_up("")
    assert spent.of(TODAY) == {}


def test_what_the_interface_counted_takes_the_place_of_what_questions_should_have_cost() -> None:
    spent = Spent()
    spent.note(TODAY, asked(LTE4))
    spent.look(TODAY, "lte", None)
    assert spent.of(TODAY)["lte"]["bytes"] == 88, "others used the line: only the known sizes can be told"
    spent.note(TODAY, asked(LTE4))
    spent.note(TODAY, asked(LTE4))
    spent.look(TODAY, "lte", 120)
    assert spent.of(TODAY)["lte"]["bytes"] == 88 + 120
    spent.look(TODAY, "lte", 30)
    assert spent.of(TODAY)["lte"]["bytes"] == 88 + 150, "what others sent to us is counted too"
