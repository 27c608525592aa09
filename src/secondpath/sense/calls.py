"""How many calls are in progress on each shaped uplink, from what its queue for voice has sent.

A counter of each is read four times a second: a call that begins must not wait long for its room. A call of any codec
at 20 ms sends 50 packets a second each way. The number rises at once and falls only after a while: a pause is no
hanging up.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from socket import if_nametoindex

from secondpath.model import RateReading
from secondpath.netlink.queueing import Queueing
from secondpath.netlink.wire import NetlinkError

LOOK_S = 0.25
STAY_S = 20.0
"""So long a call that was heard counts as in progress."""
PACKETS_PER_S = 50.0
HALF_A_CALL = 0.5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ear:
    """What was heard of one uplink: packets so far and when, and until when how many calls count."""

    packets: int = -1
    looked_s: float = 0.0
    calls: int = 0
    until_s: float = 0.0

    def hear(self, now_s: float, packets: int) -> bool:
        """Take in the counter as it stands; whether the number of calls has changed. A counter may begin anew."""
        passed_s, moved = now_s - self.looked_s, packets - self.packets
        fresh = self.packets < 0 or moved < 0 or passed_s <= 0
        self.packets, self.looked_s = packets, now_s
        heard = 0 if fresh else calls_of(moved / passed_s)
        before = self.calls
        if heard >= self.calls or now_s >= self.until_s:
            self.calls, self.until_s = heard, now_s + STAY_S
        return self.calls != before


def calls_of(packets_per_s: float) -> int:
    """Calls that send so many packets a second; less than half of one is somebody's keep-alive."""
    return math.floor(packets_per_s / PACKETS_PER_S + HALF_A_CALL)


class Calls:
    """Reports a `RateReading` when the number of calls on an uplink changes.

    `voice` is the number of the class to look at, `devices` says which device queues what comes in by which uplink.
    """

    def __init__(
        self, deliver: Callable[[RateReading], None], voice: int, devices: Callable[[], Mapping[str, str]]
    ) -> None:
        self._deliver, self._voice, self._devices = deliver, voice, devices
        self._ears: dict[str, Ear] = {}
        self._queueing = Queueing()
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False

    def start(self) -> None:
        """Begin to look."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._queueing.close()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_S, self._look)
        devices = self._devices()
        self._ears = {uplink: ear for uplink, ear in self._ears.items() if uplink in devices}
        for uplink, device in devices.items():
            packets = self._packets(device)
            ear = self._ears.setdefault(uplink, Ear())
            if packets is not None and ear.hear(loop.time(), packets):
                self._deliver(RateReading(uplink, calls=ear.calls))

    def _packets(self, device: str) -> int | None:
        """What the queue for voice has sent; None where there is none at this moment."""
        try:
            found = self._queueing.class_(if_nametoindex(device), self._voice)
        except NetlinkError as error:
            self._tell(f"calls cannot be counted: {error}", failing=True)
            return None
        except OSError:
            return None  # the device is gone; whoever made it makes it again
        self._tell("calls are counted again", failing=False)
        return found.packets if found is not None else None

    def _tell(self, words: str, *, failing: bool) -> None:
        if failing is not self._failing:
            self._failing = failing
            log.warning("%s", words, extra={"event": "calls"})
