"""Queueing disciplines, their classes, and filters that redirect: read only (linux/pkt_sched.h, pkt_cls.h).

What changes them is tc(8). Rates are in bit/s here; the kernel has bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from secondpath.netlink.wire import NETLINK_ROUTE, Socket, attributes, number, string

ROOT_PARENT = 0xFFFFFFFF
CLSACT_EGRESS = 0xFFFFFFF3
CLSACT_INGRESS = 0xFFFFFFF2
_GET_QDISC, _GET_CLASS, _GET_FILTER = 38, 42, 46
_HEADER = struct.Struct("=B3xiIII")  # tcmsg: family, index, handle, parent, info
_RATE = struct.Struct("=8xI")  # tc_ratespec: all but the rate itself
_KIND, _OPTIONS, _STATS2 = 1, 2, 7
_HTB_PARMS, _HTB_INIT, _HTB_RATE64, _HTB_CEIL64 = 1, 2, 6, 7


@dataclass(frozen=True, slots=True)
class Qdisc:
    """A queueing discipline. `handle` is its major number, `parent` whole; `options` as `parse_qdisc` could read.

    Of pfifo and fq_codel `limit`, of the latter `target_us`, of HTB `default`, of cake `rate_bps` and `ingress`.
    """

    index: int
    kind: str
    handle: int
    parent: int
    options: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HtbClass:
    """A class of HTB, with what it has sent. `parent` is the minor number of the class above; 0: it is the first."""

    index: int
    minor: int
    parent: int
    rate_bps: int
    ceil_bps: int
    priority: int
    is_leaf: bool
    bytes_: int = 0
    packets: int = 0
    drops: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter; `came_in` is the interface it is for, and `to` the index of the one it redirects to, 0 for none."""

    index: int
    preference: int
    kind: str
    came_in: str = ""
    to: int = 0


class Queueing:
    """What this network namespace has of all that. Raises `NetlinkError`; needs no capability."""

    def __init__(self, *, timeout_s: float = 5.0) -> None:
        self._socket = Socket(NETLINK_ROUTE, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def qdiscs(self) -> list[Qdisc]:
        """All of all devices; of a class's own leaf too."""
        bodies = self._socket.dump(_GET_QDISC, _HEADER.pack(0, 0, 0, 0, 0), "list qdiscs")
        return [parse_qdisc(body) for body in bodies]

    def classes(self, index: int) -> list[HtbClass]:
        """The classes of HTB on a device; none where there is no such device."""
        bodies = self._socket.dump(_GET_CLASS, _HEADER.pack(0, index, 0, 0, 0), f"list classes of {index}")
        return [found for body in bodies if (found := parse_class(body)) is not None]

    def class_(self, index: int, class_id: int) -> HtbClass | None:
        """One class of HTB by its whole number; None where there is none.

        All are read and one is parsed: asked for one alone, the kernel tells everybody who listens for changes.
        """
        bodies = self._socket.dump(_GET_CLASS, _HEADER.pack(0, index, 0, 0, 0), f"list classes of {index}")
        return next((parse_class(body) for body in bodies if _HEADER.unpack_from(body)[2] == class_id), None)

    def filters(self, index: int, parent: int) -> list[Filter]:
        """The filters of a device at `parent`, such as CLSACT_EGRESS; with u32, one entry for each that is a rule."""
        bodies = self._socket.dump(_GET_FILTER, _HEADER.pack(0, index, 0, parent, 0), f"list filters of {index}")
        return [parse_filter(body) for body in bodies]


def parse_qdisc(body: bytes) -> Qdisc:
    """The qdisc in one RTM_NEWQDISC or RTM_DELQDISC."""
    _family, index, handle, parent, _info = _HEADER.unpack_from(body)
    parts = attributes(body, _HEADER.size)
    kind, options = string(parts.get(_KIND, b"")), parts.get(_OPTIONS, b"")
    return Qdisc(index, kind, handle >> 16, parent, _qdisc_options(kind, options))


def _qdisc_options(kind: str, options: bytes) -> dict[str, int]:
    if kind == "pfifo" and len(options) >= 4:
        return {"limit": number(options[:4])}
    if kind == "htb":
        init = attributes(options).get(_HTB_INIT, b"")
        return {"default": number(init[8:12])} if len(init) >= 12 else {}
    if kind == "fq_codel":
        parts = attributes(options)  # TCA_FQ_CODEL_TARGET 1 in µs, LIMIT 2
        return {name: number(parts[at]) for name, at in (("target_us", 1), ("limit", 2)) if at in parts}
    if kind == "cake":
        parts = attributes(options)  # TCA_CAKE_BASE_RATE64 2 in bytes/s, INGRESS 15
        found = {"rate_bps": 8 * number(parts[2])} if 2 in parts else {}
        return found | ({"ingress": number(parts[15])} if 15 in parts else {})
    return {}


def parse_class(body: bytes) -> HtbClass | None:
    """The class in one RTM_NEWTCLASS, if it is one of HTB."""
    _family, index, handle, parent, _info = _HEADER.unpack_from(body)
    parts = attributes(body, _HEADER.size)
    if string(parts.get(_KIND, b"")) != "htb":
        return None
    options = attributes(parts.get(_OPTIONS, b""))
    told = options.get(_HTB_PARMS, b"")
    if len(told) < 44:
        return None
    rate, ceil = (_RATE.unpack_from(told, at)[0] for at in (0, 12))
    rate = number(options[_HTB_RATE64]) if _HTB_RATE64 in options else rate
    ceil = number(options[_HTB_CEIL64]) if _HTB_CEIL64 in options else ceil
    level, priority = struct.unpack_from("=II", told, 36)
    stats = attributes(parts.get(_STATS2, b""))  # TCA_STATS_BASIC 1: u64 bytes, u32 packets; QUEUE 3: drops third
    basic, queue = stats.get(1, b""), stats.get(3, b"")
    return HtbClass(
        index,
        handle & 0xFFFF,
        0 if parent == ROOT_PARENT else parent & 0xFFFF,
        8 * rate,
        8 * ceil,
        priority,
        is_leaf=level == 0,
        bytes_=number(basic[:8]),
        packets=number(basic[8:12]),
        drops=number(queue[8:12]),
    )


def parse_filter(body: bytes) -> Filter:
    """The filter in one RTM_NEWTFILTER; what it redirects to is read of u32 only (TCA_U32_ACT 7, INDEV 8)."""
    _family, index, _handle, _parent, info = _HEADER.unpack_from(body)
    parts = attributes(body, _HEADER.size)
    kind = string(parts.get(_KIND, b""))
    options = attributes(parts.get(_OPTIONS, b"")) if kind == "u32" else {}
    return Filter(index, info >> 16, kind, string(options.get(8, b"")), _redirected(options.get(7, b"")))


def _redirected(actions: bytes) -> int:
    """The device in the first action, if that is mirred's: TCA_MIRRED_PARMS 2, whose last word is the index."""
    for action in attributes(actions).values():
        parts = attributes(action)
        if string(parts.get(1, b"")) == "mirred":
            told = attributes(parts.get(2, b"")).get(2, b"")
            return number(told[24:28])
    return 0
