"""Notices in the same moment that somebody changed under us what it needs: table, routes, rules, settings, queues.

It only says that something may be amiss; what is, the next reconcile finds out. Some things the kernel tells nobody
(`accept_ra`, the routes of an interface that went down): those are found when the whole is compared, now and then.
"""

from __future__ import annotations

from secondpath.act.kernel.queues import CLSACT_HANDLE, is_ours
from secondpath.act.plane import FIRST, LAST, MAX_UPLINKS, TABLE
from secondpath.act.tree import FIRST_PREFERENCE, HANDLE
from secondpath.netlink.monitor import (
    ADDRESSES,
    LINKS,
    QUEUEING,
    ROUTES,
    RULES,
    SETTINGS,
    AddressEvent,
    Event,
    LinkEvent,
    Monitor,
    Overrun,
    QueueLoss,
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
        self._ways = Monitor(ADDRESSES | LINKS | QUEUEING | ROUTES | RULES | SETTINGS)

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
        case LinkEvent(link, deleted):
            return is_ours(link) and (deleted or not link.up)
        case QueueLoss(_, major, preference):
            ours = major == HANDLE or 0 < preference - FIRST_PREFERENCE <= MAX_UPLINKS
            return ours or major == CLSACT_HANDLE  # of the filters that go with a clsact nothing is told
        case AddressEvent() | SettingEvent() | Overrun():
            return True
    return False
