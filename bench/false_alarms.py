"""Does it cry wolf? One operator's addresses dead for everybody, and 5 % random loss: how often does traffic move?

Two offices side by side, with a few people at work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from bench.ground import FAMILIES, PREFERRED, Answer, Ground, Workday, a_gateway, an_office, written_down
from secondpath.lab.seat import Wish

PEOPLE = [Wish(kind, family, 0.2) for kind in ("new-udp", "new-tcp", "lasting-udp") for family in FAMILIES]
TROUBLES: dict[str, tuple[tuple[str, str | None], ...]] = {
    "one target dead": (("target-dead:192.0.2.1", None), ("target-dead:2001:db8:ff::1", None)),
    "5 % loss": (("loss-5", PREFERRED),),
}


def endure(faults: Sequence[tuple[str, str | None]], minutes: float) -> dict[str, int]:
    """What the gateway did in those minutes: moves of traffic, lines said to be down or poor."""
    with an_office() as office, a_gateway(office) as box:
        people = Workday(office, PEOPLE)
        last = written_down(box)[1]
        for fault, uplink in faults:
            office.inject(fault, uplink)
        time.sleep(60.0 * minutes)
        told = written_down(box, last)[0]
        people.leave().result()
    lines = [t for t in told if t.subject.startswith("line:")]
    return {
        "failovers": sum(t.subject.startswith("steering:") for t in told),
        "down": sum(t.after == "down" for t in lines),
        "degraded": sum(t.after == "degraded" for t in lines),
    }


def ask(ground: Ground) -> Answer:
    minutes = ground.pick(1, 10)
    found: dict[str, dict[str, int]] = {}

    def endured(words: str) -> None:
        found[words] = endure(TROUBLES[words], minutes)

    threads = [threading.Thread(target=endured, args=(words,)) for words in TROUBLES]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if len(found) < len(TROUBLES):
        raise RuntimeError("an office came to grief: see above")
    said = Answer(data={"minutes": minutes, **found})
    for words in TROUBLES:
        seen = found[words]
        said.lines.append(
            f"{words} for {minutes} min: {seen['failovers']} moves of traffic, "
            f"{seen['down']} times down, {seen['degraded']} times degraded"
        )
        said.measured[f"false/{words}"] = seen["failovers"]
    return said
