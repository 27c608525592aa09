"""From arguments to a running gateway and an exit code."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import sys
from pathlib import Path

from secondpath.act.kernel.nft import RulesetError
from secondpath.config.problem import ConfigError
from secondpath.control.server import Occupied, Server
from secondpath.daemon.answers import Answers
from secondpath.daemon.bugs import Bugs
from secondpath.daemon.loading import load_site
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
        site = load_site(config, state_dir)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 the caller's terminal, not the log
        return USAGE
    try:
        for directory in (state_dir, run_dir):
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        return asyncio.run(_run(config, site, state_dir, run_dir))
    except Occupied as error:
        why = str(error)
    except OSError as error:
        why = _sentence(error)
    except RulesetError as error:
        why = f"the kernel does not take our table: {error}"
    print(f"secondpath cannot start: {why}", file=sys.stderr)  # noqa: T201
    return PROBLEM


def _sentence(error: OSError) -> str:
    """What is in the way of a start, and what to do about it."""
    if error.filename:
        return f"{error.filename} cannot be used ({error.strerror})."
    if error.errno in (errno.EPERM, errno.EACCES):
        return f"it needs CAP_NET_ADMIN and CAP_NET_RAW, as root and its unit have them ({error.strerror or error})."
    return str(error)


async def _run(config: Path, site: Site, state_dir: Path, run_dir: Path) -> int:
    systemd, answers, ended = Systemd(), Answers(), asyncio.Event()
    bugs = Bugs(ended.set)
    bugs.watch(asyncio.get_running_loop())
    server = Server(run_dir / SOCKET, answers.handle, allowed_gid=os.getegid())
    await server.open()  # a second daemon ends here, before it has touched anything
    try:
        gateway = Gateway(config, site, state_dir, run_dir, systemd)
        try:
            gateway.start()
            answers.gateway = gateway
            _obey_signals(gateway, ended)
            systemd.ready()
            await _announce_until(ended, gateway, server, systemd)
            bugs.raise_first()
            systemd.stopping()
        finally:
            gateway.close()
    finally:
        await server.close()
    return OK


def _obey_signals(gateway: Gateway, ended: asyncio.Event) -> None:
    """SIGTERM and SIGINT end us; SIGHUP loads the configuration anew."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, _reload, gateway)


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
