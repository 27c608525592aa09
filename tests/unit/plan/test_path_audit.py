"""What two connections share: named things by name, unnamed things by default, and nothing that cannot be shared."""

import pytest

from secondpath.plan.form.shelf import shelf
from secondpath.plan.paths import Diversity, Element, Path, audit, beta, effectiveness, verdict

CABLE = {"carrier": "A", "network": "A", "site": "head 1", "feeder": "f1", "street": "Elm", "entrance": "front"}


def pair(technology: str, facts: dict[str, str], first: dict[str, str] | None = None) -> float:
    found = audit(Path("main", "cable", first or CABLE), Path("second", technology, facts), shelf().shares_of("cable"))
    return beta(found)


def test_what_nobody_has_named_counts_as_shared() -> None:
    found = audit(Path("main", "cable", CABLE), Path("second", "fibre", {}), shelf().shares_of("cable"))
    unknown = [f for f in found if not f.known]
    assert {f.element for f in unknown} >= {Element.CORE, Element.STREET, Element.ENTRANCE}
    assert all(f.shared and "counted as shared" in f.reason for f in unknown)
    assert pair("fibre", {}) == pytest.approx(0.90)


def test_naming_things_apart_frees_them_one_by_one() -> None:
    facts: dict[str, str] = {}
    last = pair("fibre", facts)
    for fact, name in (
        ("network", "B"),
        ("site", "office 2"),
        ("feeder", "f2"),
        ("street", "Oak"),
        ("entrance", "back"),
    ):
        facts[fact] = name
        assert pair("fibre", facts) < last
        last = pair("fibre", facts)
    assert last == pytest.approx(0.02)


def test_same_carrier_and_same_drop_share_nine_tenths() -> None:
    assert pair("cable", CABLE) == pytest.approx(0.90)


def test_fibre_and_cable_on_one_pole_and_entrance_share_two_fifths() -> None:
    facts = {"network": "B", "site": "office 2", "feeder": "f2", "street": "elm", "entrance": "Front"}
    assert pair("fibre", facts) == pytest.approx(0.40)


def test_cellular_whose_tower_hangs_on_the_same_carrier_shares_a_quarter() -> None:
    facts = {"network": "M", "site": "tower 9", "feeder": "f2", "backhaul": "A"}
    assert pair("cellular", facts) == pytest.approx(0.25)
    assert pair("cellular", {**facts, "backhaul": "B"}) == pytest.approx(0.02)
    assert pair("cellular", {**facts, "backhaul": "?"}) == pytest.approx(0.25)


def test_two_radio_links_know_their_tower() -> None:
    first = Path("a", "cellular", {"network": "M", "site": "tower 9", "backhaul": "B", "feeder": "f"})
    second = Path("b", "cellular", {"network": "N", "site": "tower 9", "backhaul": "C", "feeder": "g"})
    found = {f.element: f.shared for f in audit(first, second, shelf().shares_of("cellular"))}
    assert found[Element.HEADEND]
    assert not found[Element.STREET]
    assert not found[Element.ENTRANCE]


@pytest.mark.parametrize(
    ("shared", "gained"), [(0.02, 0.978), (0.05, 0.948), (0.20, 0.799), (0.50, 0.499), (0.80, 0.199)]
)
def test_effectiveness_of_cable_with_good_cellular(shared: float, gained: float) -> None:
    """The specification's row: cable with a good LTE link, beta .02 to .80."""
    assert effectiveness(13.8 / 8766, 14 / 8766, shared) == pytest.approx(gained, abs=0.001)


def test_verdicts() -> None:
    assert [verdict(x) for x in (0.95, 0.9, 0.899, 0.5, 0.499)] == [
        Diversity.DIVERSE,
        Diversity.DIVERSE,
        Diversity.PARTIAL,
        Diversity.PARTIAL,
        Diversity.NOT_REDUNDANT,
    ]
