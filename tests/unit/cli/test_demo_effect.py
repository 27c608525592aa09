"""What a key press cost, in one sentence."""

from __future__ import annotations

from secondpath.cli.demo_effect import Effect
from secondpath.lab.gaps import Sample

AT_S = 100.0


def stream(kind: str, every_s: float, until_s: float, dead: tuple[float, float] | None, note: str = "") -> list[Sample]:
    """Questions on a grid; those in the dead span have no answer."""
    name = f"{kind}.{round(every_s * 1000)}ms"
    asked = [AT_S - 2 + every_s * n for n in range(round((until_s - AT_S + 2) / every_s))]
    return [Sample(name, s, None if dead and dead[0] <= s < dead[1] else s + 0.03, note) for s in asked]


def effect(*streams: list[Sample]) -> Effect:
    done = Effect("Cable cut", AT_S)
    for samples in streams:
        done.take(samples)
    return done


def test_what_nobody_felt_is_said_so() -> None:
    done = effect(stream("new-udp.ipv4", 0.04, 110, None), stream("call.ipv4", 0.02, 110, None))
    assert done.is_settled(110.0)
    assert done.sentence(110.0) == "nobody felt anything"


def test_a_cut_is_told_in_seconds_packets_and_resets() -> None:
    done = effect(
        stream("new-udp.ipv4", 0.04, 110, (AT_S, AT_S + 0.2)),
        stream("new-tcp.ipv6", 0.05, 110, (AT_S, AT_S + 0.1)),
        stream("call.ipv4", 0.02, 110, (AT_S, AT_S + 0.06)),
        stream("lasting-tcp.ipv4", 0.2, 110, (AT_S, AT_S + 0.3), "reset"),
        stream("download.ipv4", 0.1, 110, (AT_S, AT_S + 0.3)),
    )
    assert done.sentence(110.0) == (
        "new connections worked again after 0.20 s; the call lost 3 packets; 1 connection was reset so that programs "
        "reconnected; the download paused 0.30 s"
    )


def test_the_family_that_alone_felt_it_is_named() -> None:
    done = effect(stream("new-udp.ipv4", 0.04, 110, None), stream("new-udp.ipv6", 0.04, 110, (AT_S, AT_S + 0.6)))
    assert done.sentence(110.0) == "new IPv6 connections worked again after 0.60 s"


def test_what_is_over_for_a_moment_only_is_not_over() -> None:
    done = effect(stream("new-udp.ipv4", 0.04, 107, (AT_S, AT_S + 6.5)))
    assert not done.is_settled(107.0)
    assert done.sentence(107.0) == "92 % of new IPv4 connections fail"
    assert done.is_settled(111.0)
    assert done.sentence(111.0) == "new IPv4 connections worked again after 6.52 s"


def test_an_outage_without_end_is_said_as_it_is_and_given_up_in_the_end() -> None:
    done = effect(stream("new-udp.ipv4", 0.04, 130, (AT_S, 200)), stream("download.ipv4", 0.1, 130, (AT_S, 200)))
    assert done.sentence(130.0) == "new IPv4 connections do not work; the download stands still"
    assert not done.is_settled(130.0)
    assert done.is_settled(161.0)


def test_what_was_lost_long_before_is_not_counted() -> None:
    done = effect(stream("call.ipv4", 0.02, 110, (AT_S - 2, AT_S - 0.5)))
    assert done.sentence(110.0) == "nobody felt anything"
