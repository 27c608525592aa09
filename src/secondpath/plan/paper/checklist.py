"""The implementation checklist: verified by the running gateway where it can be, else ticked by a person with a name.

The gateway's word is a status document (`secondpath status --json`); a line that it can prove needs nobody's tick, and
a line that it disproves stays open whoever ticked it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One line. `proof` looks into a status and says True, False, or None if it cannot tell."""

    key: str
    part: str
    words: str
    proof: Callable[[Status], bool | None] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one line stands: open, verified, contradicted or ticked, and by whom and when."""

    item: Item
    state: str
    by: str = ""
    on: str = ""


def _uplinks(status: Status) -> list[dict[str, Any]]:
    """The uplinks, most preferred first, as the schema has them (wire/schema/status.json)."""
    found = status.get("uplinks", [])
    return [u for u in found if isinstance(u, dict)] if isinstance(found, list) else []


def _offered(uplink: dict[str, Any]) -> list[str]:
    """The health of each family that the uplink offers: one that nobody ever set up there is no fault."""
    lines, health = uplink.get("lines") or {}, uplink.get("health") or {}
    return [word for family, word in health.items() if (lines.get(family) or {}).get("offered", True)]


def _well(words: list[str]) -> bool | None:
    """True if all are up, None while nothing is known of some."""
    return None if not words or "unknown" in words else all(word == "up" for word in words)


def _both_up(status: Status) -> bool | None:
    rows = [_offered(uplink) for uplink in _uplinks(status)]
    if len(rows) < 2:
        return False if rows else None
    return _well([word for words in rows for word in words])


def _backup_ready(status: Status) -> bool | None:
    """Some backup carries every family it offers, by its own tests."""
    found = [_well(_offered(uplink)) for uplink in _uplinks(status)[1:]]
    if True in found:
        return True
    return None if None in found or not found else False


def _different_carriers(status: Status) -> bool | None:
    carriers = [str(u["carrier"]).casefold() for u in _uplinks(status) if u.get("carrier")]
    whole = len(carriers) == len(_uplinks(status)) >= 2
    return len(set(carriers)) == len(carriers) if whole else None


def _both_families(status: Status) -> bool | None:
    """Every uplink in use serves IPv4, and IPv6 wherever it is offered."""
    verdict = status.get("verdict") or {}
    words = [word for uplink in _uplinks(status) for word in _offered(uplink)]
    if verdict.get("code") == "one-family":
        return False
    return True if _well(words) else None


def _guests_wait(status: Status) -> bool | None:
    """Only while traffic really runs on a metered backup can it be seen."""
    metered = {u.get("name") for u in _uplinks(status)[1:] if u.get("metered") is True}
    active = status.get("active") or {}
    used = {lane.get("uplink") for lane in active.values() if isinstance(lane, dict)}
    return "guest" in (status.get("paused") or []) if used & metered else None


def _by_rule(status: Status) -> bool | None:
    """Nobody has left traffic held or moved by hand."""
    return status["override"] is None if "override" in status else None


ITEMS = (
    Item("carrier", "Path", "The backup has another carrier than the main line", _different_carriers),
    Item("entrance", "Path", "The lines enter the building at different places (looked at, not asked)"),
    Item("street", "Path", "Pole line or conduit of both lines is known and differs"),
    Item("modem-power", "Power", "Both modems, the gateway, the switch and the telephones hang on the UPS"),
    Item("ups-seen", "Power", "The gateway reads the UPS"),
    Item("ups-test", "Power", "The UPS was run down once and its runtime written down"),
    Item("both-up", "Gateway", "The gateway sees both lines up", _both_up),
    Item("families", "Gateway", "IPv4 and IPv6 both work on every line that offers them", _both_families),
    Item("backup-ready", "Gateway", "The backup passes its own tests", _backup_ready),
    Item("guests", "Gateway", "Guests wait while traffic runs on a metered backup", _guests_wait),
    Item("downloads", "Gateway", "Big downloads are slowed or refused on the backup"),
    Item("by-rule", "Gateway", "Nobody has left traffic held or moved by hand", _by_rule),
    Item("cap", "Gateway", "The data allowance of the backup is written into the configuration"),
    Item("antenna", "Gateway", "The antenna stands where the signal was measured best"),
    Item("dark-drill", "Proof", "A dark drill has passed for every critical application"),
    Item("live-drill", "Proof", "A live drill has passed in working hours"),
    Item("phones", "Proof", "A call was made and received on the backup"),
    Item("payment", "Proof", "A card payment went through on the backup"),
    Item("alert", "People", "The test alert reached the manager and the technician"),
    Item("notice", "People", "The staff notice hangs where people see it"),
    Item("runbook", "People", "The runbook is printed, with account numbers and telephone numbers filled in"),
    Item("owner", "People", "The owner has signed the limit of business hours (MTPD)"),
    Item("repair-time", "People", "The contract's repair time stands beside your limit in the runbook"),
)


def marks(ticks: dict[str, dict[str, str]], status: Status | None) -> tuple[Mark, ...]:
    """Where every line stands."""
    return tuple(_mark(item, ticks.get(item.key), status) for item in ITEMS)


def _mark(item: Item, tick: dict[str, str] | None, status: Status | None) -> Mark:
    proven = item.proof(status) if item.proof and status is not None else None
    if proven is True:
        return Mark(item, "verified", "the gateway", str((status or {}).get("at", "")))
    if proven is False:
        return Mark(item, "contradicted", "the gateway", str((status or {}).get("at", "")))
    if tick:
        return Mark(item, "ticked", tick.get("by", ""), tick.get("on", ""))
    return Mark(item, "open")


def progress(found: tuple[Mark, ...]) -> str:
    """'12 of 20 done (5 verified by the gateway, 7 by people), 1 contradicted'."""
    count = {state: sum(m.state == state for m in found) for state in ("verified", "ticked", "contradicted")}
    done = count["verified"] + count["ticked"]
    tail = f", {count['contradicted']} contradicted by the gateway" if count["contradicted"] else ""
    return (
        f"{done} of {len(found)} done ({count['verified']} verified by the gateway, {count['ticked']} by people){tail}"
    )
