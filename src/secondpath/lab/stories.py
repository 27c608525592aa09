"""The stories: what happens to the office, and what must hold. The same are the demo, the tests and the rehearsal.

To add a story: one entry, of data (story.py).
"""

from secondpath.lab.errors import unknown
from secondpath.lab.seat import Wish
from secondpath.lab.story import HEAL, INJECT, Expect, Step, Story

FAMILIES = ("ipv4", "ipv6")
STAFF = (
    *(Wish(kind, family) for kind in ("new-udp", "lasting-udp", "new-tcp", "lasting-tcp") for family in FAMILIES),
    Wish("download", "ipv4"),
    Wish("dns", "ipv4", 0.2),
    Wish("call", "ipv4", 0.02),
)
GUEST = tuple(Wish("new-udp", family, 0.2) for family in FAMILIES)


def _back_within(kind: str, at_s: float, to_s: float, limit_s: float) -> tuple[Expect, ...]:
    """Both families of one kind work again within the limit."""
    return tuple(
        Expect(f"{kind} over {f} works again within {limit_s:g} s", "outage_s", kind, f, "staff", at_s, to_s, limit_s)
        for f in FAMILIES
    )


def _leaves_by(uplink: str, from_s: float, to_s: float, families: tuple[str, ...] = FAMILIES) -> tuple[Expect, ...]:
    """New flows leave by that uplink and no other."""
    return tuple(
        Expect(f"new {f} flows leave by {uplink}", "leaves_by", "new-udp", f, "staff", from_s, to_s, equals=uplink)
        for f in families
    )


def _guest_refused(from_s: float, to_s: float) -> Expect:
    return Expect("guests get nothing on lte", "answered_ratio", host="guest", from_s=from_s, to_s=to_s, equals=0.0)


def _nobody_moves() -> tuple[Expect, ...]:
    return (
        Expect("no flow changes its uplink", "switches", equals=0.0),
        Expect("no connection is reset", "resets", "lasting-tcp", equals=0.0),
    )


OWN_SOURCE = Expect("no packet shows an ISP another's source", "wrong_source", equals=0.0)


def _failover(name: str, words: str, fault: str, what: str, limit_s: float, tcp_limit_s: float) -> Story:
    """Cable fails at 5 s, is mended at 20 s; the gateway goes home after the hold, calls in progress stay."""
    return Story(
        name,
        words,
        45.0,
        (
            Step(5.0, INJECT, fault, "cable", what),
            Step(20.0, HEAL, fault, "cable", "The cable line works again. Traffic goes home only after the hold."),
        ),
        (
            *_back_within("new-udp", 5.0, 18.0, limit_s),
            *_back_within("lasting-udp", 5.0, 18.0, limit_s),
            *_back_within("new-tcp", 5.0, 18.0, limit_s),
            *_back_within("lasting-tcp", 5.0, 18.0, tcp_limit_s),
            *_leaves_by("lte", 8.0, 19.5),
            _guest_refused(8.0, 19.5),
            *_leaves_by("lte", 20.5, 28.0),
            *_leaves_by("cable", 38.0, 44.0),
            Expect("the call stays where it is", "leaves_by", "call", from_s=22.0, to_s=44.0, equals="lte"),
            Expect("going home costs nobody anything", "worst_gap_s", from_s=21.0, to_s=44.0, at_most=0.2),
            Expect("there and back, and no more", "switches", "new-udp", "ipv4", at_most=2.0),
            OWN_SOURCE,
        ),
        STAFF,
        GUEST,
    )


def _quiet(name: str, words: str, fault: str, uplink: str | None, what: str) -> Story:
    """Something happens that is no reason to move."""
    return Story(
        name,
        words,
        40.0,
        (Step(5.0, INJECT, fault, uplink, what), Step(30.0, HEAL, fault, uplink, "It is over.")),
        (*_nobody_moves(), *_leaves_by("cable", 5.0, 39.0), OWN_SOURCE),
        STAFF,
        GUEST,
    )


def _both_dead(
    name: str,
    words: str,
    steps: tuple[Step, ...],
    lasts_s: float,
    back: str,
    window: tuple[float, float],
    *more: Expect,
) -> Story:
    """Both uplinks are dead at once; then one is back, and in that window (from, to) people work by it."""
    from_s, to_s = window
    return Story(
        name,
        words,
        lasts_s,
        steps,
        (
            *_leaves_by(back, from_s, to_s),
            Expect(f"with {back} back, people work", "worst_gap_s", from_s=from_s, to_s=to_s, at_most=0.3),
            *more,
            OWN_SOURCE,
        ),
        STAFF,
        GUEST,
    )


