"""What is done for a retired epoch, and when: on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
import errno
import selectors
from collections.abc import Iterable, Iterator
from typing import Any, cast

from secondpath.act.hand import Retired
from secondpath.act.kernel.flows import Flows
from secondpath.daemon.retiring import Ending, Retiring
from secondpath.model import Family, Line

CABLE = Retired(Line("cable", Family.IPV4), 5, 1)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Where others wait, this one moves its clock on."""

    def __init__(self) -> None:
        self.at = 1000.0
        super().__init__(Impatient(self))

    def time(self) -> float:
        return self.at


class Impatient(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        self.loop.at += timeout or 0.0
        return super().select(0)


class PaperFlows:
    """Flows of one epoch that end when they are told to; `stubborn` ones come back until the very end."""

    def __init__(self, tcp: int, stubborn: int = 0, refusing: frozenset[str] = frozenset()) -> None:
        self.tcp, self.left, self.refusing = tcp, tcp + stubborn, refusing
        self.done: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.done.append((round(asyncio.get_running_loop().time() - 1000.0, 2), what))
        if what in self.refusing:
            raise OSError(errno.EPERM, "not now")

    def forget(self, epoch: int, uplink: int) -> None:
        assert (epoch, uplink) == (CABLE.epoch, CABLE.uplink)
        self.note("forget")

    def to_reset(self, epoch: int, uplink: int) -> list[str]:
        self.note("list")
        flows, self.tcp = ["flow"] * self.tcp, 0
        return flows

    def reset(self, flows: Iterable[str]) -> Iterator[int]:
        rest = list(flows)
        for start in range(0, len(rest), 200):
            self.note("poke")
            yield len(rest[start : start + 200])

    def end(self, epoch: int, uplink: int) -> None:
        self.note("end")
        self.left = 0

    def count(self, epoch: int, uplink: int) -> int:
        return self.left


def lived(flows: PaperFlows, seconds: float) -> list[Ending]:
    """The endings that were told, after so long."""
    told: list[Ending] = []

    async def live() -> None:
        retiring = Retiring(cast(Flows, flows), told.append)
        retiring.retire(CABLE)
        await asyncio.sleep(seconds)
        retiring.close()
        await asyncio.sleep(100.0)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live())
    return told


def test_flows_are_forgotten_and_poked_at_once_then_again_then_ended_and_counted() -> None:
    flows = PaperFlows(tcp=3)
    (ending,) = lived(flows, 20.0)
    assert sorted(flows.done) == [
        (0.0, "forget"), (0.0, "list"), (0.0, "poke"),
        (0.05, "forget"),
        (1.0, "forget"), (1.0, "list"),
        (15.0, "end"),
    ]  # fmt: skip
    assert (ending.retired, ending.reset, ending.left) == (CABLE, 3, 0)


def test_a_thousand_resets_let_the_loop_turn_between_batches() -> None:
    turns: list[int] = []
    flows = PaperFlows(tcp=1000)

    async def live() -> None:
        retiring = Retiring(cast(Flows, flows), lambda _: None)
        retiring.retire(CABLE)
        while sum(what == "poke" for _, what in flows.done) < 5:
            turns.append(sum(what == "poke" for _, what in flows.done))
            await asyncio.sleep(0)
        retiring.close()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live())
    assert turns == [1, 2, 3, 4], "one batch a turn, so a decision never waits for more than one"


def test_a_kernel_that_refuses_a_step_is_asked_for_the_next() -> None:
    flows = PaperFlows(tcp=3, refusing=frozenset({"forget", "list"}))
    (ending,) = lived(flows, 20.0)
    assert [what for _, what in sorted(flows.done)] == ["forget", "list", "forget", "forget", "list", "end"]
    assert (ending.reset, ending.left) == (0, 0)


def test_who_closes_ends_nothing_more() -> None:
    flows = PaperFlows(tcp=3)
    assert lived(flows, 0.5) == []
    assert max(at for at, _ in flows.done) < 0.5, "the next start finds what is left"
