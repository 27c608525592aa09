"""What the kernel counted, what is known, and what is amiss: the part of a snapshot for whoever looks closer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from secondpath import clock
from secondpath.act.recognition import ASKED, UNRECOGNISED, collisions, recognises

if TYPE_CHECKING:
    from secondpath.daemon.shell import Gateway


def evidence_of(gateway: Gateway) -> dict[str, object]:
    """The evidence of a gateway at this moment."""
    try:
        counters = {name: packets for name, (packets, _) in gateway.box.counters().items()}
    except OSError:
        counters = {}
    epochs = {str(line): epoch for line, epoch in gateway.hand.epochs.items()}
    questions = gateway.saving.spent.of(clock.wall().date(), {u.name for u in gateway.site.uplinks if u.metered})
    return {"counters": counters, "questions": questions, "epochs": epochs,
            "trouble": gateway.trouble, "book": gateway.book.trouble,
            "rungs": {str(line): ladder.rungs() for line, ladder in gateway.engine.ladders.items()},
            "path": {str(line): judge.path.learned() for line, judge in gateway.engine.judges.items()},
            "recognition": _recognition(gateway, counters)}  # fmt: skip


def _recognition(gateway: Gateway, counters: Mapping[str, int]) -> dict[str, object] | None:
    """How many new flows were asked who they are since the table was loaded, and how many nobody knew."""
    site = gateway.site
    if not recognises(site):
        return None
    shared = collisions(site, gateway.engine.steering().destinations)
    return {
        "flows": counters.get(ASKED, 0),
        "unrecognised": counters.get(UNRECOGNISED, 0),
        "shared": [{"address": str(c.address), "applications": list(c.applications)} for c in shared],
        **gateway.knowing.told(),
    }
