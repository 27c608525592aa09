"""`secondpath teach`: what a person ticks, and the entry that comes of it; it is one that the configuration takes."""

from __future__ import annotations

import pytest

from secondpath.cli.failure import Failure
from secondpath.cli.known import notes
from secondpath.cli.teach import choose, domain_of, entry
from secondpath.config.reader import parse

ONE = {"domain": "example.com", "names": ["a.example.com", "b.example.com"], "background": False}
TWO = {"domain": "example.net", "names": ["only.example.net"], "background": False}
REST = {"domain": "example.org", "names": ["u.example.org"], "background": True}
ALL = [ONE, TWO, REST]


def test_enter_takes_what_is_no_background_and_numbers_take_what_they_name() -> None:
    assert choose(ALL, "\n") == [ONE, TWO]
    assert choose(ALL, "3, 1 3") == [REST, ONE]


@pytest.mark.parametrize("said", ["4", "0", "one", "-1"])
def test_what_is_no_number_of_the_list_is_said(said: str) -> None:
    with pytest.raises(Failure, match="none of the numbers 1 to 3"):
        choose(ALL, said)


def test_a_single_name_stands_for_itself_and_several_for_their_domain() -> None:
    assert (domain_of(ONE), domain_of(TWO)) == ("example.com", "only.example.net")


def test_the_entry_is_one_that_the_configuration_takes() -> None:
    text = entry('The "tax" portal', "line-of-business", [ONE, TWO], ["10.44.10.7"])
    office = '[[uplink]]\nname = "a"\ninterface = "wan0"\n[[network]]\nname = "b"\ninterface = "lan0"\n'
    application = parse(office + text, "office.toml").applications[0]
    assert application.name == 'The "tax" portal'
    assert application.match.domains == ("example.com", "only.example.net")
    assert application.traffic_class == "line-of-business"


def test_shared_addresses_and_a_resolver_that_does_not_run_are_told() -> None:
    address = {"address": "192.0.2.1", "kept_s": 5, "given_to": "Signing"}
    document = {
        "applications": [{"name": "Films", "addresses": [address, address]}],
        "recognition": {"reading": False, "resolver": {"running": False, "trouble": "none is installed"}},
    }
    assert list(notes(document)) == [
        "2 of Films's addresses are also Signing's, which is more important and has it.",
        "DNS answers are not read: names below a domain are not known.",
        "The office's resolver does not run: none is installed.",
    ]
