"""What travels where, as a table, and where one flow goes: the same as the kernel of paper does."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.office import site
from tests.unit.act.offices import LEARNED, interfaces, knowing, steering, with_applications

from secondpath.act.hand import Hand
from secondpath.act.paper import Paper
from secondpath.act.plane import CLASS_MASK, CLASS_SHIFT, FIRST_APPLICATION
from secondpath.daemon.policy import Asked, at_rest, policy_document, trace_document
from secondpath.model import (
    CLASSES,
    Application,
    DataPlan,
    Family,
    Match,
    Network,
    Policy,
    Site,
    Stage,
    Treatment,
    Uplink,
)

APPS = with_applications()
STAFF, GUEST = APPS.networks
THREE = site(
    uplinks=(
        Uplink("cable", "wan0"),
        Uplink("dsl", "wan1", down_bps=8_000_000),
        Uplink("lte", "wwan0", metered=True, plan=DataPlan(data_bytes=20 * 10**9)),
    ),
    policies=(Policy("voice", uplinks=("dsl",)), Policy("bulk", on={"lte": Treatment.BLOCK}, stays_if_poor=True)),
    applications=(Application("Vault", "bulk", None, Match(("vault.example",)), on_backup=Treatment.LIMIT),),
)


def row(document: dict[str, object], name: str, part: str = "classes") -> dict[str, object]:
    rows = document[part]
    assert isinstance(rows, list)
    return next(r for r in rows if r["name"] == name)


def said(found: dict[str, object]) -> dict[str, tuple[str, str]]:
    on = found["on"]
    assert isinstance(on, dict)
    return {uplink: (fate["treatment"], fate["by"]) for uplink, fate in on.items()}


def test_the_table_tells_each_treatment_and_whose_word_it_is() -> None:
    document = policy_document(THREE, at_rest(THREE), {"lte": Stage.SQUEEZED})
    assert said(row(document, "bulk")) == {
        "cable": ("keep", "home"),
        "dsl": ("limit", "default"),
        "lte": ("block", "office"),
    }
    assert said(row(document, "office"))["lte"] == ("limit", "allowance")
    assert row(document, "voice")["order"] == ["dsl", "cable", "lte"]
    assert row(document, "bulk")["when_poor"] == "stay"
    assert said(row(document, "Vault", "applications"))["dsl"] == ("limit", "office")
    assert [u["stage"] for u in document["uplinks"]] == [None, None, Stage.SQUEEZED]
    voice = row(document, "voice")["now"]
    assert isinstance(voice, dict)
    assert voice[Family.IPV4]["uplink"] == "dsl", "in an office where all is well"
    assert row(policy_document(THREE, None, {}), "voice")["now"] is None


def traced(
    a_site: Site, to: str, uplink: str = "cable", network: Network = STAFF, **more: object
) -> list[dict[str, object]]:
    decided = knowing(a_site, steering(a_site, uplink, uplink))
    source = "10.44.10.7"
    asked = Asked(source, to, **more)  # type: ignore[arg-type]
    found = trace_document(a_site, decided, {}, network, asked)["flows"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("to", "rule", "application", "traffic_class"),
    [
        ("192.0.2.11", "destination", "Tax portal", "line-of-business"),
        ("198.18.7.9", "destination", "Tax portal", "line-of-business"),
        ("192.0.2.12", "destination", "Newsletter", "office"),
        ("192.0.2.99", "unrecognised", None, "office"),
        ("tax.example.com", "destination", "Tax portal", "line-of-business"),
        ("www.tax.example.com", "destination", "Tax portal", "line-of-business"),
        ("nottax.example.com", "unrecognised", None, "office"),
        ("fax.example", "not-learned", None, "office"),
    ],
)
def test_a_flow_is_known_by_its_address_or_name(
    to: str, rule: str, application: str | None, traffic_class: str
) -> None:
    flow = traced(APPS, to)[0]
    assert (flow["rule"]["code"], flow["application"], flow["class"]) == (rule, application, traffic_class)  # type: ignore[index]
    assert flow["uplink"] == "cable"


def test_a_name_is_told_for_each_family_and_one_whose_address_is_not_learned_says_so() -> None:
    tax = traced(APPS, "tax.example.com")
    assert [(f["family"], f["address"]) for f in tax] == [("ipv4", "192.0.2.11"), ("ipv6", "2001:db8:ff::11")]
    news = traced(APPS, "news.example")
    assert [f["rule"]["code"] for f in news] == ["destination", "not-learned"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("protocol", "port", "rule"),
    [("udp", 5060, "destination"), ("udp", 15000, "destination"), ("tcp", 443, "unrecognised")],
)
def test_the_port_counts_where_the_application_has_ports(protocol: str, port: int, rule: str) -> None:
    (flow,) = traced(APPS, "192.0.2.10", protocol=protocol, port=port)
    assert flow["rule"]["code"] == rule  # type: ignore[index]


def test_guests_are_guests_wherever_they_go_and_wait_on_the_metered_backup() -> None:
    (flow,) = traced(APPS, "192.0.2.11", "lte", GUEST)
    assert (flow["class"], flow["uplink"], flow["barred_from"]) == ("guest", None, "lte")
    assert flow["why"]["code"] == "blocked"  # type: ignore[index]


ADDRESSES = sorted({str(a) for known in LEARNED.values() for a in known} | {"192.0.2.99", "2001:db8:ff::99"})


@given(st.sampled_from(ADDRESSES), st.sampled_from(APPS.networks), st.sampled_from(["cable", "lte"]), st.booleans())
def test_what_is_told_is_what_the_kernel_does(to: str, network: Network, uplink: str, apart: bool) -> None:
    """Wherever the kernel of paper does not look at ports and networks, which is the table's own affair."""
    hand, paper = Hand(Paper()), Paper()
    hand.kernel = paper
    detours = {"tax": "lte"} if apart and uplink == "cable" else {}
    decided = knowing(APPS, steering(APPS, uplink, uplink), **detours)
    hand.number(APPS)
    hand.reconcile(APPS, decided, interfaces(APPS))
    family = Family.IPV4 if ip_address(to).version == 4 else Family.IPV6
    mark = paper.new_flow(network.interface, family, to)
    asked = Asked("10.44.10.7", to)
    (flow,) = trace_document(APPS, decided, {}, network, asked)["flows"]
    left = paper.egress(mark, family)
    assert left == (APPS.uplink(flow["uplink"]).interface if flow["uplink"] else None)
    if mark is not None:
        ident = (mark & CLASS_MASK) >> CLASS_SHIFT
        names = {number: name for name, number in hand.idents.items()}
        assert flow["application"] == names.get(ident)
        assert ident >= FIRST_APPLICATION or ident == CLASSES[flow["class"]].ident
