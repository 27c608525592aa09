"""Path diversity: what two connections share, and how much of the first one's downtime that is.

The audit asks for each element of a connection by name. Two connections share an element if they name the same thing;
what nobody has named counts as shared until somebody proves otherwise.
"""

from dataclasses import dataclass
from enum import StrEnum

FLOOR_BETA = 0.02  # something always turns out to be shared


class Element(StrEnum):
    """Parts of a connection that fail as one, from far to near."""

    CORE = "carrier core"
    HEADEND = "headend, central office or tower"
    FIELD_POWER = "power in the street or at the tower"
    STREET = "street plant or tower backhaul"
    ENTRANCE = "building entrance and drop"
    EQUIPMENT = "modem and its power"


# Which answers of the audit form identify an element; the first one that is known on both sides decides.
FACTS: dict[Element, tuple[str, ...]] = {
    Element.CORE: ("network", "carrier"),
    Element.HEADEND: ("site",),
    Element.FIELD_POWER: ("feeder",),
    Element.STREET: ("street", "cabinet", "backhaul"),
    Element.ENTRANCE: ("entrance", "riser"),
    Element.EQUIPMENT: ("modem", "ups"),
}
QUESTIONS: dict[str, str] = {
    "carrier": "Who sends the bill?",
    "network": "Whose network does it run on (the parent of a resold or wholesale line)?",
    "site": "Which headend, central office or tower serves it?",
    "feeder": "Which utility feeder powers the cabinet or tower?",
    "street": "Which pole line, conduit or trench does it come along?",
    "cabinet": "Which street cabinet or node?",
    "backhaul": "Whose fibre carries the tower's or radio site's traffic?",
    "entrance": "Where does it enter the building?",
    "riser": "Which riser does it climb?",
    "modem": "Which modem, and where does it stand?",
    "ups": "Which UPS feeds the modem?",
    "resolver": "Which DNS or security proxy does it depend on?",
}
TECHNOLOGIES = (
    "cable",
    "fibre",
    "fibre-sla",
    "dsl",
    "fixed-wireless",
    "cellular",
    "cellular-marginal",
    "hotspot",
    "satellite",
)
_WIRED = frozenset({"cable", "fibre", "fibre-sla", "dsl"})
_AIR = frozenset({"cellular", "cellular-marginal", "hotspot", "satellite", "fixed-wireless"})


@dataclass(frozen=True, slots=True)
class Path:
    """One connection as the audit knows it: its technology and the facts that somebody has filled in."""

    key: str
    technology: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One element of a pair: shared or not, how much of the first one's downtime it is, and why we say so."""

    element: Element
    shared: bool
    known: bool
    share: float
    reason: str


def audit(first: Path, second: Path, shares: dict[str, float]) -> tuple[Finding, ...]:
    """Every element of the pair with a verdict and a reason. `shares`: downtime of `first` by element value, sum 1."""
    return tuple(_finding(element, first, second, shares.get(element.value, 0.0)) for element in Element)


def beta(findings: tuple[Finding, ...]) -> float:
    """Share of the first connection's downtime that takes the second one down as well; at least 0.02."""
    return max(FLOOR_BETA, sum(finding.share for finding in findings if finding.shared))


def shared_elements(findings: tuple[Finding, ...]) -> frozenset[Element]:
    """The elements that count as shared."""
    return frozenset(finding.element for finding in findings if finding.shared)


def _finding(element: Element, first: Path, second: Path, share: float) -> Finding:
    apart = _apart_by_nature(element, first, second)
    if apart:
        return Finding(element, False, True, share, apart)
    for fact in FACTS[element]:
        ours, theirs = _told(first, fact), _told(second, fact)
        if fact == "backhaul" and not (ours and theirs) and {first.technology, second.technology} & _AIR:
            ours, theirs = _plant(first), _plant(second)
        if ours and theirs:
            same = ours.casefold() == theirs.casefold()
            word = f"both {fact}: {ours}" if same else f"{fact}: {ours} / {theirs}"
            return Finding(element, same, True, share, word)
    missing = (
        "backhaul" if element is Element.STREET and {first.technology, second.technology} & _AIR else FACTS[element][0]
    )
    blank = " and ".join(path.key for path in (first, second) if not _told(path, missing))
    return Finding(element, True, False, share, f"{missing} of {blank or first.key} unknown: counted as shared")


def _plant(path: Path) -> str:
    """Whose cables carry it: a radio site's backhaul, or the network of a wired line."""
    if path.technology in _AIR:
        return _told(path, "backhaul")
    return _told(path, "network") or _told(path, "carrier")


def _told(path: Path, fact: str) -> str:
    said = path.facts.get(fact, "").strip()
    return "" if said.casefold() in {"", "unknown", "?"} else said


def _apart_by_nature(element: Element, first: Path, second: Path) -> str:
    """Why two technologies cannot share an element whoever sells them; empty if they can."""
    kinds = {first.technology, second.technology}
    mixed = bool(kinds & _WIRED) and bool(kinds & _AIR)
    if element is Element.ENTRANCE and kinds & _AIR:
        return "no cable enters the building for " + " or ".join(sorted(kinds & _AIR))
    if element is Element.HEADEND and mixed:
        return "a wired head end and a radio site are different places"
    if element in (Element.STREET, Element.FIELD_POWER) and "satellite" in kinds:
        return "a satellite dish needs nothing in the street"
    if element is Element.EQUIPMENT and not (_told(first, "modem") and _told(second, "modem")):
        return "each connection has its own modem"
    return ""


class Diversity(StrEnum):
    """How much a second connection is worth."""

    DIVERSE = "diverse"
    PARTIAL = "partial"
    NOT_REDUNDANT = "NOT REDUNDANT"


def verdict(effectiveness: float) -> Diversity:
    """Diverse from 90 %, partial from 50 %, NOT REDUNDANT below: RE = 1 - U(pair) / U(primary)."""
    if effectiveness >= 0.9:
        return Diversity.DIVERSE
    return Diversity.PARTIAL if effectiveness >= 0.5 else Diversity.NOT_REDUNDANT


def effectiveness(primary_ratio: float, backup_ratio: float, shared: float) -> float:
    """RE of a pair from the primary's and backup's down ratios and the beta between them.

    1 - [beta u1 + (1 - beta) u1 u2] / u1: the shared part always hurts, the rest only while the backup is down too.
    """
    if not primary_ratio > 0:
        return 0.0
    return (1.0 - shared) * (1.0 - backup_ratio)