_STORIES = (
    _failover("cable-cut", "The cable is pulled.", "cable-cut", "Someone pulls the cable.", 0.3, 1.0),
    _failover(
        "black-hole",
        "The ISP's network dies behind its router: every light stays green.",
        "blackhole",
        "Upstream goes silent; modem and ISP router still answer.",
        2.0,
        3.0,
    ),
    _failover("next-hop-dead", "The modem hangs.", "modem-dead", "The modem hangs with its lights on.", 2.0, 3.0),
    # https://github.com/opnsense/core/issues/7163
    _quiet(
        "one-target-dead",
        "One address that is probed dies for everybody: no reason to move.",
        "target-dead:192.0.2.1",
        None,
        "192.0.2.1 stops answering the whole world.",
    ),
    _quiet(
        "five-percent-loss",
        "Five percent of round trips are lost: no reason to move.",
        "loss-5",
        "cable",
        "The cable line loses five percent.",
    ),
    _both_dead(
        "both-die",
        "Both uplinks die; each comes back alone.",
        (
            Step(5.0, INJECT, "blackhole", "cable", "The cable line goes silent."),
            Step(10.0, INJECT, "blackhole", "lte", "Now LTE goes silent too: there is no way out."),
            Step(20.0, HEAL, "blackhole", "lte", "LTE comes back alone."),
            Step(32.0, HEAL, "blackhole", "cable", "The cable line comes back."),
        ),
        50.0,
        "lte",
        (25.0, 31.0),
        *_leaves_by("lte", 8.0, 9.5),
        Expect("in the end people work", "worst_gap_s", from_s=36.0, to_s=49.0, at_most=0.3),
    ),
    _both_dead(
        "second-dies-during-failover",
        "LTE dies in the moment of the failover to it.",
        (
            Step(5.0, INJECT, "cable-cut", "cable", "Someone pulls the cable."),
            Step(5.2, INJECT, "blackhole", "lte", "LTE goes silent in that moment."),
            Step(15.0, HEAL, "cable-cut", "cable", "The cable is back."),
            Step(30.0, HEAL, "blackhole", "lte", "LTE is back."),
        ),
        40.0,
        "cable",
        (20.0, 39.0),
    ),
    Story(
        "ipv6-dies",
        "The cable ISP loses IPv6 only.",
        45.0,
        (
            Step(5.0, INJECT, "blackhole-v6", "cable", "IPv6 goes silent on the cable line."),
            Step(20.0, HEAL, "blackhole-v6", "cable", "IPv6 is back."),
        ),
        (
            Expect("IPv6 works again", "outage_s", "new-udp", "ipv6", from_s=5.0, to_s=18.0, at_most=2.0),
            *_leaves_by("lte", 9.0, 19.5, ("ipv6",)),
            *_leaves_by("cable", 0.0, 44.0, ("ipv4",)),
            Expect("IPv4 feels nothing", "worst_gap_s", "new-udp", "ipv4", at_most=0.2),
            Expect("IPv4 connections stay", "resets", "lasting-tcp", "ipv4", equals=0.0),
            OWN_SOURCE,
        ),
        STAFF,
        GUEST,
    ),
    # https://www.404andmore.com/pfsense-how-to-configure-wan-failover-dual-wan/
    Story(
        "brown-out",
        "The cable line loses thirty percent: not dead, but no place for a call.",
        50.0,
        (
            Step(5.0, INJECT, "loss-30", "cable", "The cable line begins to lose thirty percent."),
            Step(30.0, HEAL, "loss-30", "cable", "The loss stops."),
        ),
        (
            *_leaves_by("lte", 22.0, 29.5),
            Expect("nothing is reset for a brown-out", "resets", "lasting-tcp", to_s=29.0, equals=0.0),
            OWN_SOURCE,
        ),
        STAFF,
        GUEST,
    ),
    # https://github.com/opnsense/core/issues/5786
    Story(
        "flapping",
        "Five seconds dead in every thirty: one move, then patience.",
        100.0,
        tuple(
            step
            for n in range(3)
            for step in (
                Step(5.0 + 30 * n, INJECT, "blackhole", "cable", f"The cable line goes silent, time {n + 1}."),
                Step(10.0 + 30 * n, HEAL, "blackhole", "cable", "It is back."),
            )
        ),
        (
            Expect("one move, not six", "switches", "new-udp", "ipv4", at_most=1.0),
            *_leaves_by("lte", 10.0, 99.0),
            Expect("later cuts are not felt", "worst_gap_s", from_s=12.0, to_s=99.0, at_most=0.2),
            OWN_SOURCE,
        ),
        STAFF,
        GUEST,
        hold_s=60.0,
    ),
)
STORIES: dict[str, Story] = {story.name: story for story in _STORIES}


def find_story(name: str) -> Story:
    """The story of that name, or a sentence."""
    if name not in STORIES:
        raise unknown("story", name, STORIES)
    return STORIES[name]
