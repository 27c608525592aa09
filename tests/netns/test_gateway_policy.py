"""What may travel where, on the real kernel: guests never on the metered backup, and who is blocked is cut at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.netns.conftest import a_name
from tests.netns.gateway_witness import FAMILIES
from tests.netns.strangers import ECHO, SERVER, connect, go_home, move
from tests.patience import PATIENCE_S

from secondpath.lab.box import Box, config_of
from secondpath.lab.gaps import between, of_stream, resets
from secondpath.lab.office import Office
from secondpath.lab.seat import Seat, Wish
from secondpath.lab.toll import Toll
from secondpath.lab.topology import find_topology, without_delay
from secondpath.wire.messages import Verb

pytestmark = pytest.mark.netns

SURFING = [Wish(kind, f, 0.02) for f in FAMILIES for kind in ("download", "new-udp", "new-tcp", "lasting-udp")]
LASTING = [Wish(kind, f, 0.02) for f in FAMILIES for kind in ("lasting-tcp", "download")]
RESET_WITHIN_S = 0.6
"""A switch of policy, until a client that only listens has been told. Measured: 0.03 s on a quiet machine."""


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with Office.up(without_delay(find_topology("office")), a_name()) as standing:
        yield standing


def test_no_byte_of_a_guest_passes_the_metered_backup_from_the_first_instant_on(office: Office) -> None:
    with Box.of(office, hold="1s") as box:
        box.until_well()
        gate, home = (Toll(office, "guest0", interface).stand() for interface in ("wwan0", "wan0"))
        guest = Seat.take(office, "guest", SURFING)
        box.until(lambda: home.passed().packets > 500, PATIENCE_S, "guests are surfing by cable")
        for _ in range(3):
            move(box, "lte")
            box.until(lambda: box.uses(traffic_class="guest") is None, PATIENCE_S, "guests have to wait")
            was = home.passed()
            go_home(box)
            box.until(lambda was=was: (home.passed() - was).packets > 100, PATIENCE_S, "guests surf again")  # type: ignore[misc]
        for _ in range(2):
            office.inject("cable-cut", "cable")
            box.until(lambda: box.uses() == box.uses("ipv6") == "lte", PATIENCE_S, "both families run on lte")
            office.mend()
            box.until(lambda: box.health("cable") == box.health("cable", "ipv6") == "up", PATIENCE_S, "cable is up")
            was = home.passed()
            go_home(box)
            box.until(lambda was=was: (home.passed() - was).packets > 100, PATIENCE_S, "guests surf again")  # type: ignore[misc]
        guest.leave()
        assert gate.passed().octets == 0


def stricter(office: Office) -> str:
    return config_of(office.topology).replace('class = "guest"', 'class = "bulk"')


BLOCKED = '\n[[policy]]\nclass = "bulk"\non_backup = "block"\n'


def test_a_class_that_becomes_blocked_while_the_line_stays_is_reset_at_once_and_nobody_else_is(office: Office) -> None:
    """The host *guest* stands for bulk here: limited on the metered backup at first, blocked after a reload."""
    with Box.of(office, stricter(office)) as box:
        box.until_well()
        move(box, "lte")
        gate = Toll(office, "guest0", "wwan0").stand()
        began = gate.passed()
        bulk, staff = Seat.take(office, "guest", LASTING), Seat.take(office, "staff", LASTING)
        box.until(lambda: (gate.passed() - began).packets > 500, PATIENCE_S, "bulk travels by lte")
        idle = [connect(office, "guest", (SERVER[family], ECHO)) for family in FAMILIES]
        box.until(lambda: len(staff.samples()) > 50, PATIENCE_S, "staff are at work")
        box.config.write_text(stricter(office) + BLOCKED)
        asked_s = time.monotonic()
        assert box.order(Verb.RELOAD).ok
        done = gate.passed()
        for waiting in idle:
            with waiting, pytest.raises(ConnectionResetError):
                waiting.recv(1)
        reset_s = time.monotonic() - asked_s
        box.until(lambda: box.uses(traffic_class="bulk") is None, PATIENCE_S, "bulk has to wait")
        time.sleep(1.0)
        after, until_s = gate.passed() - done, time.monotonic()
        of_bulk, of_staff = between(bulk.leave(), asked_s, until_s), between(staff.leave(), asked_s, until_s)
        assert reset_s < RESET_WITHIN_S, "who only waits for an answer is told, too"
        assert after.octets == 0, "from the reload's answer on nothing of it passes"
        for family in FAMILIES:
            for kind in ("lasting-tcp", "download"):
                broken = [s for s in of_stream(of_bulk, kind, family) if s.answered_s is None]
                assert broken, f"{kind} over {family} is refused"
                assert broken[0].sent_s - asked_s < RESET_WITHIN_S, "and learns of it at once"
                assert resets(of_stream(of_staff, kind, family)) == 0, f"{kind} of staff over {family} goes on"
        assert box.uses() == "lte"
