"""What each uplink is shaped to. Functions of their arguments alone.

The gateway owns the queue before an uplink, so upwards the order of packets is all there is to decide, and the line may
be filled to UP_RATIO. Downwards the queue is the provider's: it stays empty only as long as less is asked for than the
line carries, so all classes together get DOWN_RATIO of it, and those that are not voice leave what calls in progress
need, and some room beside. (Measured: each new connection sends ten packets before anybody can slow it down, 117 ms at
1 Mbit/s; hence the room, and hence limits and blocks are worth more than order.)

What a class is sure of always adds up to the rate of the pipe: an HTB class within its own rate sends even where its
parent is over its limit.
"""

from __future__ import annotations

from collections.abc import Mapping

from secondpath.model import (
    CLASSES,
    OWN,
    Family,
    Lane,
    Pipe,
    RateReading,
    Shape,
    Share,
    Site,
    Treatment,
    Uplink,
)

UP_RATIO, DOWN_RATIO = 0.95, 0.85
"""Of what the line carries: what remains keeps the modem's queue empty, and the provider's."""
VOICE = "voice"
VOICE_RATIO = 0.6
"""The most that calls may be sure of."""
CALL_BPS = 90_000
"""One G.711 call, 20 ms a packet, with the headers of Ethernet (87.2 kbit/s)."""
MOST_CALLS = 100
"""Beyond, calls of a large line are sure of no more."""
SMALL_BPS = 20_000_000
"""A line below this lends the share of calls in progress to nobody downwards, and a limited class a tenth."""
CALLS_ROOM_RATIO = 0.6
"""Of what calls in progress leave downwards on a small line, what others may have: twenty downloads that share what is
left send more than it, whatever a queue drops. (Measured at 4 Mbit/s with 20 calls: all of it, MOS 1.3; this, 4.35.)"""
LOW_BPS = 1_000_000
"""A line below this, such as a throttled plan, has next to nothing to spare for what can wait."""
PARTS: Mapping[str, float] = {
    "payments": 0.15, "line-of-business": 0.25, "remote-access": 0.15, "office": 0.20, "personal": 0.05,
    "bulk": 0.05, "streaming": 0.05, "guest": 0.05, OWN: 0.05,
}  # fmt: skip
"""Of what voice leaves, what each class is sure of."""
LOW_PARTS: Mapping[str, float] = {
    "payments": 0.24, "line-of-business": 0.24, "remote-access": 0.15, "office": 0.24, "personal": 0.02,
    "bulk": 0.02, "streaming": 0.02, "guest": 0.02, OWN: 0.05,
}  # fmt: skip
OWN_CEIL_RATIO = 0.25
"""The gateway's own traffic goes early, so it may not have everything: an upgrade of the box is no probe."""
LIMITED_RATIO, LIMITED_SMALL_RATIO = 0.25, 0.10
"""What a limited class may have of a large line, and of a small one."""
GUEST_RATIO, GUEST_SMALL_BPS = 0.05, 256_000
"""The same for limited guests; of a small line a fixed rate, if that is less than a tenth."""
PACED_RATIO = 0.5
NO_PACES: Mapping[str, int] = {}
STEP_BPS = 1000
LEAST_BPS = 8 * STEP_BPS
LEAST_PIPE_BPS = 160_000
"""Of less there is nothing to share out: such a line is left alone."""


def shapes_of(
    site: Site,
    lanes: Mapping[tuple[str, Family], Lane],
    found: Mapping[str, RateReading],
    paces: Mapping[str, int] = NO_PACES,
) -> tuple[Shape, ...]:
    """The shape of every uplink of which a rate is known: by its contract, or `found` by measuring.

    `paces` are the mean rates at which the data of squeezed uplinks lasts.
    """
    shapes = (shape_of(u, lanes, found.get(u.name, RateReading(u.name)), paces.get(u.name)) for u in site.uplinks)
    return tuple(shape for shape in shapes if shape.down or shape.up)


