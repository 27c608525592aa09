"""Runs probes: at once, in parallel, each by its own line, each with an end.

What a probe function raises as OSError happened before anything left the box, so it is UNSENT; all else that the world
does to a probe is a value. Anything else raised is a bug, and goes to the loop's exception handler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from secondpath.model import Family, Line, Outcome, Probe, ProbeKind, ProbeResult
from secondpath.sense import dns, http, https, icmp, tcp, tls
from secondpath.sense.attempt import Attempt
from secondpath.sense.egress import Egress
from secondpath.sense.refusal import unsent
from secondpath.sense.stamp import keep_stamping
from secondpath.sense.tap import watched

Ask: TypeAlias = Callable[[Attempt], Coroutine[Any, Any, ProbeResult]]

KINDS: Mapping[ProbeKind, Ask] = {
    ProbeKind.ICMP: icmp.ask,
    ProbeKind.TCP: tcp.ask,
    ProbeKind.DNS: dns.ask,
    ProbeKind.NAME: dns.resolve,
    ProbeKind.HTTP: http.ask,
    ProbeKind.HTTPS: https.ask,
    ProbeKind.TLS: tls.ask,
    ProbeKind.SIZE: icmp.ask,
}
"""The catalogue: a new kind is one file and one line here."""

OUTSTANDING_MAX = 256
"""Probes under way on one line; the engine asks a few each second, so more means that something runs wild."""


class Prober:
    """Asks probes on the lines bound to it, and delivers each result on the event loop, never from within `ask`."""

    def __init__(self, deliver: Callable[[ProbeResult], None]) -> None:
        self._deliver = deliver
        self._egresses: dict[Line, Egress] = {}
        self._closed = False
        self._stamping = keep_stamping()

    def bind(self, uplink: str, interface: str, mark: int) -> None:
        """Say by which interface and with which mark an uplink's probes leave. Both families; again to change it."""
        for family in Family:
            line = Line(uplink, family)
            egress = self._egresses.get(line)
            if egress is None or (egress.interface, egress.mark) != (interface, mark):
                self._drop(line)
                self._egresses[line] = Egress(line, interface, mark, self._deliver)

    def unbind(self, uplink: str) -> None:
        """Forget an uplink: its probes under way end without a result."""
        for family in Family:
            self._drop(Line(uplink, family))

    def ask(self, probe: Probe) -> None:
        """Start a probe. Its result is delivered when it is known, TIMEOUT after `probe.timeout_s` at the latest.

        An echo reply that comes after its TIMEOUT is delivered as a second result.
        """
        egress = self._egresses.get(probe.line)
        if egress is None:
            self._refuse(probe, f"the uplink {probe.line.uplink} has no interface")
        elif len(egress.tasks) >= OUTSTANDING_MAX:
            self._refuse(probe, f"{egress.interface}: {OUTSTANDING_MAX} probes are under way already")
        else:
            task = asyncio.get_running_loop().create_task(_run(Attempt(probe, egress)))
            egress.tasks.add(task)
            task.add_done_callback(egress.tasks.discard)
            task.add_done_callback(_report_bug)

    def close(self) -> None:
        """Cancel all; nothing is delivered any more. Sockets are closed when the loop has turned once."""
        self._closed = True
        self._stamping.close()
        for line in list(self._egresses):
            self._drop(line)

    def _drop(self, line: Line) -> None:
        egress = self._egresses.pop(line, None)
        if egress is not None:
            egress.close()

    def _refuse(self, probe: Probe, detail: str) -> None:
        result = ProbeResult(probe, Outcome.UNSENT, None, detail)
        asyncio.get_running_loop().call_soon(self._deliver_unless_closed, result)

    def _deliver_unless_closed(self, result: ProbeResult) -> None:
        if not self._closed:
            self._deliver(result)


async def answer(attempt: Attempt) -> ProbeResult:
    """One probe from the question to its result."""
    probe = attempt.probe
    try:
        async with asyncio.timeout(probe.timeout_s):
            ask = KINDS[probe.target.kind]
            return await (watched(attempt, ask) if probe.watched else ask(attempt))
    except TimeoutError:
        return attempt.ended(Outcome.TIMEOUT, attempt.silence)
    except OSError as error:
        return unsent(attempt, error)


async def _run(attempt: Attempt) -> None:
    attempt.egress.deliver(await answer(attempt))


def _report_bug(task: asyncio.Task[None]) -> None:
    """Hand a bug to the loop's exception handler at once, not when the task is collected."""
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "a probe failed by a bug", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
