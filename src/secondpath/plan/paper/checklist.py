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
    found = status.get("uplinks", [])
    return [u for u in found if isinstance(u, dict)] if isinstance(found, list) else []


def _two_up(status: Status) -> bool | None:
    rows = _uplinks(status)
    return None if not rows else sum(u.get("health") == "UP" for u in rows) >= 2


def _backup_ready(status: Status) -> bool | None:
    rows = [u for u in _uplinks(status) if u.get("role") == "backup" and "ready" in u]
    return all(u["ready"] is True for u in rows) if rows else None


def _different_carriers(status: Status) -> bool | None:
    carriers = [str(u["carrier"]).casefold() for u in _uplinks(status) if u.get("carrier")]
    return len(set(carriers)) == len(carriers) if len(carriers) >= 2 else None


def _says(*path: str, value: object = True) -> Callable[[Status], bool | None]:
    """A proof that looks at one place of the status."""

    def proof(status: Status) -> bool | None:
        at: Any = status
        for part in path:
            at = at.get(part) if isinstance(at, dict) else None
        return None if at is None else bool(at == value)

    return proof


ITEMS = (
    Item("carrier", "Path", "The backup has another carrier than the main line", _different_carriers),
    Item("entrance", "Path", "The lines enter the building at different places (looked at, not asked)"),
    Item("street", "Path", "Pole line or conduit of both lines is known and differs"),
    Item("modem-power", "Power", "Both modems, the gateway, the switch and the telephones hang on the UPS"),
    Item("ups-seen", "Power", "The gateway reads the UPS", _says("power", "seen")),
    Item("ups-test", "Power", "The UPS was run down once and its runtime written down"),
    Item("both-up", "Gateway", "The gateway sees both lines up", _two_up),
    Item("backup-ready", "Gateway", "The backup passes its own tests", _backup_ready),
    Item("guests", "Gateway", "Guests and big downloads are refused on the backup", _says("restriction", "tested")),
    Item(
        "cap",
        "Gateway",
        "The data allowance of the backup is written into the configuration",
        _says("budget", "configured"),
    ),
    Item("antenna", "Gateway", "The antenna stands where the signal was measured best"),
    Item(
        "dark-drill",
        "Proof",
        "A dark drill has passed for every critical application",
        _says("drill", "dark", value="passed"),
    ),
    Item("live-drill", "Proof", "A live drill has passed in working hours", _says("drill", "live", value="passed")),
    Item("phones", "Proof", "A call was made and received on the backup"),
    Item("payment", "Proof", "A card payment went through on the backup"),
    Item("alert", "People", "The test alert reached the manager and the technician", _says("notify", "tested")),
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
