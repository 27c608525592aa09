"""What people do all day: the catalogue of streams. Each reports samples: sent, answered or not, a note.

A stream ticks on a fixed grid (no drift) and never waits for an answer before the next tick, so an outage shows
as a run of unanswered samples. The note is the address the internet saw (services on port 7001 tell it), or what
went wrong: `reset`, `refused`, `unreachable`. To add a stream: a class with `tick()`, and a line here.
"""

import resource
from collections.abc import Callable

from secondpath.lab.habit import Habit, Report
from secondpath.lab.streams_tcp import Browsing, Download, LastingTcp, NewTcp
from secondpath.lab.streams_udp import Call, DnsLookups, LastingUdp, NewUdp

Stream = NewUdp | LastingUdp | NewTcp | LastingTcp
STREAMS: dict[str, Callable[[Habit, Report], Stream]] = {
    "new-udp": NewUdp,
    "lasting-udp": LastingUdp,
    "new-tcp": NewTcp,
    "lasting-tcp": LastingTcp,
    "download": Download,
    "dns": DnsLookups,
    "call": Call,
    "web": Browsing,
}


def raise_file_limit() -> None:
    """An outage of two seconds at 5 ms leaves thousands of sockets waiting."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
