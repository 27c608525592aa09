"""What an answer of the web says, without a web."""

from ipaddress import ip_address

import pytest

from secondpath.model import Outcome, ProbeKind, Target
from secondpath.sense.http import authority, is_same_host, meaning


def target(path: str = "/", host: str = "probe.example", address: str = "192.0.2.4", port: int = 80) -> Target:
    return Target("", ProbeKind.HTTP, ip_address(address), port, host, path)


@pytest.mark.parametrize(
    ("location", "same"),
    [
        ("/login", True),
        ("page.html", True),
        ("https://probe.example/", True),
        ("https://www.Probe.Example.:8443/x", True),
        ("http://192.0.2.4/", True),
        ("//probe.example/x", True),
        ("http://portal.example/?u=probe.example", False),
        ("http://probe.example.portal.example/", False),
        ("//portal.example/", False),
        ("http://[", False),
    ],
)
def test_a_redirection_stays_with_the_target_or_leaves_it(location: str, *, same: bool) -> None:
    assert is_same_host(target(), location) is same


@pytest.mark.parametrize(
    ("path", "status", "has_body", "outcome"),
    [
        ("/generate_204", 204, False, Outcome.OK),
        ("/generate_204?x=1", 204, False, Outcome.OK),
        ("/generate_204", 200, False, Outcome.OK),
        ("/generate_204", 200, True, Outcome.REDIRECTED),
        ("/generate_204", 302, False, Outcome.REDIRECTED),
        ("/generate_204", 500, True, Outcome.REFUSED),
        ("/generate_204", 404, True, Outcome.REFUSED),
        ("/generate_204", 511, True, Outcome.REDIRECTED),
        ("/", 200, True, Outcome.OK),
        ("/", 304, False, Outcome.OK),
        ("/", 403, True, Outcome.REFUSED),
        ("/", 503, True, Outcome.REFUSED),
        ("/", 511, True, Outcome.REDIRECTED),
    ],
)
def test_the_status_is_read_by_what_was_expected(path: str, status: int, *, has_body: bool, outcome: Outcome) -> None:
    assert meaning(target(path), status, "", has_body=has_body)[0] is outcome


def test_the_host_header_names_the_host_else_the_address_and_an_odd_port() -> None:
    assert authority(target()) == "probe.example"
    assert authority(target(host="", port=8080)) == "192.0.2.4:8080"
    assert authority(target(host="", address="2001:db8::4")) == "[2001:db8::4]"
