"""A bug ends the process; what the world does to a connection does not."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

import pytest

from secondpath.daemon.bugs import Bug, Bugs


def survived(cause: Callable[[], object]) -> Bugs:
    """What is noted while a loop runs in which that happens."""

    async def live() -> Bugs:
        ended = asyncio.Event()
        bugs = Bugs(ended.set)
        bugs.watch(asyncio.get_running_loop())
        cause()
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()
        assert ended.is_set() == (bugs.first is not None)
        return bugs

    return asyncio.run(live())


def fail(error: Exception) -> None:
    raise error


async def fail_later(error: Exception) -> None:
    raise error


def later(error: Exception) -> Callable[[], object]:
    return lambda: asyncio.get_running_loop().call_soon(fail, error)


def abandoned(error: Exception) -> Callable[[], object]:
    def begin() -> None:
        tasks = {asyncio.get_running_loop().create_task(fail_later(error))}
        tasks.pop().add_done_callback(tasks.discard)

    return begin


@pytest.mark.parametrize("error", [ZeroDivisionError("no"), KeyError("no"), OSError(1, "no")])
def test_an_exception_in_a_callback_is_a_bug(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        bugs = survived(later(error))
    assert bugs.first is error
    assert [record.__dict__["event"] for record in caplog.records] == ["bug"]
    assert "Traceback" in caplog.text
    with pytest.raises(Bug) as raised:
        bugs.raise_first()
    assert raised.value.__cause__ is error


def test_an_exception_in_a_task_that_nobody_awaits_is_a_bug() -> None:
    error = ValueError("a probe's own mistake")
    assert survived(abandoned(error)).first is error


def test_an_error_of_a_connection_that_nobody_waits_for_is_the_world() -> None:
    bugs = survived(abandoned(ConnectionResetError(104, "Connection reset by peer")))
    assert bugs.first is None
    bugs.raise_first()


def test_the_first_bug_is_the_one_that_is_raised() -> None:
    first, second = ValueError("first"), ValueError("second")
    assert survived(lambda: (later(first)(), later(second)())).first is first
