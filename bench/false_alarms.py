"""Does it cry wolf? One operator's addresses dead for everybody, 5 % random loss, short cuts: how often does it move?

Three offices side by side, with a few people at work.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from bench.ground import FAMILIES, PREFERRED, Answer, Ground, Workday, a_gateway, an_office, written_down
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish

PEOPLE = [Wish(kind, family, 0.2) for kind in ("new-udp", "new-tcp", "lasting-udp") for family in FAMILIES]
CUT_S, EVERY_S, TIMES = 5.0, 30.0, 6
Trouble = Callable[[Office, float], None]


def lasting(*faults: tuple[str, str | None]) -> Trouble:
    """Faults that are there all the time."""

    def endure(office: Office, minutes: float) -> None:
        for fault, uplink in faults:
            office.inject(fault, uplink)
        time.sleep(60.0 * minutes)

    return endure


def cuts(office: Office, _: float) -> None:
    """A line that is dead for 5 s of every 30: one failover is right, and no homecoming in between."""
    for _ in range(TIMES):
        office.inject("blackhole", PREFERRED)
        time.sleep(CUT_S)
        office.heal("blackhole", PREFERRED)
        time.sleep(EVERY_S - CUT_S)


TROUBLES: dict[str, Trouble] = {
    "one target dead": lasting(("target-dead:192.0.2.1", None), ("target-dead:2001:db8:ff::1", None)),
    "5 % loss": lasting(("loss-5", PREFERRED)),
    "cuts of 5 s": cuts,
}


def endure(trouble: Trouble, minutes: float) -> dict[str, int]:
    """What the gateway did meanwhile: moves of a family, lines said to be down or poor."""
    with an_office() as office, a_gateway(office) as box:
        people = Workday(office, PEOPLE)
        last = written_down(box)[1]
        trouble(office, minutes)
        told = written_down(box, last)[0]
        people.leave().result()
    lines = [t for t in told if t.subject.startswith("line:")]
    moves = Counter(t.subject for t in told if t.subject.startswith("steering:"))
    return {
        "failovers": max(moves.values(), default=0),
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
    for words, trouble in TROUBLES.items():
        seen = found[words]
        lasted = f"six {words}" if trouble is cuts else f"{words} for {minutes} min"
        said.lines.append(
            f"{lasted}: {seen['failovers']} moves of traffic, "
            f"{seen['down']} times down, {seen['degraded']} times degraded"
        )
        said.measured[f"false/{words}"] = seen["failovers"]
    return said