def shape_of(
    uplink: Uplink, lanes: Mapping[tuple[str, Family], Lane], found: RateReading, pace_bps: int | None = None
) -> Shape:
    """The shape of one uplink. What is measured goes before what was promised."""
    limited = frozenset(
        name for (name, _), lane in lanes.items() if lane.uplink == uplink.name and lane.treatment is Treatment.LIMIT
    )
    down_bps = _throttled(uplink, found, found.down_bps or uplink.down_bps)
    up_bps = _throttled(uplink, found, found.up_bps or uplink.up_bps)
    held_bps = (found.calls or 0) * CALL_BPS
    most_bps = _paced(pace_bps, len(limited))
    down = _pipe(down_bps, DOWN_RATIO, limited, held_bps, most_bps)
    return Shape(uplink.name, down, _pipe(up_bps, UP_RATIO, limited, 0, most_bps))


def _paced(pace_bps: int | None, limited: int) -> int | None:
    """The most that each limited class may have for the data to last: half the pace is theirs, the rest the others'."""
    return None if pace_bps is None else max(LEAST_BPS, _whole(pace_bps * PACED_RATIO / max(1, limited)))


def _throttled(uplink: Uplink, found: RateReading, rate_bps: int | None) -> int | None:
    """An allowance that is used up leaves what the plan says; what is measured may be less still."""
    beyond_bps = uplink.plan.beyond_bps if found.spent and uplink.plan else None
    known = [rate for rate in (rate_bps, beyond_bps) if rate]
    return min(known, default=None)


def _pipe(
    line_bps: int | None, ratio: float, limited: frozenset[str], held_bps: int, most_bps: int | None
) -> Pipe | None:
    """One direction: `held_bps` is for calls in progress and lent to nobody, `most_bps` the most of a limited class."""
    if line_bps is None or line_bps < LEAST_PIPE_BPS:
        return None
    rate_bps = _whole(line_bps * ratio)
    voice_bps = _whole(min(rate_bps * VOICE_RATIO, MOST_CALLS * CALL_BPS))
    others_bps = rate_bps
    if held_bps and line_bps < SMALL_BPS:
        others_bps = _whole(CALLS_ROOM_RATIO * (rate_bps - min(voice_bps, held_bps)))
    sure_bps = min(rate_bps - voice_bps, others_bps)
    parts = LOW_PARTS if line_bps < LOW_BPS else PARTS
    shares = [Share(VOICE, voice_bps, rate_bps)]
    for name in (*(c for c in CLASSES if c != VOICE), OWN):
        ceil_bps = min(others_bps, _ceil(name, name in limited, line_bps, rate_bps))
        if name in limited and most_bps is not None:
            ceil_bps = min(ceil_bps, most_bps)
        shares.append(Share(name, min(ceil_bps, max(STEP_BPS, _whole(sure_bps * parts[name]))), ceil_bps))
    return Pipe(rate_bps, others_bps, tuple(shares))


def _ceil(name: str, limited: bool, line_bps: int, rate_bps: int) -> int:
    """The most that a class may have."""
    if name == OWN:
        return max(LEAST_BPS, _whole(rate_bps * OWN_CEIL_RATIO))
    if not limited:
        return rate_bps
    large = line_bps >= SMALL_BPS
    if name == "guest":
        most_bps = rate_bps * GUEST_RATIO if large else min(GUEST_SMALL_BPS, rate_bps * LIMITED_SMALL_RATIO)
    else:
        most_bps = rate_bps * (LIMITED_RATIO if large else LIMITED_SMALL_RATIO)
    return max(LEAST_BPS, _whole(most_bps))


def _whole(rate_bps: float) -> int:
    """Whole kbit/s: so many bytes a second that every tool says the same number."""
    return int(rate_bps) // STEP_BPS * STEP_BPS
