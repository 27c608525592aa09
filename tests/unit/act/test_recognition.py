"""Who is who: by device, destination, port and DSCP, in this order; and who has an address that several claim."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site
from tests.unit.act.offices import ground, steering

from secondpath.act.compile import compile_plane
from secondpath.act.diff import diff
from secondpath.act.paper import Paper
from secondpath.act.recognition import (
    ALSO_OF,
    APPLICATION_OF,
    FRESH_S,
    NewFlow,
    Recognised,
    chains_of,
    claims,
    collisions,
    recognise,
    recognises,
    sets_of_names,
)
from secondpath.act.ruleset import ruleset_text
from secondpath.model import (
    CLASSES,
    Application,
    Device,
    Family,
    IPAddress,
    Match,
    Network,
    PortSpan,
    Resolver,
    Site,
)

SIP = (PortSpan("udp", 5060, 5060),)
PHONE = "52:54:00:12:34:56"
OFFICE = site(
    networks=(Network("staff", "lan0", trust_dscp=True), Network("guest", "guest0", "guest")),
    devices=(Device("Desk phone", PHONE, "voice"),),
    resolver=Resolver(),
    applications=(
        Application("Films", "streaming", None, Match(("films.example",))),
        Application("Signing", "line-of-business", None, Match(("sign.example", "films.example"))),
        Application("Phones", "voice", None, Match(servers=("192.0.2.0/24",), ports=SIP)),
        Application("Desktops", "remote-access", None, Match(ports=(PortSpan("tcp", 3389, 3389),))),
        Application("Portal", "office", None, Match(("portal.example",)), "https://portal.example/"),
    ),
)
SHARED, PBX, OTHER = (ip_address(a) for a in ("203.0.113.7", "192.0.2.10", "198.51.100.9"))
KNOWN = {
    "Films": frozenset({SHARED, PBX}),
    "Signing": frozenset({SHARED}),
    "Portal": frozenset({ip_address("2001:db8::9")}),
}


def told(to: IPAddress = OTHER, protocol: str = "tcp", port: int = 443, **how: object) -> Recognised:
    return recognise(OFFICE, KNOWN, replace(NewFlow("lan0", to, protocol, port), **how))  # type: ignore[arg-type]


def test_the_network_comes_first_then_the_device_the_destination_the_port_and_dscp() -> None:
    everything = {"to": SHARED, "port": 3389, "mac": PHONE, "dscp": 46}
    assert told(**everything, interface="guest0") == Recognised("guest", "network")  # type: ignore[arg-type]
    assert told(**everything) == Recognised("voice", "device")  # type: ignore[arg-type]
    assert told(SHARED, port=3389, dscp=46) == Recognised("line-of-business", "destination", "Signing")
    assert told(port=3389, dscp=46) == Recognised("remote-access", "port", "Desktops")
    assert told(dscp=46) == Recognised("voice", "dscp")
    assert told() == Recognised("office", "")


def test_dscp_counts_only_where_it_is_trusted() -> None:
    nobody = replace(OFFICE, networks=(Network("staff", "lan0"),))
    assert recognise(nobody, KNOWN, NewFlow("lan0", OTHER, dscp=46)) == Recognised("office", "")


def test_an_address_of_two_is_the_more_important_ones_and_the_other_gives_way_by_name() -> None:
    assert told(SHARED).application == "Signing"
    assert [(c.address, c.applications) for c in collisions(OFFICE, KNOWN)] == [
        (PBX, ("Phones", "Films")),
        (SHARED, ("Signing", "Films")),
    ]


def test_a_network_of_somebody_important_counts_as_a_claim_too() -> None:
    assert [a.name for a in claims(OFFICE, KNOWN)[PBX]] == ["Phones", "Films"]
    assert told(PBX, "udp", 5060).application == "Phones"
    assert told(PBX, "tcp", 443).application == "Films", "the first takes some ports only"


def test_what_is_not_recognised_is_the_office_and_never_more() -> None:
    assert CLASSES[told().traffic_class].name == "office"


# ── What the table says of it ────────────────────────────────────────────────────────


def lines_of(a_site: Site) -> list[str]:
    return chains_of(a_site, ground(a_site).idents)["recognise"]


def test_the_table_asks_in_the_same_order() -> None:
    place = {word: n for n, line in reversed(list(enumerate(lines_of(OFFICE)))) for word in re.findall(r"[\w@]+", line)}
    order = ["ether", "@fresh4_class_line_of_business", "@application_of4", "@also_of4", "@fresh4_class_streaming"]
    order += ["3389", "dscp", "flows_unrecognised"]
    assert sorted(order, key=place.__getitem__) == order


def test_an_application_without_a_test_goes_straight_to_its_class() -> None:
    plane = compile_plane(OFFICE, replace(steering(OFFICE, "cable", "cable"), destinations=KNOWN), ground(OFFICE))
    assert plane.elements[APPLICATION_OF[Family.IPV4], str(SHARED)] == "class_line_of_business"
    assert plane.elements[APPLICATION_OF[Family.IPV4], str(PBX)] == "ports_2"
    assert plane.elements[ALSO_OF[Family.IPV4], str(PBX)] == "class_streaming"
    assert plane.elements[APPLICATION_OF[Family.IPV6], "2001:db8::9"] == "application_16"
    paper = Paper()
    paper.apply(diff(paper.plane, plane))
    assert paper.egress(paper.new_flow("lan0", Family.IPV4, str(SHARED)), Family.IPV4) == "wan0"


def test_a_name_of_two_is_the_more_important_ones_in_the_resolver_too() -> None:
    names = sets_of_names(OFFICE, ground(OFFICE).idents)
    assert names["films.example"] == ("fresh4_class_line_of_business", "fresh6_class_line_of_business")
    assert names["portal.example"] == ("fresh4_application_16", "fresh6_application_16")
    assert set(names) == {"films.example", "sign.example", "portal.example"}
    assert sets_of_names(replace(OFFICE, resolver=None), {}) == {}


def test_every_set_that_the_resolver_fills_is_in_the_table_and_every_chain_exists() -> None:
    plane = compile_plane(OFFICE, steering(OFFICE, "cable", "cable"), ground(OFFICE))
    assert plane.ruleset is not None
    text = ruleset_text(plane.ruleset, plane.elements)
    for wanted in {s for both in sets_of_names(OFFICE, ground(OFFICE).idents).values() for s in both}:
        assert re.search(rf"set {wanted} {{ type ipv[46]_addr; size \d+; flags timeout; timeout {FRESH_S}s; }}", text)
        assert f"@{wanted} jump {wanted.partition('_')[2]}" in text
    chains = set(re.findall(r"chain (\w+) \{", text))
    assert set(re.findall(r"(?:jump|goto) (\w+)", text)) <= chains


@pytest.mark.parametrize("change", [{"devices": ()}, {"applications": ()}, {"networks": (Network("staff", "lan0"),)}])
def test_any_one_of_them_is_reason_enough_to_recognise(change: dict[str, object]) -> None:
    assert recognises(replace(OFFICE, **change))  # type: ignore[arg-type]
    assert not recognises(site())


CLAIMS = st.dictionaries(
    st.sampled_from([a.name for a in OFFICE.applications]),
    st.frozensets(st.integers(0, 40).map(lambda n: ip_address("192.0.2.0") + n), max_size=12),
)


@given(CLAIMS, st.integers(0, 40))
def test_nobody_comes_into_a_lesser_class_because_of_an_address_he_shares(
    known: dict[str, frozenset[IPAddress]], last: int
) -> None:
    to = ip_address("192.0.2.0") + last
    who = [a for a in OFFICE.applications if to in known.get(a.name, ()) and not a.match.ports]
    got = recognise(OFFICE, known, NewFlow("lan0", to))
    if who:
        assert CLASSES[got.traffic_class].priority == min(CLASSES[a.traffic_class or "office"].priority for a in who)
    else:
        assert got == Recognised("office", "")
