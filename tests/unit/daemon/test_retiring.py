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
CABLE6 = Retired(Line("cable", Family.IPV6), 6, 1)


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
    """So many flows of each epoch, which end when they are told to."""

    def __init__(self, *tcp: int, refusing: frozenset[str] = frozenset()) -> None:
        self.tcp = {(r.epoch, r.uplink): count for r, count in zip((CABLE, CABLE6), tcp, strict=False)}
        self.left, self.refusing = dict(self.tcp), refusing
        self.done: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.done.append((round(asyncio.get_running_loop().time() - 1000.0, 2), what))
        if what in self.refusing:
            raise OSError(errno.EPERM, "not now")

    def forget(self, epoch: int, uplink: int) -> None:
        assert (epoch, uplink) in self.left
        self.note("forget")

    def forget_closed(self, epochs: Iterable[tuple[int, int]]) -> None:
        assert set(epochs) <= set(self.left)
        self.note("forget closed")

    def reset(self, epochs: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        self.note("list")
        rest = [epoch for epoch in epochs for _ in range(self.tcp[epoch])]
        self.tcp = dict.fromkeys(self.tcp, 0)
        for start in range(0, len(rest), 200):
            self.note("poke")
            yield rest[start : start + 200]

    def end(self, epoch: int, uplink: int) -> None:
        self.note("end")
        self.left[epoch, uplink] = 0

    def count(self, epoch: int, uplink: int) -> int:
        return self.left[epoch, uplink]


def lived(flows: PaperFlows, seconds: float, *retired: Retired) -> list[Ending]:
    """The endings that were told, after so long."""
    told: list[Ending] = []

    async def live() -> None:
        retiring = Retiring(cast(Flows, flows), told.append)
        retiring.retire(retired or (CABLE,))
        await asyncio.sleep(seconds)
        retiring.close()
        await asyncio.sleep(100.0)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live())
    return told


def test_flows_are_forgotten_and_poked_at_once_then_again_then_ended_and_counted() -> None:
    flows = PaperFlows(3)
    (ending,) = lived(flows, 20.0)
    assert sorted(flows.done) == [
        (0.0, "forget"), (0.0, "list"), (0.0, "poke"),
        (0.05, "forget"), (0.05, "forget closed"),
        (1.0, "forget"), (1.0, "forget closed"), (1.0, "list"),
        (1.5, "end"),
        (15.0, "end"),
    ]  # fmt: skip
    assert (ending.retired, ending.reset, ending.left) == (CABLE, 3, 0)


def test_of_two_families_neither_waits_until_the_other_was_poked() -> None:
    flows = PaperFlows(3, 250)
    endings = lived(flows, 20.0, CABLE, CABLE6)
    assert [what for at, what in flows.done if at == 0.0] == ["forget", "forget", "list", "poke", "poke"]
    assert [(e.retired, e.reset, e.left) for e in endings] == [(CABLE, 3, 0), (CABLE6, 250, 0)]


def test_nothing_retired_asks_the_kernel_nothing() -> None:
    flows = PaperFlows(3)

    async def live() -> None:
        Retiring(cast(Flows, flows), lambda _: None).retire([])
        await asyncio.sleep(20.0)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live())
    assert flows.done == []


def test_a_thousand_resets_let_the_loop_turn_between_batches() -> None:
    turns: list[int] = []
    flows = PaperFlows(1000)

    async def live() -> None:
        retiring = Retiring(cast(Flows, flows), lambda _: None)
        retiring.retire([CABLE])
        while sum(what == "poke" for _, what in flows.done) < 5:
            turns.append(sum(what == "poke" for _, what in flows.done))
            await asyncio.sleep(0)
        retiring.close()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(live())
    assert turns == [1, 2, 3, 4], "one batch a turn, so a decision never waits for more than one"


def test_a_kernel_that_refuses_a_step_is_asked_for_the_next() -> None:
    flows = PaperFlows(3, refusing=frozenset({"forget", "list"}))
    (ending,) = lived(flows, 20.0)
    assert [what for _, what in sorted(flows.done)] == [
        "forget", "list", "forget", "forget closed", "forget", "forget closed", "list", "end", "end",
    ]  # fmt: skip
    assert (ending.reset, ending.left) == (0, 0)


def test_who_closes_ends_nothing_more() -> None:
    flows = PaperFlows(3)
    assert lived(flows, 0.5) == []
    assert max(at for at, _ in flows.done) < 0.5, "the next start finds what is left"
