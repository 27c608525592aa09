"""What can be seen of a line at one look, and what the line becomes from it: the whole table of its states."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_interface

from secondpath.model import Cause, Family, Health, InterfaceChange, Line


class Reading(StrEnum):
    """What can be seen of a line at one look."""

    UNFIT = "unfit"
    """The interface cannot carry anything: absent, disabled, no carrier."""
    NOT_SET_UP = "not-set-up"
    """No address, no gateway or nothing to ask in this family."""
    SILENT = "silent"
    """A whole burst went unanswered."""
    TOO_FEW = "too-few"
    """Not enough answers to say anything yet."""
    POOR = "poor"
    """Answers come, too many are missing."""
    ANSWERS = "answers"
    """Enough answers in a row, or no reason for doubt."""


NEXT: Mapping[tuple[Health, Reading], Health] = {
    (Health.UNKNOWN, Reading.UNFIT): Health.DOWN,
    (Health.UNKNOWN, Reading.NOT_SET_UP): Health.UNKNOWN,
    (Health.UNKNOWN, Reading.SILENT): Health.DOWN,
    (Health.UNKNOWN, Reading.TOO_FEW): Health.UNKNOWN,
    (Health.UNKNOWN, Reading.POOR): Health.DEGRADED,
    (Health.UNKNOWN, Reading.ANSWERS): Health.UP,
    (Health.UP, Reading.UNFIT): Health.DOWN,
    (Health.UP, Reading.NOT_SET_UP): Health.DOWN,
    (Health.UP, Reading.SILENT): Health.DOWN,
    (Health.UP, Reading.TOO_FEW): Health.UP,
    (Health.UP, Reading.POOR): Health.DEGRADED,
    (Health.UP, Reading.ANSWERS): Health.UP,
    (Health.DEGRADED, Reading.UNFIT): Health.DOWN,
    (Health.DEGRADED, Reading.NOT_SET_UP): Health.DOWN,
    (Health.DEGRADED, Reading.SILENT): Health.DOWN,
    (Health.DEGRADED, Reading.TOO_FEW): Health.DEGRADED,
    (Health.DEGRADED, Reading.POOR): Health.DEGRADED,
    (Health.DEGRADED, Reading.ANSWERS): Health.UP,
    (Health.DOWN, Reading.UNFIT): Health.DOWN,
    (Health.DOWN, Reading.NOT_SET_UP): Health.DOWN,
    (Health.DOWN, Reading.SILENT): Health.DOWN,
    (Health.DOWN, Reading.TOO_FEW): Health.DOWN,
    (Health.DOWN, Reading.POOR): Health.DOWN,
    (Health.DOWN, Reading.ANSWERS): Health.UP,
}
"""The whole table: what a line becomes, from what it was and what is seen. `docs/states.md` is printed from it."""

KEPT = frozenset(
    {
        Cause.SILENT,
        Cause.UNSENT,
        Cause.RECOVERING,
        Cause.CAPTIVE,
        Cause.MODEM,
        Cause.ACCESS,
        Cause.NEXT_HOP,
        Cause.OWN_RULES,
    }
)
"""Causes that stay true of a line that is down until it answers."""

VERSION = {Family.IPV4: 4, Family.IPV6: 6}


def hard_fact(interface: InterfaceChange) -> Cause | None:
    """Why the interface cannot carry anything at all, or None."""
    if not interface.present:
        return Cause.ABSENT
    if not interface.admin_up:
        return Cause.DISABLED
    return None if interface.carrier else Cause.CARRIER


def missing(interface: InterfaceChange, family: Family) -> Cause | None:
    """What the interface lacks to carry this family, or None."""
    if not any(ip_interface(a).version == VERSION[family] for a in interface.addresses):
        return Cause.NO_ADDRESS
    if interface.gateway(family) is None and not interface.point_to_point:
        return Cause.NO_GATEWAY
    return None


def unfit_cause(interface: InterfaceChange | None, line: Line, has_targets: bool) -> tuple[Reading, Cause] | None:
    """The fact that keeps a line from carrying anything, or None."""
    if interface is None:
        return Reading.NOT_SET_UP, Cause.STARTING
    fact = hard_fact(interface)
    if fact is not None:
        return Reading.UNFIT, fact
    lack = missing(interface, line.family) or (None if has_targets else Cause.NO_TARGETS)
    return None if lack is None else (Reading.NOT_SET_UP, lack)
