"""Signalling and voice of one phone are never split over two lines, and nobody else goes along."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from tests.office import CABLE4, LTE4, LTE6, site
from tests.unit.act.offices import interfaces, sites, steering, steerings

from secondpath.act.calling import may_be_voice
from secondpath.act.hand import Hand
from secondpath.act.paper import Paper
from secondpath.model import Family, Line, family_of

DESK, SOFT = ip_address("10.44.10.7"), ip_address("fd44:10::8")
SIP, SIPS, RTP, RTCP = ("udp", 5060), ("tcp", 5061), ("udp", 17_000), ("udp", 17_001)
OF_A_PHONE = (SIP, SIPS, RTP, RTCP, ("udp", 3478), ("udp", 50_002))
NOT_OF_A_PHONE = (("tcp", 443), ("udp", 443), ("udp", 53), ("udp", 51820), ("tcp", 8443), ("udp", 7001))


@st.composite
def on_the_phone(draw: st.DrawFn) -> tuple[Paper, Hand, dict[str, Line]]:
    """Any office in any steering, with phones on calls on lines of theirs."""
    a_site = draw(sites())
    phones = draw(st.lists(st.sampled_from([DESK, SOFT, ip_address("10.44.10.9")]), unique=True))
    calling = {p: Line(draw(st.sampled_from([u.name for u in a_site.uplinks])), family_of(p)) for p in phones}
    paper = Paper()
    hand = Hand(paper)
    where = replace(draw(steerings(a_site)), left=frozenset(calling.values()), calling=calling)
    hand.reconcile(a_site, where, interfaces(a_site))
    hand.follow(a_site, where, interfaces(a_site))
    interface_of = {u.name: u.interface for u in a_site.uplinks}
    return paper, hand, {str(p): Line(interface_of[line.uplink], line.family) for p, line in calling.items()}


@given(on_the_phone(), st.sampled_from(["lan0", "lan1", "lan2"]), st.booleans())
def test_signalling_and_voice_of_one_phone_always_go_together(
    met: tuple[Paper, Hand, dict[str, Line]], came_in: str, idle: bool
) -> None:
    paper, _, calling = met
    for phone in (DESK, SOFT):
        family, source = family_of(phone), str(phone) if not idle else "10.44.10.99"
        ways = {paper.egress(paper.new_flow(came_in, family, "", source, p), family) for p in OF_A_PHONE}
        assert len(ways) == 1
        guest = paper.plane.elements.get(("class_of", came_in)) == "class_guest"
        if source in calling and not guest and ("class_of", came_in) in paper.plane.elements:
            assert ways == {calling[source].uplink}
        else:
            assert ways == {paper.egress(paper.new_flow(came_in, family), family)}


@given(on_the_phone())
def test_nothing_else_of_a_phone_goes_along(met: tuple[Paper, Hand, dict[str, Line]]) -> None:
    paper, _, _ = met
    for phone in (DESK, SOFT):
        for port in NOT_OF_A_PHONE:
            assert not may_be_voice(*port)
            assert paper.new_flow("lan0", family_of(phone), "", str(phone), port) == paper.new_flow(
                "lan0", family_of(phone)
            )


def test_the_next_life_takes_over_who_is_on_the_phone() -> None:
    a_site, paper = site(), Paper()
    calling = {DESK: LTE4, SOFT: LTE6}
    where = replace(steering(a_site, "cable", "cable"), left=frozenset({LTE4, LTE6}), calling=calling)
    Hand(paper).reconcile(a_site, where, interfaces(a_site))
    adopted = Hand(paper).adopt(a_site)
    assert adopted is not None
    assert adopted.calling == calling
    assert adopted.left == {LTE4, LTE6}
    assert adopted.lane("voice", Family.IPV4).uplink == CABLE4.uplink


def test_a_phone_goes_home_when_its_calls_are_over() -> None:
    a_site, paper = site(), Paper()
    hand, home = Hand(paper), steering(a_site, "cable", "cable")
    hand.reconcile(a_site, replace(home, calling={DESK: LTE4}), interfaces(a_site))
    assert paper.egress(paper.new_flow("lan0", Family.IPV4, "", str(DESK), RTP), Family.IPV4) == "wwan0"
    hand.follow(a_site, home, interfaces(a_site))
    assert paper.egress(paper.new_flow("lan0", Family.IPV4, "", str(DESK), RTP), Family.IPV4) == "wan0"
