"""What is wrong, from what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.examine.reports import GOOD, KINDS, SILENT, STATE, anchors, line, resolver, with_asked

from secondpath.examine.finding import Finding, Problem, finding_of
from secondpath.examine.results import Denial, NextHop, PathMtu
from secondpath.model import Outcome, ProbeKind

SILENT_HOP = NextHop(STATE.gateways[0], neighbour=False, echo=False)
BIG = PathMtu(1500, 1399)
NO_TCP = with_asked(tcp=Outcome.TIMEOUT, http=Outcome.TIMEOUT)
NO_DNS = with_asked(dns=Outcome.TIMEOUT)


def test_a_good_line_has_nothing_wrong_and_all_works() -> None:
    assert finding_of(GOOD) == Finding((), (ProbeKind.ICMP, ProbeKind.TCP, ProbeKind.DNS, ProbeKind.HTTP))


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"state": None}, [Problem.ABSENT]),
        ({"state": replace(STATE, present=False)}, [Problem.ABSENT]),
        ({"state": replace(STATE, admin_up=False)}, [Problem.DISABLED]),
        ({"state": replace(STATE, carrier=False)}, [Problem.CARRIER]),
        ({"state": replace(STATE, addresses=()), "address": None}, [Problem.NO_ADDRESS]),
        ({"hop": None}, [Problem.NO_GATEWAY]),
        ({**SILENT}, [Problem.UPSTREAM]),
        ({**SILENT, "hop": SILENT_HOP}, [Problem.NEXT_HOP]),
        ({**SILENT, "hop": NextHop(STATE.gateways[0])}, [Problem.UPSTREAM]),
        ({**SILENT, "asked": with_asked(**dict.fromkeys(KINDS, Outcome.UNSENT))}, [Problem.UNSENT]),
        (
            {**SILENT, "asked": with_asked(**dict.fromkeys(KINDS, Outcome.TIMEOUT) | {"http": Outcome.REDIRECTED})},
            [Problem.PORTAL],
        ),
        ({"asked": with_asked(http=Outcome.REDIRECTED)}, [Problem.PORTAL]),
        ({"asked": NO_TCP}, [Problem.TCP]),
        ({"asked": with_asked(http=Outcome.TIMEOUT)}, [Problem.WEB]),
        ({"asked": NO_DNS, "resolvers": (resolver(Outcome.TIMEOUT, Denial.SILENT),)}, [Problem.DNS]),
        ({"asked": with_asked(icmp=Outcome.TIMEOUT), "anchors": anchors(0), "mtu": PathMtu(1500)}, [Problem.ICMP]),
        ({"mtu": BIG}, [Problem.BIG_PACKETS]),
        ({"mtu": replace(BIG, told_bytes=1399, told_by=STATE.gateways[0])}, []),
        ({"resolvers": (resolver(denial=Denial.INVENTED),)}, [Problem.INVENTED_NAMES]),
        ({"anchors": anchors(4)}, [Problem.LOSS]),
        ({"asked": NO_TCP, "mtu": BIG, "anchors": anchors(3)}, [Problem.TCP, Problem.BIG_PACKETS, Problem.LOSS]),
        ({"hop": SILENT_HOP}, []),
    ],
)
def test_each_ailment_has_its_name(changes: dict[str, Any], problems: list[Problem]) -> None:
    assert list(finding_of(line(**changes)).problems) == problems


def test_a_resolver_that_denies_what_does_not_exist_works() -> None:
    half = (resolver(Outcome.TIMEOUT, Denial.HONEST),)
    assert finding_of(line(asked=NO_DNS, resolvers=half)).well


def test_a_family_that_nobody_set_up_is_not_wrong() -> None:
    found = finding_of(line(address=None))
    assert (found.well, found.offered) == (True, False)
    assert not finding_of(line(asked=())).offered


def test_a_line_without_gateway_is_well_where_none_is_needed() -> None:
    assert finding_of(line(hop=None, state=replace(STATE, point_to_point=True))).well
