"""Notices in the same moment that somebody changed under us what the gateway needs: table, routes, rules, settings.

It only says that something may be amiss; what is, the next reconcile finds out. Some things the kernel tells nobody
(`accept_ra`, the routes of an interface that went down): those are found when the whole is compared, now and then.
"""

from __future__ import annotations

from secondpath.act.plane import FIRST, LAST, TABLE
from secondpath.netlink.monitor import (
    ADDRESSES,
    ROUTES,
    RULES,
    SETTINGS,
    AddressEvent,
    Event,
    Monitor,
    Overrun,
    RouteEvent,
    RuleEvent,
    RulesetMonitor,
    SettingEvent,
)


class Tampering:
    """Two sockets that become readable; `seen` says whether what was read concerns us.

    `own_port` is the netlink socket by which our own elements are changed.
    """

    def __init__(self, own_port: int) -> None:
        self._ruleset = RulesetMonitor(TABLE, own_port)
        self._ways = Monitor(ADDRESSES | ROUTES | RULES | SETTINGS)

    def close(self) -> None:
        """Give the sockets back."""
        self._ruleset.close()
        self._ways.close()

    def filenos(self) -> tuple[int, int]:
        """For an event loop."""
        return self._ruleset.fileno(), self._ways.fileno()

    def seen(self) -> bool:
        """Whether something of ours was taken away or set anew since the last call. Never waits."""
        lost = self._ruleset.lost()
        return any(concerns(event) for event in self._ways.read()) or lost


def concerns(event: Event) -> bool:
    """Whether a change may be one of ours undone, or of what our table is made from (the office's own prefixes)."""
    match event:
        case RouteEvent(route, deleted):
            return deleted and FIRST <= route.table <= LAST
        case RuleEvent(rule, deleted):
            return deleted and FIRST <= rule.priority <= LAST
        case AddressEvent() | SettingEvent() | Overrun():
            return True
    return False
