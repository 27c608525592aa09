"""The control socket, over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.patience import PATIENCE_S

from secondpath.control import server as server_room
from secondpath.control.client import Unreachable, ask, follow, is_answered
from secondpath.control.peer import Peer
from secondpath.control.server import Occupied, Server, serve
from secondpath.wire.messages import Request, Response, Verb, parse_response, refuse, request_line, response_line

T = TypeVar("T")
STATUS = Request(Verb.STATUS)


class Daemon:
    """Answers in a loop of its own thread, as the real one does in its own process."""

    def __init__(self, path: Path, allowed_gid: int | None, patience_s: float) -> None:
        self.path = path
        self.asked: list[tuple[Request, Peer]] = []
        self.bulk = ""
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server: Server = self.run(serve(path, self.handle, allowed_gid, patience_s))

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(10)

    async def handle(self, request: Request, peer: Peer) -> Response:
        self.asked.append((request, peer))
        if request.verb is Verb.FAILOVER:
            return refuse(f"{request.args['uplink']} cannot take the traffic: it is down.")
        return Response(True, {"count": len(self.asked), "bulk": self.bulk})

    def announce(self) -> None:
        self.loop.call_soon_threadsafe(self.server.announce)

    def close(self) -> None:
        self.run(self.server.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@contextmanager
def daemon(folder: Path, allowed_gid: int | None = None, patience_s: float = 5.0) -> Iterator[Daemon]:
    running = Daemon(folder / "control.sock", allowed_gid, patience_s)
    try:
        yield running
    finally:
        running.close()


def raw(path: Path, *sent: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(str(path))
        try:
            for part in sent:
                sock.sendall(part)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            return b""


def test_a_question_is_answered(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        assert ask(running.path, STATUS).data["count"] == 1
        assert running.asked[0][0] == STATUS
        assert running.asked[0][1].uid == os.geteuid()


def test_a_refusal_is_a_sentence_with_its_exit_code(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        response = ask(running.path, Request(Verb.FAILOVER, {"uplink": "lte"}))
    assert (response.ok, response.exit_code) == (False, 1)
    assert response.error == "lte cannot take the traffic: it is down."


def test_an_unknown_verb_never_reaches_the_daemon(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        assert b"There is no verb 'exec'" in raw(running.path, b'{"verb":"exec"}\n')
        assert running.asked == []


def test_the_socket_is_for_its_owner_and_group_alone(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        assert stat.S_IMODE(running.path.stat().st_mode) == 0o660


def test_a_second_daemon_refuses_to_start_and_the_first_goes_on(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        with pytest.raises(Occupied, match="Another secondpath"):
            asyncio.run(serve(running.path, running.handle))
        (tmp_path / "control.lock").unlink()
        with pytest.raises(Occupied, match="Another secondpath answers"):
            asyncio.run(serve(running.path, running.handle))
        assert ask(running.path, STATUS).ok


def test_the_socket_of_a_killed_daemon_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    assert not is_answered(path)
    with daemon(tmp_path) as running:
        assert ask(running.path, STATUS).ok


def test_a_daemon_that_ended_leaves_no_socket(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        pass
    assert not running.path.exists()
    with pytest.raises(Unreachable, match="secondpath is not running"):
        ask(running.path, STATUS)


def test_a_daemon_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "control.sock"))
        mute.listen()
        with pytest.raises(Unreachable, match="did not answer within"):
            ask(tmp_path / "control.sock", STATUS, timeout_s=0.05)


def test_watchers_hear_of_a_change_at_once_and_of_none_each_second(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        heard = follow(running.path, Request(Verb.WATCH))
        assert next(heard).data["count"] == 1
        running.announce()
        assert next(heard).data["count"] == 2
        assert next(heard).data["count"] == 3


def test_a_watcher_learns_that_the_daemon_went_away(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        heard = follow(running.path, Request(Verb.WATCH))
        next(heard)
    with pytest.raises(Unreachable):
        list(heard)


# ── Hostile and slow clients ─────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.binary(max_size=6000), max_size=3))
def test_whatever_bytes_come_the_next_client_is_served(tmp_path: Path, sent: list[bytes]) -> None:
    with daemon(tmp_path) as running:
        raw(running.path, *sent)
        assert ask(running.path, STATUS).ok


def test_a_line_without_an_end_is_cut_short(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        assert b"at most 4096 bytes" in raw(running.path, b"x" * 5000)
        assert ask(running.path, STATUS).ok


def test_a_client_that_never_asks_is_let_go(tmp_path: Path) -> None:
    with daemon(tmp_path, patience_s=0.05) as running, socket.socket(socket.AF_UNIX) as silent:
        silent.settimeout(PATIENCE_S)
        silent.connect(str(running.path))
        assert silent.recv(1) == b""


def test_a_client_that_never_reads_is_let_go_and_others_do_not_wait(tmp_path: Path) -> None:
    with daemon(tmp_path, patience_s=0.05) as running, socket.socket(socket.AF_UNIX) as deaf:
        running.bulk = "x" * 2_000_000
        deaf.settimeout(PATIENCE_S)
        deaf.connect(str(running.path))
        deaf.sendall(b'{"verb":"watch"}\n')
        assert ask(running.path, STATUS).ok
        got = b"".join(iter(lambda: deaf.recv(65536), b"")) if _hung_up(running) else b""
        assert len(got) < 2_000_000


def _hung_up(running: Daemon) -> bool:
    """Wait until the server has no client left."""

    async def gone() -> bool:
        await asyncio.gather(*running.server._clients, return_exceptions=True)
        return True

    return running.run(gone())


def test_one_user_cannot_take_all_connections(tmp_path: Path) -> None:
    with daemon(tmp_path) as running:
        idle = [socket.socket(socket.AF_UNIX) for _ in range(server_room.CLIENTS_PER_USER)]
        for sock in idle:
            sock.connect(str(running.path))
        assert "busy" in ask(running.path, STATUS).error
        for sock in idle:
            sock.close()
        assert _hung_up(running)
        assert ask(running.path, STATUS).ok


def test_a_refusal_is_read_even_if_it_came_before_the_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = threading.Event()
    sent = "secondpath.control.client.request_line"
    monkeypatch.setattr(sent, lambda asked: request_line(asked) if refused.wait(PATIENCE_S) else b"")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()
        daemon_end = threading.Thread(target=_refuse_one, args=(listener, refused))
        daemon_end.start()
        answer = ask(tmp_path / "control.sock", STATUS)
        daemon_end.join()
    assert answer == refuse("The daemon is busy.")


def _refuse_one(listener: socket.socket, refused: threading.Event) -> None:
    with listener.accept()[0] as client:
        client.sendall(response_line(refuse("The daemon is busy.")))
    refused.set()


# ── Who may change things ────────────────────────────────────────────────────────────


SAY = """
import json, os, socket, sys
uid, gid, groups = json.loads(sys.argv[3])
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    sock.sendall(sys.argv[2].encode() + b"\\n")
    print(sock.makefile().readline())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
@pytest.mark.parametrize(
    ("uid", "gid", "groups", "may"),
    [(0, 0, [], True), (65534, 65534, [], False), (65534, 4242, [], True), (65534, 65534, [4242], True)],
    ids=["root", "a stranger", "of the group", "also of the group"],
)
def test_root_and_the_group_may_change_things_and_strangers_may_only_look(
    uid: int, gid: int, groups: list[int], may: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder), allowed_gid=4242) as running:
        Path(folder).chmod(0o755)
        assert running.path.stat().st_gid == 4242
        running.path.chmod(0o666)

        def say(verb: str) -> Response:
            command = [sys.executable, "-I", "-S", "-c", SAY, str(running.path), f'{{"verb":"{verb}"}}']
            done = subprocess.run([*command, json.dumps([uid, gid, groups])], capture_output=True, check=True)
            return parse_response(done.stdout)

        assert say("status").ok
        assert say("failback").ok is may
        assert may or "may look, but not failback" in say("failback").error
