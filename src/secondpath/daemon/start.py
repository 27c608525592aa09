"""From arguments to a running gateway and an exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from secondpath.config.problem import ConfigError
from secondpath.config.reader import load
from secondpath.control.server import Occupied, Server
from secondpath.daemon.answers import Answers
from secondpath.daemon.logs import set_up
from secondpath.daemon.shell import Gateway
from secondpath.daemon.systemd import Systemd
from secondpath.model import Site
from secondpath.tell.status import summary

OK, PROBLEM, USAGE = 0, 1, 2
SOCKET = "control.sock"

log = logging.getLogger(__name__)


def run(config: Path, state_dir: Path, run_dir: Path, log_format: str) -> int:
    """Run the gateway until SIGTERM or SIGINT; 1 when it could not start, 2 when the configuration is not right."""
    set_up(log_format)
    try:
        site = load(config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 the caller's terminal, not the log
        return USAGE
    try:
        for directory in (state_dir, run_dir):
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        return asyncio.run(_run(config, site, state_dir, run_dir))
    except (Occupied, OSError) as error:
        print(f"secondpath cannot start: {error}", file=sys.stderr)  # noqa: T201
        return PROBLEM


async def _run(config: Path, site: Site, state_dir: Path, run_dir: Path) -> int:
    systemd, answers = Systemd(), Answers()
    server = Server(run_dir / SOCKET, answers.handle, allowed_gid=os.getegid())
    await server.open()  # a second daemon ends here, before it has touched anything
    try:
        gateway = Gateway(config, site, state_dir, run_dir, systemd)
        try:
            gateway.start()
            answers.gateway = gateway
            ended = _ended_by_signal(gateway)
            systemd.ready()
            await _announce_until(ended, gateway, server, systemd)
            systemd.stopping()
        finally:
            gateway.close()
    finally:
        await server.close()
    return OK


def _ended_by_signal(gateway: Gateway) -> asyncio.Event:
    """SIGTERM and SIGINT end us; SIGHUP loads the configuration anew."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, gateway)
    return ended


def _reload(gateway: Gateway) -> None:
    problem = gateway.reload()
    if problem is not None:
        log.error("the old configuration stays in force: %s", problem, extra={"event": "config"})


async def _announce_until(ended: asyncio.Event, gateway: Gateway, server: Server, systemd: Systemd) -> None:
    """Tell watchers and systemd of each change, until it is time to end."""
    ending = asyncio.create_task(ended.wait())
    while not ended.is_set():
        gateway.changed.clear()
        systemd.status(summary(gateway.snapshot()))
        server.announce()
        news = asyncio.create_task(gateway.changed.wait())
        await asyncio.wait({news, ending}, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
