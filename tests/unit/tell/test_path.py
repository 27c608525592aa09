"""The sentence that an examination ends with."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from tests.unit.examine.reports import GOOD, OWN, SILENT, STATE, anchors, line, resolver, with_asked

from secondpath.examine.finding import Problem, finding_of
from secondpath.examine.results import Denial, NextHop, PathMtu, Seen
from secondpath.model import DERIVED, Endpoint, Network, Outcome, ProbeKind, Site, Uplink
from secondpath.sense.examining.examiner import PROBE_MOST_BYTES
from secondpath.tell.path import KINDS, PROBLEMS, line_sentence, nat_words, no_such_uplink

SITE = Site("office", "UTC", "general", {}, (Uplink("cable", "wan0", carrier="Spectrum"),), (Network("staff", "lan0"),))
WORLD = Endpoint(ip_address("203.0.113.77"), 40000)


def said(**changes: Any) -> str:
    report = line(**changes)
    return line_sentence(report, finding_of(report), SITE)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing is wrong: ping, TCP, DNS and HTTP work, 30 ms there and back, packets up to 1500 bytes."),
        ({"state": replace(STATE, carrier=False)}, "Nothing is connected at the other end of wan0."),
        ({"state": replace(STATE, addresses=()), "address": None}, "No address has come from Spectrum."),
        ({"address": None}, "IPv4 is not set up here."),
        ({"asked": ()}, "The configuration names no IPv4 target, so nothing was asked."),
        (SILENT, "Nothing beyond the gateway 198.51.100.1 answers, so the fault is the provider's."),
        ({**SILENT, "hop": NextHop(STATE.gateways[0])}, "Nothing out there answers, so the fault is the provider's."),
        (
            {**SILENT, "hop": NextHop(STATE.gateways[0], neighbour=False, echo=False)},
            "The gateway 198.51.100.1 does not answer, so modem, cable or the provider's box is dead.",
        ),
        (
            {"asked": with_asked(tcp=Outcome.TIMEOUT, http=Outcome.TIMEOUT)},
            "TCP does not get through, so neither web nor mail works; ping and DNS work.",
        ),
        (
            {
                "asked": with_asked(dns=Outcome.TIMEOUT),
                "resolvers": (resolver(Outcome.TIMEOUT, Denial.SILENT),),
                "mtu": PathMtu(1500, 1399),
            },
            "No name server answers, so names cannot be looked up and packets larger than 1399 bytes vanish without a "
            "word, so some pages and tunnels hang; ping, TCP and HTTP work.",
        ),
        (
            {"resolvers": (resolver(denial=Denial.INVENTED),)},
            "192.0.2.3 invents addresses for names that do not exist; ping, TCP, DNS and HTTP work.",
        ),
        ({"anchors": anchors(4)}, "It loses 20 % of all echoes; ping, TCP, DNS and HTTP work."),
    ],
)
def test_it_says_what_is_wrong_and_what_works(changes: dict[str, Any], sentence: str) -> None:
    assert said(**changes) == sentence


def test_every_problem_has_a_phrase() -> None:
    assert set(PROBLEMS) == set(Problem)
    assert all(phrase[0] in "{" or phrase[0].islower() or phrase[:3].isupper() for phrase in PROBLEMS.values())


def test_every_kind_of_question_has_a_word_and_a_price() -> None:
    assert set(KINDS) == set(PROBE_MOST_BYTES) == set(ProbeKind) - DERIVED


def test_carrier_grade_nat_is_told_and_is_not_wrong() -> None:
    seen = tuple(Seen(Endpoint(ip_address(f"192.0.2.{n}"), 3478), WORLD) for n in (1, 2))
    shared = line(address="100.64.0.2/24", nat=replace(GOOD.nat, seen=seen))
    assert line_sentence(shared, finding_of(shared), SITE).endswith("1500 bytes, behind carrier-grade NAT.")
    assert nat_words(shared) == (
        "carrier-grade NAT (RFC 6598), many share one public address; the world sees 203.0.113.77; "
        "endpoint-independent mapping"
    )
    assert nat_words(GOOD) == "the world sees this very address"
    assert nat_words(line(nat=replace(GOOD.nat, seen=()))) == "not known, no STUN server answered"
    assert GOOD.nat.local == OWN


def test_an_unknown_uplink_gets_the_nearest_spelling() -> None:
    assert no_such_uplink("cabel", ["cable", "lte"], "cable") == "There is no uplink named cabel; did you mean cable?"
    assert no_such_uplink("x", ["cable", "lte"], None) == "There is no uplink named x; the uplinks are cable and lte."
