"""What people feel while the gateway is killed, started, flushed from under itself, and given one more uplink.

READY counts from the start of the process, the interpreter's own start included; its floor is a Python that starts and
ends. By then the gateway has read the kernel, adopted what it found and mended what differed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from bench.figures import Distribution, seconds, table, three
from bench.ground import FAMILIES, Answer, Ground, Workday, a_gateway, an_office
from secondpath.lab.box import Box, config_of
from secondpath.lab.gaps import lost, of_stream, outage
from secondpath.lab.office import Office
from secondpath.lab.seat import Wish
from secondpath.lab.topology import GATEWAY_HOST, find_topology
from secondpath.wire.messages import Verb

WORK = [Wish(kind, family, 0.01) for kind in ("new-udp", "lasting-udp") for family in FAMILIES]
LIMIT_S = 10.0
NEVER_S = float("inf")


def ending_and_starting(box: Box, count: int) -> tuple[list[float], list[float], int, int]:
    """Seconds to READY and of a bare interpreter, `count` of each; packets of people, and how many were lost."""
    people = Workday(box.office, WORK)
    people.until_working()
    ready_s, bare_s = [], []
    for number in range(count):
        box.stop(signal.SIGTERM if number % 2 else signal.SIGKILL)
        ready_s.append(box.start())
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare_s.append(time.monotonic() - began_s)
    box.until_well()
    samples = people.leave().result()
    return ready_s, bare_s, len(samples), lost(samples)


def flushed(office: Office, box: Box, count: int) -> list[float]:
    """How long new flows of each family fail after somebody's `nft flush ruleset`."""
    found = []
    for _ in range(count):
        people = Workday(office, WORK)
        people.until_working()
        time.sleep(0.3)
        at_s = time.monotonic()
        office.run(GATEWAY_HOST, ["nft", "flush", "ruleset"], check=True)
        time.sleep(1.5)
        box.until(lambda: box.order(Verb.STATUS).ok, LIMIT_S, "the gateway answers")
        samples = people.leave().result()
        for family in FAMILIES:
            felt = outage(of_stream(samples, "new-udp", family), at_s)
            found.append(0.0 if felt is None else NEVER_S if felt.end_s is None else felt.end_s - at_s)
    return found


def one_more_uplink(count: int) -> list[float]:
    """From the order to reload until the new uplink is up."""
    found = []
    with an_office(find_topology("three")) as office:
        whole = config_of(office.topology)
        start, end = whole.index('[[uplink]]\nname = "fibre"'), whole.index("[[network")
        two = whole[:start] + whole[end:]
        with Box.of(office, two) as box:
            for _ in range(count):
                box.until_well()
                box.config.write_text(whole)
                began_s = time.monotonic()
                assert box.order(Verb.RELOAD).ok
                box.until(lambda: box.health("fibre", "ipv6") == "up", LIMIT_S, "the third uplink is up")
                found.append(time.monotonic() - began_s)
                box.config.write_text(two)
                assert box.order(Verb.RELOAD).ok
    return found


def ask(ground: Ground) -> Answer:
    said = Answer()
    with an_office() as office, a_gateway(office) as box:
        ready_s, bare_s, asked, missed = ending_and_starting(box, ground.pick(6, 20))
        ground.tell("restart: now the ruleset is flushed")
        flush_s = flushed(office, box, ground.pick(3, 10))
    third_s = one_more_uplink(ground.pick(3, 10))
    ready, bare, flush, third = (Distribution.of(found) for found in (ready_s, bare_s, flush_s, third_s))
    rows = [
        ["start to READY, killed or stopped before", str(ready.n), *three(ready)],
        ["floor: an interpreter starts and ends", str(bare.n), *three(bare)],
        ["nft flush ruleset: new flows work again", str(flush.n), *three(flush)],
        ["a third uplink by reload, until it is up", str(third.n), *three(third)],
    ]
    said.lines = [
        *table(["", "n", "median", "p95", "worst"], rows),
        f"{missed} of {asked} packets of people lost over {ready.n} ends and starts",
        f"(a start over its floor: {seconds(ready.median - bare.median)} more)",
    ]
    said.data = {
        "ready_s": ready.json(), "bare_s": bare.json(), "flush_s": flush.json(), "third_s": third.json(),
        "asked": asked, "lost": missed,
    }  # fmt: skip
    said.measured = {
        "restart/ready/p95": ready.p95,
        "restart/lost": missed,
        "restart/flush/p95": flush.p95,
        "restart/third/p95": third.p95,
    }
    return said
