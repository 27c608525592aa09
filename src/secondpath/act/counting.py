"""What the table counts of every line, so that live traffic can serve as a probe (adr/0009). Pure: names and rules.

Six counters for each line; what costs most is done to the fewest packets:

    out     every packet of ours that leaves by the line, in the chain that `route_of` leads to anyway
    in      what comes back: packets of established flows that carry this uplink's mark. What is only *related* (a
            router's "unreachable") does not count, nor what is no flow of ours, such as our own probes
    syn     new TCP connections, in the translation's chain, which the kernel shows the first packet of a flow only
    dnsq    new DNS questions, there too; a stub resolver asks each from a new port
    synack  answers to these, behind the match of the MSS clamp, which a data packet fails early
    dnsr    packets from port 53; the one match that other packets pay for (TCP stops at its first comparison)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from secondpath.act.plane import ARRIVED, UPLINK_MASK
from secondpath.model import Family, Line, Site

COUNTED = ("out", "in", "syn", "synack", "dnsq", "dnsr")
THIS_UPLINK = f"ct mark and {UPLINK_MASK & ~ARRIVED:#010x} =="


def counter(what: str, number: int, family: Family) -> str:
    """The name of one counter."""
    return f"{what}_{number}_{family}"


def traffic_counters(numbers: Mapping[str, int]) -> dict[str, tuple[Line, str]]:
    """Every counter of the lines of these uplinks: its name to the line and what it counts (one of COUNTED)."""
    return {
        counter(what, number, family): (Line(uplink, family), what)
        for uplink, number in numbers.items()
        for family in Family
        for what in COUNTED
    }


def via_chain(number: int, family: Family) -> str:
    """The chain that a packet of ours goes through when it is to leave by this line."""
    return f"via_{number}_{family}"


def back_chain(number: int, family: Family) -> str:
    """The chain of an answer to what came in by this line: it leaves by it, whatever main knows."""
    return f"back_{number}_{family}"


def count_sent(number: int, family: Family) -> str:
    """In `via_chain` and `back_chain`."""
    return f'counter name "{counter("out", number, family)}"'


def count_begun(number: int) -> list[str]:
    """In the uplink's translation chain, before anything that ends it: only first packets come there."""
    ours = f"{THIS_UPLINK} {number:#010x}"
    return [
        f"{ours} meta l4proto tcp counter name {_by_family('syn', number)}",
        f"{ours} udp dport 53 counter name {_by_family('dnsq', number)}",
    ]


def count_arrived(number: int, read: str = "") -> list[str]:
    """In the uplink's arrival chain, before what else is established may pass.

    `read` hands a DNS answer to our reader: behind the one comparison with port 53 it costs other packets nothing.
    """
    ours = f"ct state established {THIS_UPLINK} {number:#010x}"
    return [
        f"udp sport 53 {ours} counter name {_by_family('dnsr', number)} {read}".rstrip(),
        *(f'meta nfproto {f} {ours} counter name "{counter("in", number, f)}" accept' for f in Family),
    ]


def count_opened(site: Site, numbers: Mapping[str, int]) -> str:
    """Behind the match of the clamp; the incoming interface is known in postrouting since Linux 5.7."""
    pairs = (f'"{u.interface}" . {f} : "{counter("synack", numbers[u.name], f)}"' for u in site.uplinks for f in Family)
    return f"tcp flags & ack == ack counter name iifname . meta nfproto map {{ {', '.join(pairs)} }}"


def _by_family(what: str, number: int) -> str:
    return "meta nfproto map { " + ", ".join(f'{f} : "{counter(what, number, f)}"' for f in Family) + " }"


def names(numbers: Iterable[int]) -> list[str]:
    """All counters of these uplinks, as the table declares them."""
    return [counter(what, number, family) for number in numbers for family in Family for what in COUNTED]
