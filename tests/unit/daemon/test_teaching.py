"""Teaching: what one device asks for, less what is asked for anyway. It stays in memory, and bounded."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from secondpath.daemon.teaching import BACKGROUND_S, DOMAINS_MOST, FORGOTTEN_S, NAMES_MOST, Teaching, registrable

DESK, OTHER = ip_address("10.44.10.7"), ip_address("10.44.10.8")
ME = frozenset({DESK})


def told(teaching: Teaching, now: float) -> dict[str, bool]:
    """The groups so far, and which of them are background."""
    return {g["domain"]: g["background"] for g in teaching.groups(now, teaching.attend(now, ME))}


def test_names_of_the_device_are_grouped_and_what_was_asked_before_is_background() -> None:
    teaching = Teaching()
    teaching.heard(0.0, OTHER, "updates.example.org")
    teaching.heard(1.0, DESK, "mail.example.net")
    teaching.attend(10.0, ME)
    for name in ("login.tax.example.com", "cdn.tax.example.com", "a.updates.example.org", "mail.example.net"):
        teaching.heard(11.0, DESK, name)
    assert told(teaching, 12.0) == {"example.com": False, "example.net": True, "example.org": True}
    first = teaching.groups(12.0, teaching.attend(12.0, ME))[0]
    assert first["names"] == ["cdn.tax.example.com", "login.tax.example.com"]


def test_what_others_ask_for_meanwhile_is_background_too() -> None:
    teaching = Teaching()
    teaching.attend(0.0, ME)
    teaching.heard(1.0, DESK, "tax.example.com")
    assert told(teaching, 1.5) == {"example.com": False}
    teaching.heard(2.0, OTHER, "www.example.com")
    assert told(teaching, 3.0) == {"example.com": True}


def test_the_background_is_of_one_day() -> None:
    teaching = Teaching()
    teaching.heard(0.0, OTHER, "tax.example.com")
    teaching.attend(BACKGROUND_S + 1.0, ME)
    teaching.heard(BACKGROUND_S + 2.0, DESK, "tax.example.com")
    assert told(teaching, BACKGROUND_S + 3.0) == {"example.com": False}


def test_a_lesson_that_nobody_asks_about_has_ended() -> None:
    teaching = Teaching()
    teaching.attend(0.0, ME)
    teaching.heard(FORGOTTEN_S + 1.0, DESK, "secret.example.com")
    assert teaching.lesson is None
    assert told(teaching, FORGOTTEN_S + 2.0) == {}


def test_however_much_is_asked_it_stays_bounded() -> None:
    teaching = Teaching()
    teaching.attend(0.0, ME)
    for n in range(max(DOMAINS_MOST, NAMES_MOST) + 500):
        teaching.heard(1.0, DESK, f"n{n}.example.com")
        teaching.heard(1.0, OTHER, f"www.site{n}.example")
    assert len(teaching.attend(2.0, ME).names) == NAMES_MOST
    assert len(teaching._background) == DOMAINS_MOST


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("login.tax.example.com", "example.com"),
        ("example.com", "example.com"),
        ("www.tax.co.uk", "tax.co.uk"),
        ("portal.state.gov.au", "state.gov.au"),
        ("acme.sharepoint.com", "acme.sharepoint.com"),
        ("d111.cloudfront.net", "d111.cloudfront.net"),
        ("localhost", "localhost"),
        ("t.co", "t.co"),
    ],
)
def test_a_group_is_what_somebody_registered(name: str, group: str) -> None:
    assert registrable(name) == group
