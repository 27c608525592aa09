"""Examinations on request: in a task beside the loop, over sockets of their own, and without a word to the engine."""

from __future__ import annotations

import asyncio
from typing import Any

from secondpath import clock
from secondpath.config.problem import nearest
from secondpath.daemon.shell import Gateway
from secondpath.examine.finding import finding_of
from secondpath.examine.results import Report
from secondpath.model import Family, Line, Uplink
from secondpath.sense.examining.examiner import Order, examine
from secondpath.tell.catalogue import EXAMINING
from secondpath.tell.path import line_sentence, nat_words, no_such_uplink
from secondpath.wire.messages import Request, Response, refuse
from secondpath.wire.path import LineWords, path_json

LIMIT_S = 4.2
"""Of the five seconds that the command may take: the rest is for starting it and for printing."""


class Examinations:
    """Examines for those who ask. Who asks for what is being examined gets the same report; others have to wait."""

    def __init__(self) -> None:
        self._running: tuple[str | None, asyncio.Task[dict[str, Any]]] | None = None

    async def answer(self, gateway: Gateway, request: Request) -> Response:
        """The report, or why there is none."""
        named = request.args.get("uplink")
        name = str(named) if named is not None else None
        names = [uplink.name for uplink in gateway.site.uplinks]
        if name is not None and name not in names:
            return refuse(no_such_uplink(name, names, nearest(name, names)), exit_code=2)
        if self._running is not None and not self._running[1].done():
            if self._running[0] != name:
                return refuse(EXAMINING)
        else:
            self._running = name, asyncio.create_task(_document(gateway, name))
        # Shielded: when one who asked goes away, the others still get their report.
        return Response(ok=True, data=await asyncio.shield(self._running[1]))


async def _document(gateway: Gateway, name: str | None) -> dict[str, Any]:
    site = gateway.site
    uplinks = [uplink for uplink in site.uplinks if name in (None, uplink.name)]
    report: Report = await examine([_order(gateway, u, family) for u in uplinks for family in Family], LIMIT_S)
    findings = {line.line: finding_of(line) for line in report.lines}
    words = {
        line.line: LineWords(line_sentence(line, findings[line.line], site), nat_words(line)) for line in report.lines
    }
    return path_json(report, findings, words, site, clock.wall())


def _order(gateway: Gateway, uplink: Uplink, family: Family) -> Order:
    return Order(
        line=Line(uplink.name, family),
        interface=uplink.interface,
        mark=gateway.hand.numbers[uplink.name],
        metered=uplink.metered,
        state=gateway.interfaces.get(uplink.name),
        targets=gateway.site.targets_of(family),
        stun=gateway.site.stun,
    )
